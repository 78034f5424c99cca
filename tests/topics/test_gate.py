"""The gate before all topics: off-topic posts stay out, and a post that names two things has both."""

import json
from pathlib import Path

import numpy as np
import pytest

from radar.config import Settings
from radar.registry import TopicScorer, model_folder, open_scorer
from radar.topics.calibration import OPEN, best_thresholds, f1
from radar.topics.training import Cautions, calibrate

CAUTIONS = Cautions(precision=0.5, threshold=0.3, off_topic=0.03)


def margins_of(topics: np.ndarray, seed: int) -> np.ndarray:
    """Noisy margins of two topics and of any topic, (posts, 3)."""
    heard = np.hstack([topics, topics.any(1, keepdims=True)]) * 2.0 - 1
    return np.asarray(heard + np.random.default_rng(seed).normal(0, 0.9, heard.shape))


def test_no_more_off_topic_posts_than_allowed_get_a_topic() -> None:
    topics = np.random.default_rng(0).random((6_000, 2)) < [0.3, 0.2]
    truth = topics.astype(np.int8)
    found = calibrate(margins_of(topics, 1), truth, CAUTIONS)
    off_topic = ~topics.any(1)
    for seed in (1, 2):  # those it was found on, and others
        p = found.probabilities(margins_of(topics, seed))
        assert ((p > 0) & (p < 1)).all()
        assert (p >= found.thresholds)[off_topic].any(1).mean() < 0.04
        assert f1((p >= found.thresholds)[:, 0], truth[:, 0]) > 0.7
    assert (found.thresholds >= found.gate.shut).all()


def test_posts_that_all_have_topics_need_no_gate() -> None:
    truth = np.eye(2, dtype=np.int8)[np.arange(200) % 2]
    assert calibrate(margins_of(truth, 1), truth, CAUTIONS).gate is OPEN


@pytest.mark.parametrize(("least", "first"), [(0.3, 0.3), (0.28, 0.28), (0.305, 0.31), (0.296, 0.3)])
def test_thresholds_are_the_best_of_those_that_are_tried(least: float, first: float) -> None:
    rng = np.random.default_rng(3)
    p, truth = rng.random((400, 3)), (rng.random((400, 3)) < 0.4).astype(np.int8)
    found = best_thresholds(p, truth, 0.0, least)
    for k in range(3):
        tried = {t: f1(p[:, k] >= t, truth[:, k]) for t in np.arange(first, 0.91, 0.02).round(2)}
        assert tried[found[k]] == max(tried.values())


@pytest.mark.parametrize("least", [0.304, 0.305, 0.6, 0.95])
@pytest.mark.parametrize("precision", [0.0, 0.9])
def test_no_threshold_is_below_the_least(least: float, precision: float) -> None:
    rng = np.random.default_rng(4)
    p, truth = rng.random((300, 5)), (rng.random((300, 5)) < 0.3).astype(np.int8)
    assert (best_thresholds(p, truth, precision, least) >= least).all()


def test_a_model_without_a_gate_still_opens(fitted_dir: Path, tmp_path: Path) -> None:
    kept = model_folder(Settings(data_dir=fitted_dir))
    for file in kept.iterdir():
        (tmp_path / file.name).symlink_to(file)
    manifest = json.loads((kept / "manifest.json").read_text())
    del manifest["gate"]
    (tmp_path / "manifest.json").unlink()
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    assert open_scorer(tmp_path).calibration.gate is OPEN


@pytest.mark.parametrize(
    "text", ["Booked the onsen hotel in Hakone, best hotel of the trip", "箱根の温泉ホテルに泊まった、部屋も風呂も広い"]
)
def test_an_onsen_hotel_is_both(scorer: TopicScorer, text: str) -> None:
    given = scorer.score([text])[0] >= scorer.thresholds
    named = {topic for topic, on in zip(scorer.topic_ids, given, strict=True) if on}
    assert {"travel.onsen_spa", "travel.hotel"} <= named


@pytest.mark.parametrize(
    "text",
    [
        "The parliament adopted the amended law on pension funds with a narrow majority.",
        "화산 분출물의 성분은 마그마가 식는 속도에 따라 달라진다.",
        "선거관리위원회는 개표가 자정을 넘길 것으로 내다봤다.",
        "国会は年金制度の改正案を賛成多数で可決した。",
    ],
)
def test_reference_prose_and_news_have_no_topic(scorer: TopicScorer, text: str) -> None:
    assert not (scorer.score([text])[0] >= scorer.thresholds).any()
