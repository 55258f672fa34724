"""Writes what reference MD says about local geometry: means and s.d. of heavy-atom distances up to
three bonds, and of heights.

    pip install mdtraj && python scripts/md_geometry.py topology.pdb trajectory.xtc out.json

Distances: [i, j, bonds, mean, s.d.] in A; heights: [centre, neighbours in ascending order, mean
height (A), s.d., mean area (A^2)] for centres with three heavy neighbours; indices are those of the
PDB file, from 0.
"""

import json
import sys

import mdtraj as md
import numpy as np


def main(pdb, trajectory, out):
    t = md.load(trajectory, top=pdb)
    heavy = {a.index for a in t.topology.atoms if a.element.symbol != "H"}
    near = {i: [] for i in heavy}
    for a, b in t.topology.bonds:
        if {a.index, b.index} <= heavy:
            near[a.index].append(b.index)
            near[b.index].append(a.index)
    x = t.xyz.astype(float) * 10
    pairs = []
    for i in sorted(heavy):
        found, shell = {i: 0}, [i]
        for bonds in (1, 2, 3):
            shell = sorted({k for j in shell for k in near[j]} - set(found))
            found |= {j: bonds for j in shell}
        for j, bonds in sorted(found.items()):
            if j > i:
                r = np.linalg.norm(x[:, i] - x[:, j], axis=-1)
                pairs.append([i, j, bonds, round(r.mean(), 4), round(r.std(), 4)])
    heights = []
    for c in sorted(heavy):
        if len(near[c]) == 3:
            a, b, d = sorted(near[c])
            normal = np.cross(x[:, b] - x[:, a], x[:, d] - x[:, a])
            area = np.linalg.norm(normal, axis=-1)
            h = ((x[:, a] - x[:, c]) * normal).sum(-1) / area
            heights.append(
                [c, a, b, d, round(h.mean(), 4), round(h.std(), 4), round(area.mean(), 4)]
            )
    with open(out, "w") as file:
        rows = lambda table: "[\n" + ",\n".join(json.dumps(row) for row in table) + "]"
        file.write(
            f'{{"frames": {len(x)},\n"pairs": {rows(pairs)},\n"heights": {rows(heights)}}}\n'
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
