"""What carried a score is shown where it stands in the post."""

from pathlib import Path

import pytest

from radar.config import Settings
from radar.registry import load_taxonomy, model_folder, open_pipeline
from radar.topics import TopicPipeline
from radar.topics.explain import explain

WIDE = "Ｓｈｉｎｋａｎｓｅｎ"


@pytest.fixture(scope="module")
def pipeline(fitted_dir: Path) -> TopicPipeline:
    fitted: TopicPipeline = open_pipeline(model_folder(Settings(data_dir=fitted_dir)))
    return fitted


@pytest.mark.parametrize(
    ("text", "topic", "shown"),
    [
        (f"Booked a #JapanRailPass, the {WIDE} was smooth https://x.y", "travel.rail_transit", WIDE),
        ("昨天跟同事去泡湯，露天風呂超舒服", "travel.onsen_spa", "露天風呂"),
        ("올리브영에서 마스크팩 쓸어담음", "shop.skincare", "마스크팩"),
        ("วันหยุดนี้ไปแช่ออนเซ็นกัน", "travel.onsen_spa", "ออนเซ็น"),
    ],
)  # fmt: skip
def test_the_telling_word_is_among_the_evidence(pipeline: TopicPipeline, text: str, topic: str, shown: str) -> None:
    found = explain(pipeline, text, load_taxonomy().ids.index(topic))
    assert all(text[e.start : e.end] == e.text for e in found)
    assert any(e.text in shown or shown in e.text for e in found[:3]), found


def test_parts_add_up_to_the_margin(pipeline: TopicPipeline) -> None:
    text, topic = "Sakura season at Ueno park", load_taxonomy().ids.index("travel.season_view")
    everything = sum(e.weight for e in explain(pipeline, text, topic, most=1_000))
    intercept = float(pipeline.named_steps["topics"].estimators_[topic].intercept_[0])
    assert everything >= pipeline.decision_function([text])[0, topic] - intercept - 0.2


def test_an_empty_post_has_no_evidence(pipeline: TopicPipeline) -> None:
    assert explain(pipeline, "  ", 0) == []
