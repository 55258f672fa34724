"""Proteins of the repository, prepared once, and the command."""

import subprocess
import sys
from pathlib import Path

import pytest

import mdsurrogate

ROOT = Path(__file__).parents[2]


def command(*words, **options):
    return subprocess.run(
        [sys.executable, "-m", "mdsurrogate", *map(str, words)],
        capture_output=True,
        text=True,
        **options,
    )


@pytest.fixture(scope="session")
def akle_file():
    return ROOT / "data/structures/akle.pdb"


@pytest.fixture(scope="session")
def akle(akle_file):
    return mdsurrogate.Structure(akle_file)


@pytest.fixture(scope="session")
def trpcage():
    return mdsurrogate.Structure(ROOT / "data/structures/trpcage.pdb")
