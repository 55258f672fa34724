"""A molecular dynamics surrogate integrator: learned jumps of proteins.

Lengths are in Å, times in ps, energies in kJ/mol, forces in kJ/mol/Å, temperatures in K. Wherever a
time or a temperature is asked for, a number is in that unit, and text carries its own: ``"1ns"``.

    >>> import mdsurrogate
    >>> simulation = mdsurrogate.Simulation("protein.pdb", replicas=4)
    >>> for positions in simulation.frames(100):   # replicas x atoms x 3
    ...     print(simulation.time, positions.std())
    >>> simulation.run("out/protein", steps=1000)  # the files of `mdsurrogate run`
    >>> print(mdsurrogate.analyze("out/protein").sentence)
    >>> made = mdsurrogate.finetune("protein.pdb", "own", time="2ns", minutes=20)
    >>> print(mdsurrogate.Model("own.safetensors"))
"""

from . import _processor as _processor  # before what it may refuse to load
from ._mdsurrogate import (
    DeviceError,
    Energy,
    GuardError,
    InputError,
    Interrupted,
    Model,
    ModelForces,
    OutputError,
    Structure,
    UsageError,
    __version__,
    devices,
    reference,
)
from .analysis import Analysis, analyze, compare
from .simulation import Simulation, to_mdtraj, universe
from .tuning import Finetuned, finetune

__all__ = [
    "Analysis",
    "DeviceError",
    "Energy",
    "Finetuned",
    "GuardError",
    "InputError",
    "Interrupted",
    "Model",
    "ModelForces",
    "OutputError",
    "Simulation",
    "Structure",
    "UsageError",
    "__version__",
    "analyze",
    "compare",
    "devices",
    "finetune",
    "reference",
    "to_mdtraj",
    "universe",
]
