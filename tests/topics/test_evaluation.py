"""The frozen posts stay apart from what trains, and the figures on them are above their floors."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

import radar.sources.world
from radar.config import Settings
from radar.registry import TopicScorer, evaluate, load_frozen, load_labels, load_taxonomy, model_card, model_folder
from radar.topics.evaluation import masked


def grams(text: str, n: int = 12) -> set[str]:
    signs = "".join(text.split()).lower()
    return {signs[i : i + n] for i in range(len(signs) - n + 1)}


def world_texts() -> list[str]:
    found: list[str] = []

    def walk(node: object) -> None:
        if isinstance(node, str):
            found.append(node)
        elif isinstance(node, dict):
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    for path in sorted((files(radar.sources.world) / "texts").iterdir(), key=lambda p: p.name):
        walk(tomllib.loads(path.read_text(encoding="utf-8")))
    return found


@pytest.mark.parametrize("other", ["labels", "world"])
def test_frozen_posts_share_hardly_a_phrase_with_what_trains_or_is_simulated(other: str) -> None:
    taxonomy = load_taxonomy()
    known: set[str] = set()
    for text in load_labels(taxonomy).texts if other == "labels" else world_texts():
        known |= grams(text)
    frozen = load_frozen(taxonomy).texts
    shares = [len(found & known) / len(found) for text in frozen if (found := grams(text))]
    assert max(shares) < 0.5
    assert sum(share > 0.1 for share in shares) < 0.02 * len(frozen)


def test_figures_on_frozen_posts_are_above_their_floors(scorer: TopicScorer) -> None:
    found = evaluate(scorer)
    assert {name: m.macro_f1 for name, m in found.by_language.items() if m.macro_f1 < FLOORS[name]} == {}
    for language, by_keyword in found.keywords.items():
        assert found.by_language[language].macro_f1 > by_keyword.macro_f1 + 0.1
    assert found.masked.macro_f1 > 0.5
    assert found.overall.off_topic_given < 0.1
    assert found.overall.calibration_error is not None
    assert found.overall.calibration_error < 0.02


FLOORS = {"zh-Hant": 0.80, "zh-Hans": 0.80, "ja": 0.80, "ko": 0.80, "th": 0.80, "en": 0.80}


def test_masked_texts_hold_no_seed() -> None:
    assert masked({"a": ["onsen", "溫泉"]}, ["An onsen, 溫泉旅館 online"]) == ["an      ,   旅馆 online"]


def test_the_card_says_that_its_posts_are_synthetic(fitted_dir: Path) -> None:
    text = model_card(model_folder(Settings(data_dir=fitted_dir)))
    assert "synthetic" in text
    assert "| travel.onsen_spa |" in text
