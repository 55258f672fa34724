"""Cuts the small AKLE trajectories of the tests out of the full ones and writes what independent programs read in them.

usage: make_compare.py FOLDER_WITH_AKLE   (akle.pdb, akle.xtc, akle_long.xtc; see data/README.md)
needs: mdtraj, MDAnalysis, scipy, numpy (made with 1.11.1, 2.11.0, 1.17.1, 2.3)
"""
import json, sys
from pathlib import Path
import MDAnalysis, mdtraj, numpy as np
from scipy.spatial.distance import jensenshannon

source, here = Path(sys.argv[1]), Path(__file__).parent
top = source / "akle.pdb"
(here / "akle.pdb").write_bytes(top.read_bytes())
run = mdtraj.load(source / "akle.xtc", top=top)[::50]
ref = mdtraj.load(source / "akle_long.xtc", top=top)[::25]
run.save_xtc(here / "akle_a.xtc")
ref.save_xtc(here / "akle_b.xtc")
run, ref = (mdtraj.load(here / name, top=top) for name in ("akle_a.xtc", "akle_b.xtc"))


def torsions(t):
    kinds = [mdtraj.compute_phi, mdtraj.compute_psi, mdtraj.compute_omega] + [getattr(mdtraj, f"compute_chi{n}") for n in range(1, 6)]
    atoms, angles = zip(*(kind(t) for kind in kinds))
    return np.concatenate([a for a in atoms if len(a)]), np.concatenate([x for a, x in zip(atoms, angles) if len(a)], 1).astype(float)


def jsd(x, y):
    p, q = (np.histogram(z, 100, (-np.pi, np.pi))[0] for z in (x, y))
    return jensenshannon(p, q) ** 2


def relaxation(angles, step, longest):
    """integral of the normalised circular autocorrelation up to its first zero, trapezoids, by the definition"""
    z = np.exp(1j * angles)
    z -= z.mean()
    c = np.array([(z[: len(z) - l] * z[l:].conj()).real.mean() for l in range(longest)]) / (abs(z) ** 2).mean()
    below = np.flatnonzero(c <= 0)
    if not len(below):
        return None
    k = below[0]
    crossing = c[k - 1] / (c[k - 1] - c[k])
    return float(step * (np.trapezoid(c[:k]) + 0.5 * crossing * c[k - 1]))


quads, a = torsions(run)
_, b = torsions(ref)
heavy = run.topology.select("element != H")
ca = run.topology.select("name CA")
universe = MDAnalysis.Universe(top, here / "akle_a.xtc")
everything = universe.atoms
moved = run.superpose(run, 0, atom_indices=heavy)
rmsf = np.sqrt(((moved.xyz[:, heavy] - moved.xyz[:, heavy].mean(0)) ** 2).sum(-1).mean(0)) * 10
run = mdtraj.load(here / "akle_a.xtc", top=top)
json.dump(
    {
        "torsion_atoms": quads.tolist(),
        "torsions_frame_17": a[17].tolist(),
        "torsion_divergence": [jsd(x, y) for x, y in zip(a.T, b.T)],
        "relaxation_ps": [relaxation(x, 50.0, 200) for x in a.T],
        "rmsd_heavy_to_first": (mdtraj.rmsd(run, run, 0, atom_indices=heavy).astype(float) * 10).tolist()[:20],
        # mdtraj.compute_rg weighs by mass about the unweighted centre, which is no radius of gyration: MDAnalysis has it right
        "rg_all_mass": [float(everything.radius_of_gyration()) for _ in universe.trajectory[:20]],
        "rmsf_heavy_to_first": rmsf.astype(float).tolist(),
    },
    open(here / "compare.json", "w"),
    separators=(",", ":"),
)
