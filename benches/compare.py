"""RMSD, RMSF, torsions and contacts, reading included: this program beside mdtraj and MDAnalysis, same files, same machine, one run.

usage: python benches/compare.py [FOLDER]     (default: target/bench-compare; its trajectories are made there once)
needs: mdtraj, MDAnalysis, numpy; runs `cargo bench --bench compare`

Two trajectories: 10,000 frames of 304 atoms (the frames of tests/data/compare/trpcage.xtc over and over) and 100 frames of 46,778 atoms (38
ubiquitins on a lattice). All: heavy atoms; RMSD and RMSF superposed on the first frame; all φ ψ ω χ; residues of a chain three or more
apart, or of two chains, whose closest heavy atoms are nearer than 4.5 Å.
"""
import json, resource, subprocess, sys, time
from pathlib import Path
import MDAnalysis, mdtraj, numpy as np
from MDAnalysis.analysis.align import rotation_matrix
from MDAnalysis.lib.distances import calc_dihedrals, self_capped_distance

root = Path(__file__).resolve().parents[1]
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else root / "target" / "bench-compare"


def make():
    """the two trajectories, as (structure, trajectory)"""
    files = [(folder / f"{name}.pdb", folder / f"{name}.xtc") for name in ("small", "large")]
    if not all(path.exists() for pair in files for path in pair):
        folder.mkdir(parents=True, exist_ok=True)
        small = mdtraj.load(root / "tests/data/compare/trpcage.xtc", top=root / "data/structures/trpcage.pdb")
        one = mdtraj.load(root / "tests/data/compare/ubiquitin.xtc", top=root / "tests/data/structures/2k39_model1_H.pdb.gz")
        cells = [np.array([x, y, z]) * 6.0 for x in range(4) for y in range(4) for z in range(3)][:38]
        top = one.topology
        for _ in cells[1:]:
            top = top.join(one.topology)
        centred = one.xyz - one.xyz.mean(1, keepdims=True)
        xyz = np.concatenate([centred + cell for cell in cells], axis=1)[np.arange(100) % len(one)]
        for t, (pdb, xtc) in zip((small[np.arange(10_000) % len(small)], mdtraj.Trajectory(xyz, top)), files):
            t[0].save_pdb(pdb)
            t.save_xtc(xtc)
    return files


def torsion_atoms(top):
    kinds = [mdtraj.geometry.dihedral.indices_phi, mdtraj.geometry.dihedral.indices_psi, mdtraj.geometry.dihedral.indices_omega]
    kinds += [getattr(mdtraj.geometry.dihedral, f"indices_chi{n}") for n in range(1, 6)]
    return np.concatenate([kind(top) for kind in kinds if len(kind(top))])


def far_pairs(residues, chains, pairs):
    """distinct residue pairs that count as contacts"""
    i, j = residues[pairs[:, 0]], residues[pairs[:, 1]]
    i, j = np.minimum(i, j), np.maximum(i, j)
    counts = (chains[i] != chains[j]) | (j - i >= 3)
    return len(np.unique(i[counts].astype(np.int64) * len(chains) + j[counts]))


def with_mdtraj(pdb, xtc):
    t = mdtraj.load(xtc, top=pdb)
    heavy = t.topology.select("element != H")
    rmsd = mdtraj.rmsd(t, t, 0, atom_indices=heavy).mean() * 10
    torsions = np.cos(mdtraj.compute_dihedrals(t, torsion_atoms(t.topology))).sum(1).mean()
    # all residue pairs, as compute_contacts takes them; thousands of residues are beyond its memory
    contacts = None
    if t.n_residues < 500:
        pairs = [(i, j) for i in range(t.n_residues) for j in range(i + 3, t.n_residues)]
        contacts = (mdtraj.compute_contacts(t, pairs, scheme="closest-heavy")[0] < 0.45).sum(1).mean()
    moved = t.superpose(t, 0, atom_indices=heavy).xyz[:, heavy]
    rmsf = np.sqrt(((moved - moved.mean(0)) ** 2).sum(-1).mean(0)).mean() * 10
    return dict(rmsd=rmsd, rmsf=rmsf, torsions=torsions, contacts=contacts)


def with_mdanalysis(pdb, xtc):
    u = MDAnalysis.Universe(pdb, xtc)
    heavy, quads = u.select_atoms("not element H"), torsion_atoms(mdtraj.load_topology(pdb))
    residues = heavy.resindices
    chains = np.unique(u.residues.segindices, return_inverse=True)[1]
    first = heavy.positions.astype(float)
    first_centre = first.mean(0)
    rmsd = torsions = contacts = 0.0
    sums, squares = np.zeros_like(first), np.zeros(len(first))
    for _ in u.trajectory:
        x = heavy.positions.astype(float)
        centre = x.mean(0)
        rotation, distance = rotation_matrix(x - centre, first - first_centre)
        moved = (x - centre) @ rotation.T + first_centre - first
        rmsd += distance
        sums += moved
        squares += (moved**2).sum(1)
        torsions += np.cos(calc_dihedrals(*(u.atoms.positions[quads[:, k]] for k in range(4)))).sum()
        contacts += far_pairs(residues, chains, self_capped_distance(heavy.positions, 4.5, return_distances=False))
    n = len(u.trajectory)
    rmsf = np.sqrt(np.maximum(squares / n - ((sums / n) ** 2).sum(1), 0)).mean()
    return dict(rmsd=rmsd / n, rmsf=rmsf, torsions=torsions / n, contacts=contacts / n)


def ours(pdb, xtc):
    command = ["cargo", "bench", "--quiet", "--bench", "compare", "--", str(pdb.resolve()), str(xtc.resolve())]
    found = json.loads(subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    return found, found.pop("seconds")


def timed(work, *files):
    start = time.perf_counter()
    found = work(*files)
    return found, time.perf_counter() - start


for pdb, xtc in make():
    print(f"{xtc.name}:")
    mine, seconds = ours(pdb, xtc)
    print(f"  mdsurrogate  {seconds:7.2f} s  {mine}")
    for name, work in (("mdtraj", with_mdtraj), ("MDAnalysis", with_mdanalysis)):
        found, took = timed(work, pdb, xtc)
        shown = {key: value if value is None else round(float(value), 4) for key, value in found.items()}
        print(f"  {name:11s}  {took:7.2f} s  {shown}  ratio {took / seconds:.1f}")
print(f"largest memory: Python {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB, "
      f"mdsurrogate {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MiB (cargo included)")
