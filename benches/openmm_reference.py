"""Speed of OpenMM's CPU platform on a PDB file, for comparison: ff14SB with the native
GBSAOBCForce, LangevinMiddle.

python openmm_reference.py FILE.pdb THREADS STEP_FS SECONDS     prints one JSON object
Bonds to hydrogen are constrained and hydrogens weigh 3 Da, as in the bench that calls this.
"""

import json
import resource
import sys
import time

import openmm
from openmm import app, unit


def native_system(topology, constraints=app.HBonds):
    """ff14SB with the native GBSAOBCForce, bonds to hydrogen constrained, hydrogens of 3 Da."""
    options = dict(
        nonbondedMethod=app.NoCutoff, constraints=constraints, hydrogenMass=3 * unit.dalton
    )
    system = app.ForceField("amber14/protein.ff14SB.xml", "implicit/obc2.xml").createSystem(
        topology, **options
    )
    # the force field's own OBC2 is a CustomGBForce; the native force is the faster one: same
    # parameters, same equations
    forces = system.getForces()
    custom = next(i for i, force in enumerate(forces) if isinstance(force, openmm.CustomGBForce))
    native = openmm.GBSAOBCForce()
    native.setSolventDielectric(78.5)
    native.setSoluteDielectric(1.0)
    native.setNonbondedMethod(openmm.GBSAOBCForce.NoCutoff)
    for atom in range(system.getNumParticles()):
        charge, offset_radius, screened = forces[custom].getParticleParameters(atom)
        native.addParticle(charge, offset_radius + 0.009, screened / offset_radius)
    system.removeForce(custom)
    system.addForce(native)
    return system


def main(file, threads, step, seconds):
    pdb = app.PDBFile(file)
    system = native_system(pdb.topology)
    integrator = openmm.LangevinMiddleIntegrator(
        300 * unit.kelvin, 1 / unit.picosecond, step * unit.femtosecond
    )
    platform = openmm.Platform.getPlatformByName("CPU")
    context = openmm.Context(system, integrator, platform, {"Threads": threads})
    context.setPositions(pdb.positions)
    context.applyConstraints(1e-6)
    context.setVelocitiesToTemperature(300 * unit.kelvin, 1)
    integrator.step(20)
    start, busy, steps = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - start < seconds:
        integrator.step(20)
        steps += 20
    spent, busy = time.perf_counter() - start, time.process_time() - busy
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        json.dumps(
            {
                "openmm": openmm.__version__,
                "atoms": system.getNumParticles(),
                "ms_per_step": 1e3 * spent / steps,
                "processor_ms_per_step": 1e3 * busy / steps,
                "peak_mb": memory,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
