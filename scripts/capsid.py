#!/usr/bin/env python3
"""Write a giant: copies of a protein by the 60 rotations of an icosahedron, shell in shell.

    python scripts/capsid.py data/structures/1ubi.pdb.gz 28 giant.cif

The heavy atoms of the first chain of a PDB file, gzipped or not, are put down at a vertex of the
snub dodecahedron, where the 60 copies of a shell are as far from each other as they can be, in as
many shells as are asked for, each a diameter of the protein outside the one before it. The file is
mmCIF, a chain a copy. Nothing but Python is needed.
"""

import gzip
import itertools
import math
import sys


def atoms(path):
    """Name, element, residue, its number and position of the heavy atoms of the first chain."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    found = []
    for line in data.decode().splitlines():
        if line.startswith("ENDMDL"):
            break
        element = line[76:78].strip()
        if not line.startswith("ATOM") or element == "H" or line[16] not in " A":
            continue
        if found and line[21] != found[0][0]:
            break
        place = tuple(float(line[k : k + 8]) for k in (30, 38, 46))
        words = (line[12:16].strip(), element, line[17:20], int(line[22:26]))
        found.append((line[21], *words, place))
    if not found:
        sys.exit(f"{path}: no heavy atom of a protein; give a PDB file")
    return [atom[1:] for atom in found]


def product(a, b):
    """The product of two quaternions."""
    w, x, y, z = a
    s, t, u, v = b
    return (
        w * s - x * t - y * u - z * v,
        w * t + x * s + y * v - z * u,
        w * u - x * v + y * s + z * t,
        w * v + x * u - y * t + z * s,
    )


def rotations():
    """The 60 rotations of the icosahedron as matrices: of the 120 icosians one of each sign."""
    golden = (1 + math.sqrt(5)) / 2
    third = (0.5, 0.5, 0.5, 0.5)
    fifth = (golden / 2, 0.5, 1 / golden / 2, 0)
    known = [(1.0, 0.0, 0.0, 0.0)]
    for known_one in known:
        for step in (third, fifth):
            new = product(step, known_one)
            same = (
                max(abs(s * a - b) for a, b in zip(new, old)) < 1e-9
                for old, s in itertools.product(known, (1, -1))
            )
            if not any(same):
                known.append(new)
    assert len(known) == 60
    return [matrix(q) for q in known]


def matrix(q):
    """The rotation of a unit quaternion."""
    w, x, y, z = q
    return (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )


def turned(rotation, place):
    return tuple(sum(r * x for r, x in zip(row, place)) for row in rotation)


def loosest(turns):
    """The direction whose copies are farthest from each other, and their distance on a sphere of
    radius 1, by a search over the sphere: the snub dodecahedron's, 1/2.1558."""
    best = (0.0, (0.0, 0.0, 1.0))
    steps = 400
    for i, j in itertools.product(range(1, steps // 2), range(steps // 5)):
        height, angle = 1 - 2 * i / steps, 2 * math.pi * j / steps
        across = math.sqrt(1 - height * height)
        way = (across * math.cos(angle), across * math.sin(angle), height)
        least = min(math.dist(turned(turn, way), way) for turn in turns[1:])
        best = max(best, (least, way))
    return best


HEAD = """data_giant
loop_
_atom_site.group_PDB
_atom_site.id
_atom_site.type_symbol
_atom_site.label_atom_id
_atom_site.label_alt_id
_atom_site.label_comp_id
_atom_site.label_asym_id
_atom_site.label_entity_id
_atom_site.label_seq_id
_atom_site.Cartn_x
_atom_site.Cartn_y
_atom_site.Cartn_z
_atom_site.auth_seq_id
_atom_site.auth_asym_id
_atom_site.pdbx_PDB_model_num
"""


def main(path, shells, out):
    protein = atoms(path)
    middle = [sum(axis) / len(protein) for axis in zip(*(atom[-1] for atom in protein))]
    places = [tuple(x - m for x, m in zip(atom[-1], middle)) for atom in protein]
    # a hydrogen bond's length between what touches
    width = 2 * max(math.hypot(*place) for place in places) + 3
    turns = rotations()
    spread, way = loosest(turns)
    with open(out, "w", encoding="utf-8") as file:
        file.write(HEAD)
        number = 0
        for shell, (copy, turn) in itertools.product(range(shells), enumerate(turns)):
            radius = width / spread + shell * width
            chain = f"S{shell + 1}C{copy + 1}"
            for (name, element, residue, index, _), place in zip(protein, places):
                number += 1
                at = turned(turn, tuple(p + radius * w for p, w in zip(place, way)))
                x, y, z = (f"{value:.3f}" for value in at)
                file.write(
                    f"ATOM {number} {element} {name} . {residue} {chain} 1 {index} "
                    f"{x} {y} {z} {index} {chain} 1\n"
                )
        file.write("#\n")
    print(f"{out}: {number} atoms, {60 * shells} copies, {2 * radius + width:.0f} A across")


if __name__ == "__main__":
    if len(sys.argv) != 4 or not sys.argv[2].isdigit() or sys.argv[2] == "0":
        sys.exit(__doc__)
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
