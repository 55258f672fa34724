"""Prints the standard deviation of AKLE's 50 ps displacements that tests/train/ expects: NumPy
and mdtraj alone.

360 of the 400 frames are for training, less a gap of one lag: pairs of frames (0, 1) … (357, 358).
"""

from pathlib import Path

import mdtraj
import numpy as np

here = Path(__file__).parent
frames = mdtraj.load(here / "akle_a.xtc", top=here / "akle.pdb")
frames = frames.atom_slice(frames.topology.select("element != H"))[:359]
x = 10 * frames.xyz.astype(float)
x -= x.mean(1, keepdims=True)
squares = []
for now, later in zip(x[:-1], x[1:]):
    u, _, v = np.linalg.svd(later.T @ now)
    rotation = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ v))]) @ v
    squares.append(((later @ rotation - now) ** 2).mean())
print(len(squares), np.sqrt(np.mean(squares) + 0.1**2 / 3))
