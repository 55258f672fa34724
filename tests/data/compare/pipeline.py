"""Writes what independent programs make of whole comparisons, from the small trajectories beside
it: `pipeline.json`.

usage: pipeline.py
needs: mdtraj, MDAnalysis, deeptime, pymbar, scipy, numpy (made with 1.11.1, 2.11.0, 0.4.5, 4.0.3,
1.17.1, 2.4.6)

AKLE: akle_a.xtc against akle_b.xtc. Trp-cage and ubiquitin: the first half of the trajectory
against the second. The names are those of docs/measures.md.
"""

import json, warnings
from itertools import combinations
from pathlib import Path
import mdtraj, numpy as np
from MDAnalysis import Universe
from MDAnalysis.analysis.align import rotation_matrix
from deeptime.decomposition import TICA
from pymbar.timeseries import statistical_inefficiency
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import jensenshannon
from scipy.stats import pearsonr

here = Path(__file__).resolve().parent
structures = here.parents[2] / "data" / "structures"


def superposed(xyz, first, atoms=slice(None)):
    """frames on `first` by some atoms, and their distance from it"""
    moved, distances = np.empty_like(xyz), np.empty(len(xyz))
    target = first[atoms].mean(0)
    for k, x in enumerate(xyz):
        centre = x[atoms].mean(0)
        rotation, distances[k] = rotation_matrix(x[atoms] - centre, first[atoms] - target)
        moved[k] = (x - centre) @ np.asarray(rotation).T + target
    return moved, distances


def pairwise(xyz):
    centred = xyz - xyz.mean(1, keepdims=True)
    return np.mean([rotation_matrix(a, b)[1] for a, b in combinations(centred, 2)])


def line(a, b):
    """Wasserstein-2 distance of as many numbers on either side"""
    return np.sqrt(((np.sort(a) - np.sort(b)) ** 2).mean())


def divergence(p, q):
    return jensenshannon(p.ravel(), q.ravel()) ** 2


# groups that half a turn brings onto themselves: their statistics are of twice the angle
HALF_TURN = {("PHE", "chi2"), ("TYR", "chi2"), ("ASP", "chi2"), ("GLU", "chi3"), ("ARG", "chi5")}


def kinds(t):
    """angles by kind: (residue, name) to a series; a name of a doubled angle ends in " x2\""""
    out = {}
    for name in ("phi", "psi", "omega", "chi1", "chi2", "chi3", "chi4", "chi5"):
        atoms, angles = getattr(mdtraj, f"compute_{name}")(t)
        # φ and ω belong to the residue of their last atoms (ω to that of its first), χ and ψ to
        # that of their second
        place = {"phi": 2, "omega": 0}.get(name, 1)
        for quad, series in zip(atoms, angles.T.astype(float)):
            residue = t.topology.atom(quad[place]).residue
            if (residue.name, name) in HALF_TURN:
                out[residue.index, f"{name} x2"] = (2 * series + np.pi) % (2 * np.pi) - np.pi
            else:
                out[residue.index, name] = series
    return out


def wells(name, counts):
    """shares of the wells of a torsion, and its width within them, degrees, from its histogram"""
    theta = (np.arange(100) + 0.5) * 3.6 - 180
    over = np.where(theta < 0, theta + 360, theta)
    if name == "phi":
        well, angle = (theta >= 0).astype(int), theta
    elif name == "psi":
        well = (~((theta >= -120) & (theta < 60))).astype(int)
        angle = np.where(well == 0, theta, over)
    elif name == "omega" or name.endswith("x2"):
        well = (abs(theta) <= 90).astype(int)
        angle = np.where(well == 0, over, theta)
    else:
        well, angle = np.minimum(over // 120, 2).astype(int), over
    p = counts / counts.sum()
    shares = np.bincount(well, p, 3)
    means = np.bincount(well, p * angle, 3) / np.where(shares > 0, shares, 1)
    width = np.sqrt((p * (angle - means[well]) ** 2).sum())
    return shares, width / 2 if name.endswith("x2") else width


def torsions(a, b):
    bins = lambda x: np.histogram(x, 100, (-np.pi, np.pi))[0]
    each = {key: divergence(bins(a[key]), bins(b[key])) for key in a}
    mean = lambda wanted: float(
        np.mean([value for (_, name), value in each.items() if wanted(name)])
    )
    plane = lambda t, r: np.histogram2d(t[r, "phi"], t[r, "psi"], 36, [(-np.pi, np.pi)] * 2)[0]
    both = [r for r, name in a if name == "phi" and (r, "psi") in a]
    sides = {key: [wells(key[1], bins(t[key])) for t in (a, b)] for key in a}
    moved = [max(abs(x[0] - y[0])) for (_, name), (x, y) in sides.items() if name != "omega"]
    return {
        "well_share": float(np.mean(moved)),
        "torsion_width": float(np.mean([abs(np.log(x[1] / y[1])) for x, y in sides.values()])),
        "torsion_jsd": mean(lambda name: name != "omega"),
        "backbone_jsd": mean(lambda name: name in ("phi", "psi")),
        "side_chain_jsd": mean(lambda name: name.startswith("chi")),
        "omega_jsd": mean(lambda name: name == "omega"),
        "ramachandran_jsd": float(np.mean([divergence(plane(a, r), plane(b, r)) for r in both])),
    }


def contacts(a, b):
    pairs = [(i, j) for i in range(a.n_residues) for j in range(i + 3, a.n_residues)]
    p, q = (
        (mdtraj.compute_contacts(t, pairs, scheme="closest-heavy")[0] < 0.45).mean(0)
        for t in (a, b)
    )
    counts = np.maximum(p, q) >= 0.01
    return {"contacts": float(np.sqrt(((p - q)[counts] ** 2).mean()))}


def side_chains(t, start, trace):
    """side-chain areas of every frame, superposed: the points on the spheres do not turn with the
    molecule"""
    # mdtraj's own superposition, in f32, is off by enough to move points of spheres
    t = mdtraj.Trajectory(
        superposed(t.xyz.astype(float), start.xyz[0].astype(float), trace)[0], t.topology
    )
    heavy = t.atom_slice(t.topology.select("element != H"))
    # frame by frame: given several, mdtraj 1.11 gets some of them wrong, by 0.5 %, against its own
    # result for each alone
    areas = (
        np.concatenate(
            [mdtraj.shrake_rupley(frame, n_sphere_points=240) for frame in heavy]
        ).astype(float)
        * 100
    )
    out = np.zeros((len(t), t.n_residues))
    for atom in heavy.topology.atoms:
        if atom.name not in ("N", "C", "O", "OXT") and (
            atom.name != "CA" or atom.residue.name == "GLY"
        ):
            out[:, atom.residue.index] += areas[:, atom.index]
    return out


def relaxation(angles, unit, lags, step):
    """integral to the first zero over these lags, trapezoids, as docs/measures.md defines it;
    products and mean over all frames"""
    z = np.exp(1j * angles)
    still = abs(z.mean()) ** 2
    c = [
        ((z[: len(z) - l * unit] * z[l * unit :].conj()).real.mean() - still) / (1 - still)
        for l in lags
    ]
    total = 0.0
    for k in range(len(lags) - 1):
        width = (lags[k + 1] - lags[k]) * step
        if c[k + 1] <= 0:
            return total + 0.5 * width * c[k] * c[k] / (c[k] - c[k + 1])
        total += 0.5 * width * (c[k] + c[k + 1])
    return total


def slow(a, b):
    """250 ps apart: every fifth frame of the run, every frame of the reference"""
    keys = [key for key in a if key[1] != "omega"]
    features = [
        np.concatenate([f([t[key] for key in keys]) for f in (np.cos, np.sin)]).T for t in (a, b)
    ]
    model = TICA(lagtime=1, dim=2, scaling="kinetic_map").fit_fetch(features[1])
    x, y = (model.transform(f) for f in features)
    low, high = y.min(0), y.max(0)
    bins = lambda z, n: np.clip(((z - low) / (high + 1e-9 - low) * n).astype(int), 0, n - 1)
    plane = lambda z: np.histogram2d(*bins(z, 50).T, bins=np.arange(51))[0]
    lags = list(range(21)) + [22, 24, 26, 28, 30, 33, 36, 39]
    times = lambda t, unit: np.array([relaxation(t[key], unit, lags, 250.0) for key in keys])
    ratios = np.log(times(a, 5) / times(b, 1))
    return {
        "tica_jsd": divergence(*(np.bincount(bins(z, 100)[:, 0], minlength=100) for z in (x, y))),
        "tica_plane_jsd": divergence(plane(x), plane(y)),
        "decorrelation": float(np.median(abs(ratios))),
        "pace": float(abs(np.median(ratios))),
    }


def peptide():
    top = structures / "akle.pdb"
    start, a, b = (mdtraj.load(x, top=top) for x in (top, here / "akle_a.xtc", here / "akle_b.xtc"))
    heavy = start.topology.select("element != H")
    masses = Universe(top).select_atoms("not element H").masses
    first = start.xyz[0, heavy].astype(float) * 10
    sides = [t.xyz[:, heavy].astype(float) * 10 for t in (a, b)]
    moved, distances = zip(*(superposed(x, first) for x in sides))
    centre = lambda x: (x * masses[:, None]).sum(1, keepdims=True) / masses.sum()
    gyration = [
        np.sqrt((((x - centre(x)) ** 2).sum(-1) * masses).sum(1) / masses.sum()) for x in sides
    ]
    rmsf = [np.sqrt(((x - x.mean(0)) ** 2).sum(-1).mean(0)) for x in moved]
    flat = [x.reshape(len(x), -1) for x in moved]
    vectors = np.linalg.eigh(np.cov(flat[1].T))[1][:, ::-1][:, :2]
    points = [((x - flat[1].mean(0)) @ vectors / np.sqrt(len(heavy)))[::2] for x in flat]
    cost = ((points[0][:, None] - points[1][None]) ** 2).sum(-1)
    angles = kinds(a), kinds(b)
    areas = [side_chains(t, start, heavy).mean(0) for t in (a, b)]
    return {
        "rmsd": line(*distances),
        "radius_of_gyration": line(*gyration),
        "rmsf_r": pearsonr(*rmsf).statistic,
        "rmsf_difference": abs(rmsf[0] - rmsf[1]).mean(),
        "pairwise_rmsd": abs(pairwise(sides[0]) - pairwise(sides[1])),
        "pca_w2": np.sqrt(cost[linear_sum_assignment(cost)].mean()),
        **torsions(*angles),
        **contacts(a, b),
        "side_chain_area": abs(areas[0] - areas[1]).mean(),
        **slow(*angles),
        # effective samples of the run
        "samples_rmsd": len(distances[0]) / statistical_inefficiency(distances[0]),
        "samples_radius_of_gyration": len(gyration[0]) / statistical_inefficiency(gyration[0]),
    }


def protein(name, top):
    start, t = mdtraj.load(top), mdtraj.load(here / f"{name}.xtc", top=top)
    a, b = t[: len(t) // 2], t[len(t) // 2 :]
    alphas = start.topology.select("name CA")
    jaccard = lambda x, y: (x & y).sum() / (x | y).sum()
    pairs = [(i, j) for i in range(t.n_residues) for j in range(i + 3, t.n_residues)]
    near = lambda s: mdtraj.compute_distances(s, [(alphas[i], alphas[j]) for i, j in pairs]) < 0.8
    weak = [(near(start)[0]) & ((1 - near(s).mean(0)) > 0.1) for s in (a, b)]
    buried = side_chains(start, start, alphas)[0] <= 2.0
    areas = [side_chains(s, start, alphas) for s in (a, b)]
    exposed = [buried & ((x > 2.0).mean(0) > 0.1) for x in areas]
    shares = lambda s: np.array(
        [(mdtraj.compute_dssp(s, simplified=True) == letter).mean(0) for letter in "HEC"]
    )
    return {
        **torsions(kinds(a), kinds(b)),
        **contacts(a, b),
        "weak_contacts_j": jaccard(*weak),
        # where no side chain is buried, none can become exposed
        **({"exposed_j": jaccard(*exposed)} if buried.any() else {}),
        "side_chain_area": abs(areas[0].mean(0) - areas[1].mean(0)).mean(),
        "secondary_structure": 0.5 * abs(shares(a) - shares(b)).sum(0).mean(),
    }


warnings.simplefilter("ignore")
ubiquitin = here.parent / "structures" / "2k39_model1_H.pdb.gz"
result = {
    "akle": peptide(),
    "trpcage": protein("trpcage", structures / "trpcage.pdb"),
    "ubiquitin": protein("ubiquitin", ubiquitin),
}
result = {
    name: {key: float(value) for key, value in found.items()} for name, found in result.items()
}
json.dump(result, open(here / "pipeline.json", "w"), indent=1)
