"""Buckets of 15 minutes: quick for alerts, of recent weeks only, and the same however often detection ran."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from radar.answers import list_trends, trend_working
from radar.detect import QUARTERS_BACK, QUARTERS_STEP, detect_trends
from radar.keys import Kind, key_number
from radar.sources.base import RawPost
from radar.store import trends
from radar.store.engine import reading
from radar.store.tables import day_count, detector_state, episode, snapshot, stage_change
from radar.watch import Watch
from radar.windows import Bucket
from tests.builders import a_post, fresh_store, put
from tests.trends.test_line_invariants import OLD, WORDS, detect, read_and_count

BEGINS = datetime(2026, 3, 1, tzinfo=UTC)
MOON = key_number(Kind.TERM, "moonlantern")


def crazed_store(folder: Path, days: int, crazes: tuple[float, ...], seed: int = 5) -> sa.Engine:
    """40 persons who talk round the clock, and crazes of 9 persons within 20 minutes, counted to the last day."""
    rng = random.Random(seed)
    end = BEGINS + timedelta(days=days)
    posts: list[RawPost] = []
    for n in range(days * 60):
        at = BEGINS + timedelta(seconds=rng.uniform(0, days * 86_400))
        posts.append(a_post(f"q{n}", f"{' '.join(rng.sample(WORDS, 3))} {n}", f"p{rng.randrange(40)}", published_at=at))
    for craze in crazes:
        for n in range(9):
            at = BEGINS + timedelta(days=craze, minutes=2 * n)
            posts.append(a_post(f"c{craze}-{n}", f"{n} {craze} for the moonlantern", f"p{n}", published_at=at))
    engine = fresh_store(folder / "radar.db")
    put(engine, *posts, now=end)
    read_and_count(engine, OLD, end)
    return engine


def _quarters(engine: sa.Engine) -> dict[str, list[tuple[Any, ...]]]:
    mine = sa.select(episode.c.id).where(episode.c.bucket == "15m")
    with engine.connect() as c:
        return {
            "episodes": sorted(map(tuple, c.execute(sa.select(episode).where(episode.c.bucket == "15m"))), key=repr),
            "changes": sorted(
                map(tuple, c.execute(sa.select(stage_change).where(stage_change.c.episode_id.in_(mine)))), key=repr
            ),
            "snapshots": sorted(
                (row.episode_id, row.as_of, row.q, row.stage)
                for row in c.execute(sa.select(snapshot).where(snapshot.c.bucket == "15m", snapshot.c.is_daily))
            ),
        }


def test_a_quick_craze_is_known_at_the_quarter_and_kept_apart(tmp_path: Path) -> None:
    begun = 20 + 7 / 24
    engine = crazed_store(tmp_path, 21, (begun,))
    at = BEGINS + timedelta(days=begun)
    detect(engine, OLD, at + timedelta(minutes=30))
    with reading(engine) as session:
        alerts = list_trends(session, market="TW", bucket="15m", scope="all", as_of=at + timedelta(minutes=30))
        ranked = list_trends(session, market="TW", scope="all", as_of=at + timedelta(minutes=30))
        assert [item["name"] for item in alerts["items"]] == ["moonlantern"]
        assert ranked["items"] == []
        item = alerts["items"][0]
        assert item["onset_at"] <= at + timedelta(minutes=30)
        assert item["window"]["bucket"] == "15m"
        assert item["window"]["end"] - item["window"]["start"] == timedelta(minutes=15) * item["window"]["buckets"]
        curve = trend_working(session, item["id"])["curve"]
    assert curve["bucket"] == "15m"
    assert sum(p["persons"] for p in curve["points"] if at <= p["start"] < at + timedelta(minutes=30)) == 9
    engine.dispose()


def test_a_steady_world_raises_no_quarter_round_midnight(tmp_path: Path) -> None:
    """First mentions crowd into the quarters after local midnight; that is the day's way and no rise."""
    engine = crazed_store(tmp_path, 41, ())
    detect(engine, OLD, BEGINS + timedelta(days=41))
    assert _quarters(engine)["snapshots"] == []
    engine.dispose()


@pytest.fixture
def crazes(tmp_path: Path) -> sa.Engine:
    return crazed_store(tmp_path, 75, (20.3, 45.3, 70.3))


def test_quarters_of_recent_weeks_are_the_same_day_by_day_and_at_once(crazes: sa.Engine) -> None:
    for day in (22, 46, 50, 71, 73):
        detect(crazes, OLD, BEGINS + timedelta(days=day, hours=5))
    detect(crazes, OLD, BEGINS + timedelta(days=75))
    by_day = _quarters(crazes)
    onsets = [row[6] for row in by_day["episodes"] if row[4] == MOON]
    assert BEGINS + timedelta(days=70) < max(onsets)
    assert min(onsets) >= BEGINS + timedelta(days=75 - QUARTERS_BACK - QUARTERS_STEP)
    with crazes.begin() as c:
        for table in (snapshot, stage_change, episode, detector_state):
            c.execute(sa.delete(table))
        c.execute(sa.update(day_count).values(detected=False))
    detect(crazes, OLD, BEGINS + timedelta(days=75))
    assert _quarters(crazes) == by_day
    crazes.dispose()


def test_days_without_a_time_of_day_cost_quarters_nothing(tmp_path: Path) -> None:
    engine = fresh_store(tmp_path / "radar.db")
    posts = [
        a_post(f"{n}", f"tea {n}", f"p{n % 7}", published_at=BEGINS + timedelta(days=n // 10), day_only=True)
        for n in range(400)
    ]
    put(engine, *posts, now=BEGINS + timedelta(days=40))
    read_and_count(engine, OLD, BEGINS + timedelta(days=40))
    detect_trends(engine, OLD.model_id, OLD.topic_ids, closed_at=BEGINS + timedelta(days=40))
    with engine.connect() as c:
        states = c.execute(sa.select(detector_state.c.bucket, detector_state.c.state)).all()
    for row in states:
        watch = Watch.from_bytes(row.state, OLD.model_id, "TW", Bucket(row.bucket))
        assert bool(len(watch.keys)) is (row.bucket == "1d")
    engine.dispose()


def test_detection_that_was_killed_ends_in_the_same_quarters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, end = crazed_store(tmp_path, 45, (40.3,)), BEGINS + timedelta(days=45)
    real, kept = trends.save_state, []

    def dies(session: Any, model_id: str, market: str, bucket: str, *rest: Any) -> None:
        kept.append(bucket)
        if kept.count("15m") == 3:
            raise KeyboardInterrupt
        real(session, model_id, market, bucket, *rest)

    monkeypatch.setattr(trends, "save_state", dies)
    with pytest.raises(KeyboardInterrupt):
        detect(engine, OLD, end)
    monkeypatch.setattr(trends, "save_state", real)
    detect(engine, OLD, end)
    found = _quarters(engine)
    assert any(row[4] == MOON for row in found["episodes"])
    with engine.begin() as c:
        for table in (snapshot, stage_change, episode, detector_state):
            c.execute(sa.delete(table))
        c.execute(sa.update(day_count).values(detected=False))
    detect(engine, OLD, end)
    assert _quarters(engine) == found
    engine.dispose()
