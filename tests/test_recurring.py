"""A yearly peak is shown as recurring with its size against last year; one of twice the size is a trend again."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from radar.classify import classify_posts
from radar.count import count_mentions
from radar.detect import detect_trends
from radar.registry import TopicScorer
from radar.store.tables import episode, key, snapshot
from tests.builders import a_post, fresh_store, put

BEGINS = datetime(2025, 1, 6, tzinfo=UTC)
PEAK, NEXT = 80, 80 + 364  # the same ISO week a year later
DAYS = NEXT + 8
NOW = BEGINS + timedelta(days=DAYS)


def _seen(tmp_path: Path, scorer: TopicScorer, first: int, second: int) -> list[Any]:
    """The daily snapshots of a festival that so many persons speak of in each of two years."""
    engine = fresh_store(tmp_path / "radar.db")
    rng = random.Random(2)
    posts = [
        a_post(f"q{n}", f"note {n} on {rng.choice('abcdefgh')}", f"p{n % 60}", published_at=BEGINS + at, day_only=True)
        for n, at in ((n, timedelta(days=n // 8)) for n in range(DAYS * 8))
    ]
    for year, (day, persons) in enumerate(((PEAK, first), (NEXT, second))):
        for n in range(persons):
            at = BEGINS + timedelta(days=day + n % 4)
            text = f"year {n} of the #starfestival {rng.random()}"
            posts.append(a_post(f"f{year}-{n}", text, f"p{n}", published_at=at, day_only=True))
    put(engine, *posts, now=NOW)
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOW)
    count_mentions(engine, scorer.model_id, scorer.topic_ids, now=NOW)
    detect_trends(engine, scorer.model_id, scorer.topic_ids, closed_at=NOW)
    with engine.connect() as connection:
        statement = (
            sa.select(snapshot.c.as_of, snapshot.c.stage, snapshot.c.working)
            .join(episode, episode.c.id == snapshot.c.episode_id)
            .join(key, key.c.hash == episode.c.key_hash)
            .where(key.c.text == "starfestival", snapshot.c.as_of > BEGINS + timedelta(days=NEXT))
            .order_by(snapshot.c.as_of)
        )
        found = list(connection.execute(statement))
    engine.dispose()
    return found


@pytest.mark.parametrize(("second", "recurs"), [(24, True), (56, False)])
def test_size_against_last_year(tmp_path: Path, scorer: TopicScorer, second: int, recurs: bool) -> None:
    found = _seen(tmp_path, scorer, 24, second)
    assert found
    last = found[-1]
    assert last.working["season"]["source"] == "last_year"
    assert (last.working["season"]["ratio"] < 1.5) is recurs
    assert ("recurring" in {row.stage for row in found}) is recurs
