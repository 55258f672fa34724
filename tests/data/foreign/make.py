"""Writes the files that tests/foreign.rs reads: the first five frames of ../compare/akle_a.xtc,
with a triclinic cell, in formats that mdsurrogate reads by chemfiles, by mdtraj 1.11, MDAnalysis
2.11 and the lines below, none of which use it. Run in this folder: python make.py

akle.tng is written by the TNG library itself (make_tng.c says how)."""

import warnings

import MDAnalysis as mda
import mdtraj
import numpy as np

warnings.simplefilter("ignore")
PDB = "../../../data/structures/akle.pdb"
run = mdtraj.load("../compare/akle_a.xtc", top=PDB)[:5]
run.unitcell_lengths = np.tile([4.0, 4.2, 4.5], (5, 1)).astype("f4")
run.unitcell_angles = np.tile([80.0, 95.0, 70.0], (5, 1)).astype("f4")
run.save_gro("akle.gro")
run.save_lammpstrj("triclinic.lammpstrj")
run[3].save_netcdfrst("akle.ncrst")
run.unitcell_angles = np.full((5, 3), 90.0, "f4")
run.save_lammpstrj("akle.lammpstrj")
run.save_xtc("akle.xtc")

universe = mda.Universe(PDB, "../compare/akle_a.xtc")
with mda.Writer("akle.xyz", len(universe.atoms)) as writer:
    for frame in universe.trajectory[:5]:
        writer.write(universe.atoms)

# LAMMPS with its units and times, atoms in another order than their numbers
with open("real.lammpstrj", "w") as out:
    for index, frame in enumerate(universe.trajectory[:5]):
        print(f"ITEM: UNITS\nreal\nITEM: TIME\n{frame.time * 1e3:.1f}", file=out)
        print(f"ITEM: TIMESTEP\n{25000 * index}\nITEM: NUMBER OF ATOMS\n69", file=out)
        print("ITEM: BOX BOUNDS pp pp pp\n0 40\n0 42\n0 45\nITEM: ATOMS id type xu yu zu", file=out)
        for atom in reversed(universe.atoms):
            x, y, z = atom.position
            print(f"{atom.ix + 1} {1 + atom.ix % 3} {x:.3f} {y:.3f} {z:.3f}", file=out)

# Tinker and MOL2, one frame: the columns that their manuals ask for
universe.trajectory[3]
atoms = universe.atoms
with open("akle.arc", "w") as out:
    print("69 AKLE", file=out)
    for atom in atoms:
        x, y, z = atom.position
        print(f"{atom.ix + 1} {atom.name} {x:.3f} {y:.3f} {z:.3f} 1", file=out)
with open("akle.mol2", "w") as out:
    print("@<TRIPOS>MOLECULE\nakle\n69 0 4 0 0\nPROTEIN\nNO_CHARGES\n\n@<TRIPOS>ATOM", file=out)
    for atom in atoms:
        x, y, z = atom.position
        print(
            f"{atom.ix + 1} {atom.name} {x:.3f} {y:.3f} {z:.3f} {atom.element} "
            f"{atom.resid} {atom.resname}{atom.resid}",
            file=out,
        )
    print("@<TRIPOS>BOND", file=out)

# what make_tng.c reads
with open("positions.txt", "w") as out:
    for frame in universe.trajectory[:5]:
        for position in frame.positions:
            print(*(f"{x:.3f}" for x in position), file=out)
with open("names.txt", "w") as out:
    for atom in atoms:
        print(atom.resid, atom.resname, atom.name, atom.element, file=out)
