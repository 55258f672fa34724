"""A model of one protein: what the command `finetune` makes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from ._mdsurrogate import Model, finetune_model


@dataclass(frozen=True)
class Finetuned:
    """A model of one protein and how it does beside the reference MD that it was trained on.

    Attributes
    ----------
    model
        The model, for ``Simulation(protein, model)``; its ``file`` is ``PREFIX.safetensors``.
    outcome
        What the validation found, as ``mdsurrogate validate --json`` has it: ``measures``, each
        with its ``verdict`` and its ``floor``, ``valid_by_fifth``, ``ns_per_day``, ``lag_time``
        (ps).
    table
        The same in words, as the command prints it.
    """

    model: Model
    outcome: dict = field(repr=False)
    table: str = field(repr=False)

    def __str__(self) -> str:
        return self.table


def finetune(
    protein,
    output=None,
    model=None,
    *,
    time="2ns",
    minutes=20.0,
    temperature=300.0,
    backend="auto",
    threads=None,
    seed=1,
    fix=False,
    his="hie",
    overwrite=False,
    quiet=False,
) -> Finetuned:
    """Makes a model of one protein: reference MD, a short training from a model, validation.

    ``protein`` is a PDB or mmCIF file; ``output`` is what the names of all files start with
    (default: ``STEM_tuned``); ``model``, a file or a :class:`Model`, is where the training starts
    (default: the built-in one). ``time``, ps or text with its unit: reference MD to train on, which
    two independent runs share, at ``temperature``, K. ``minutes`` of training. ``threads``: of all
    three steps (default: all cores). ``fix`` builds missing atoms, ``his`` is the form of
    histidines: hid, hie, hip.

    How long it will take and how far it is goes to stderr, unless ``quiet``. Ctrl-C stops it, and
    the same call goes on: what is done is not done again. ``overwrite`` starts over.

    >>> made = mdsurrogate.finetune("protein.pdb", "own", time="2ns", minutes=20)
    >>> print(made)                                   # every measure beside its floor
    >>> simulation = mdsurrogate.Simulation("protein.pdb", made.model)
    """
    file, outcome, table = finetune_model(
        protein,
        output,
        model,
        time,
        minutes,
        temperature,
        backend,
        threads,
        seed,
        fix,
        his,
        overwrite,
        quiet,
    )
    return Finetuned(Model(Path(file)), json.loads(outcome)["outcome"], table)
