"""RMSD, RMSF, torsions and contacts, reading included: this program beside mdtraj and MDAnalysis,
same files, same machine, one run.

usage: python benches/compare.py [FOLDER]
(default: target/bench-compare; its trajectories are made there once)
needs: mdtraj, MDAnalysis, numpy; runs `cargo bench --bench compare`

Every measure is timed by itself, reading included, and all four in one pass; for each program the
shortest of REPEATS turns, taken in turn. Seconds are those of a clock and, in parentheses, of all
processors together: on a busy machine the ratios of the latter are the ones to go by.
RAYON_NUM_THREADS=1 has this program use one core, as the libraries do.

Two trajectories: 10,000 frames of 304 atoms (the frames of tests/data/compare/trpcage.xtc over and
over) and 100 frames of 46,778 atoms (38 ubiquitins on a lattice). All: heavy atoms; RMSD and RMSF
superposed on the first frame; all φ ψ ω χ; residues of a chain three or more apart, or of two
chains, whose closest heavy atoms are nearer than 4.5 Å.
"""

import json, math, os, resource, subprocess, sys, time
from pathlib import Path
import MDAnalysis, mdtraj, numpy as np
from MDAnalysis.analysis.align import rotation_matrix
from MDAnalysis.lib.distances import calc_dihedrals, self_capped_distance

root = Path(__file__).resolve().parents[1]
MEASURES = ("rmsd", "rmsf", "torsions", "contacts")
REPEATS = 2


def make(folder):
    """the two trajectories, as (structure, trajectory)"""
    files = [(folder / f"{name}.pdb", folder / f"{name}.xtc") for name in ("small", "large")]
    if not all(path.exists() for pair in files for path in pair):
        folder.mkdir(parents=True, exist_ok=True)
        small = mdtraj.load(
            root / "tests/data/compare/trpcage.xtc", top=root / "data/structures/trpcage.pdb"
        )
        one = mdtraj.load(
            root / "tests/data/compare/ubiquitin.xtc",
            top=root / "tests/data/structures/2k39_model1_H.pdb.gz",
        )
        cells = [np.array([x, y, z]) * 6.0 for x in range(4) for y in range(4) for z in range(3)][
            :38
        ]
        top = one.topology
        for _ in cells[1:]:
            top = top.join(one.topology)
        centred = one.xyz - one.xyz.mean(1, keepdims=True)
        xyz = np.concatenate([centred + cell for cell in cells], axis=1)[np.arange(100) % len(one)]
        for t, (pdb, xtc) in zip(
            (small[np.arange(10_000) % len(small)], mdtraj.Trajectory(xyz, top)), files
        ):
            t[0].save_pdb(pdb)
            t.save_xtc(xtc)
    return files


def torsion_atoms(top):
    kinds = [
        mdtraj.geometry.dihedral.indices_phi,
        mdtraj.geometry.dihedral.indices_psi,
        mdtraj.geometry.dihedral.indices_omega,
    ]
    kinds += [getattr(mdtraj.geometry.dihedral, f"indices_chi{n}") for n in range(1, 6)]
    return np.concatenate([kind(top) for kind in kinds if len(kind(top))])


def far_pairs(residues, chains, pairs):
    """distinct residue pairs that count as contacts"""
    i, j = residues[pairs[:, 0]], residues[pairs[:, 1]]
    i, j = np.minimum(i, j), np.maximum(i, j)
    counts = (chains[i] != chains[j]) | (j - i >= 3)
    return len(np.unique(i[counts].astype(np.int64) * len(chains) + j[counts]))


def with_mdtraj(known, xtc, wanted):
    t = mdtraj.load(xtc, top=known["topology"])
    heavy = t.topology.select("element != H")
    found = {}
    if "rmsd" in wanted:
        found["rmsd"] = mdtraj.rmsd(t, t, 0, atom_indices=heavy).mean() * 10
    if "torsions" in wanted:
        found["torsions"] = (
            np.cos(mdtraj.compute_dihedrals(t, torsion_atoms(t.topology))).sum(1).mean()
        )
    # all residue pairs, as compute_contacts takes them; thousands of residues are beyond its memory
    if "contacts" in wanted and t.n_residues < 500:
        pairs = [(i, j) for i in range(t.n_residues) for j in range(i + 3, t.n_residues)]
        found["contacts"] = (
            (mdtraj.compute_contacts(t, pairs, scheme="closest-heavy")[0] < 0.45).sum(1).mean()
        )
    if "rmsf" in wanted:
        moved = t.superpose(t, 0, atom_indices=heavy).xyz[:, heavy]
        found["rmsf"] = np.sqrt(((moved - moved.mean(0)) ** 2).sum(-1).mean(0)).mean() * 10
    return found


def with_mdanalysis(known, xtc, wanted):
    u = known["universe"]
    u.load_new(xtc)
    heavy = u.select_atoms("not element H")
    quads = known["quads"]
    residues = heavy.resindices
    chains = np.unique(u.residues.segindices, return_inverse=True)[1]
    first = heavy.positions.astype(float)
    first_centre = first.mean(0)
    found = dict.fromkeys(wanted, 0.0)
    sums, squares = np.zeros_like(first), np.zeros(len(first))
    for _ in u.trajectory:
        if "rmsd" in wanted or "rmsf" in wanted:
            x = heavy.positions.astype(float)
            centre = x.mean(0)
            rotation, distance = rotation_matrix(x - centre, first - first_centre)
            if "rmsd" in wanted:
                found["rmsd"] += distance
            if "rmsf" in wanted:
                moved = (x - centre) @ rotation.T + first_centre - first
                sums += moved
                squares += (moved**2).sum(1)
        if "torsions" in wanted:
            found["torsions"] += np.cos(
                calc_dihedrals(*(u.atoms.positions[quads[:, k]] for k in range(4)))
            ).sum()
        if "contacts" in wanted:
            found["contacts"] += far_pairs(
                residues, chains, self_capped_distance(heavy.positions, 4.5, return_distances=False)
            )
    n = len(u.trajectory)
    found = {name: value / n for name, value in found.items()}
    if "rmsf" in wanted:
        found["rmsf"] = np.sqrt(np.maximum(squares / n - ((sums / n) ** 2).sum(1), 0)).mean()
    return found


LIBRARIES = {"mdtraj": with_mdtraj, "MDAnalysis": with_mdanalysis}


def ours(pdb, xtc):
    command = [
        "cargo",
        "bench",
        "--quiet",
        "--locked",
        "--bench",
        "compare",
        "--",
        str(pdb.resolve()),
        str(xtc.resolve()),
    ]
    return json.loads(
        subprocess.run(
            command, cwd=root, check=True, capture_output=True, text=True
        ).stdout.splitlines()[-1]
    )


def theirs(library, pdb, xtc):
    """in a process of its own, whose peak of memory is the library's"""
    command = [sys.executable, __file__, "--library", library, str(pdb), str(xtc)]
    return json.loads(
        subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
    )


def library(name, pdb, xtc):
    # the structure is known before the clock starts, here as there
    topology = mdtraj.load_topology(pdb)
    known = {
        "topology": topology,
        "universe": MDAnalysis.Universe(pdb),
        "quads": torsion_atoms(topology),
    }
    passes = {}
    for wanted in [(measure,) for measure in MEASURES] + [MEASURES]:
        start, busy = time.perf_counter(), time.process_time()
        found = {key: float(value) for key, value in LIBRARIES[name](known, xtc, wanted).items()}
        passes["all" if len(wanted) > 1 else wanted[0]] = {
            "seconds": time.perf_counter() - start,
            "processor": time.process_time() - busy,
            "found": found,
        }
    print(
        json.dumps(
            {"passes": passes, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
        )
    )


def report(pdb, xtc):
    turns = [
        {"mdsurrogate": ours(pdb, xtc), **{name: theirs(name, pdb, xtc) for name in LIBRARIES}}
        for _ in range(REPEATS)
    ]
    print(
        f"{xtc.name}: {turns[0]['mdsurrogate']['threads']} threads; load {os.getloadavg()[0]:.1f}"
    )
    for measure in MEASURES + ("all",):
        found = {name: turns[0][name]["passes"][measure]["found"].get(measure) for name in turns[0]}

        def shortest(name, key):
            times = [turn[name]["passes"][measure][key] for turn in turns]
            # where the system does not tell the processors' time there is none
            return min(math.nan if time is None else time for time in times)

        words, ratios = [], []
        for name in turns[0]:
            if measure != "all" and found[name] is None:
                continue
            number = "" if found[name] is None else format(found[name], ".4f")
            clock, busy = (shortest(name, key) for key in ("seconds", "processor"))
            words.append(f"{name} {number} in {clock:.2f} s ({busy:.2f})")
            if name in LIBRARIES:
                own = [shortest("mdsurrogate", key) for key in ("seconds", "processor")]
                ratios.append(f"{clock / own[0]:.1f} ({busy / own[1]:.1f}) × {name}")
        print(f"  {measure:9s} {'; '.join(words)}: {', '.join(ratios)}", flush=True)
    print(
        "  memory, MiB: "
        + ", ".join(f"{name} {max(turn[name]['peak'] for turn in turns):.0f}" for name in turns[0])
    )


if sys.argv[1:2] == ["--library"]:
    library(*sys.argv[2:])
else:
    for files in make(
        Path(sys.argv[1]) if len(sys.argv) > 1 else root / "target" / "bench-compare"
    ):
        report(*files)
