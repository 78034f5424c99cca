"""radar promote: a gate, a swap, and the way back."""

import json
import os
import shutil
from pathlib import Path

import pytest

from radar.config import Settings
from radar.registry import model_folder
from tests.conftest import radar


@pytest.fixture
def data_dir(fitted_dir: Path, tmp_path: Path) -> Path:
    """A data folder with the shipped model and two others: a copy, and one that gives a topic to nearly nothing."""
    shipped = model_folder(Settings(data_dir=fitted_dir))
    for name, threshold in ((shipped.name, None), ("topics-equal", None), ("topics-mute", 0.999)):
        folder = tmp_path / "models" / "topics" / name
        shutil.copytree(shipped, folder, ignore=lambda *_: ["manifest.json"], copy_function=os.link)
        manifest = json.loads((shipped / "manifest.json").read_text()) | {"id": name}
        if threshold:
            manifest["thresholds"] = [threshold] * len(manifest["thresholds"])
        (folder / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def test_a_model_is_promoted_and_taken_back(data_dir: Path) -> None:
    posts = data_dir / "posts.csv"
    rows = [f"u{n},2026-11-0{1 + n % 9}T10:00:00Z,第{n}天去泡湯住溫泉旅館" for n in range(30)]
    posts.write_text("author,published_at,text\n" + "\n".join(rows) + "\n", encoding="utf-8")
    assert radar("import", str(posts), "--market", "TW", data_dir=data_dir).returncode == 0
    done = radar("promote", "topics-equal", data_dir=data_dir)
    assert done.returncode == 0, done.stderr
    assert "topics-equal is active" in done.stdout
    again = radar("promote", "topics-equal", data_dir=data_dir)
    assert "active already" in again.stdout
    listed = json.loads(radar("models", "--format", "json", data_dir=data_dir).stdout)
    before = listed["previous"]
    assert {row["model"]: row["active"] for row in listed["items"]} == {
        "topics-equal": True, before: False, "topics-mute": False,
    }  # fmt: skip
    assert {row["model"]: row["passes_gate"] for row in listed["items"]}["topics-mute"] is False
    back = radar("promote", "--back", data_dir=data_dir)
    assert back.returncode == 0, back.stderr
    assert f"{before} is active, topics-equal was before" in back.stdout


def test_without_a_model_before_there_is_no_way_back(data_dir: Path) -> None:
    done = radar("promote", "--back", data_dir=data_dir)
    assert (done.returncode, "none was promoted here" in done.stderr) == (2, True)
    both = radar("promote", "topics-equal", "--back", data_dir=data_dir)
    assert both.returncode == 2


def test_a_worse_model_does_not_pass_the_gate(data_dir: Path) -> None:
    done = radar("promote", "topics-mute", data_dir=data_dir)
    assert done.returncode == 1
    assert "gate does not pass" in done.stderr
    forced = radar("promote", "topics-mute", "--force", data_dir=data_dir)
    assert forced.returncode == 0, forced.stderr
    back = radar("promote", "--back", data_dir=data_dir)
    assert back.returncode == 0, back.stderr


def test_an_unknown_model_is_a_callers_mistake(data_dir: Path) -> None:
    done = radar("promote", "topics-none", data_dir=data_dir)
    assert done.returncode == 2
    assert "topics-equal" in done.stderr
