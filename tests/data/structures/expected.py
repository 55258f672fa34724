#!/usr/bin/env python3
"""Write expected.csv: what mdtraj and OpenMM find in structure files, for tests/structure.rs.

    pip install mdtraj==1.11.1.post2 openmm==8.6.1
    python expected.py expected.csv FILE.gz…

Bonds are the union of both programs' (mdtraj has no disulfides for files without element columns
and no second hydrogen on an N-terminal proline; OpenMM has no disulfides for mmCIF) and S–S pairs
of cysteines within 2.5 Å. Waters are left out, and atoms counted anew without them. bonds_sha256 is
over the lines "i j\n", i < j, sorted by number.
"""

import gzip
import hashlib
import os
import sys
import tempfile
import warnings

import mdtraj
import numpy
import openmm.app

warnings.filterwarnings("ignore")


def expected(path):
    name = os.path.basename(path)
    with tempfile.TemporaryDirectory() as folder:
        plain = os.path.join(folder, name.removesuffix(".gz"))
        with open(plain, "wb") as out:
            out.write(gzip.open(path).read() if name.endswith(".gz") else open(path, "rb").read())
        trajectory = mdtraj.load(plain)
        reader = openmm.app.PDBxFile if ".cif" in name else openmm.app.PDBFile
        other = reader(plain).topology
    atoms = list(trajectory.topology.atoms)
    # An atom that a residue names twice counts once, where it comes first, as OpenMM has it.
    first = {}
    own = [first.setdefault((atom.residue.index, atom.name), atom.index) for atom in atoms]
    both = [index for index in range(len(atoms)) if own[index] == index]
    assert [atoms[index].element.symbol for index in both] == [
        atom.element.symbol for atom in other.atoms()
    ]
    kept = [index for index in both if atoms[index].residue.name not in ("HOH", "WAT")]
    place = {index: number for number, index in enumerate(kept)}
    bonds = {(own[a.index], own[b.index]) for a, b in trajectory.topology.bonds} | {
        (both[a.index], both[b.index]) for a, b in other.bonds()
    }
    sulfurs = [
        atom.index for atom in atoms if atom.name == "SG" and atom.residue.name in ("CYS", "CYX")
    ]
    xyz = trajectory.xyz[0] * 10
    disulfides = {
        (i, j)
        for i in sulfurs
        for j in sulfurs
        if i < j and numpy.linalg.norm(xyz[i] - xyz[j]) < 2.5
    }
    bonds = sorted(
        {
            tuple(sorted((place[i], place[j])))
            for i, j in bonds | disulfides
            if i in place and j in place
        }
    )
    digest = hashlib.sha256("".join(f"{i} {j}\n" for i, j in bonds).encode()).hexdigest()[:16]
    residues = {atoms[index].residue.index for index in kept}
    chains = {atoms[index].residue.chain.index for index in kept}
    hydrogens = sum(atoms[index].element.symbol == "H" for index in kept)
    return [
        name,
        len(chains),
        len(residues),
        len(kept),
        hydrogens,
        len(bonds),
        len(disulfides),
        digest,
    ]


def main():
    with open(sys.argv[1], "w") as out:
        print("file,chains,residues,atoms,hydrogens,bonds,disulfides,bonds_sha256", file=out)
        for path in sys.argv[2:]:
            print(*expected(path), sep=",", file=out)


if __name__ == "__main__":
    main()
