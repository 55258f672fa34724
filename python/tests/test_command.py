"""The command that comes with the package."""

import json

import pytest
from mdsurrogate import _processor

from conftest import command


def test_the_command_runs_and_says_what_was_typed(akle_file, tmp_path):
    flags = ["--steps", "2", "--relax", "5", "--levels", "4", "--as-is", "--backend", "cpu"]
    done = command("run", akle_file, *flags, "-o", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run.xtc").exists()
    summary = json.loads((tmp_path / "run.summary.json").read_text())
    assert summary["command_line"][:3] == ["mdsurrogate", "run", str(akle_file)]
    config = tmp_path / "run.toml"
    config.write_text("steps = 1\n")
    done = command("run", akle_file, *flags[2:], "--config", config, "-o", tmp_path / "two")
    assert done.returncode == 0, done.stderr


def test_exit_codes_are_the_programs(tmp_path):
    done = command("energy", tmp_path / "nothing.pdb")
    assert done.returncode == 2 and "error:" in done.stderr and "try:" in done.stderr
    assert command("energy").returncode == 2


def test_a_processor_without_the_instructions_is_told_so(tmp_path, monkeypatch):
    monkeypatch.delenv("MDSURROGATE_LEVEL", raising=False)
    _processor.require(tmp_path / "nothing")
    said = tmp_path / "cpuinfo"
    said.write_text("processor: 0\nflags\t\t: fpu sse2 fma avx2\n")
    _processor.require(said)
    said.write_text("processor: 0\nflags\t\t: fpu sse2\n")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(ImportError, match="AVX2"):
        _processor.require(said)
    monkeypatch.setenv("MDSURROGATE_LEVEL", "x86-64")
    _processor.require(said)
