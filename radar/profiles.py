"""Profiles of KOLs: for whom something was measured anew, what the latest posts are about."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache, partial
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.keys import Kind, key_number
from radar.partners.profile import LATEST, ReadPost, packed, profiles_of, vector_bytes
from radar.spread import spread, workers
from radar.store import partners as store
from radar.store.engine import chunks, open_store, reading
from radar.store.lasting import lasting, patiently
from radar.text import gazetteer

BATCH = 100
"""Accounts at a time."""
ROUND = 50 * BATCH
"""Accounts of which it is asked at once that they wait."""
MANY = 600
"""Accounts that wait from which processes pay for their start."""

Rows = list[dict[str, Any]]


def make_profiles(engine: sa.Engine, *, now: datetime) -> int:
    """Make the profiles of accounts measured since theirs was made; returns how many.

    Safe to kill and to run twice: a batch is written whole, and an account's profile is replaced. A lost connection is
    outlasted, here and in the processes that make profiles.
    """
    done = 0
    while True:
        due = patiently(partial(_due, engine))
        if not due:
            return done
        for rows in _made(engine, due, now):
            lasting(engine, partial(_write, rows))
            done += len(rows)


def _due(engine: sa.Engine) -> Sequence[store.Due]:
    with reading(engine) as session:
        return store.due_profiles(session, ROUND)


def _write(rows: Rows, session: Session) -> None:
    store.write_profiles(session, rows)


def _made(engine: sa.Engine, due: Sequence[store.Due], now: datetime) -> Iterator[Rows]:
    """Profiles of accounts, a batch at a time and in order: who waits is known by the latest profile of all."""
    batches = chunks(due, BATCH)
    if len(due) < MANY or workers() == 1:
        yield from (patiently(partial(_profiles, engine, now, batch)) for batch in batches)
        return
    begin, turn, early = partial(_open, engine.url.render_as_string(hide_password=False)), 0, dict[int, Rows]()
    for (number, _), rows in spread(partial(_make_apart, now), enumerate(batches), at_once=workers(), begin=begin):
        if rows is not None:
            early[number] = rows
        while turn in early:
            yield early.pop(turn)
            turn += 1


_apart: sa.Engine | None = None
"""The store, in a process that only makes profiles."""


def _open(url: str) -> None:
    global _apart
    _apart = open_store(url, migrate=False)


def _make_apart(now: datetime, batch: tuple[int, Sequence[store.Due]]) -> Iterator[Rows]:
    assert _apart is not None
    yield patiently(partial(_profiles, _apart, now, batch[1]))


def _profiles(engine: sa.Engine, now: datetime, due: Sequence[store.Due]) -> Rows:
    with reading(engine) as session:
        latest = store.latest_posts(session, [a.author_id for a in due], LATEST)
    found = profiles_of([[_read(post) for post in latest.get(a.author_id, [])] for a in due])
    return [
        {
            "author_id": a.author_id, "audience_market": a.audience_market, "facts": packed(profile),
            "vector": vector_bytes(profile), "measured_at": a.measured_at, "made_at": now,
        }
        for a, profile in zip(due, found, strict=True)
    ]  # fmt: skip


def _read(post: store.LatestPost) -> ReadPost:
    keys, named = np.frombuffer(post.keys, "<i8").tolist(), _products()
    return ReadPost(
        post.text, post.local_day, tuple(post.topics), tuple(post.places.split()),
        tuple(named[k] for k in keys if k in named), post.language, post.sponsored,
    )  # fmt: skip


@cache
def _products() -> dict[int, str]:
    """Product ids by the number of their key."""
    return {key_number(Kind.PRODUCT, product): product for product in gazetteer.products()}
