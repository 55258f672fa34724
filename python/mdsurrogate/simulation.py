"""Simulations as Python iterates them, and as other packages' trajectories."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from . import _mdsurrogate
from ._mdsurrogate import Structure


class Simulation(_mdsurrogate.Simulation):
    """A protein and the model that advances it, one or several replicas at once.

    ``protein`` is a PDB or mmCIF file, or a :class:`Structure`. ``model`` is a model file or a
    :class:`Model`; without one the built-in model is taken. The other arguments are the flags of
    ``mdsurrogate run``:
    ``backend`` (auto, gpu, cpu), ``replicas`` or the number ``replica`` of one of them alone,
    ``seed``, ``threads``; of jumps ``lag``, ``relax``, ``cutoff`` (a length, or ``none``),
    ``levels``, ``method`` (euler, heun, multistep), ``fold`` (auto, keep, free, or the time over
    which it follows the frames, as ``"2ns"``), ``fold_strength``, ``stir``; of models of forces
    ``ensemble`` (langevin, csvr, nve), ``temperature``, ``friction`` (1/ps), ``relaxation``,
    ``dt``; of the input ``equilibrate`` (a time), ``as_is``, ``fix``, ``his``; and ``guard``
    (abort, rollback, redraw, warn).

    What is in memory (``advance``, ``frames``) and what goes to files (``run``) are apart: each
    begins with the input. The same seed gives the same bits as the command, on any number of
    threads. A Structure is taken as it is, without equilibration.
    """

    def advance(self, steps: int = 1) -> np.ndarray:
        """Makes steps in memory and returns the positions after them.

        Before the first step the input is equilibrated, as the command does. Raises GuardError
        where a frame is no molecule any more; ``Ctrl-C`` is heard within a step.
        """
        super().advance(steps)
        return self.positions

    def frames(self, steps: int, every: int = 1, progress: bool = False) -> Iterator[np.ndarray]:
        """Positions after every ``every``-th of ``steps`` steps; a bar where tqdm is installed."""
        if every < 1:
            raise _mdsurrogate.UsageError(f"every: {every} is no stride\n  try: 1 or more")
        strides = [every] * (steps // every)
        if steps % every:
            strides.append(steps % every)
        if progress:
            strides = _bar(strides)
        for stride in strides:
            yield self.advance(stride)

    def universe(self, steps: int, every: int = 1, replica: int = 0, progress: bool = False):
        """Makes steps in memory and returns one replica's frames as an MDAnalysis Universe.

        ``steps`` is a multiple of ``every``; frames have the simulation's own times.
        """
        frames, start = self._one_replica(steps, every, replica, progress)
        return universe(self.structure, frames, self.time_step * every, start)

    def to_mdtraj(self, steps: int, every: int = 1, replica: int = 0, progress: bool = False):
        """Makes steps in memory and returns one replica's frames as an mdtraj Trajectory (nm).

        ``steps`` is a multiple of ``every``; frames have the simulation's own times.
        """
        frames, start = self._one_replica(steps, every, replica, progress)
        return to_mdtraj(self.structure, frames, self.time_step * every, start)

    def _one_replica(self, steps: int, every: int, replica: int, progress: bool):
        """Frames of one replica, and the time of the first of them, ps."""
        if steps < 1 or every < 1 or steps % every:
            raise _mdsurrogate.UsageError(
                f"{steps} steps with a frame every {every}: frames would not be a time apart\n"
                "  try: steps that are a multiple of every"
            )
        if not 0 <= replica < self.replicas:
            raise _mdsurrogate.UsageError(
                f"replica: there is no {replica}\n  try: 0 to {self.replicas - 1}"
            )
        frames, times = [], []
        for frame in self.frames(steps, every, progress):
            frames.append(frame[replica])
            times.append(self.time)
        return np.array(frames), times[0]


def _bar(strides):
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return strides
    return tqdm(strides, unit="frame")


def _frames_of(structure: Structure, positions: np.ndarray) -> np.ndarray:
    """Positions as frames x atoms x 3."""
    positions = np.asarray(positions, dtype=float)
    if positions.ndim == 2:
        positions = positions[None]
    if positions.ndim != 3 or positions.shape[1:] != (len(structure), 3):
        raise _mdsurrogate.UsageError(
            f"positions of shape {positions.shape}\n  try: frames x {len(structure)} atoms x 3"
        )
    return positions


def universe(structure: Structure, positions: np.ndarray, dt: float = 1.0, start=None):
    """An MDAnalysis Universe in memory: positions (Å) of frames ``dt`` ps apart, the first at
    ``start`` ps (default: ``dt``, as of frames behind the input)."""
    import MDAnalysis as mda
    from MDAnalysis.coordinates.memory import MemoryReader

    positions = _frames_of(structure, positions)
    of_atom = np.array(structure.residue_indices)
    first = np.unique(of_atom, return_index=True)[1]
    chains = np.array(structure.chains)
    segments, of_residue = np.unique(chains[first], return_inverse=True)
    made = mda.Universe.empty(
        len(structure),
        n_residues=len(first),
        n_segments=len(segments),
        atom_resindex=of_atom,
        residue_segindex=of_residue,
    )
    made.add_TopologyAttr("names", structure.names)
    made.add_TopologyAttr("elements", structure.elements)
    made.add_TopologyAttr("types", structure.elements)
    made.add_TopologyAttr("masses", structure.masses)
    made.add_TopologyAttr("chainIDs", chains)
    made.add_TopologyAttr("resnames", np.array(structure.residue_names)[first])
    made.add_TopologyAttr("resids", np.array(structure.residue_numbers)[first])
    made.add_TopologyAttr("segids", segments)
    made.add_TopologyAttr("bonds", [tuple(bond) for bond in structure.bonds])
    made.load_new(
        positions.astype(np.float32),
        format=MemoryReader,
        order="fac",
        dt=dt,
        time_offset=dt if start is None else start,
    )
    return made


def to_mdtraj(structure: Structure, positions: np.ndarray, dt: float = 1.0, start=None):
    """An mdtraj Trajectory: positions (given in Å, there in nm) of frames ``dt`` ps apart, the first
    at ``start`` ps (default: ``dt``, as of frames behind the input)."""
    import mdtraj

    positions = _frames_of(structure, positions)
    topology = mdtraj.Topology()
    chain, residue, last = None, None, (None, None)
    rows = zip(
        structure.names,
        structure.elements,
        structure.residue_indices,
        structure.residue_names,
        structure.residue_numbers,
        structure.chains,
    )
    for name, element, index, residue_name, number, chain_id in rows:
        if chain is None or chain_id != last[0]:
            chain = topology.add_chain(chain_id)
        if index != last[1]:
            residue = topology.add_residue(residue_name, chain, resSeq=number)
        topology.add_atom(name, mdtraj.element.Element.getBySymbol(element), residue)
        last = (chain_id, index)
    atoms = list(topology.atoms)
    for i, j in structure.bonds:
        topology.add_bond(atoms[i], atoms[j])
    times = (dt if start is None else start) + dt * np.arange(len(positions))
    return mdtraj.Trajectory(positions / 10.0, topology, time=times)
