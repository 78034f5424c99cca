"""Counting and detecting: persons, not posts; the same answer however the posts came and however often it is asked."""

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from radar.classify import classify_posts
from radar.count import count_mentions
from radar.detect import detect_trends
from radar.keys import Kind, key_number
from radar.registry import TopicScorer
from radar.sources.base import RawPost
from radar.store import counts
from radar.store.day_blob import DAY_ONLY, DayCounts
from radar.store.engine import reading
from radar.store.tables import day_count, episode, key, snapshot, stage_change
from tests.builders import NOON, a_post, put

DAY = date(2026, 5, 4)
WORDS = ["tea", "metro", "garden", "office", "camera", "coffee", "window", "bridge", "paper", "river"]


def _count(engine: sa.Engine, scorer: TopicScorer, now: datetime = NOON) -> None:
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=now)
    count_mentions(engine, scorer.model_id, scorer.topic_ids, now=now)


def _day(engine: sa.Engine, scorer: TopicScorer, day: date = DAY, market: str = "TW") -> DayCounts:
    with reading(engine) as session:
        return counts.counted_days(session, scorer.model_id, market, day, day)[day]


def _persons(found: DayCounts, kind: Kind, text: str, place: int = 0) -> dict[int, int]:
    rows = (found.keys == key_number(kind, text)) & (found.places == place) & (found.persons > 0)
    return dict(zip(found.buckets[rows].tolist(), found.persons[rows].tolist(), strict=True))


def test_one_loud_author_is_one_person_in_the_quarter_of_the_first_mention(
    engine: sa.Engine, scorer: TopicScorer
) -> None:
    put(engine, *[a_post(str(n), f"ramen {n} #loud", published_at=NOON + timedelta(minutes=7 * n)) for n in range(20)])
    _count(engine, scorer)
    found = _day(engine, scorer)
    assert _persons(found, Kind.HASHTAG, "loud") == {80: 1}  # noon UTC is 20 h in Taipei
    assert found.posts[found.keys == key_number(Kind.HASHTAG, "loud")].sum() == 20
    assert found.day_persons == 1


def test_a_text_copied_by_others_counts_for_the_first(engine: sa.Engine, scorer: TopicScorer) -> None:
    put(engine, *[a_post(str(n), "BUY the #wonderpan now", author=f"a{n}") for n in range(5)])
    _count(engine, scorer)
    assert _persons(_day(engine, scorer), Kind.HASHTAG, "wonderpan") == {80: 1}
    assert _day(engine, scorer).day_persons == 5


def test_what_is_said_about_a_place_market_is_counted_apart(engine: sa.Engine, scorer: TopicScorer) -> None:
    put(engine, a_post("1", "#sweet in Osaka"), a_post("2", "#sweet at home", author="bob"))
    _count(engine, scorer)
    found = _day(engine, scorer)
    assert _persons(found, Kind.HASHTAG, "sweet") == {80: 2}
    assert _persons(found, Kind.HASHTAG, "sweet", place=392) == {80: 1}
    assert _persons(found, Kind.PLACE, "JP-27") == {80: 1}


def test_a_day_without_an_hour_is_no_hour(engine: sa.Engine, scorer: TopicScorer) -> None:
    put(engine, a_post("1", "#plain day", day_only=True))
    _count(engine, scorer)
    assert _persons(_day(engine, scorer), Kind.HASHTAG, "plain") == {DAY_ONLY: 1}
    assert _day(engine, scorer).by_hour.sum() == 0


def test_edits_deletions_and_late_posts_are_recounted(engine: sa.Engine, scorer: TopicScorer) -> None:
    put(engine, a_post("1", "#one"), a_post("2", "#one too", author="bob"), a_post("3", "#one three", author="eve"))
    _count(engine, scorer)
    put(engine, a_post("1", "#other"), a_post("2", "#one too", author="bob", deleted=True))
    put(engine, a_post("4", "#one late", author="joe"))
    _count(engine, scorer)
    found = _day(engine, scorer)
    assert _persons(found, Kind.HASHTAG, "one") == {80: 2}
    assert _persons(found, Kind.HASHTAG, "other") == {80: 1}


def test_a_key_that_two_persons_used_gets_its_name_back(engine: sa.Engine, scorer: TopicScorer) -> None:
    put(
        engine,
        a_post("1", "#星砂列車 好玩"),
        a_post("2", "坐 #星砂列車", author="bob"),
        a_post("3", "#once", author="eve"),
    )
    _count(engine, scorer)
    with engine.connect() as connection:
        names = set(connection.scalars(sa.select(key.c.text)))
    assert "星砂列車" in names
    assert "once" not in names


def _world(seed: int = 3, days: int = 45) -> list[RawPost]:
    """Quiet talk of 60 persons, a craze of 14 persons on day 40, and one account that shouts 60 times on day 38."""
    rng = random.Random(seed)
    begins = datetime(2026, 3, 1, tzinfo=UTC)
    posts = []
    for n in range(days * 40):
        at = begins + timedelta(seconds=rng.uniform(0, days * 86_400))
        text = f"{' '.join(rng.sample(WORDS, 3))} note {n}"
        posts.append(a_post(f"q{n}", text, author=f"p{rng.randrange(60)}", published_at=at))
    craze = begins + timedelta(days=40, hours=2)
    for n in range(14):
        at = craze + timedelta(minutes=40 * n)
        posts.append(a_post(f"c{n}", f"number {n} for the moonlantern in Osaka", author=f"p{n}", published_at=at))
    for n in range(60):
        at = begins + timedelta(days=38, hours=2, minutes=10 * n)
        posts.append(a_post(f"s{n}", f"buy number {n} #shoutshout", author="p59", published_at=at))
    return posts


END = datetime(2026, 4, 15, tzinfo=UTC)


def _detected(engine: sa.Engine) -> dict[str, Any]:
    with engine.connect() as c:
        columns = [x for x in episode.c if x.name != "model_id"]
        return {
            "episodes": sorted(map(tuple, c.execute(sa.select(*columns))), key=repr),
            "changes": sorted(map(tuple, c.execute(sa.select(stage_change))), key=repr),
            "snapshots": sorted(
                (row.episode_id, row.as_of, row.q, row.stage, row.working["observed"], row.working["persons"])
                for row in c.execute(sa.select(snapshot).where(snapshot.c.is_daily))
            ),
        }


def _detect(engine: sa.Engine, scorer: TopicScorer, closed_at: datetime = END) -> None:
    detect_trends(engine, scorer.model_id, scorer.topic_ids, closed_at=closed_at)


def test_a_craze_is_found_with_its_place_and_a_shouter_never(engine: sa.Engine, scorer: TopicScorer) -> None:
    put(engine, *_world(), now=END)
    _count(engine, scorer, END)
    _detect(engine, scorer)
    with engine.connect() as c:
        found = c.execute(
            sa.select(key.c.text, snapshot.c.place, snapshot.c.q, snapshot.c.working)
            .join(episode, episode.c.id == snapshot.c.episode_id)
            .join(key, key.c.hash == episode.c.key_hash)
            .where(snapshot.c.q <= 0.05)
        ).all()
    best = min(found, key=lambda row: row.q)
    assert best.working["persons"] == 14
    assert best.place == 392
    assert len(best.working["evidence"]) == 5
    assert not any("shout" in row.text for row in found)


def test_asking_twice_or_day_by_day_gives_the_same(engine: sa.Engine, scorer: TopicScorer) -> None:
    put(engine, *_world(), now=END)
    _count(engine, scorer, END)
    for day in (20, 38, 40, 41):
        _detect(engine, scorer, datetime(2026, 3, 1, 7, tzinfo=UTC) + timedelta(days=day))
    _detect(engine, scorer)
    by_day = _detected(engine)
    assert by_day["episodes"]
    _detect(engine, scorer)
    assert _detected(engine) == by_day
    with engine.begin() as c:
        for table in (snapshot, stage_change, episode):
            c.execute(sa.delete(table))
        c.exec_driver_sql("DELETE FROM detector_state")
        c.execute(sa.update(day_count).values(detected=False))
    _detect(engine, scorer)
    assert _detected(engine) == by_day


def test_a_late_post_ends_in_the_same_store(engine: sa.Engine, scorer: TopicScorer) -> None:
    posts = _world()
    late = [p for p in posts if p.native_id in ("c3", "c7", "q900", "q5")]
    put(engine, *[p for p in posts if p not in late], now=END)
    _count(engine, scorer, END)
    _detect(engine, scorer)
    put(engine, *late, now=END + timedelta(hours=1))
    _count(engine, scorer, END + timedelta(hours=1))
    _detect(engine, scorer)
    found = _detected(engine)
    with engine.begin() as c:
        for table in (snapshot, stage_change, episode):
            c.execute(sa.delete(table))
        c.exec_driver_sql("DELETE FROM detector_state")
        c.execute(sa.update(day_count).values(detected=False))
    _detect(engine, scorer)
    assert found == _detected(engine)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_ingestion_is_irrelevant(engine: sa.Engine, scorer: TopicScorer, seed: int) -> None:
    posts = _world(days=4)
    random.Random(seed).shuffle(posts)
    for start in range(0, len(posts), 60):
        put(engine, *posts[start : start + 60], now=END)
        if start % 180 == 0:
            _count(engine, scorer, END)
    _count(engine, scorer, END)
    got = _day(engine, scorer, date(2026, 3, 3))
    with engine.begin() as c:
        for table in (
            "post_signal",
            "post_topic",
            "engagement_observation",
            "post",
            "author_due",
            "author",
            "person",
            "day_count",
            "dirty_day",
        ):
            c.exec_driver_sql(f"DELETE FROM {table}")
    put(engine, *sorted(posts, key=lambda p: p.published_at), now=END)
    _count(engine, scorer, END)
    expected = _day(engine, scorer, date(2026, 3, 3))
    for one, other in zip(got._columns, expected._columns, strict=True):
        assert np.array_equal(one, other)


def test_too_little_history_says_nothing(engine: sa.Engine, scorer: TopicScorer) -> None:
    posts = [a_post(str(n), f"the #wonder {n}", author=f"p{n}") for n in range(30)]
    put(engine, *posts)
    _count(engine, scorer)
    _detect(engine, scorer)
    assert _detected(engine)["episodes"] == []
