"""Models from Python: what a file is, a model of one protein, models of forces in ASE."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import MDAnalysis as mda
import numpy as np
import pytest
from ase import units
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.fd import calculate_numerical_forces
from ase.md.verlet import VelocityVerlet

import mdsurrogate
from mdsurrogate.ase import ForceModel

from conftest import ROOT, command

#: Network and training of the models below: seconds.
SMALL = """
[data]
folder = "."
temperature = "300K"

[[data.systems]]
topology = "md.pdb"
trajectories = ["md.xtc"]

[split]
validation_share = 0.0

[model]
scalars = 16
vectors = 8
pair = 8
layers = 1
radial = 6
neighbours = 8

[force]
form = "{form}"

[training]
updates = 60
"""


@pytest.fixture(scope="module")
def force_models(akle_file, tmp_path_factory):
    """Models of forces of AKLE, of either form, trained on 2 ps of MD."""
    folder = tmp_path_factory.mktemp("forces")
    mdsurrogate.reference(
        akle_file, folder / "md", "2ps", heat="1ps", traj_every="0.1ps", threads=1, quiet=True
    )
    for form in ["direct", "conservative"]:
        config = folder / f"{form}.toml"
        config.write_text(SMALL.format(form=form))
        words = ["train", config, "-o", folder / form, "--backend", "cpu", "-q"]
        done = command(*words)
        assert done.returncode == 0, done.stderr
    return {form: folder / f"{form}.safetensors" for form in ["direct", "conservative"]}


def test_a_model_says_what_it_is():
    built_in = mdsurrogate.Model()
    said = json.loads(command("model", "info", "--json").stdout)
    assert built_in.header == said and built_in.sha256 == said["sha256"]
    assert built_in.file is None and built_in.tokens == "heavy atoms"
    assert (built_in.task, built_in.architecture) == ("jump", "G-Hyena")
    assert built_in.parameters == said["parameters"] > 10_000
    assert built_in.lags[0] == built_in.lag == said["task"]["lag_time"]
    assert built_in.lags == tuple(said["task"]["lag_range"])
    validated = [(at["lag"], at["residues"]) for at in said["provenance"]["validated"]]
    assert built_in.validated == validated and len(validated) > 0
    for lag, least, most in built_in.usual_lags:
        assert built_in.lags[0] <= lag <= built_in.lags[1] and least <= most
    assert built_in.sequences["akle"] == "AKLE" and built_in.temperature == 300.0
    words = command("model", "info").stdout
    assert words.startswith(str(built_in)) and "validated" in str(built_in)
    assert built_in.architecture in repr(built_in)
    with pytest.raises(TypeError):
        os.fspath(built_in)


def test_what_is_no_model_is_refused(tmp_path):
    for content in [None, b"", b"no model", bytes(100)]:
        file = tmp_path / "model.safetensors"
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(mdsurrogate.InputError) as raised:
            mdsurrogate.Model(file)
        assert raised.value.hint and str(raised.value.file).endswith("model.safetensors")


def test_a_model_of_one_protein(akle_file, tmp_path, capfd):
    options = {"time": "160ps", "minutes": 0.02, "threads": 2, "backend": "cpu"}
    made = mdsurrogate.finetune(akle_file, tmp_path / "own", **options)
    said = capfd.readouterr().err
    assert "69 atoms" in said and "1 of 3" in said and "3 of 3" in said
    model = made.model
    assert model.file == tmp_path / "own.safetensors" and os.fspath(model) == str(model.file)
    assert "own_reference" in model.trained_on and model.task == "jump"
    assert len(made.outcome["measures"]) > 15 and made.outcome["lag_time"] == model.lag
    assert "Valid frames" in str(made) and made.table == str(made)
    # it is taken as it is, or by its name
    quick = {"backend": "cpu", "relax": 10, "levels": 4, "equilibrate": 0}
    first = mdsurrogate.Simulation(akle_file, model, **quick).advance()
    other = mdsurrogate.Simulation(akle_file, model.file, **quick).advance()
    built_in = mdsurrogate.Simulation(akle_file, mdsurrogate.Model(), **quick).advance()
    assert np.array_equal(first, other) and not np.array_equal(first, built_in)
    # what is done is not done again
    reference = tmp_path / "own_reference_r0.xtc"
    before = reference.stat().st_mtime_ns
    mdsurrogate.finetune(akle_file, tmp_path / "own", quiet=True, **options)
    assert reference.stat().st_mtime_ns == before and capfd.readouterr().err == ""
    # the command is at its last step too, which a signal ends
    words = ["finetune", akle_file, "--time", "160ps", "--minutes", "0.02", "--threads", "2"]
    words = [sys.executable, "-m", "mdsurrogate", *words, "--backend", "cpu", "-o", "own"]
    going = subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    while "3 of 3" not in going.stderr.readline():
        assert going.poll() is None
    going.send_signal(signal.SIGINT)
    assert "own.ckpt" in going.communicate(timeout=60)[1] and going.returncode == 75
    with pytest.raises(mdsurrogate.UsageError) as raised:
        mdsurrogate.finetune(akle_file, tmp_path / "short", time="10ps")
    assert "160ps" in raised.value.hint
    assert not list(tmp_path.glob("short*"))


def test_a_training_is_interrupted_and_goes_on(akle_file, tmp_path):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    options = {"time": "160ps", "threads": 1, "backend": "cpu", "quiet": True}

    def once_it_trains():
        while not (tmp_path / "own_reference.summary.json").exists():
            time.sleep(0.05)
        time.sleep(1.0)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=once_it_trains, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        mdsurrogate.finetune(akle_file, tmp_path / "own", minutes=30, **options)
    assert (tmp_path / "own.ckpt").exists() and not (tmp_path / "own.safetensors").exists()


def test_ase_has_the_models_forces_in_its_units(akle, force_models):
    kj = units.kJ / units.mol
    for form, file in force_models.items():
        model = mdsurrogate.ModelForces(akle, file, backend="cpu")
        atoms = ForceModel(akle, mdsurrogate.Model(file), backend="cpu").particles()
        assert np.array_equal(model.atoms, akle.heavy_atoms) and len(atoms) == len(model) == 32
        assert abs(atoms.get_masses().sum() - akle.masses.sum()) <= 1e-9
        energy, expected = model.evaluate()
        assert np.abs(expected.sum(0)).max() <= 1e-6 * np.abs(expected).max()
        error = np.abs(atoms.get_forces() / kj - expected).max()
        assert error <= 1e-8 * np.abs(expected).max(), error
        with pytest.raises(ValueError):
            atoms.calc.calculate(atoms[:10])
        if form == "direct":
            assert energy is None and not model.conservative
            with pytest.raises(PropertyNotImplementedError):
                atoms.get_potential_energy()
            continue
        assert abs(atoms.get_potential_energy() / kj - energy) <= 1e-8 * abs(energy)
        # the network is f32: the slope of its energy, over a step that its rounding allows
        forces = atoms.get_forces()
        slopes = calculate_numerical_forces(atoms, eps=0.003, iatoms=[5, 6]).reshape(2, 3)
        assert np.abs(slopes - forces[5:7]).max() <= 0.02 * np.abs(forces).max()


@pytest.mark.parametrize("form", ["direct", "conservative"])
def test_ases_dynamics_is_the_commands(akle, akle_file, force_models, form, tmp_path):
    model, steps = force_models[form], 60
    calculator = ForceModel(akle, model, backend="cpu")
    atoms = calculator.particles()
    VelocityVerlet(atoms, timestep=1.0 * units.fs).run(steps)
    heavy = akle.heavy_atoms
    moved = np.abs(atoms.get_positions() - akle.positions[heavy]).max()
    assert moved > 0.03, moved
    # in memory, to the rounding of the network: from rest, at constant energy
    options = {"backend": "cpu", "ensemble": "nve", "temperature": 0, "dt": "1fs"}
    there = mdsurrogate.Simulation(akle, model, **options).advance(steps)[0, heavy]
    assert np.abs(atoms.get_positions() - there).max() <= 1e-5
    # by the command, to that of its file
    words = ["run", akle_file, "-m", model, "--backend", "cpu", "--ensemble", "nve", "--as-is"]
    words += ["--temp", "0K", "--dt", "1fs", "--steps", steps, "--traj-every", steps, "-q"]
    done = command(*words, "-o", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    run = mda.Universe(tmp_path / "run.pdb", tmp_path / "run.xtc")
    run.trajectory[-1]
    assert np.abs(atoms.get_positions() - run.atoms.positions[heavy]).max() <= 6e-3


def test_models_of_other_tasks_are_refused(akle, force_models):
    with pytest.raises(mdsurrogate.UsageError) as raised:
        ForceModel(akle, mdsurrogate.Model())
    assert "[force]" in raised.value.hint
    with pytest.raises(mdsurrogate.UsageError) as raised:
        mdsurrogate.Simulation(akle, ensemble="nve", backend="cpu")
    assert "ensemble" in raised.value.hint
    forces = mdsurrogate.Model(force_models["direct"])
    assert (forces.lag, forces.lags, forces.task) == (None, None, "force")
    assert re.search(r"kJ/mol/Å", str(forces))
