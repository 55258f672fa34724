"""`analyze` and `compare` from Python, against mdtraj and the command's own files."""

import json
import shutil
import sys

import mdtraj
import numpy as np
import pytest

import mdsurrogate

from conftest import ROOT

XTC = ROOT / "tests/data/compare/trpcage.xtc"
TOP = ROOT / "data/structures/trpcage.pdb"


def test_numbers_are_those_of_mdtraj(tmp_path):
    found = mdsurrogate.analyze(XTC, top=TOP, report=tmp_path / "page")
    t, start = mdtraj.load(XTC, top=TOP), mdtraj.load(TOP)
    ca = t.topology.select("name CA")
    rmsd = mdtraj.rmsd(t, start, 0, atom_indices=ca) * 10
    assert np.abs(found.values["rmsd"] - rmsd).max() <= 2e-4
    xyz = t.superpose(start, 0, atom_indices=ca).xyz[:, ca].astype(float) * 10
    rmsf = np.sqrt(((xyz - xyz.mean(0)) ** 2).sum(-1).mean(0))
    assert np.abs(found.rmsf - rmsf).max() <= 5e-4
    helix = (mdtraj.compute_dssp(t) == "H").mean(0)
    assert np.abs(found.helix - helix).max() <= 1e-12
    assert found.residues[0] == "A:ASN 1" and len(found.residues) == 20
    assert found.time.shape == found.cluster.shape == found.trajectory.shape == (100,)
    assert found.cluster.min() >= -1 and (found.trajectory == 0).all()
    written = json.loads((tmp_path / "page/metrics.json").read_text())
    assert written["sentence"] == found.sentence
    assert found.files[0].name == "index.html" and found.files[0].exists()


def test_starts_and_replicas(tmp_path):
    again = shutil.copy(XTC, tmp_path / "again.xtc")
    two = mdsurrogate.analyze([XTC, again], top=TOP, skip="50%", stride=5)
    assert two.values["radius_of_gyration"].shape == (20,)
    assert two.trajectory.tolist() == [0] * 10 + [1] * 10
    with pytest.raises(mdsurrogate.UsageError) as caught:
        mdsurrogate.analyze("nowhere/run")
    assert "PREFIX" in caught.value.hint
    with pytest.raises(mdsurrogate.UsageError):
        mdsurrogate.analyze(XTC, top=TOP, skip="half")
    with pytest.raises(mdsurrogate.UsageError, match="given twice"):
        mdsurrogate.analyze([XTC, XTC], top=TOP)
    for wrong in [{"stride": 0}, {"time_step": 0.0}, {"lag": "0ps"}, {"cutoff": 0}]:
        with pytest.raises(mdsurrogate.UsageError, match=next(iter(wrong))):
            mdsurrogate.analyze(XTC, top=TOP, **wrong)


def test_a_comparison_has_the_measures_of_the_command(tmp_path):
    data = ROOT / "tests/data/compare"
    a, b, top = data / "akle_a.xtc", data / "akle_b.xtc", ROOT / "data/structures/akle.pdb"
    found = mdsurrogate.compare(a, b, top=top)
    assert found["files"] == [] and len(found["measures"]) > 15
    words = [sys.executable, "-m", "mdsurrogate", "compare", a, "--top", top, "--reference", b]
    import subprocess

    subprocess.run([*words, "-o", tmp_path / "page", "-q"], check=True, capture_output=True)
    written = json.loads((tmp_path / "page/metrics.json").read_text())
    assert found["measures"] == written["measures"]
