"""Writes the small trajectories that tests/trajectory.rs reads, with MDAnalysis 2.11: 12 atoms, 5
frames, a triclinic cell.

Positions, velocities, cell and times are formulas of atom and frame, so that the test computes what
it must find. Run in this folder: python make.py """

import warnings

import MDAnalysis as mda
import numpy as np

warnings.simplefilter("ignore")
ATOMS, FRAMES = 12, 5
universe = mda.Universe.empty(ATOMS, trajectory=True, velocities=True)
universe.add_TopologyAttr("names", ["CA"] * ATOMS)


def set_frame(frame):
    atom = np.arange(ATOMS)[:, None]
    axis = np.arange(3)[None, :]
    ts = universe.trajectory.ts
    ts.positions = 10 * np.sin(1.3 * atom + 0.7 * axis + 0.1 * frame) + atom
    ts.velocities = np.cos(1.3 * atom + 0.7 * axis + 0.1 * frame)
    ts.dimensions = [40 + 0.1 * frame, 42, 45, 80, 95, 70]
    ts.time = 2.5 + 0.5 * frame
    ts.frame = frame
    ts.data["step"] = 250 * frame
    ts.dt = 0.5


for name, options in [
    ("s.xtc", {}),
    ("s.dcd", {"dt": 0.5, "istart": 5}),
    ("s.trr", {}),
    ("s.nc", {"velocities": True}),
    ("s.pdb", {"multiframe": True}),
]:
    with mda.Writer(name, ATOMS, **options) as writer:
        for frame in range(FRAMES):
            set_frame(frame)
            writer.write(universe.atoms)
