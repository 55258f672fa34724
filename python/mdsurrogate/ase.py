"""mdsurrogate in ASE: force field and models of forces as calculators, jumps as dynamics.

ASE's units are eV, Å and its own time; conversion happens here and nowhere else.
"""

from __future__ import annotations

import numpy as np
from ase import Atoms, units
from ase.calculators.calculator import Calculator, all_changes
from ase.md.md import MolecularDynamics

from . import Energy, ModelForces, Simulation, Structure

#: kJ/mol in eV.
KJ_PER_MOL = units.kJ / units.mol
#: ps in ASE's unit of time.
PICOSECOND = 1000.0 * units.fs


def atoms_of(structure: Structure, positions=None) -> Atoms:
    """A structure as ASE's Atoms, with residues and names as arrays."""
    atoms = Atoms(
        symbols=structure.elements,
        positions=structure.positions if positions is None else positions,
        masses=structure.masses,
    )
    atoms.set_array("atomtypes", np.array(structure.names))
    atoms.set_array("residuenames", np.array(structure.residue_names))
    atoms.set_array("residuenumbers", np.array(structure.residue_numbers))
    return atoms


class ForceField(Calculator):
    """ff14SB with OBC2 implicit water, all pairs in f64; no cell is used."""

    implemented_properties = ["energy", "free_energy", "forces"]

    def __init__(self, structure: Structure, **options):
        super().__init__(**options)
        self._field = Energy(structure)
        self._elements = structure.elements

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        if self.atoms.get_chemical_symbols() != self._elements:
            raise ValueError("these are not the atoms of the structure, in its order")
        terms, forces = self._field.evaluate(self.atoms.get_positions())
        energy = terms["total"] * KJ_PER_MOL
        self.results = {
            "energy": energy,
            "free_energy": energy,
            "forces": forces * KJ_PER_MOL,
        }


class ForceModel(Calculator):
    """A model of forces (task ``force``) on a protein, as ``mdsurrogate run`` integrates it.

    Its particles are the heavy atoms with the masses of the hydrogens that ride on them:
    :meth:`particles` makes them, and no other Atoms are taken. Forces are eV/Å and sum to zero.
    Energies, eV up to a constant of the molecule, are those of models of the conservative form; of
    the others there is none, and ASE says so where it is asked for one. No cell is used.

    ``model`` is a file or a :class:`mdsurrogate.Model`.
    """

    implemented_properties = ["energy", "free_energy", "forces"]

    def __init__(self, structure: Structure, model, backend: str = "auto", **options):
        super().__init__(**options)
        self._model = ModelForces(structure, model, backend=backend)
        self._all = atoms_of(structure)
        self._symbols = self._all[self._model.atoms].get_chemical_symbols()
        if not self._model.conservative:
            self.implemented_properties = ["forces"]

    def particles(self) -> Atoms:
        """The heavy atoms of the structure with this calculator, masses in Da."""
        heavy = self._all[self._model.atoms]
        heavy.set_masses(self._model.masses)
        heavy.calc = self
        return heavy

    def calculate(self, atoms=None, properties=("forces",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        if self.atoms.get_chemical_symbols() != self._symbols:
            raise ValueError("not the heavy atoms of the structure: particles() makes them")
        energy, forces = self._model.evaluate(self.atoms.get_positions())
        self.results = {"forces": forces * KJ_PER_MOL}
        if energy is not None:
            self.results["energy"] = self.results["free_energy"] = energy * KJ_PER_MOL


class Surrogate(MolecularDynamics):
    """Jumps of the surrogate as ASE's dynamics: ``dyn.run(n)``, ``dyn.attach(...)``.

    ``atoms`` are those of :func:`atoms_of` of ``simulation.structure``; they move with replica 0.
    Where the atoms start does not matter: the simulation has its own start. A jump has no momenta.
    """

    def __init__(self, atoms: Atoms, simulation: Simulation, **options):
        if atoms.get_chemical_symbols() != simulation.structure.elements:
            raise ValueError("these are not the atoms of the simulation, in its order")
        self.simulation = simulation
        atoms.set_positions(simulation.positions[0])
        super().__init__(atoms, timestep=simulation.time_step * PICOSECOND, **options)

    def step(self, forces=None):
        """One jump; no forces are asked for."""
        self.atoms.set_positions(self.simulation.advance()[0])

    def irun(self, steps=50):
        """Steps as ASE counts them, without asking a calculator for forces."""
        self.max_steps = self.nsteps + steps
        if self.nsteps == 0:
            self.call_observers()
            yield False
        while self.nsteps < self.max_steps:
            self.step()
            self.nsteps += 1
            self.call_observers()
            yield self.nsteps == self.max_steps

    def run(self, steps=50):
        """Makes jumps, calling what is attached at its interval."""
        for _ in self.irun(steps):
            pass
        return True
