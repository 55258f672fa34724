"""Speed of jumps beside our own MD (4 fs), in one run: processor time of a picosecond of either.

python jumps.py PROGRAM [CASE...]     one thread; each by the difference of two lengths, twice
What is new in a picosecond of jumps is less than in one of MD: docs/results.md.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

DATA = pathlib.Path(__file__).resolve().parent.parent / "data"
SMALL = DATA / "reference/small"
# name: file, flags of the jumps, replicas, lag (ps), numbers of jumps, times of MD (ps)
CASES = {
    "AKLE, 640 ps": (
        DATA / "structures/akle.pdb",
        ["--lag", "640ps", "--relax", "75"],
        (16, 640),
        (10, 40),
        (5, 45),
    ),
    "AKLE, 160 ps": (DATA / "structures/akle.pdb", [], (16, 160), (10, 60), (5, 45)),
    "trp-cage": (DATA / "structures/trpcage.pdb", [], (4, 160), (5, 25), (2, 12)),
    "hhh_rd1_0335": (SMALL / "hhh_rd1_0335.pdb", [], (1, 160), (5, 45), (1, 9)),
    "2qff": (SMALL / "2qff.pdb", [], (1, 160), (3, 23), (0.4, 4)),
}


def seconds(command):
    """Processor time of a command, without that of the system."""
    with tempfile.TemporaryDirectory() as folder:
        before = os.times().children_user
        done = subprocess.run(
            [*command, "-o", f"{folder}/x"],
            capture_output=True,
            text=True,
            env={**os.environ, "RAYON_NUM_THREADS": "1"},
        )
        spent = os.times().children_user - before
    if done.returncode != 0:
        sys.exit(done.stderr)
    return spent


def a_picosecond(command, lengths, to_flags, to_time):
    """Processor seconds of a simulated picosecond, by the difference of two lengths."""
    short, long = (seconds([*command, *to_flags(length)]) for length in lengths)
    return (long - short) / (to_time(lengths[1]) - to_time(lengths[0]))


def main(program, names):
    for name in names or CASES:
        file, flags, (replicas, lag), jumps, times = CASES[name]
        run = [program, "run", str(file), "--as-is", "--replicas", str(replicas), *flags]
        run += ["--threads", "1", "--backend", "cpu"]
        md = [program, "reference", str(file), "--temp", "300K", "--dt", "4fs"]
        md += ["--hold-hydrogens", "--heat", "0ps"]
        for _ in range(2):
            ours = a_picosecond(
                run, jumps, lambda n: ["--steps", str(n)], lambda n: n * replicas * lag
            )
            theirs = a_picosecond(md, times, lambda t: ["--time", f"{t}ps"], float)
            per_day = [86400e-6 / each for each in (ours, theirs)]
            print(
                f"{name:14} {per_day[0]:10.2f} µs/day, MD {per_day[1]:8.3f}: "
                f"{theirs / ours:6.0f} times as fast",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
