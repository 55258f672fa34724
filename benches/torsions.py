"""Torsion distributions of `mdsurrogate reference` beside OpenMM's, runs of the same length,
settings and start.

python torsions.py PROGRAM PROTEIN FOLDER [--ns 5] [--runs 3]

Both: ff14SB + OBC2, 300 K, 1/ps, 4 fs, bonds to hydrogen held, hydrogens of 3 Da, a frame every ps,
one thread. Prints the mean over the torsions phi, psi, chi1 to chi4 of the Jensen-Shannon
divergence (natural logarithm, 100 bins) between every two runs, as one line a kind of pair: OpenMM
with OpenMM, ours with OpenMM, ours with ours. Runs that lie in FOLDER are not made again.
"""

import argparse
import itertools
import pathlib
import subprocess

import mdtraj
import numpy as np
import openmm
from openmm import app, unit

from openmm_reference import native_system

BINS = 100


def ours(program, start, prefix, ns, seed):
    file = prefix.with_suffix(".xtc")
    if not file.exists():
        command = [
            program,
            "reference",
            start,
            "-o",
            prefix,
            "--time",
            f"{ns}ns",
            "--temp",
            "300K",
            "--friction",
            "1/ps",
            "--dt",
            "4fs",
            "--hydrogen-mass",
            "3",
            "--hold-hydrogens",
            "--traj-every",
            "1ps",
            "--threads",
            "1",
            "--seed",
            str(seed),
            "--quiet",
        ]
        subprocess.run([str(word) for word in command], check=True)
    return file


def theirs(start, prefix, ns, seed):
    file = prefix.with_suffix(".xtc")
    if file.exists():
        return file
    pdb = app.PDBFile(str(start))
    system = native_system(pdb.topology)
    integrator = openmm.LangevinMiddleIntegrator(
        300 * unit.kelvin, 1 / unit.picosecond, 4 * unit.femtosecond
    )
    integrator.setRandomNumberSeed(seed)
    simulation = app.Simulation(
        pdb.topology, system, integrator, openmm.Platform.getPlatformByName("CPU"), {"Threads": "1"}
    )
    simulation.context.setPositions(pdb.positions)
    simulation.context.setVelocitiesToTemperature(300 * unit.kelvin, seed)
    simulation.step(5000)
    part = prefix.with_suffix(".part.xtc")
    simulation.reporters.append(app.XTCReporter(str(part), 250))
    simulation.step(round(ns * 250_000))
    part.rename(file)
    return file


def histograms(file, start):
    """One normalised histogram a torsion."""
    frames = mdtraj.load(str(file), top=str(start))
    kinds = [
        mdtraj.compute_phi,
        mdtraj.compute_psi,
        mdtraj.compute_chi1,
        mdtraj.compute_chi2,
        mdtraj.compute_chi3,
        mdtraj.compute_chi4,
    ]
    angles = np.concatenate([kind(frames)[1] for kind in kinds], axis=1)
    counts = [np.histogram(column, BINS, (-np.pi, np.pi))[0] for column in angles.T]
    return np.array(counts) / len(angles), len(angles)


def divergence(p, q):
    """Mean Jensen-Shannon divergence over torsions, natural logarithm."""
    middle = 0.5 * (p + q)
    entropy = lambda x: -np.sum(np.where(x > 0, x * np.log(np.where(x > 0, x, 1)), 0), axis=1)
    return float(np.mean(entropy(middle) - 0.5 * (entropy(p) + entropy(q))))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("protein", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--ns", type=float, default=5)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    args.folder.mkdir(exist_ok=True)
    start = args.folder / "start.pdb"
    if not start.exists():
        subprocess.run(
            [str(args.program), "minimize", str(args.protein), "-o", str(start)], check=True
        )
    runs = []
    for seed in range(1, args.runs + 1):
        for kind, make in (("OpenMM", theirs), ("ours", lambda *rest: ours(args.program, *rest))):
            file = make(start, args.folder / f"{kind}_{seed}", args.ns, seed)
            found, frames = histograms(file, start)
            print(f"{kind} {seed}: {frames} frames, {len(found)} torsions", flush=True)
            runs.append((kind, found))
    pairs = {}
    for (kind, p), (other, q) in itertools.combinations(runs, 2):
        pairs.setdefault(" with ".join(sorted((kind, other))), []).append(divergence(p, q))
    for kind, values in sorted(pairs.items()):
        print(
            f"{kind:20} {np.mean(values):.4f}  ("
            + ", ".join(f"{value:.4f}" for value in values)
            + ")"
        )


if __name__ == "__main__":
    main()
