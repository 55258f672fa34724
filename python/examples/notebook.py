"""A protein from file to numbers, in cells as Jupyter (jupytext), VS Code and Spyder know them.

    pip install 'mdsurrogate[mdanalysis,mdtraj,ase,progress]'
    python notebook.py protein.pdb

It writes a folder `notebook/` where it is run.
"""

# %% What is it? Hydrogens and missing side chains are built with fix=True.
import sys
from pathlib import Path

import numpy as np

import mdsurrogate

protein = mdsurrogate.Structure(sys.argv[1], fix=True)
print(f"{len(protein)} atoms, {len(set(protein.residue_indices))} residues")

# %% What will move it: the built-in model, where it was judged, at which lag times (ps).
model = mdsurrogate.Model()
print(f"{model.task} of {model.architecture}, {model.lags} ps; judged at {model.validated}")

# %% Two replicas of twenty jumps, in memory: replicas x atoms x 3, in Å.
simulation = mdsurrogate.Simulation(sys.argv[1], fix=True, replicas=2, seed=1, lag="160ps")
print(*simulation.words, sep="\n")
frames = np.array(list(simulation.frames(20, progress=True)))
print(f"{frames.shape}: {simulation.time:.0f} ps, box of {np.ptp(frames, axis=(0, 1, 2))} Å")

# %% The first of them as MDAnalysis has it: RMSD of the backbone to the first frame.
from MDAnalysis.analysis.rms import RMSD

universe = mdsurrogate.universe(simulation.structure, frames[:, 0], dt=simulation.time_step)
rmsd = RMSD(universe, select="backbone").run().results.rmsd[:, 2]
print("RMSD (Å)", rmsd.round(2))

# %% The second as mdtraj has it: radius of gyration, helix. Lengths are nm there.
import mdtraj

trajectory = mdsurrogate.to_mdtraj(simulation.structure, frames[:, 1], dt=simulation.time_step)
print("Rg (nm)", mdtraj.compute_rg(trajectory).round(3))
print("helix", (mdtraj.compute_dssp(trajectory) == "H").mean(axis=0).round(2))

# %% Energies of the force field, kJ/mol, and as ASE has them: eV.
from mdsurrogate.ase import ForceField, atoms_of

terms, forces = mdsurrogate.Energy(simulation.structure).evaluate(frames[-1, 0])
atoms = atoms_of(simulation.structure, frames[-1, 0])
atoms.calc = ForceField(simulation.structure)
print(f"{terms['total']:.1f} kJ/mol, {atoms.get_potential_energy():.4f} eV")
print(f"largest force {np.linalg.norm(forces, axis=1).max():.0f} kJ/mol/Å")

# %% The same jumps to files, which a later call goes on from, and the page about them.
Path("notebook").mkdir(exist_ok=True)
simulation.run("notebook/run", steps=20, overwrite=True, quiet=True)
found = mdsurrogate.analyze("notebook/run", report="notebook/analysis", overwrite=True)
print(found.sentence)
print("fluctuates most:", found.residues[np.nanargmax(found.rmsf)], "page:", found.files[0])
