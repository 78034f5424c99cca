"""Every notebook runs top to bottom on the demo's store."""

import os
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
FEW_LABELS = """
import radar.gate, radar.training
from tests.builders import few_labels
radar.training.load_labels = lambda taxonomy: few_labels()
radar.gate.SLACK = 1.0
"""
"""Fit on a twelfth of the shipped labels, and let what that gives pass the gate, so that it is promoted as well."""
RETRAIN = "02_retrain"

quiet = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::ResourceWarning")


def _run(path: Path, demo_dir: Path, monkeypatch: pytest.MonkeyPatch, before: str = "") -> Any:
    """The notebook as it is after a run, with another cell before its first one where one is given."""
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PYTHONPATH", str(path.parents[1]), prepend=os.pathsep)
    monkeypatch.setenv("RADAR_DATA_DIR", str(demo_dir))
    monkeypatch.setenv("PYTHONWARNINGS", "ignore")
    notebook = nbformat.read(path, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "committed without outputs"
    if before:
        notebook.cells.insert(0, nbformat.v4.new_code_cell(before))
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    return notebook


@quiet
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_the_notebook_runs(path: Path, demo_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = _run(path, demo_dir, monkeypatch, FEW_LABELS if path.stem == RETRAIN else "")
    if path.stem == RETRAIN:
        said = "".join(output.get("text", "") for cell in done.cells for output in cell.get("outputs", ()))
        assert "passes:" in said


@quiet
@pytest.mark.long
def test_the_notebook_of_training_runs_on_all_labels(demo_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _run(next(path for path in NOTEBOOKS if path.stem == RETRAIN), demo_dir, monkeypatch)
