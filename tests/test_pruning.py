"""Pruning: old texts go, and nothing that was counted from them ever changes."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from radar.classify import classify_posts
from radar.config import Settings
from radar.count import count_mentions
from radar.integrity import check_store
from radar.prune import prune
from radar.registry import TopicScorer
from radar.scheduling import Context, run_job
from radar.sources.base import RawPost
from radar.store.day_blob import DayCounts
from radar.store.tables import day_count, dirty_day, post, rejected_post, run
from tests.builders import NOON, a_post, put

OLD, EDGE, TODAY = NOON - timedelta(days=40), NOON - timedelta(days=30), NOON
DAY = OLD.date()
NOTHING = dict.fromkeys(
    ("texts", "expired", "snapshots", "forecasts", "rejects", "pushes", "sessions", "audit", "runs", "compacted"), 0
)
SETTINGS = Settings(retention_days=30)


def _count(engine: sa.Engine, scorer: TopicScorer, now: datetime = NOON) -> None:
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=now)
    count_mentions(engine, scorer.model_id, scorer.topic_ids, now=now)


def _rows(engine: sa.Engine, *columns: Any) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return sorted((tuple(row) for row in connection.execute(sa.select(*columns))), key=repr)


def _texts(engine: sa.Engine) -> dict[str, str | None]:
    return dict(_rows(engine, post.c.native_id, post.c.text))


def _counts(engine: sa.Engine) -> list[tuple[Any, ...]]:
    c = day_count.c
    return _rows(engine, c.audience_market, c.local_day, c.counts, c.person_count, c.post_count)


def _sealed(engine: sa.Engine) -> set[date]:
    return {day for day, yes in _rows(engine, day_count.c.local_day, day_count.c.is_sealed) if yes}


def _posts() -> list[RawPost]:
    times = {"old": OLD, "edge": EDGE, "today": TODAY}
    return [
        a_post(f"{name}{who}", f"#sweet ramen {name} {who}", author=who, published_at=at, like_count=5)
        for name, at in times.items()
        for who in ("ann", "bob")
    ]


def _as_published(engine: sa.Engine) -> None:
    """Each post comes in when it is published."""
    for item in _posts():
        put(engine, item, now=item.published_at)


@pytest.fixture
def pruned(engine: sa.Engine, scorer: TopicScorer) -> sa.Engine:
    """A store of posts of three days, the oldest of them pruned."""
    _as_published(engine)
    _count(engine, scorer)
    assert prune(engine, SETTINGS, now=NOON)["texts"] == 2
    return engine


def test_old_texts_go_and_their_counts_stay(engine: sa.Engine, scorer: TopicScorer) -> None:
    _as_published(engine)
    _count(engine, scorer)
    before = _counts(engine)
    assert prune(engine, SETTINGS, now=NOON) == NOTHING | {"texts": 2}
    assert {name for name, text in _texts(engine).items() if text is None} == {"oldann", "oldbob"}
    assert _sealed(engine) == {DAY}
    assert len(before) == 3
    assert _counts(engine) == before


def test_pruning_twice_changes_nothing(pruned: sa.Engine) -> None:
    before = _counts(pruned), _texts(pruned), _sealed(pruned)
    assert set(prune(pruned, SETTINGS, now=NOON).values()) == {0}
    assert (_counts(pruned), _texts(pruned), _sealed(pruned)) == before


@pytest.mark.parametrize(
    "late",
    [
        a_post("late", "#sweet too late", author="eve", published_at=OLD),
        a_post("oldann", "#sweet edited", author="ann", published_at=OLD),
        a_post("oldann", "#sweet ramen old ann", author="ann", published_at=OLD, like_count=900),
        a_post("oldann", author="ann", published_at=OLD, deleted=True),
    ],
    ids=["new", "edited", "liked", "deleted"],
)
def test_what_comes_late_leaves_a_sealed_day_as_it_is(pruned: sa.Engine, scorer: TopicScorer, late: RawPost) -> None:
    before = _counts(pruned)
    put(pruned, late)
    _count(pruned, scorer)
    assert _counts(pruned) == before
    assert _sealed(pruned) == {DAY}
    assert _rows(pruned, dirty_day.c.local_day) == []
    prune(pruned, SETTINGS, now=NOON + timedelta(days=31))
    assert {text for name, text in _texts(pruned).items() if name.startswith(("old", "late"))} == {None}
    assert DAY in _sealed(pruned)
    assert [row for row in _counts(pruned) if row[1] == DAY] == [row for row in before if row[1] == DAY]


def test_a_late_post_beside_a_sealed_day_is_counted(pruned: sa.Engine, scorer: TopicScorer) -> None:
    put(pruned, a_post("late", "#sweet", author="eve", published_at=OLD + timedelta(days=1)))
    _count(pruned, scorer)
    counted = dict(_rows(pruned, day_count.c.local_day, day_count.c.person_count))
    assert (counted[DAY], counted[DAY + timedelta(days=1)]) == (2, 1)


def test_a_day_that_waits_for_a_recount_keeps_its_texts(engine: sa.Engine, scorer: TopicScorer) -> None:
    _as_published(engine)
    _count(engine, scorer)
    put(engine, a_post("late", "#sweet late", author="eve", published_at=OLD))
    assert prune(engine, SETTINGS, now=NOON)["texts"] == 0
    _count(engine, scorer)
    assert (DAY, 3) in _rows(engine, day_count.c.local_day, day_count.c.person_count)
    assert prune(engine, SETTINGS, now=NOON)["texts"] == 0  # one of its posts came today
    prune(engine, SETTINGS, now=NOON + timedelta(days=31))
    assert set(_texts(engine).values()) == {None}


def test_only_days_wholly_past_retention_go_in_the_markets_own_time(engine: sa.Engine, scorer: TopicScorer) -> None:
    midnight = datetime.combine(EDGE.date(), datetime.min.time(), NOON.tzinfo)
    taipei, new_york = midnight - timedelta(hours=1), midnight + timedelta(hours=1)  # the next day, and the day before
    put(engine, a_post("tw", "ramen", author="ann", published_at=taipei), now=taipei)
    put(engine, a_post("us", "ramen", author="joe", market="US", published_at=new_york), now=new_york)
    _count(engine, scorer)
    prune(engine, SETTINGS, now=NOON)
    assert _texts(engine) == {"tw": "ramen", "us": None}


def test_the_job_says_what_went(engine: sa.Engine, scorer: TopicScorer) -> None:
    _as_published(engine)
    _count(engine, scorer)
    with engine.begin() as connection:
        for days in (29, 31):
            seen_at = NOON - timedelta(days=days)
            connection.execute(sa.insert(rejected_post).values(source="s", seen_at=seen_at, reason="text: empty"))
            connection.execute(sa.insert(run).values(job="x", started_at=seen_at, outcome="ok", host="h", pid=days))
    done = run_job("prune_posts", Context(engine, SETTINGS, NOON))
    assert (
        done.detail
        == "2 texts, 0 expired, 0 compacted, 0 snapshots, 0 forecasts, 1 rejects, 0 pushes, 0 sessions, 0 audit, 1 runs"
    )
    assert _rows(engine, rejected_post.c.seen_at) == [(NOON - timedelta(days=29),)]
    assert (31,) not in _rows(engine, run.c.pid)


def test_old_counts_lose_their_quarters_once_and_keep_their_hours(
    engine: sa.Engine, scorer: TopicScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radar.compacting.QUARTERS_KEPT", 30)
    _as_published(engine)
    put(engine, a_post("later", "#sweet later", author="eve", published_at=OLD + timedelta(minutes=20)), now=OLD)
    _count(engine, scorer)
    before = {day: DayCounts.from_bytes(blob) for day, blob in _rows(engine, day_count.c.local_day, day_count.c.counts)}
    assert prune(engine, SETTINGS, now=OLD)["compacted"] == 1
    after = {day: DayCounts.from_bytes(blob) for day, blob in _rows(engine, day_count.c.local_day, day_count.c.counts)}
    old, new = before.pop(DAY), after.pop(DAY)
    assert old.by_quarter.any()
    assert not new.by_quarter.any()
    assert (new.by_hour.tolist(), new.day_persons) == (old.by_hour.tolist(), old.day_persons)
    assert (len(new.keys), int(new.persons.sum())) < (len(old.keys), int(old.persons.sum()) + 1)
    assert new.persons.sum() == old.persons.sum()
    assert all(np.array_equal(after[day].buckets, before[day].buckets) for day in before)
    assert prune(engine, SETTINGS, now=OLD)["compacted"] == 0
    assert check_store(engine).is_well
    put(engine, a_post("late", "#sweet late", author="joe", published_at=OLD), now=OLD)
    _count(engine, scorer)
    assert prune(engine, SETTINGS, now=OLD)["compacted"] == 1  # counted anew, with quarters


def test_an_old_history_keeps_its_texts_for_as_long_as_it_is_ours(engine: sa.Engine, scorer: TopicScorer) -> None:
    put(engine, *_posts())  # imported today, published long ago
    _count(engine, scorer)
    assert prune(engine, SETTINGS, now=NOON)["texts"] == 0
    assert prune(engine, SETTINGS, now=NOON + timedelta(days=31))["texts"] == 6
