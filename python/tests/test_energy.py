"""The force field from Python: OpenMM's numbers, its own gradient, and ASE's units."""

import gzip
import json

import numpy as np
import pytest
from ase import units

import mdsurrogate
from mdsurrogate.ase import ForceField, Surrogate, atoms_of

from conftest import ROOT

KJ = units.kJ / units.mol


@pytest.mark.parametrize("name", ["trpcage", "bpti"])
def test_energies_and_forces_are_openmms(name):
    golden = ROOT / "tests/data/forcefield/golden"
    expected = json.loads(gzip.open(golden / f"{name}.json.gz").read())
    terms, forces = mdsurrogate.Energy(mdsurrogate.Structure(golden / f"{name}.pdb.gz")).evaluate()
    total = expected["energy_kJ_mol"]["total"]
    assert abs(terms["total"] - total) <= 1e-6 * abs(total)
    theirs = np.array(expected["force_kJ_mol_nm"]) / 10.0
    assert np.abs(forces - theirs).max() <= 1e-4 * np.abs(theirs).max()


def test_forces_are_the_gradient(akle):
    field = mdsurrogate.Energy(akle)
    terms, forces = field.evaluate()
    assert abs(sum(v for k, v in terms.items() if k != "total") - terms["total"]) <= 1e-9
    direction = np.random.default_rng(3).normal(size=forces.shape)
    at = lambda h: field.evaluate(akle.positions + h * direction)[0]["total"]
    slope = (at(1e-5) - at(-1e-5)) / 2e-5
    assert abs(slope + (forces * direction).sum()) <= 1e-6 * abs(slope)


def test_minimisation_ends_lower_and_at_rest(akle):
    field = mdsurrogate.Energy(akle)
    positions, energy = field.minimize(tolerance=0.1)
    terms, forces = field.evaluate(positions)
    assert energy < field.evaluate()[0]["total"]
    assert abs(terms["total"] - energy) <= 1e-9 * abs(energy)
    assert np.sqrt((forces**2).sum() / forces.size * 3) <= 0.2


def test_ase_has_the_same_energy_in_its_units(trpcage):
    atoms = atoms_of(trpcage)
    atoms.calc = ForceField(trpcage)
    terms, forces = mdsurrogate.Energy(trpcage).evaluate()
    assert abs(atoms.get_potential_energy() / KJ - terms["total"]) <= 1e-8 * abs(terms["total"])
    error = np.abs(atoms.get_forces() / KJ - forces).max()
    assert error <= 1e-8 * np.abs(forces).max(), error
    with pytest.raises(ValueError):
        atoms.calc.calculate(atoms[:10])


def test_the_surrogate_is_dynamics_in_ase(akle_file):
    options = {"backend": "cpu", "relax": 10, "levels": 4, "equilibrate": 0, "seed": 5}
    simulation = mdsurrogate.Simulation(akle_file, **options)
    atoms = atoms_of(simulation.structure)
    seen = []
    dynamics = Surrogate(atoms, simulation)
    dynamics.attach(lambda: seen.append(atoms.get_positions()), interval=2)
    dynamics.run(4)
    assert len(seen) == 3 and dynamics.nsteps == 4  # steps 0, 2, 4
    assert abs(dynamics.get_time() / (1000 * units.fs) - 4 * simulation.time_step) <= 1e-9
    expected = mdsurrogate.Simulation(akle_file, **options).advance(4)[0]
    assert np.array_equal(atoms.get_positions(), expected)
