"""Writes what independent programs read in the trajectories of tests/data/compare, for the tests of
`analyze`.

usage: make.py
needs: mdtraj, MDAnalysis, deeptime, scikit-learn, pymbar, numpy (made with 1.11.1, 2.11.0, 0.5.0,
1.9.1, 4.0.3, 2.4.6)
"""

import json
from pathlib import Path
import MDAnalysis, mdtraj, numpy as np
from deeptime.decomposition import TICA
from pymbar.timeseries import detect_equilibration
from sklearn.decomposition import PCA

here = Path(__file__).resolve().parent
root = here.parents[2]
structures = root / "data" / "structures"
ANGSTROM = 10


def gromos(distances, cutoff):
    """Daura et al. 1999, as `gmx cluster -method gromos` has it"""
    near = distances <= cutoff
    free = np.ones(len(near), bool)
    centres, sizes = [], []
    while free.any():
        counts = np.where(free, (near & free).sum(1), 0)
        centre = int(counts.argmax())
        members = near[centre] & free
        centres.append(centre)
        sizes.append(int(members.sum()))
        free &= ~members
    return centres[:10], sizes[:10]


def name(atom):
    return [atom.residue.index, atom.name]


def shape(name, selection):
    """RMSD, RMSF, Rg, principal components, clusters of trace atoms"""
    top = structures / f"{name}.pdb"
    file = root / "tests/data/compare" / ("trpcage.xtc" if name == "trpcage" else "akle_a.xtc")
    t = mdtraj.load(file, top=top)
    start = mdtraj.load(top)
    trace = t.topology.select(selection)
    heavy = MDAnalysis.Universe(top, file).select_atoms("not element H")
    rmsd = mdtraj.rmsd(t, start, 0, atom_indices=trace).astype(float) * ANGSTROM
    moved = mdtraj.load(file, top=top).superpose(start, 0, atom_indices=trace)
    xyz = moved.xyz[:, trace].astype(float) * ANGSTROM
    mean = mdtraj.Trajectory(xyz.mean(0)[None] / ANGSTROM, t.topology.subset(trace))
    of_trace = t.atom_slice(trace)
    pairs = np.array([mdtraj.rmsd(of_trace, of_trace, i) for i in range(len(t))]) * ANGSTROM
    pca = PCA().fit(xyz.reshape(len(xyz), -1))
    points = pca.transform(xyz.reshape(len(xyz), -1))[:, :2] / np.sqrt(len(trace))
    # a cutoff that no pair is near
    sorted_pairs = np.sort(pairs[np.triu_indices(len(pairs), 1)])
    some = slice(int(0.25 * len(sorted_pairs)), int(0.35 * len(sorted_pairs)))
    gap = some.start + int(np.diff(sorted_pairs[some]).argmax())
    cutoff = float(sorted_pairs[gap : gap + 2].mean())
    start_at, inefficiency, samples = detect_equilibration(rmsd, fast=False, nskip=1)
    out = {
        "rmsd": rmsd.tolist(),
        "rmsd_to_mean": (mdtraj.rmsd(of_trace, mean).astype(float) * ANGSTROM).tolist(),
        "rmsf": np.sqrt(((xyz - xyz.mean(0)) ** 2).sum(-1).mean(0)).tolist(),
        "radius_of_gyration": [
            float(heavy.radius_of_gyration()) for _ in heavy.universe.trajectory
        ],
        "component_shares": pca.explained_variance_ratio_[:5].tolist(),
        "component_deviations": np.abs(points).std(0).tolist(),
        "point_17": np.abs(points[17]).tolist(),
        "mean_pairwise": float(pairs[np.triu_indices(len(pairs), 1)].mean()),
        "cutoff": cutoff,
        "clusters": gromos(pairs, cutoff),
        "settled": [int(start_at), float(inefficiency), float(samples)],
    }
    return t, out


def bonds(t):
    """Baker & Hubbard: frames in which each pair of donor and acceptor is bonded"""
    counts = {}
    for frame in range(len(t)):
        found = mdtraj.baker_hubbard(t[frame], freq=0.0, exclude_water=False, periodic=False)
        for pair in {(d, a) for d, _, a in found.tolist()}:
            counts.setdefault(pair, []).append(frame)
    atom = t.topology.atom
    pairs = sorted(counts.items())
    return [[name(atom(d)), name(atom(a)), frames] for (d, a), frames in pairs]


def slow(t):
    """cos and sin of φ, ψ, χ, of twice the angle where half a turn brings a group onto itself;
    lag 5 frames of 50 ps"""
    half_turn = {("PHE", 2), ("TYR", 2), ("ASP", 2), ("GLU", 3), ("ARG", 5)}
    angles = [mdtraj.compute_phi(t)[1], mdtraj.compute_psi(t)[1]]
    for n in range(1, 6):
        atoms, chi = getattr(mdtraj, f"compute_chi{n}")(t)
        residues = [t.topology.atom(quad[1]).residue.name for quad in atoms]
        folds = [2 if (residue, n) in half_turn else 1 for residue in residues]
        angles += [chi * folds] if len(atoms) else []
    angles = np.concatenate(angles, 1).astype(float)
    features = np.concatenate([np.cos(angles), np.sin(angles)], 1)
    tica = TICA(lagtime=5, dim=4, scaling="kinetic_map").fit_fetch(features)
    points = tica.transform(features)[:, :2]
    return {
        "timescales": (tica.timescales(lagtime=5)[:2] * 50.0).tolist(),
        "values": tica.singular_values[:4].tolist(),
        "apart_17_23": np.abs(points[17] - points[23]).tolist(),
    }


trpcage, of_trpcage = shape("trpcage", "name CA")
of_trpcage["hydrogen_bonds"] = bonds(trpcage)
of_trpcage["secondary"] = ["".join(x) for x in mdtraj.compute_dssp(trpcage, simplified=True)]
akle, of_akle = shape("akle", "element != H")
of_akle["hydrogen_bonds"] = bonds(akle)
of_akle["slow"] = slow(akle)
result = {"trpcage": of_trpcage, "akle": of_akle}
json.dump(result, open(here / "expected.json", "w"), separators=(",", ":"))
