"""Structures beside what MDAnalysis reads of the same file, and errors that say where."""

import MDAnalysis as mda
import numpy as np
import pytest

import mdsurrogate


def test_a_structure_is_what_mdanalysis_reads_of_it(trpcage, tmp_path):
    file = tmp_path / "written.pdb"
    trpcage.write_pdb(file)
    other = mda.Universe(file)
    assert len(trpcage) == len(other.atoms)
    assert trpcage.names == list(other.atoms.names)
    assert trpcage.residue_names == list(other.atoms.resnames)
    assert trpcage.residue_numbers == list(other.atoms.resids)
    assert trpcage.sequence == "NLYIQWLKDGGPSSGRPPPS"
    # a PDB file rounds to 0.001 Å
    assert np.abs(trpcage.positions - other.atoms.positions).max() <= 6e-4
    heavy = np.array(trpcage.elements)[trpcage.heavy_atoms]
    assert "H" not in heavy and len(heavy) == sum(e != "H" for e in trpcage.elements)
    lengths = np.linalg.norm(
        trpcage.positions[trpcage.bonds[:, 0]] - trpcage.positions[trpcage.bonds[:, 1]], axis=1
    )
    assert lengths.min() >= 0.9 and lengths.max() <= 1.9


def test_errors_carry_place_and_hint(tmp_path):
    with pytest.raises(mdsurrogate.InputError) as raised:
        mdsurrogate.Structure(tmp_path / "nothing.pdb")
    assert str(raised.value.file).endswith("nothing.pdb")
    assert raised.value.hint and raised.value.hint in str(raised.value)
    assert raised.value.exit_code == 2
    broken = tmp_path / "broken.pdb"
    broken.write_text("ATOM      1  N   ALA A   1      xx.000   0.000   0.000\n")
    with pytest.raises(mdsurrogate.InputError) as raised:
        mdsurrogate.Structure(broken)
    assert raised.value.line == 1


def test_what_cannot_be_is_refused(akle_file, akle):
    for options in [{"backend": "tpu"}, {"lag": "160"}, {"lag": -1.0}, {"replicas": 0}]:
        with pytest.raises(mdsurrogate.UsageError) as raised:
            mdsurrogate.Simulation(akle_file, **options)
        assert raised.value.hint
    with pytest.raises(ValueError):
        akle.write_pdb("never.pdb", np.zeros((3, 3)))
