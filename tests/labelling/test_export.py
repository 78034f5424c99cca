"""Rows worth a person's time: why each was picked, fair among languages, nothing twice, nothing already labelled."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from radar.classify import classify_posts
from radar.labelling.export import COLUMNS, worth_labelling
from radar.registry import TopicScorer, load_seeds, load_taxonomy
from tests.builders import NOON, a_post, put

SEEDS = load_seeds(load_taxonomy())


def export(engine: sa.Engine, scorer: TopicScorer, rows: int, **more: Any) -> list[dict[str, Any]]:
    return worth_labelling(engine, scorer, SEEDS, rows=rows, since=NOON - timedelta(days=7), **more)


@pytest.fixture
def filled(engine: sa.Engine, scorer: TopicScorer) -> sa.Engine:
    """Two languages, twenty posts to one; a word that nobody knew, used by four; copies; a deleted post."""
    posts = [a_post(f"z{n}", f"今天搭虎航去東京 {'a' * (n + 2)}", f"z{n}") for n in range(40)]
    posts += [a_post(f"t{n}", f"ไปช้อปปิ้งที่โตเกียว {'ก' * (n + 3)}", f"t{n}", market="TH") for n in range(2)]
    posts += [a_post(f"n{n}", f"zorblax everywhere, day {'abcd'[n] * 3}", f"n{n}", market="US") for n in range(4)]
    posts += [a_post(f"c{n}", "同一句話 日本藥妝 🎉" + "🎉" * n, f"c{n}") for n in range(10)]
    put(engine, *posts, a_post("gone", "刪掉的藥妝", "x", deleted=True))
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOON)
    return engine


def test_small_languages_get_their_share(filled: sa.Engine, scorer: TopicScorer) -> None:
    rows = export(filled, scorer, 12)
    assert Counter(row["language"] for row in rows) == {"zh-Hant": 6, "en": 4, "th": 2}
    assert set(rows[0]) == set(COLUMNS)
    asked = export(filled, scorer, 12, quotas={"en": 1})
    assert Counter(row["language"] for row in asked) == {"zh-Hant": 9, "en": 1, "th": 2}
    assert {row["language"] for row in export(filled, scorer, 5, languages=["th"])} == {"th"}


def test_a_new_word_of_several_people_is_shown(filled: sa.Engine, scorer: TopicScorer) -> None:
    rows = export(filled, scorer, 20)
    assert next(row["detail"] for row in rows if row["reason"] == "new_term") == "unknown word: zorblax"


def test_nothing_is_asked_twice(filled: sa.Engine, scorer: TopicScorer) -> None:
    rows = export(filled, scorer, 1000)
    texts = [row["text"] for row in rows]
    assert len(texts) == len(set(texts))
    assert sum(text.startswith("同一句話") for text in texts) == 1
    assert not any("刪掉" in text for text in texts)
    known = {f"test:{row['native_id']}" for row in rows}
    assert len(export(filled, scorer, 1000, labelled=known)) <= 9, "other copies of one text"


def test_a_reason_is_given_and_holds(filled: sa.Engine, scorer: TopicScorer) -> None:
    rows = export(filled, scorer, 1000)
    for row in rows:
        p = dict(zip(scorer.topic_ids, scorer.score([row["text"]])[0], strict=True))
        if row["reason"] == "disagree":
            topic = row["detail"].split()[2]
            assert p[topic] < scorer.thresholds[scorer.topic_ids.index(topic)]
        if row["reason"] == "threshold":
            assert row["detail"].split()[0] in p
    assert {row["reason"] for row in rows} >= {"threshold", "random"}


def test_an_empty_store_gives_no_rows(engine: sa.Engine, scorer: TopicScorer) -> None:
    assert export(engine, scorer, 10) == []
