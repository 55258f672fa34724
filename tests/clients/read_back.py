"""Reads a trajectory with MDAnalysis and mdtraj and writes, as one JSON object, what each of them
finds.

python read_back.py TOPOLOGY.pdb TRAJECTORY OUT.json
(not to stdout, where mdtraj's DCD reader prints)

Å, ps, kJ/mol/Å, degrees; `cell` is null where there is none, `times` is null where the reader has
none of its own (mdtraj for DCD).
"""

import json
import sys
import warnings

import MDAnalysis
import mdtraj
import numpy as np

warnings.simplefilter("ignore")
topology, trajectory, out = sys.argv[1:]


def with_mdanalysis():
    universe = MDAnalysis.Universe(topology, trajectory)
    frames = universe.trajectory
    cell = lambda ts: None if ts.dimensions is None else [float(x) for x in ts.dimensions]
    read = [(float(ts.time), cell(ts), ts.positions.astype(float).tolist()) for ts in frames]
    vectors = lambda name: [
        getattr(ts, name).astype(float).tolist() if getattr(ts, "has_" + name) else None
        for ts in frames
    ]
    also = {name: vectors(name) for name in ("velocities", "forces")}
    return {
        "dt": float(frames.dt),
        "names": universe.atoms.names.tolist(),
        **also,
        **as_columns(read),
    }


def with_mdtraj():
    t = mdtraj.load(trajectory, top=topology)
    lengths, angles = t.unitcell_lengths, t.unitcell_angles
    times = [None] * len(t) if trajectory.endswith(".dcd") else [float(x) for x in t.time]
    cells = [
        None if lengths is None else [*(10 * lengths[i]).tolist(), *angles[i].tolist()]
        for i in range(len(t))
    ]
    positions = (10 * t.xyz.astype(float)).tolist()
    names = [atom.name for atom in t.topology.atoms]
    return {"names": names, **as_columns(list(zip(times, cells, positions)))}


def as_columns(rows):
    return {
        "times": [r[0] for r in rows],
        "cells": [r[1] for r in rows],
        "positions": [r[2] for r in rows],
    }


with open(out, "w") as file:
    json.dump({"MDAnalysis": with_mdanalysis(), "mdtraj": with_mdtraj()}, file)
