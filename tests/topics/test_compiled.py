"""The compiled pass answers what scikit-learn answers, whatever the text."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from radar.config import Settings
from radar.registry import TopicScorer, load_frozen, load_taxonomy, model_folder, open_pipeline
from radar.topics import TopicPipeline, build_pipeline

NASTY = [
    "",
    " ",
    "#",
    "😂" * 300,
    "東京" * 400,
    "\x00\ud800 zero",
    "#JapanTrip2026 #일본여행 @someone https://a.b/c",
    "น้ำตกสวยมากกก 555",
    "a_b c-d e'f ﬁ ①",
    "𠮷野家で牛丼",
    "올리브영에서 마스크팩 쓸어담음ㅋㅋ",
]


@pytest.fixture(scope="module")
def pipeline(fitted_dir: Path) -> TopicPipeline:
    fitted: TopicPipeline = open_pipeline(model_folder(Settings(data_dir=fitted_dir)))
    return fitted


def test_one_pass_decides_as_scikit_learn_does(pipeline: TopicPipeline, scorer: TopicScorer) -> None:
    texts = NASTY + load_frozen(load_taxonomy()).texts[::4]
    fast = scorer.score(texts)
    plain = scorer.calibration.probabilities(pipeline.plain_decision_function(texts))
    assert np.abs(fast - plain).max() < 1e-4
    assert ((fast >= scorer.thresholds) == (plain >= scorer.thresholds)).mean() > 0.9999


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(max_size=60), min_size=1, max_size=8))
def test_any_text_has_the_same_margins_alone_and_among_others(pipeline: TopicPipeline, texts: list[str]) -> None:
    together = pipeline.decision_function(texts)
    assert np.isfinite(together).all()
    assert np.allclose(together, pipeline.plain_decision_function(texts), atol=2e-5)
    assert np.array_equal(together, np.concatenate([pipeline.decision_function([text]) for text in texts]))


def test_both_kinds_of_chinese_score_alike(scorer: TopicScorer) -> None:
    traditional, simplified = scorer.score(["帶小孩去東京迪士尼樂園玩雲霄飛車", "带小孩去东京迪士尼乐园玩云霄飞车"])
    assert np.allclose(traditional, simplified)


def test_single_labels_are_predicted_by_name() -> None:
    texts = [f"{word} {n} {word} and more of it" for word in ("train", "hotel", "soup") for n in range(12)]
    labels = [word for word in ("train", "hotel", "soup") for _ in range(12)]
    assert build_pipeline().fit(texts, labels).predict(["a train", "soup soup", "one hotel"]).tolist() == [
        "train",
        "soup",
        "hotel",
    ]


def test_the_model_names_what_it_was_made_of(fitted_dir: Path) -> None:
    manifest = json.loads((model_folder(Settings(data_dir=fitted_dir)) / "manifest.json").read_text())
    assert manifest["id"].startswith("topics-")
    assert len(manifest["topic_ids"]) == 40
    assert set(manifest["versions"]) >= {"scikit-learn", "numpy"}
