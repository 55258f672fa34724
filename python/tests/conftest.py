"""Proteins of the repository, prepared once."""

from pathlib import Path

import pytest

import mdsurrogate

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def akle_file():
    return ROOT / "data/structures/akle.pdb"


@pytest.fixture(scope="session")
def akle(akle_file):
    return mdsurrogate.Structure(akle_file)


@pytest.fixture(scope="session")
def trpcage():
    return mdsurrogate.Structure(ROOT / "data/structures/trpcage.pdb")
