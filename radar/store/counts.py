"""Counts: which days wait for a recount, a day's counts, and the names of counted keys."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.markets import MARKETS
from radar.store.day_blob import DAY_ONLY, DayCounts
from radar.store.engine import SQL_VARIABLES, chunks, columns_read, one_of, upsert
from radar.store.tables import day_count, dirty_day, key, meta


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
) -> set[date]:
    """Put days' counts in place of what stood there, and take the days off the list unless they changed again.

    A day that is off the list already was counted anew by somebody else since: what they wrote stands.

    rows  (day, counts, posts of the day)

    Returns the days that were written.
    """
    written = set()
    for day, counts, post_count in rows:
        c = dirty_day.c
        mine = sa.and_(c.audience_market == day.audience_market, c.local_day == day.local_day)
        if take_off(session, day) or session.scalar(sa.select(c.mark).where(mine).with_for_update()) is not None:
            put_days(session, model_id, day.audience_market, [(day.local_day, counts, post_count)], now)
            written.add(day.local_day)
    return written


def take_off(session: Session, day: DirtyDay) -> bool:
    """Take a day off the list; not if it changed again, or is off it already."""
    c = dirty_day.c
    mine = sa.delete(dirty_day).where(c.audience_market == day.audience_market, c.local_day == day.local_day)
    return bool(session.connection().execute(mine.where(c.mark == day.mark)).rowcount)


def put_days(
    session: Session, model_id: str, market: str, rows: Iterable[tuple[date, DayCounts, int]], now: datetime
) -> None:
    """Put a market's days' counts in place of what stood there; rows of (day, counts, posts of the day)."""
    rows = list(rows)
    values = [
        {
            "model_id": model_id, "audience_market": market, "local_day": day, "counts": counts.to_bytes(),
            "person_count": counts.day_persons, "post_count": post_count, "is_sealed": False, "detected": False,
            "counted_at": now,
        }
        for day, counts, post_count in rows
    ]  # fmt: skip
    changed = ["counts", "person_count", "post_count", "detected", "counted_at"]
    if rows:  # before the counts, as who compacts locks them in this order
        first, names = min(day for day, _, _ in rows).isoformat(), [f"{form} {market}" for form in Form]
        again = sa.update(meta).where(meta.c.name.in_(names), meta.c.value > first)
        session.execute(again.values(value=first))
    upsert(session, day_count, values, on=["model_id", "audience_market", "local_day"], update=changed)


_FOR_GOOD = 6
"""The level of zlib for days of which many are kept and few are written anew: a tenth less than at 1."""


class Form(StrEnum):
    """What old days are brought into, named as `meta` says up to which day that is done for a market."""

    HOURS = "compacted"
    DAYS = "by the day"


def last_day(session: Session, market: str) -> date | None:
    """A market's newest counted day."""
    mine = day_count.c.audience_market == market
    last: date | None = session.scalar(sa.select(sa.func.max(day_count.c.local_day)).where(mine))
    return last


def compact_days(session: Session, market: str, before: date, form: Form, limit: int) -> int:
    """Bring some of a market's days before a day into a form, for all models; how many days.

    Ask again until there are none: what was done is remembered with it, and a day counted anew is done again.
    """
    c, name = day_count.c, f"{form} {market}"
    upsert(session, meta, [{"name": name, "value": date.min.isoformat()}], on=["name"])
    done = session.scalars(sa.select(meta.c.value).where(meta.c.name == name).with_for_update()).one()
    near = sa.select(c.local_day).where(c.audience_market == market, c.local_day < before)
    near = near.where(c.local_day >= date.fromisoformat(done)).distinct()
    days = list(session.scalars(near.order_by(c.local_day).limit(limit)))
    for day in days:
        mine = sa.and_(c.audience_market == market, c.local_day == day)
        held = sa.select(c.model_id, c.counts).where(mine).with_for_update()  # a recount waits, or was before this
        for model_id, blob in session.execute(held).all():
            counts = DayCounts.from_bytes(blob)
            if _is_finer(counts, form):
                coarse = counts.by_the_hour() if form is Form.HOURS else counts.by_the_day()
                this = sa.update(day_count).where(mine, c.model_id == model_id)
                session.execute(this.values(counts=coarse.to_bytes(_FOR_GOOD)))
    if days:
        upto = (days[-1] + timedelta(days=1)).isoformat()
        session.execute(sa.update(meta).where(meta.c.name == name).values(value=upto))
    return len(days)


def _is_finer(counts: DayCounts, form: Form) -> bool:
    timed = counts.buckets[counts.buckets != DAY_ONLY]
    if form is Form.HOURS:
        return bool(counts.by_quarter.any() or (timed % 4).any())
    return bool(counts.by_quarter.any() or counts.by_hour.any() or len(timed))


def first_undetected(session: Session, model_id: str, market: str) -> date | None:
    """The first day whose counts detection has not taken in as they are."""
    c = day_count.c
    mine = sa.and_(c.model_id == model_id, c.audience_market == market, sa.not_(c.detected))
    first: date | None = session.scalar(sa.select(sa.func.min(c.local_day)).where(mine))
    return first


class Settled(NamedTuple):
    """Up to where a market's past is settled by the hour.

    since  trends by the hour are watched anew from this local day on at most: those before it stand
    hours  days before this one are kept by the day: nothing looks further back from there
    """

    since: date
    hours: date


def settled(session: Session, market: str) -> Settled | None:
    """What was settled of a market; None while nothing is."""
    said = session.scalar(sa.select(meta.c.value).where(meta.c.name == f"settled {market}"))
    return Settled(*map(date.fromisoformat, said.split())) if said else None


def settle(session: Session, market: str, until: Settled) -> None:
    """Say up to where a market is settled from now on."""
    row = {"name": f"settled {market}", "value": f"{until.since} {until.hours}"}
    upsert(session, meta, [row], on=["name"], update=["value"])


def drop_dirty(session: Session, days: Iterable[DirtyDay]) -> None:
    """Take days off the list that were counted in this transaction, whatever their mark."""
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


def last_counted(session: Session, market: str | None = None) -> str | None:
    """The model that counted last: of a market, or of any, each asked by the index. None before the first count.

    Of two that counted at the same moment, as where another is counted beside it, either.
    """
    c = day_count.c
    last: tuple[datetime, str] | None = None
    for code in [market] if market else MARKETS:
        newest = sa.select(sa.func.max(c.counted_at)).where(c.audience_market == code).scalar_subquery()
        mine = sa.select(c.counted_at, c.model_id).where(c.audience_market == code, c.counted_at == newest)
        row = session.execute(mine.limit(1)).first()
        if row is not None and (last is None or row.counted_at > last[0]):
            last = row.counted_at, row.model_id
    return last[1] if last else None


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


def size_since(session: Session, model_id: str, market: str, since: date) -> int:
    """Bytes of the counts of a market's days from one on: they tell how much there is to go through."""
    c = day_count.c
    mine = c.model_id == model_id, c.audience_market == market, c.local_day >= since
    return int(session.scalar(sa.select(sa.func.sum(sa.func.length(c.counts))).where(*mine)) or 0)


def known_keys(session: Session, hashes: Sequence[int]) -> set[int]:
    """Those of the hashes that have a name."""
    found: set[int] = set()
    for some in chunks(hashes, SQL_VARIABLES):
        found |= set(session.scalars(sa.select(key.c.hash).where(one_of(session, key.c.hash, some))))
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
        statement = sa.select(key.c.hash, key.c.kind, key.c.text, key.c.gloss).where(one_of(session, key.c.hash, some))
        numbers, *said = columns_read(session, statement)
        found |= zip(numbers, map(KeyName._make, zip(*said, strict=True)), strict=True)
    return found


def add_keys(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Name keys; a name once given stands."""
    upsert(session, key, rows, on=["hash"])
