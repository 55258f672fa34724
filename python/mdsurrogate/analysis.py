"""A run looked at by itself, and against reference MD: the numbers of the commands `analyze` and
`compare`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import numpy as np

from ._mdsurrogate import analyze_run, compare_runs


@dataclass(frozen=True)
class Analysis:
    """What a run does, frame by frame and residue by residue.

    Attributes
    ----------
    sentence
        How far it can be trusted to have converged, in words.
    values
        An array a frame of each quantity: ``rmsd``, ``rmsd_to_mean`` and ``radius_of_gyration`` (Å),
        ``contacts``, ``kept_contacts``, ``hydrogen_bonds``, ``helix``, ``strand``.
    time
        When each frame is, ps from the start of its trajectory (frames, where times are not known).
    trajectory
        Which trajectory each frame is of, from 0.
    cluster
        Its cluster, from 0, the largest first; -1 for none.
    metrics
        All other numbers, as ``metrics.json`` of the command has them.
    files
        What was written: the page first.
    """

    sentence: str
    values: dict[str, np.ndarray]
    time: np.ndarray
    trajectory: np.ndarray
    cluster: np.ndarray
    metrics: dict = field(repr=False)
    files: list[Path] = field(default_factory=list)

    @property
    def residues(self) -> list[str]:
        """Labels of the residues: ``A:LYS 27``."""
        return [residue["residue"] for residue in self.metrics["residues"]]

    @property
    def rmsf(self) -> np.ndarray:
        """RMSF of each residue's Cα about its mean position, Å; NaN for residues without, and for
        molecules of fewer than ten residues, which are superposed on all heavy atoms, that of its
        Cα among them."""
        return self._of_residues("rmsf_A")

    @property
    def helix(self) -> np.ndarray:
        """Share of frames in which each residue is in a helix."""
        return self._of_residues("helix")

    @property
    def strand(self) -> np.ndarray:
        """Share of frames in which each residue is in a strand."""
        return self._of_residues("strand")

    def _of_residues(self, name: str) -> np.ndarray:
        values = [residue[name] for residue in self.metrics["residues"]]
        return np.array([np.nan if value is None else value for value in values], dtype=float)


def _paths(given) -> list[str]:
    one = isinstance(given, (str, PathLike))
    return [str(path) for path in ([given] if one else given)]


def analyze(
    run,
    *,
    top=None,
    skip="0",
    stride=1,
    time_step=None,
    lag=None,
    cutoff=None,
    report=None,
    overwrite=False,
    viewer=None,
) -> Analysis:
    """Looks at a run by itself.

    ``run``: the prefix of a run's files, a trajectory, or a list of either (replicas). ``top``: the
    structure of their atoms (default: the PDB file beside each). ``skip``: the start that is left
    out, ``"30%"``, ``"2ns"`` or a number of frames. ``stride``: look at every n-th frame.
    ``time_step`` and ``lag`` in ps, ``cutoff`` of clusters in Å, or text with a unit. ``report``:
    a folder for the page and its files (default: none is written). ``viewer``: 3Dmol-min.js, for a
    view in three dimensions.

    >>> found = mdsurrogate.analyze("out/protein", skip="10%")
    >>> print(found.sentence, found.values["rmsd"].mean(), found.rmsf.max())
    """
    found = analyze_run(
        _paths(run), top, str(skip), stride, time_step, lag, cutoff, report, overwrite, viewer
    )
    values, metrics = found["values"], json.loads(found["metrics"])
    rest = {name: values.pop(name) for name in ("time", "trajectory", "cluster")}
    files = [Path(file) for file in found["files"]]
    return Analysis(metrics["sentence"], values, **rest, metrics=metrics, files=files)


def compare(
    run,
    reference,
    *,
    top=None,
    reference_top=None,
    time_step=None,
    reference_time_step=None,
    lag=None,
    report=None,
    overwrite=False,
    viewer=None,
) -> dict:
    """Compares a run with reference MD: ``metrics.json`` of the command as a dictionary.

    ``run`` and ``reference``: a trajectory or a list of them. ``top``, ``reference_top``: structures
    of their atoms. Times in ps, or text with a unit. ``report``: a folder for the page and its files
    (default: none is written; which they are stands under ``files``).

    >>> found = mdsurrogate.compare("run.xtc", "md.xtc", top="protein.pdb")
    >>> print(found["sentence"])
    >>> outside = [m["label"] for m in found["measures"] if m["verdict"] == "outside"]
    """
    metrics, files = compare_runs(
        _paths(run),
        _paths(reference),
        top,
        reference_top,
        time_step,
        reference_time_step,
        lag,
        report,
        overwrite,
        viewer,
    )
    return {**json.loads(metrics), "files": [Path(file) for file in files]}
