"""The shadow run: nothing is found where person-days are dealt out anew, and the list says so."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from radar.answers import list_trends
from radar.classify import classify_posts
from radar.count import count_mentions
from radar.detect import detect_trends
from radar.registry import TopicScorer
from radar.shadow import Stretch, next_market, run_shadow
from radar.store.engine import reading, writing
from radar.store.shadow import ShadowRow, write_shadow
from tests.builders import a_post, fresh_store, put

BEGINS = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 58
NOW = BEGINS + timedelta(days=DAYS, hours=3)
WORDS = ["tea", "metro", "garden", "office", "camera", "coffee", "window", "bridge", "paper", "river"]


@pytest.fixture(scope="module")
def talked(tmp_path_factory: pytest.TempPathFactory, scorer: TopicScorer) -> sa.Engine:
    """Eight weeks of 50 persons, with three crazes of 20 persons each in the last four."""
    engine = fresh_store(tmp_path_factory.mktemp("shadow") / "radar.db")
    rng = random.Random(11)
    posts = []
    for n in range(DAYS * 45):
        at = BEGINS + timedelta(seconds=rng.uniform(0, DAYS * 86_400))
        posts.append(a_post(f"q{n}", f"{' '.join(rng.sample(WORDS, 4))} {n}", f"p{rng.randrange(50)}", published_at=at))
    for craze, day in enumerate((36, 44, 52)):
        for n in range(20):
            at = BEGINS + timedelta(days=day, hours=2, minutes=45 * n)
            text = f"{' '.join(rng.sample(WORDS, 3))} and the #moonlantern{craze} {n}"
            posts.append(a_post(f"c{craze}-{n}", text, f"p{n + craze}", published_at=at))
    put(engine, *posts, now=NOW)
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOW)
    count_mentions(engine, scorer.model_id, scorer.topic_ids, now=NOW)
    detect_trends(engine, scorer.model_id, scorer.topic_ids, closed_at=NOW)
    return engine


def test_crazes_are_found_as_things_are_and_not_in_the_shadow(talked: sa.Engine, scorer: TopicScorer) -> None:
    assert next_market(talked, scorer.model_id) == "TW"
    rows = run_shadow(talked, scorer.model_id, scorer.topic_ids, "TW", now=NOW)
    assert {row.bucket for row in rows} == {"15m", "1h", "1d"}
    listed = [row for row in rows if row.bucket != "15m"]
    assert sum(row.trends for row in listed) >= 4
    assert sum(row.shadow_trends for row in rows) <= 1
    assert run_shadow(talked, scorer.model_id, scorer.topic_ids, "TW", now=NOW) == rows
    with reading(talked) as session:
        answer = list_trends(session, market="TW", scope="all", window="30d")
        quarters = list_trends(session, market="TW", scope="all", window="30d", bucket="15m")
    assert answer["shadow"]["trends"] == sum(row.trends for row in listed)
    assert quarters["shadow"]["trends"] == sum(row.trends for row in rows if row.bucket == "15m")
    assert answer["shadow"]["warning"] is False
    assert "a day" in answer["shadow"]["sentence"]


def test_every_post_is_dealt_to_a_day_of_its_weekday_and_none_is_lost(talked: sa.Engine) -> None:
    first = (BEGINS + timedelta(days=1)).date()
    plain, dealt = (Stretch(talked, "any", "TW", first, 8, seed) for seed in (None, 1))
    here = {p.id: day for day in plain.days() for p in plain.posts(day)}
    there = {p.id: (day, p) for day in dealt.days() for p in dealt.posts(day)}
    assert here.keys() == there.keys()
    assert all(here[i].weekday() == day.weekday() for i, (day, _) in there.items())
    assert sum(here[i] != day for i, (day, _) in there.items()) > 0.7 * len(here)
    together: dict[object, set[object]] = {}
    for i, (day, post) in there.items():  # what a person said on a day stays together
        together.setdefault((post.person_id, here[i]), set()).add(day)
    assert all(len(days) == 1 for days in together.values())


@pytest.mark.parametrize(("false", "warns"), [(4.0, False), (5.0, True)])
def test_a_list_warns_above_twice_the_nominal_share(
    talked: sa.Engine, scorer: TopicScorer, false: float, warns: bool
) -> None:
    last = (NOW - timedelta(days=1)).date()
    with writing(talked) as session, session.begin():
        for bucket, found, shadow in (("1h", 25, false), ("1d", 15, 0.0), ("15m", 3, 3.0)):
            write_shadow(session, ShadowRow(scorer.model_id, "TW", bucket, last, 50, found, shadow, 1, NOW))
    with reading(talked) as session:
        said = list_trends(session, market="TW", scope="all", window="30d")["shadow"]
    assert said["share"] == false / 40
    assert said["warning"] is warns
    assert ("read this list with care" in said["sentence"]) is warns


def test_too_little_history_runs_no_shadow(engine: sa.Engine, scorer: TopicScorer) -> None:
    put(engine, a_post("1", published_at=NOW), now=NOW)
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOW)
    count_mentions(engine, scorer.model_id, scorer.topic_ids, now=NOW)
    assert run_shadow(engine, scorer.model_id, scorer.topic_ids, "TW", now=NOW) == []
