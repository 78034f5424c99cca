"""A model folder of another format ends in an error that says what to do, not in a traceback."""

import json
import shutil
from pathlib import Path

import pytest
import skops.io

from radar.config import Settings
from radar.errors import RadarError
from radar.registry import model_folder, open_scorer
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


@pytest.mark.parametrize("manifest", [None, '{"id": "topics-'])
def test_train_over_a_half_written_folder_ends_without_a_traceback(tmp_path: Path, manifest: str | None) -> None:
    half = model_folder(Settings(data_dir=tmp_path))
    half.mkdir(parents=True)
    (half / "pipeline.skops").write_bytes(b"half")
    if manifest is not None:
        (half / "manifest.json").write_text(manifest)
    done = radar("train", data_dir=tmp_path)
    assert "Traceback" not in done.stderr
