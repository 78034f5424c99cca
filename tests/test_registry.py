"""The topic model: enough labels, honest probabilities, and no model file that runs code."""

import csv
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io

from radar.config import Settings
from radar.errors import RadarError
from radar.registry import (
    TopicScorer,
    fit,
    fitted_folder,
    load_scorer,
    load_taxonomy,
    model_folder,
    open_pipeline,
    open_scorer,
)
from tests.builders import few_labels

LANGUAGES = ("zh-Hant", "ja", "ko", "en", "th")
ROOT = Path(__file__).parents[1]


class Foreign:
    """A type that no model of ours holds; made again, it leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


@pytest.fixture
def folder(fitted_dir: Path, tmp_path: Path) -> Path:
    """A copy of the fitted model that a test may damage."""
    return shutil.copytree(model_folder(Settings(data_dir=fitted_dir)), tmp_path / "topics" / "a_model")


def test_every_topic_has_labels_in_every_language() -> None:
    labelled: Counter[tuple[str, str]] = Counter()
    off_topic: Counter[str] = Counter()
    text = (files("radar._content.models.topics") / "labels.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        labelled.update((row["language"], topic_id) for topic_id in set(row["topics"].split()))
        off_topic[row["language"]] += not row["topics"]
    topic_ids = load_taxonomy().ids
    assert len(set(topic_ids)) == 40
    few = {(lang, t): labelled[lang, t] for lang in LANGUAGES for t in topic_ids if labelled[lang, t] < 6}
    assert few == {}
    assert {lang: n for lang in LANGUAGES if (n := off_topic[lang]) < 60} == {}


def test_scores_are_probabilities_of_forty_topics(scorer: TopicScorer) -> None:
    texts = [
        "唐吉訶德藥妝必買",
        "",
        " ",
        "ラーメン" * 5_000,
        "\x00🛍️",
        "맛집 투어",
        "ไปช้อปปิ้งที่โตเกียว",
        "flight deal to Osaka",
    ]
    scores = scorer.score(texts)
    assert scores.shape == (len(texts), 40)
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()
    assert scorer.score([]).shape == (0, 40)
    assert scorer.topic_ids[scores[0].argmax()] == "shop.drugstore"
    assert np.array_equal(scorer.score(texts[::-1])[::-1], scores)


FIT = """
import sys
from pathlib import Path
from radar.registry import fit
from tests.builders import few_labels
fit(Path(sys.argv[1]), few_labels(int(sys.argv[2])))
"""


@pytest.mark.parametrize("every", [12, pytest.param(1, marks=pytest.mark.long)])
def test_the_same_inputs_fit_the_same_model(every: int, tmp_path: Path) -> None:
    """In two processes, on one in so many of the shipped labels."""
    one, two = tmp_path / "one" / "topics-x", tmp_path / "two" / "topics-x"
    fit(one, few_labels(every))
    done = subprocess.run(
        [sys.executable, "-c", FIT, str(two), str(every)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((folder / "manifest.json").read_text()) for folder in (one, two))
    digests = first.pop("digests"), second.pop("digests")
    assert first == second
    assert digests[0]["scorer.npz"] == digests[1]["scorer.npz"]  # skops writes the addresses of objects into its file
    texts = ["虎航特價機票", "今天好累", "ตลาดน้ำ"]
    assert np.array_equal(open_scorer(one).score(texts), open_scorer(two).score(texts))


@pytest.mark.parametrize("name", ["pipeline.skops", "scorer.npz"])
def test_one_changed_byte_is_refused(folder: Path, name: str) -> None:
    file = folder / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(RadarError, match=r"Cannot load the model in .*a_model.*Delete the folder"):
        open_scorer(folder)


def test_posts_are_scored_without_scikit_learn(folder: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from radar.registry import open_scorer
open_scorer(Path({str(folder)!r})).score(["ramen in Osaka"])
print([name for name in ("sklearn", "skops", "pandas") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_a_file_cut_short_is_refused(folder: Path) -> None:
    file = folder / "pipeline.skops"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(RadarError, match="Delete the folder"):
        open_scorer(folder)


@pytest.mark.parametrize("dump", [skops.io.dump, lambda thing, path: path.write_bytes(pickle.dumps(thing))])
def test_a_foreign_type_is_refused_before_it_runs(folder: Path, tmp_path: Path, dump: Any) -> None:
    trap = tmp_path / "trap"
    dump(Foreign(trap), folder / "pipeline.skops")
    with pytest.raises(RadarError, match="Cannot load the model"):
        open_scorer(folder)
    assert not trap.exists()


def test_a_foreign_type_inside_a_fitted_model_is_refused(folder: Path, tmp_path: Path) -> None:
    pipeline = open_pipeline(folder)
    pipeline.steps.append(("extra", Foreign(tmp_path / "trap")))
    skops.io.dump(pipeline, folder / "pipeline.skops")
    with pytest.raises(RadarError, match="Foreign"):
        open_pipeline(folder)
    with pytest.raises(RadarError, match="not the file that was fitted"):
        open_scorer(folder)
    assert not (tmp_path / "trap").exists()


@pytest.mark.parametrize("manifest", ["", '{"id": "topics-'])
def test_a_manifest_cut_short_is_refused(folder: Path, manifest: str) -> None:
    (folder / "manifest.json").write_text(manifest)
    with pytest.raises(RadarError, match="Delete the folder"):
        open_scorer(folder)


def test_what_a_killed_fit_left_is_no_model(fitted_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=tmp_path)
    left = model_folder(settings).parent / ".fitting-killed"
    left.mkdir(parents=True)
    (left / "pipeline.skops").write_bytes(b"half")
    whole = model_folder(Settings(data_dir=fitted_dir))
    monkeypatch.setattr("radar.registry.fit", lambda folder: shutil.copytree(whole, folder))
    assert fitted_folder(settings).name == whole.name
    assert load_scorer(settings).model_id == whole.name
