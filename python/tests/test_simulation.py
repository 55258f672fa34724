"""Simulations in memory beside the files of a run, and in other packages' hands."""

import os
import signal
import threading
import time

import MDAnalysis as mda
import mdtraj
import numpy as np
import pytest

import mdsurrogate

QUICK = {"backend": "cpu", "relax": 10, "levels": 4, "equilibrate": "1ps", "seed": 7}


def test_frames_in_memory_are_those_of_the_files(akle_file, tmp_path):
    simulation = mdsurrogate.Simulation(akle_file, replicas=2, **QUICK)
    frames = np.array(list(simulation.frames(3)))
    assert frames.shape == (3, 2, 69, 3)
    assert (simulation.step, simulation.time) == (3, 3 * simulation.time_step)
    simulation.run(tmp_path / "run", 3, quiet=True)
    for replica in range(2):
        of_file = mda.Universe(tmp_path / "run.pdb", tmp_path / f"run_r{replica}.xtc")
        assert len(of_file.trajectory) == 4
        for step in of_file.trajectory[1:]:
            # XTC rounds to 0.01 Å
            error = np.abs(step.positions - frames[step.frame - 1, replica]).max()
            assert error <= 6e-3, error


def test_a_replica_alone_is_itself_among_others(akle_file):
    together = mdsurrogate.Simulation(akle_file, replicas=3, **QUICK).advance(2)
    alone = mdsurrogate.Simulation(akle_file, replica=2, threads=1, **QUICK).advance(2)
    assert np.array_equal(together[2], alone[0])
    assert np.abs(together[0] - together[1]).max() > 0.1


def test_strides_are_steps_of_one_run(akle_file):
    whole = mdsurrogate.Simulation(akle_file, **QUICK).advance(5)
    strides = list(mdsurrogate.Simulation(akle_file, **QUICK).frames(5, every=2))
    assert len(strides) == 3 and np.array_equal(strides[-1], whole)


def test_interrupted_runs_go_on(akle_file, tmp_path):
    # a shell that starts the tests in its background has them ignore Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)
    simulation = mdsurrogate.Simulation(akle_file, **{**QUICK, "relax": 200})
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        simulation.run(tmp_path / "run", 1_000_000, quiet=True)
    assert time.monotonic() - begun <= 6.0
    with pytest.raises(KeyboardInterrupt):
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        simulation.advance(1_000_000)
    done = len(mdtraj.load(tmp_path / "run.xtc", top=tmp_path / "run.pdb"))
    simulation.run(tmp_path / "run", done + 2, quiet=True)
    assert len(mdtraj.load(tmp_path / "run.xtc", top=tmp_path / "run.pdb")) == done + 3


def test_other_threads_run_meanwhile(akle_file):
    simulation = mdsurrogate.Simulation(akle_file, **QUICK)
    counted = 0
    stepping = threading.Thread(target=simulation.advance, args=(20,))
    stepping.start()
    while stepping.is_alive():
        counted += 1
        time.sleep(0.001)
    assert counted >= 10 and simulation.step == 20


def test_universe_and_mdtraj_measure_the_same(akle_file):
    make = lambda: mdsurrogate.Simulation(akle_file, **QUICK)
    universe, trajectory = make().universe(4, every=2), make().to_mdtraj(4, every=2)
    assert len(universe.trajectory) == len(trajectory) == 2
    assert universe.trajectory.dt == 2 * make().time_step
    assert np.allclose(trajectory.time, [2 * make().time_step, 4 * make().time_step])
    ends = trajectory.topology.select("name CA")[[0, -1]]
    apart = 10 * mdtraj.compute_distances(trajectory, [ends])[:, 0]  # mdtraj has nm
    times = [2 * make().time_step, 4 * make().time_step]
    assert [step.time for step in universe.trajectory] == trajectory.time.tolist() == times
    alpha = universe.select_atoms("name CA")
    frames = [alpha.positions.copy() for _ in universe.trajectory]
    expected = [np.linalg.norm(frame[-1] - frame[0]) for frame in frames]
    assert np.allclose(apart, expected, rtol=1e-5)
    assert len(universe.select_atoms("backbone")) == len(trajectory.topology.select("backbone"))
    assert universe.bonds is not None and trajectory.topology.n_bonds == len(universe.bonds)


def test_frames_that_would_have_no_times_are_refused(akle_file):
    simulation = mdsurrogate.Simulation(akle_file, **QUICK)
    for wrong in [(5, 2), (0, 1), (4, 0)]:
        with pytest.raises(mdsurrogate.UsageError, match="multiple"):
            simulation.universe(*wrong)
    with pytest.raises(mdsurrogate.UsageError, match="replica"):
        simulation.to_mdtraj(1, replica=1)
    assert simulation.step == 0
    simulation.advance(3)
    assert np.allclose(simulation.to_mdtraj(1).time, 4 * simulation.time_step)


def test_a_structure_in_memory_is_simulated(akle):
    simulation = mdsurrogate.Simulation(akle, backend="cpu", relax=10, levels=4)
    assert simulation.advance().shape == (1, len(akle), 3)
