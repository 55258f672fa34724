"""Minimisation of a protein beside OpenMM's, in one run: processor time, steps and final energy.

python minimize.py PROGRAM FILE.pdb...     each complete with hydrogens, as written by `reference`
Both stop at a root-mean-square force of 0.5 kJ/mol/Å an atom, on one thread; OpenMM's CPU platform
has no constraints here, as ours has none. Times of ours are of the whole command, reading included.
"""

import os
import re
import subprocess
import sys
import tempfile
import time

import openmm
from openmm import app, unit
from openmm_reference import native_system

TOLERANCE = 0.5  # kJ/mol/Å, of an atom


class Count(openmm.MinimizationReporter):
    """Counts iterations."""

    iterations = 0

    def report(self, iteration, x, grad, args):
        self.iterations += 1
        return False


def of_openmm(file):
    """Processor seconds, iterations and final energy, kJ/mol, of OpenMM's LocalEnergyMinimizer."""
    pdb = app.PDBFile(file)
    system = native_system(pdb.topology, constraints=None)
    integrator = openmm.VerletIntegrator(1 * unit.femtosecond)
    platform = openmm.Platform.getPlatformByName("CPU")
    context = openmm.Context(system, integrator, platform, {"Threads": "1"})
    context.setPositions(pdb.positions)
    context.getState(energy=True, forces=True)
    count, start = Count(), time.process_time()
    # its tolerance is of a force component, in kJ/mol/nm
    openmm.LocalEnergyMinimizer.minimize(context, 10 * TOLERANCE / 3**0.5, 0, count)
    seconds = time.process_time() - start
    energy = context.getState(energy=True).getPotentialEnergy()
    return seconds, count.iterations, energy.value_in_unit(unit.kilojoule_per_mole)


def of_ours(program, file):
    """The same of `minimize`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "minimize", file, "-o", f"{folder}/out.pdb", "--steps", "100000"]
        command += ["--tolerance", str(TOLERANCE)]
        environment = {**os.environ, "RAYON_NUM_THREADS": "1"}
        before = os.times()
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        after = os.times()
    seconds = sum(after[2:4]) - sum(before[2:4])
    steps = int(re.search(r"after (\d+) steps", done.stderr).group(1))
    energy = float(re.search(r"^total\s+\S+\s+(\S+)", done.stderr, re.MULTILINE).group(1))
    return seconds, steps, energy


def main(program, files):
    print(f"OpenMM {openmm.__version__}")
    print(f"{'':16}{'seconds (OpenMM, ratio)':>28}{'steps':>16}{'energy, kJ/mol':>24}")
    for file in files:
        theirs, ours = of_openmm(file), of_ours(program, file)
        name = os.path.basename(file).split(".")[0]
        times = f"{ours[0]:.2f} ({theirs[0]:.2f}, {theirs[0] / ours[0]:.1f})"
        steps, energies = f"{ours[1]} ({theirs[1]})", f"{ours[2]:.0f} ({theirs[2]:.0f})"
        print(f"{name:16}{times:>28}{steps:>16}{energies:>24}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
