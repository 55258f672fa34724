"""The example that is shaped like a notebook, as its reader runs it."""

import subprocess
import sys

from conftest import ROOT


def test_the_notebook_runs(tmp_path):
    notebook = ROOT / "python/examples/notebook.py"
    done = subprocess.run(
        [sys.executable, notebook, ROOT / "data/structures/trpcage.pdb"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "304 atoms, 20 residues" in done.stdout and "RMSD (Å) [0." in done.stdout
    assert (tmp_path / "notebook/analysis/index.html").exists()
    assert (tmp_path / "notebook/run_r1.xtc").exists()
