"""Counts: which days wait for a recount, a day's counts, and the names of counted keys."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.day_blob import DayCounts
from radar.store.engine import SQL_VARIABLES, chunks, upsert
from radar.store.tables import day_count, dirty_day, key


class DirtyDay(NamedTuple):
    """A day that waits for a recount; mark tells whether it changed again meanwhile."""

    audience_market: str
    local_day: date
    mark: int


def dirty_days(
    session: Session, market: str | None = None, first: date = date.min, last: date = date.max
) -> list[DirtyDay]:
    """All days that wait, by market and day; or those of a market from a day to a day."""
    c = dirty_day.c
    statement = sa.select(*[c[name] for name in DirtyDay._fields]).order_by(c.audience_market, c.local_day)
    if market is not None:
        statement = statement.where(c.audience_market == market, c.local_day >= first, c.local_day <= last)
    return [DirtyDay(*row) for row in session.execute(statement)]


def sealed_days(session: Session, market: str, days: Sequence[date]) -> set[date]:
    """Those of the days whose posts have been pruned: never recounted, by no model."""
    statement = sa.select(day_count.c.local_day).where(
        day_count.c.audience_market == market,
        day_count.c.local_day.in_(days),
        day_count.c.is_sealed,
    )
    return set(session.scalars(statement))


def replace_days(
    session: Session, model_id: str, rows: Iterable[tuple[DirtyDay, DayCounts, int]], now: datetime
) -> None:
    """Put days' counts in place of what stood there, and take the days off the list unless they changed again.

    A day that is off the list already was counted anew by somebody else since: what they wrote stands.

    rows  (day, counts, posts of the day)
    """
    for day, counts, post_count in rows:
        c = dirty_day.c
        mine = sa.and_(c.audience_market == day.audience_market, c.local_day == day.local_day)
        taken = session.connection().execute(sa.delete(dirty_day).where(mine, c.mark == day.mark)).rowcount
        if taken or session.scalar(sa.select(c.mark).where(mine)) is not None:
            put_days(session, model_id, day.audience_market, [(day.local_day, counts, post_count)], now)


def put_days(
    session: Session, model_id: str, market: str, rows: Iterable[tuple[date, DayCounts, int]], now: datetime
) -> None:
    """Put a market's days' counts in place of what stood there; rows of (day, counts, posts of the day)."""
    values = [
        {
            "model_id": model_id, "audience_market": market, "local_day": day, "counts": counts.to_bytes(),
            "person_count": counts.day_persons, "post_count": post_count, "is_sealed": False, "detected": False,
            "counted_at": now,
        }
        for day, counts, post_count in rows
    ]  # fmt: skip
    changed = ["counts", "person_count", "post_count", "detected", "counted_at"]
    upsert(session, day_count, values, on=["model_id", "audience_market", "local_day"], update=changed)


def drop_dirty(session: Session, days: Iterable[DirtyDay]) -> None:
    """Take days off the list without a recount (sealed ones)."""
    for day in days:
        session.execute(
            sa.delete(dirty_day).where(
                dirty_day.c.audience_market == day.audience_market, dirty_day.c.local_day == day.local_day
            )
        )


def counted_days(session: Session, model_id: str, market: str, first: date, last: date) -> dict[date, DayCounts]:
    """Counts of the days first..last that have any."""
    statement = (
        sa.select(day_count.c.local_day, day_count.c.counts)
        .where(day_count.c.model_id == model_id, day_count.c.audience_market == market)
        .where(day_count.c.local_day >= first, day_count.c.local_day <= last)
        .order_by(day_count.c.local_day)
    )
    return {day: DayCounts.from_bytes(blob) for day, blob in session.execute(statement)}


class MarketSpan(NamedTuple):
    """First and last counted day of a market, and the first day that detection has not seen as it is now."""

    audience_market: str
    first: date
    last: date
    undetected: date | None


def spans(session: Session, model_id: str) -> list[MarketSpan]:
    """The span of each market that has counts."""
    waiting = sa.case((sa.not_(day_count.c.detected), day_count.c.local_day))
    statement = (
        sa.select(
            day_count.c.audience_market,
            sa.func.min(day_count.c.local_day),
            sa.func.max(day_count.c.local_day),
            sa.func.min(waiting),
        )
        .where(day_count.c.model_id == model_id)
        .group_by(day_count.c.audience_market)
        .order_by(day_count.c.audience_market)
    )
    return [MarketSpan(*row) for row in session.execute(statement)]


def known_keys(session: Session, hashes: Sequence[int]) -> set[int]:
    """Those of the hashes that have a name."""
    found: set[int] = set()
    for some in chunks(hashes, SQL_VARIABLES):
        found |= set(session.scalars(sa.select(key.c.hash).where(key.c.hash.in_(some))))
    return found


class KeyName(NamedTuple):
    """What a key is called."""

    kind: int
    text: str
    gloss: str | None


def key_names(session: Session, hashes: Sequence[int]) -> dict[int, KeyName]:
    """Names by hash."""
    found: dict[int, KeyName] = {}
    for some in chunks(list(hashes), SQL_VARIABLES):
        statement = sa.select(key.c.hash, key.c.kind, key.c.text, key.c.gloss).where(key.c.hash.in_(some))
        found |= {row.hash: KeyName(row.kind, row.text, row.gloss) for row in session.execute(statement)}
    return found


def add_keys(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Name keys; a name once given stands."""
    upsert(session, key, rows, on=["hash"])
