"""A run by itself: `mdsurrogate analyze` beside the same numbers by mdtraj, scikit-learn and
deeptime, reading included, on the same file.

usage: python benches/analyze.py PROGRAM [FOLDER]
(PROGRAM: target/release/mdsurrogate; FOLDER, default target/bench-analyze, keeps the trajectory)
needs: mdtraj, scikit-learn, deeptime, numpy

5,000 frames of 1,231 atoms: the fifteen conformers of ubiquitin in tests/data/compare, mixed with
noise of 0.1 Å, so that no two frames are alike. Each program computes for every frame: RMSD to
start and mean (Cα), radius of gyration, contacts, hydrogen bonds, secondary structure; RMSF,
principal components, slow components; side-chain surface of 500 frames, RMSD of 500 frames pair by
pair. One thread each (RAYON_NUM_THREADS=1, OMP_NUM_THREADS=1); seconds are those of the processor.
"""

import json, os, resource, subprocess, sys, time
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", RAYON_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
import mdtraj, numpy as np

root = Path(__file__).resolve().parents[1]
FRAMES = 5000


def make(folder):
    top, xtc = folder / "run.pdb", folder / "run.xtc"
    if not xtc.exists():
        folder.mkdir(parents=True, exist_ok=True)
        t = mdtraj.load(
            root / "tests/data/compare/ubiquitin.xtc",
            top=root / "tests/data/structures/2k39_model1_H.pdb.gz",
        )
        random = np.random.default_rng(1)
        xyz = t.xyz[np.arange(FRAMES) % len(t)]
        xyz = xyz + random.normal(0, 0.01, xyz.shape)
        run = mdtraj.Trajectory(xyz, t.topology, time=10.0 * np.arange(FRAMES))
        run[0].save_pdb(top)
        run.save_xtc(xtc)
    return top, xtc


def with_libraries(top, xtc):
    from deeptime.decomposition import TICA
    from sklearn.decomposition import PCA

    t, start = mdtraj.load(xtc, top=top), mdtraj.load(top)
    ca, heavy = t.topology.select("name CA"), t.topology.select("element != H")
    rmsd = mdtraj.rmsd(t, start, 0, atom_indices=ca)
    mdtraj.compute_rg(t.atom_slice(heavy))
    pairs = [(i, j) for i in range(t.n_residues) for j in range(i + 3, t.n_residues)]
    contacts = mdtraj.compute_contacts(t, pairs, scheme="closest-heavy")[0] < 0.45
    # frame by frame: baker_hubbard itself has shares alone
    bonds = sum(len(mdtraj.baker_hubbard(frame, freq=0.0, periodic=False)) for frame in t)
    mdtraj.compute_dssp(t, simplified=True)
    kinds = [mdtraj.compute_phi, mdtraj.compute_psi]
    kinds += [getattr(mdtraj, f"compute_chi{n}") for n in range(1, 6)]
    angles = np.concatenate([kind(t)[1] for kind in kinds], 1).astype(float)
    TICA(lagtime=10, dim=4).fit_fetch(np.concatenate([np.cos(angles), np.sin(angles)], 1))
    some = t[:: FRAMES // 500]
    mdtraj.shrake_rupley(some.atom_slice(heavy), n_sphere_points=240)
    of_ca = some.atom_slice(ca)
    for frame in range(len(of_ca)):
        mdtraj.rmsd(of_ca, of_ca, frame)
    moved = t.superpose(start, 0, atom_indices=ca).xyz[:, ca]
    mean = mdtraj.Trajectory(moved.mean(0)[None], t.topology.subset(ca))
    mdtraj.rmsd(t.atom_slice(ca), mean)
    rmsf = np.sqrt(((moved - moved.mean(0)) ** 2).sum(-1).mean(0))
    PCA().fit(moved.reshape(len(moved), -1))
    return {
        "rmsd": float(rmsd.mean() * 10),
        "contacts": float(contacts.sum(1).mean()),
        "hydrogen bonds": bonds / len(t),
        "rmsf": float(rmsf.mean() * 10),
    }


def used(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    program = Path(sys.argv[1]).resolve()
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else root / "target/bench-analyze")
    top, xtc = make(folder)
    words = [program, "analyze", xtc, "--top", top, "-o", folder / "page", "--overwrite", "-q"]
    before = used(resource.RUSAGE_CHILDREN)[0]
    answer = subprocess.run([*words, "--json"], check=True, capture_output=True).stdout
    seconds, memory = used(resource.RUSAGE_CHILDREN)
    ours, seconds = json.loads(answer)["metrics"], seconds - before
    quantities = ours["quantities"]
    rmsf = np.mean([residue["rmsf_A"] for residue in ours["residues"]])
    found = {
        "rmsd": quantities["rmsd"]["mean"],
        "contacts": quantities["contacts"]["mean"],
        "hydrogen bonds": quantities["hydrogen_bonds"]["mean"],
        "rmsf": float(rmsf),
    }
    before = used(resource.RUSAGE_SELF)[0]
    theirs = with_libraries(top, xtc)
    other, their_memory = used(resource.RUSAGE_SELF)
    other -= before
    for name, value in found.items():
        print(f"{name}: {value:.4f}, libraries {theirs[name]:.4f}")
    print(f"processor seconds: {seconds:.1f}, libraries {other:.1f}: {other / seconds:.1f} ×")
    print(f"memory, MiB: {memory:.0f}, libraries {their_memory:.0f}")


main()
