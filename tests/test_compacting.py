"""Counts by the day of what is old: hours go when nothing reads them any more, and nothing that was said changes."""

import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from radar.answers import list_trends, series, trend_working
from radar.compacting import compact
from radar.integrity import check_store
from radar.store import counts, trends
from radar.store.day_blob import HOURS, QUARTERS, DayCounts
from radar.store.engine import reading, writing
from radar.store.tables import day_count, detector_state, episode, snapshot, stage_change
from radar.windows import Bucket
from tests.builders import a_post, put
from tests.test_quarters import BEGINS, crazed_store
from tests.trends.test_line_invariants import OLD, detect, read_and_count

DAYS = 75
END = BEGINS + timedelta(days=DAYS)
HOURLY = 25
"""Days for which hours are kept here; a watch reaches 28 days further back."""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> sa.Engine:
    monkeypatch.setattr(trends, "ANCHOR_DAYS", 7)
    engine = crazed_store(tmp_path, DAYS, (8.3, 45.3, 70.3))
    detect(engine, OLD, END)
    return engine


def _found(engine: sa.Engine, since: datetime, bucket: str = "1h") -> dict[str, list[Any]]:
    """What was concluded by the hour from a moment on."""
    mine = sa.select(episode.c.id).where(episode.c.bucket == bucket)
    with engine.connect() as c:
        return {
            "episodes": sorted(
                map(tuple, c.execute(sa.select(episode).where(episode.c.bucket == bucket, episode.c.onset_at > since)))
            ),
            "changes": sorted(
                map(tuple, c.execute(sa.select(stage_change).where(stage_change.c.episode_id.in_(mine))))
            ),
            "snapshots": sorted(
                (row.episode_id, row.as_of, row.q, row.stage)
                for row in c.execute(sa.select(snapshot).where(snapshot.c.bucket == bucket, snapshot.c.as_of > since))
            ),
        }  # fmt: skip


def _counts(engine: sa.Engine) -> dict[Any, DayCounts]:
    with engine.connect() as c:
        rows = c.execute(sa.select(day_count.c.local_day, day_count.c.counts).order_by(day_count.c.local_day))
        return {day: DayCounts.from_bytes(blob) for day, blob in rows}


def _compacted(engine: sa.Engine) -> int:
    """Two nights: in the first hours are settled, in the second they go; days that were done in both."""
    return compact(engine, HOURLY) + compact(engine, HOURLY)


def _come_late(engine: sa.Engine, at: datetime) -> None:
    """Eight persons' posts of an hour long ago."""
    late = [a_post(f"late{at}-{n}", f"{n} a plumtree again", f"p{n}", published_at=at) for n in range(8)]
    put(engine, *late, now=END)
    read_and_count(engine, OLD, END)
    detect(engine, OLD, END)


def test_old_counts_lose_their_hours_a_night_after_they_were_settled(store: sa.Engine) -> None:
    before, said = _counts(store), _found(store, BEGINS)
    assert compact(store, HOURLY) > 0  # quarters
    assert all(day.by_hour.any() for day in _counts(store).values())
    assert compact(store, HOURLY) > 0
    with reading(store) as session:
        settled = counts.settled(session, "TW")
        states = trends.hourly_states(session, OLD.model_id, "TW")
    assert settled is not None
    last = max(before)
    assert timedelta(days=HOURLY) <= last - settled.since < timedelta(days=HOURLY + 7)
    assert timedelta(days=28) <= settled.since - settled.hours <= timedelta(days=35)  # 672 hours in which anybody spoke
    assert min(states) == settled.since
    after = _counts(store)
    for day, kept in after.items():
        assert kept.by_hour.any() == (day >= settled.hours), day
        assert (kept.day_persons, kept.persons.sum(), kept.posts.sum()) == (
            before[day].day_persons, before[day].persons.sum(), before[day].posts.sum(),
        )  # fmt: skip
    assert {day for day in after if day < settled.hours}
    assert compact(store, HOURLY) == 0
    assert _found(store, BEGINS) == said
    report = check_store(store, days=None)
    assert report.is_well, report.found
    store.dispose()


def test_what_comes_late_changes_the_same_hours_as_if_all_were_kept(store: sa.Engine, tmp_path: Path) -> None:
    _compacted(store)
    (tmp_path / "twin").mkdir()
    twin = crazed_store(tmp_path / "twin", DAYS, (8.3, 45.3, 70.3))
    detect(twin, OLD, END)
    with reading(store) as session:
        settled = counts.settled(session, "TW")
    assert settled is not None
    with store.begin() as c:  # as when many nights are over since
        newest = sa.select(sa.func.min(detector_state.c.local_day)).where(detector_state.c.bucket == "1h")
        c.execute(
            sa.delete(detector_state).where(
                detector_state.c.bucket == "1h", detector_state.c.local_day > newest.scalar_subquery()
            )
        )
    for days in (0.6, 20.4):
        at = datetime.combine(settled.since, datetime.min.time(), BEGINS.tzinfo) + timedelta(days=days)
        _come_late(store, at)
        _come_late(twin, at)
        since = datetime.combine(settled.since, datetime.min.time(), BEGINS.tzinfo)
        found = _found(store, since)
        assert found == _found(twin, since)
        assert any(at < row[6] < at + timedelta(hours=3) for row in found["episodes"])
    assert _found(store, BEGINS, "1d") == _found(twin, BEGINS, "1d")
    store.dispose()
    twin.dispose()


def test_what_comes_for_a_settled_day_is_counted_and_changes_no_hours(store: sa.Engine) -> None:
    _compacted(store)
    said = _found(store, BEGINS)
    by_day = _found(store, BEGINS, "1d")
    at = BEGINS + timedelta(days=35.5)
    _come_late(store, at)
    assert _found(store, BEGINS) == said
    assert _found(store, BEGINS, "1d") != by_day
    with store.connect() as c:
        waiting = c.scalars(sa.select(day_count.c.local_day).where(sa.not_(day_count.c.detected))).all()
    assert waiting == [END.date()]  # which is not over in Taipei
    _come_late(store, BEGINS + timedelta(days=3.5))  # of a day that is kept by the day
    assert _found(store, BEGINS) == said
    assert check_store(store, days=None).is_well
    assert compact(store, HOURLY) > 0  # it came with its hours
    assert check_store(store, days=None).is_well
    assert compact(store, HOURLY) == 0
    store.dispose()


def test_answers_about_compacted_days_say_so_and_sums_stay(store: sa.Engine) -> None:
    at = BEGINS + timedelta(days=10)
    asked: dict[str, Any] = {"market_code": "TW", "kind": "term", "key": "moonlantern", "as_of": at}
    with reading(store) as session:
        item = list_trends(session, market="TW", bucket="1h", scope="all", as_of=at)["items"][0]
        by_hour, by_day = series(session, **asked, bucket="1h"), series(session, **asked, bucket="1d", window="9d")
        curve = trend_working(session, item["id"], at)["curve"]
    assert (by_hour["days_left_out"], curve["bucket"]) == (0, "1h")
    _compacted(store)
    with reading(store) as session:
        assert series(session, **asked, bucket="1d", window="9d") == by_day
        for bucket in ("1h", "15m"):
            found = series(session, **asked, bucket=bucket)
            assert found["items"] == []
            assert found["days_left_out"] >= 2
        again = trend_working(session, item["id"], at)["curve"]
    assert (again["bucket"], again["rate"]) == (Bucket.DAY, None)
    assert sum(p["persons"] for p in again["points"]) >= sum(p["persons"] for p in curve["points"])
    store.dispose()


def test_compaction_that_was_killed_goes_on(store: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    real, done = counts.compact_days, []

    def dies(*args: Any) -> int:
        done.append(args)
        if len(done) % 9 == 0:
            real(*args)
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(counts, "compact_days", dies)
    for _ in range(30):
        try:
            if compact(store, HOURLY) == 0:
                break
        except KeyboardInterrupt:
            continue
    with reading(store) as session:
        settled = counts.settled(session, "TW")
    assert settled is not None
    assert [bool(kept.by_hour.any()) for kept in _counts(store).values()] == [
        day >= settled.hours for day in _counts(store)
    ]
    assert check_store(store, days=None).is_well
    store.dispose()


def test_nothing_is_settled_while_detection_is_to_take_in_an_older_day(store: sa.Engine) -> None:
    with store.begin() as c:
        c.execute(sa.update(day_count).where(day_count.c.local_day == BEGINS.date()).values(detected=False))
    _compacted(store)
    assert all(day.by_hour.any() for day in _counts(store).values())
    detect(store, OLD, END)
    _compacted(store)
    assert not all(day.by_hour.any() for day in _counts(store).values())
    store.dispose()


def test_a_day_that_is_counted_anew_while_it_is_compacted_keeps_what_was_counted(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a day that compaction comes to for the first time, of which nothing was said before."""
    day = BEGINS.date()

    def count(persons: int) -> None:
        quarters, hours = np.zeros(QUARTERS, np.uint32), np.zeros(HOURS, np.uint32)
        quarters[4] = hours[1] = persons
        one = [np.array([value], kind) for value, kind in zip((1, 0, 4), (np.int64, np.int16, np.uint8), strict=True)]
        many = np.array([persons], np.uint32)
        counted = DayCounts(*one, many, many, np.zeros(1, np.float32), quarters, hours, persons)
        with writing(engine) as session, session.begin():
            counts.put_days(session, OLD.model_id, "TW", [(day, counted, persons)], END)

    count(2)
    is_finer, recount = counts._is_finer, threading.Thread(target=count, args=(9,))

    def meanwhile(found: DayCounts, form: counts.Form) -> bool:
        recount.start()
        recount.join(0.7)
        return is_finer(found, form)

    monkeypatch.setattr(counts, "_is_finer", meanwhile)
    with writing(engine) as session, session.begin():
        assert counts.compact_days(session, "TW", day + timedelta(days=1), counts.Form.HOURS, 1) == 1
    recount.join()
    assert _counts(engine)[day].day_persons == 9
