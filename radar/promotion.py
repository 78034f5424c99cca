"""Promotion: another model becomes the active one, and that alone makes no trend.

The model that is to follow reads the posts of the last 60 days anew, counts those days and looks for trends in them,
all aside under its own id, while jobs go on with the active one. Then one short transaction names it active: lists
change from one model's to the other's at once, each computed from days that one model read whole, so a level that
differs is a level and no rise. Every step leaves off where it was when it is killed, and asked again it goes on there.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path

import sqlalchemy as sa

from radar.classify import BATCH, read_posts
from radar.count import counted_aside, named_topics, runs_of_days
from radar.detect import detect_trends
from radar.errors import RadarError
from radar.registry import TopicScorer
from radar.store import counts
from radar.store import promotion as store
from radar.store.engine import reading, writing
from radar.store.tracked import version as tracked_version
from radar.tracked import open_reader

DAYS = 60
ROUNDS = 5
"""How often what came in meanwhile is read and counted before we give up."""

Progress = Callable[[str, int], None]


def promote(
    engine: sa.Engine,
    model_folder: Path,
    load: Callable[[], TopicScorer],
    topic_ids: Sequence[str],
    *,
    now: datetime,
    closed_at: datetime,
    days: int = DAYS,
    progress: Progress = lambda what, done: None,
) -> str | None:
    """Read, count and detect aside with a model, then make it the active one; returns the id of the one before.

    model_folder  the fitted model, its name is the model's id;  load  gives its scorer
    closed_at     as of `detect_trends`
    days          local days before each market's last that are read anew

    None where it was active already. Raises RadarError where posts change faster than they are read.
    """
    model_id = model_folder.name
    with writing(engine) as session, session.begin():
        active = store.active_model(session)
        store.name_active(session, active or model_id)
    if active is not None and active != model_id:
        for _ in range(ROUNDS):
            rescore(engine, model_id, load, days=days, progress=progress)
            recount(engine, model_id, topic_ids, now=now, days=days, progress=progress)
            detect_trends(engine, model_id, topic_ids, closed_at=closed_at)
            if swap(engine, model_id, days=days):
                break
        else:
            raise RadarError(
                f"{model_id} is not active yet: posts changed while they were read anew.", "Promote it again later."
            )
    settle(engine)
    return active if active != model_id else None


def rescore(
    engine: sa.Engine,
    model_id: str,
    load: Callable[[], TopicScorer],
    *,
    days: int = DAYS,
    progress: Progress = lambda what, done: None,
) -> int:
    """Read the posts of the last days aside, those that were not yet; returns how many."""
    done = 0
    for market, first in _firsts(engine, days).items():
        after = 0
        while True:
            with reading(engine) as session:
                tracked = open_reader(session)
                batch = store.unread_aside(session, model_id, market, first, BATCH, after)
            if not batch:
                break
            rows = [
                {
                    "model_id": model_id, "post_id": item.id, "revision": item.revision, "keys": said.keys,
                    "places": said.places, "language": said.language, "sponsored": said.sponsored,
                    "text_hash": said.text_hash, "sketch": said.sketch, "tone": said.tone, "negative": said.negative,
                    "topics": [list(topic) for topic in said.topics],
                }
                for item, said in zip(batch, read_posts(load(), batch, tracked.matcher), strict=True)
            ]  # fmt: skip
            with writing(engine) as session, session.begin():
                if tracked_version(session, hold=True) != tracked.version:
                    continue  # somebody tracks another key since
                store.write_aside(session, rows)
            after = batch[-1].id
            done += len(batch)
            progress("posts", done)
    return done


def recount(
    engine: sa.Engine,
    model_id: str,
    topic_ids: Sequence[str],
    *,
    now: datetime,
    days: int = DAYS,
    progress: Progress = lambda what, done: None,
) -> int:
    """Count the last days aside, those that the active model has counted since; returns how many.

    A day waits until the model has read all its posts.
    """
    done = 0
    topics = named_topics(topic_ids)
    for market, first in _firsts(engine, days).items():
        with reading(engine) as session:
            active = store.active_model(session) or model_id
            stale = store.stale_days(session, active, model_id, market, first)
        seen = {day.local_day: day.counted_at for day in stale}
        for chunk in runs_of_days(engine, market, list(seen)):
            found = counted_aside(engine, model_id, market, chunk, topics)
            with writing(engine) as session, session.begin():
                counts.add_keys(session, found.names)
                for day, counted, posts in found.days:  # as new as what it was counted beside
                    counts.put_days(session, model_id, market, [(day, counted, posts)], seen[day])
            done += len(found.days)
            progress("days", done)
    return done


def swap(engine: sa.Engine, model_id: str, *, days: int = DAYS) -> bool:
    """Make a model the active one if nothing of the last days is unread or uncounted by it; whether it is."""
    firsts = _firsts(engine, days)
    with writing(engine) as session, session.begin():
        active = store.active_model(session, hold=True)
        for market, first in firsts.items():
            if active is not None and (
                store.unread_aside(session, model_id, market, first, 1)
                or store.stale_days(session, active, model_id, market, first)
            ):
                return False
        store.activate(session, model_id)
    return True


def settle(engine: sa.Engine) -> int:
    """Move what the active model has kept aside to the posts; returns how many. Answers are the same before and after.

    Safe to kill and to run at any time.
    """
    done = 0
    while True:
        with writing(engine) as session, session.begin():
            active = store.active_model(session, hold=True)
            moved = store.settle(session, active, BATCH) if active else 0
        done += moved
        if not moved:
            return done


def abandon(engine: sa.Engine, model_id: str) -> None:
    """Forget what a model has read, counted and found aside. Raises RadarError for the active one."""
    with writing(engine) as session, session.begin():
        if store.active_model(session, hold=True) == model_id:
            raise RadarError(f"{model_id} is the active model.", "Promote another one first.")
        store.drop_aside(session, model_id)


def _firsts(engine: sa.Engine, days: int) -> dict[str, date]:
    with reading(engine) as session:
        active = store.active_model(session)
        return store.first_days(session, active, days) if active else {}
