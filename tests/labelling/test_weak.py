"""Weak labels: only what seeds say clearly, each with what it rests on."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from radar.classify import classify_posts
from radar.labelling.weak import weak_labels
from radar.labels import Label
from radar.registry import load_concepts, load_seeds, load_taxonomy
from tests.api.small_store import KeywordScorer
from tests.builders import NOON, a_post, put

TAXONOMY = load_taxonomy()
SEEDS = load_seeds(TAXONOMY)
ONSEN = ("露天風呂", "泡湯")
SCORER: Any = KeywordScorer()
"""Gives a topic by 藥妝 and 機票, and else nothing."""


@pytest.fixture
def filled(engine: sa.Engine) -> sa.Engine:
    posts = [
        a_post("clear", f"週末去{ONSEN[1]}，{ONSEN[0]}好舒服"),
        a_post("mixed", f"{ONSEN[1]}跟{ONSEN[0]}，還有藥妝店"),
        a_post("one", "只是一個泡湯"),
        a_post("quiet", "今天下班好累，躺在沙發上發呆一整晚什麼都不想做"),
        a_post("short", "好累"),
        *[a_post(f"more{n}", f"{ONSEN[0]}{ONSEN[1]}{'好' * n}棒", f"a{n}") for n in range(9)],
    ]
    put(engine, *posts)
    classify_posts(engine, Path(SCORER.model_id), lambda: SCORER, now=NOON)
    return engine


def found(engine: sa.Engine, per_topic: int = 30, *labelled: str) -> dict[str, Label]:
    labels = weak_labels(
        engine, SCORER, SEEDS, load_concepts(TAXONOMY), since=NOON - timedelta(days=7), now=NOON, per_topic=per_topic,
        labelled=labelled,
    )  # fmt: skip
    return {label.post.removeprefix("test:"): label for label in labels}


def test_two_seeds_of_a_topic_speak_and_one_does_not(filled: sa.Engine) -> None:
    labels = found(filled)
    assert labels["clear"].topics == ("travel.onsen_spa",)
    assert {"one", "mixed", "short"} & labels.keys() == set()
    assert labels["quiet"].topics == ()


def test_each_says_that_it_is_weak_and_what_it_rests_on(filled: sa.Engine) -> None:
    labels = found(filled)
    assert {(label.provenance, label.by, label.source) for label in labels.values()} == {
        ("weak", "seeds", "seeds.toml")
    }
    assert "泡汤" in labels["clear"].note
    assert "below 5 %" in labels["quiet"].note


def test_one_topic_does_not_flood_and_people_come_first(filled: sa.Engine) -> None:
    few = found(filled, 3)
    assert sum(bool(label.topics) for label in few.values()) == 3
    assert "clear" not in found(filled, 30, "test:clear")
