"""Cuts the small trajectories of the tests of `compare` out of full ones and writes what
independent programs read in them.

usage: make.py REFERENCE ENSEMBLE   (folders; see data/README.md)
  REFERENCE: akle.xtc, akle_long.xtc, trpcage.xtc
  ENSEMBLE:  2k39_insty.dcd
needs: mdtraj, MDAnalysis, deeptime, scipy, numpy (made with 1.11.1, 2.11.0, 0.4.5, 1.17.1, 2.3)
"""

import json, sys
from pathlib import Path
import MDAnalysis, mdtraj, numpy as np
from deeptime.decomposition import TICA
from deeptime.markov import TransitionCountEstimator
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import jensenshannon

reference, ensemble, here = Path(sys.argv[1]), Path(sys.argv[2]), Path(__file__).resolve().parent
structures = here.parents[2] / "data" / "structures"
LAG = 5  # frames


def cut(name, topology, source, stride):
    """writes NAME.xtc and reads it back, so that all see the same rounded positions"""
    mdtraj.load(source, top=topology)[::stride].save_xtc(here / f"{name}.xtc")
    return mdtraj.load(here / f"{name}.xtc", top=topology)


def torsions(t, omega=True):
    kinds = (
        [mdtraj.compute_phi, mdtraj.compute_psi]
        + omega * [mdtraj.compute_omega]
        + [getattr(mdtraj, f"compute_chi{n}") for n in range(1, 6)]
    )
    atoms, angles = zip(*(kind(t) for kind in kinds))
    return np.concatenate([a for a in atoms if len(a)]), np.concatenate(
        [x for a, x in zip(atoms, angles) if len(a)], 1
    ).astype(float)


def jsd(x, y):
    p, q = (np.histogram(z, 100, (-np.pi, np.pi))[0] for z in (x, y))
    return jensenshannon(p, q) ** 2


def relaxation(angles, step, longest):
    """integral of the normalised circular autocorrelation up to its first zero, trapezoids, by the
    definition"""
    z = np.exp(1j * angles)
    z -= z.mean()
    c = (
        np.array([(z[: len(z) - l] * z[l:].conj()).real.mean() for l in range(longest)])
        / (abs(z) ** 2).mean()
    )
    below = np.flatnonzero(c <= 0)
    if not len(below):
        return None
    k = below[0]
    crossing = c[k - 1] / (c[k - 1] - c[k])
    return float(step * (np.trapezoid(c[:k]) + 0.5 * crossing * c[k - 1]))


def peptide():
    top = structures / "akle.pdb"
    a, b = (
        cut("akle_a", top, reference / "akle.xtc", 50),
        cut("akle_b", top, reference / "akle_long.xtc", 25),
    )
    quads, angles_a = torsions(a)
    _, angles_b = torsions(b)
    heavy = a.topology.select("element != H")
    everything = MDAnalysis.Universe(top, here / "akle_a.xtc")
    out = {
        "torsion_atoms": quads.tolist(),
        "torsions_frame_17": angles_a[17].tolist(),
        "torsion_divergence": [jsd(x, y) for x, y in zip(angles_a.T, angles_b.T)],
        "relaxation_ps": [relaxation(x, 50.0, 200) for x in angles_a.T],
        "rmsd_heavy_to_first": (
            mdtraj.rmsd(a, a, 0, atom_indices=heavy).astype(float) * 10
        ).tolist()[:20],
        # mdtraj.compute_rg weighs by mass about the unweighted centre, which is no radius of
        # gyration: MDAnalysis has it right
        "rg_all_mass": [
            float(everything.atoms.radius_of_gyration()) for _ in everything.trajectory[:20]
        ],
    }
    moved = (
        mdtraj.load(here / "akle_a.xtc", top=top)
        .superpose(a, 0, atom_indices=heavy)
        .xyz[:, heavy]
        .astype(float)
        * 10
    )
    out["rmsf_heavy_to_first"] = np.sqrt(((moved - moved.mean(0)) ** 2).sum(-1).mean(0)).tolist()
    flat = moved.reshape(len(moved), -1)
    flat = flat - flat.mean(0)
    values, vectors = np.linalg.eigh(flat.T @ flat / len(flat))
    out["pca_values"] = values[::-1][:5].tolist()
    out["pca_frame_17"] = np.abs(flat[17] @ vectors[:, ::-1][:, :5]).tolist()
    quads, angles = torsions(a, omega=False)
    features = np.concatenate([np.cos(angles), np.sin(angles)], 1)
    tica = TICA(lagtime=LAG, dim=4, scaling="kinetic_map").fit_fetch(features)
    out["tica_atoms"] = quads.tolist()
    out["tica_values"] = tica.singular_values[:4].tolist()
    out["tica_frames_17_23"] = np.abs(
        tica.transform(features)[17] - tica.transform(features)[23]
    ).tolist()
    wells = np.floor((angles[:, 8] + np.pi) / (2 * np.pi / 3)).astype(int).clip(0, 2)
    out["well_atoms"] = quads[8].tolist()
    out["well_counts"] = (
        TransitionCountEstimator(lagtime=LAG, count_mode="sliding")
        .fit_fetch(wells)
        .count_matrix.tolist()
    )
    points = [x[:200][:, [1, 4]] for x in (angles_a, angles_b)]
    out["transport_atoms"] = torsions(a)[0][[1, 4]].tolist()
    cost = ((points[0][:, None] - points[1][None]) ** 2).sum(-1)
    out["transport"] = float(np.sqrt(cost[linear_sum_assignment(cost)].mean()))
    return out


def protein(t):
    heavy = t.atom_slice(t.topology.select("element != H"))
    pairs = [(i, j) for i in range(t.n_residues) for j in range(i + 3, t.n_residues)]
    distances, pairs = mdtraj.compute_contacts(t, pairs, scheme="closest-heavy")
    near = (distances < 0.45).sum(0)
    return {
        "secondary": ["".join(x) for x in mdtraj.compute_dssp(t, simplified=True)],
        "contacts": [[int(i), int(j), int(n)] for (i, j), n in zip(pairs, near) if n],
        "surface_frame_0": (mdtraj.shrake_rupley(heavy[0])[0].astype(float) * 100).tolist(),
    }


ubiquitin = here.parent / "structures" / "2k39_model1_H.pdb.gz"
result = {
    "akle": peptide(),
    "trpcage": protein(cut("trpcage", structures / "trpcage.pdb", reference / "trpcage.xtc", 33)),
    "ubiquitin": protein(cut("ubiquitin", ubiquitin, ensemble / "2k39_insty.dcd", 1)),
}
json.dump(result, open(here / "expected.json", "w"), separators=(",", ":"))
