"""A model folder of another format ends in an error that says what to do, not in a traceback."""

import json
import shutil
from pathlib import Path

import pytest
import skops.io
from typer.testing import CliRunner

from radar.cli import cli
from radar.config import Settings
from radar.errors import RadarError
from radar.registry import model_folder, open_scorer
from tests.builders import few_labels
from tests.conftest import radar


@pytest.fixture
def folder(fitted_dir: Path, tmp_path: Path) -> Path:
    return shutil.copytree(model_folder(Settings(data_dir=fitted_dir)), tmp_path / "topics" / "a_model")


@pytest.mark.parametrize("without", ["id", "topic_ids", "thresholds", "weights", "offset", "digests"])
def test_a_manifest_of_another_format_is_refused(folder: Path, without: str) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest[without]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RadarError, match="Delete the folder"):
        open_scorer(folder)


@pytest.mark.parametrize("manifest", ["[]", "null"])
def test_a_manifest_that_is_no_object_is_refused(folder: Path, manifest: str) -> None:
    (folder / "manifest.json").write_text(manifest)
    with pytest.raises(RadarError, match="Delete the folder"):
        open_scorer(folder)


def test_a_skops_file_of_something_else_is_refused(folder: Path) -> None:
    skops.io.dump({"not": "a pipeline"}, folder / "pipeline.skops")
    with pytest.raises(RadarError, match="Delete the folder"):
        open_scorer(folder)


def test_fewer_topics_in_the_manifest_than_in_the_pipeline_are_refused(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["topic_ids"] = manifest["topic_ids"][:39]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RadarError, match="Delete the folder"):
        open_scorer(folder)


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """A folder that a killed fit left half-written."""
    folder = model_folder(Settings(data_dir=tmp_path))
    folder.mkdir(parents=True)
    (folder / "pipeline.skops").write_bytes(b"half")
    return folder


def test_train_over_a_half_written_folder_fits_anew(
    half: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a few of the labels, to be quick."""
    few = few_labels()
    monkeypatch.setattr("radar.training.load_labels", lambda taxonomy: few)
    done = CliRunner().invoke(cli, ["train"], env={"RADAR_DATA_DIR": str(tmp_path)})
    assert done.exit_code == 0, done.output
    assert len(open_scorer(half).topic_ids) == 40


def test_train_over_a_manifest_cut_short_ends_without_a_traceback(half: Path, tmp_path: Path) -> None:
    (half / "manifest.json").write_text('{"id": "topics-')
    done = radar("train", data_dir=tmp_path)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
