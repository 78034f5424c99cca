"""Collecting adopters: who used the key of a trend that passed q <= 1 %, and when first.

A trend is looked for from three local days before its onset to its end, ten days at most in all, and is collected anew
when one of those days was counted since or its end moved; each day's posts are read once for all trends of a market.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.markets import MARKETS, PLACE_CODES, day_start, local_day
from radar.spread import spread, workers
from radar.store import adoptions as store
from radar.store import counts, posts
from radar.store.adoptions import Collected, Doubtful, StrongTrend
from radar.store.author_facts import AdoptionRow
from radar.store.engine import open_store, reading
from radar.store.lasting import lasting, patiently
from radar.store.measures import mark_persons
from radar.store.posts import key_array

Q = 0.01
BEFORE, LONGEST = timedelta(days=3), timedelta(days=7)
KEPT = timedelta(days=180)
BATCH_DAYS = 10
MANY = 60
"""Trends to collect from which processes pay for their start."""

Adopters = dict[int, dict[int, AdoptionRow]]
"""First uses by trend and person."""


class _Wanted(NamedTuple):
    trend: StrongTrend
    row: Collected


def collect_adopters(engine: sa.Engine, model_id: str, *, now: datetime) -> int:
    """Bring the adopters of strong trends up to date, and put on the list who is measured by them; trends collected.

    Safe to kill: what was written of a run of days is whole. A lost connection is outlasted, here and in the processes
    that read.
    """
    doubtful, wanted = patiently(partial(_looked_up, engine, model_id, now))
    if any(doubtful):
        lasting(engine, partial(_settle, model_id, doubtful, now))
    for batch, found in _found(engine, model_id, _batches(wanted), many=len(wanted) >= MANY):
        lasting(engine, partial(_write, model_id, batch, found, now))
    return len(wanted)


def _looked_up(engine: sa.Engine, model_id: str, now: datetime) -> tuple[Doubtful, list["_Wanted"]]:
    """Collected trends of which it is not known whether they are gone, and those to collect."""
    with reading(engine) as session:
        return store.doubtful(session, model_id), _wanted(session, model_id, now)


def _settle(model_id: str, doubtful: Doubtful, now: datetime, session: Session) -> None:
    """Forget collected trends that are gone."""
    persons = {p for rows in store.adopters_of(session, doubtful.gone).values() for p in rows}
    store.drop_trends(session, doubtful.gone)
    mark_persons(session, persons, now)
    store.confirm(session, model_id, doubtful.standing)


def _batches(wanted: Sequence[_Wanted]) -> Iterator[list[_Wanted]]:
    """Trends of one market that began within some days."""
    for market in sorted({w.row.audience_market for w in wanted}):
        mine = sorted((w for w in wanted if w.row.audience_market == market), key=lambda w: w.row.first_day)
        while mine:
            until = mine[0].row.first_day + timedelta(days=BATCH_DAYS)
            batch = [w for w in mine if w.row.first_day < until]
            mine = mine[len(batch) :]
            yield batch


def _found(
    engine: sa.Engine, model_id: str, batches: Iterator[list[_Wanted]], *, many: bool
) -> Iterator[tuple[list[_Wanted], Adopters]]:
    """Each batch's adopters: read in this process, or in others where there are many."""
    if not many or workers() == 1:
        for batch in batches:
            yield batch, patiently(partial(_adopters, engine, model_id, batch))
        return
    begin = partial(_open, engine.url.render_as_string(hide_password=False))
    for batch, found in spread(partial(_read_apart, model_id), batches, at_once=workers(), begin=begin):
        if found is not None:
            yield batch, found


_apart: sa.Engine | None = None
"""The store, in a process that only reads adopters."""


def _open(url: str) -> None:
    global _apart
    _apart = open_store(url, migrate=False)


def _read_apart(model_id: str, batch: Sequence[_Wanted]) -> Iterator[Adopters]:
    assert _apart is not None
    yield patiently(partial(_adopters, _apart, model_id, batch))


def _wanted(session: Session, model_id: str, now: datetime) -> list[_Wanted]:
    """Trends to collect anew: of one key only the first of those that overlap in time."""
    strong = store.strong_trends(session, model_id, now - KEPT, Q)
    known = store.collected(session, [trend.id for trend in strong])
    counted = store.days_counted_at(session, model_id, (now - KEPT - BEFORE).date())
    kept: dict[tuple[str, int], date] = {}
    found = []
    for trend in strong:
        zone = MARKETS[trend.audience_market].tz
        onset = local_day(trend.onset_at, zone)
        first, last = onset - BEFORE, min(local_day(trend.ended_at or now, zone), onset + LONGEST)
        key = trend.audience_market, trend.key_hash
        if kept.get(key, date.min) >= first:
            continue
        kept[key] = last
        at = [at for day, at in counted.get(trend.audience_market, {}).items() if first <= day <= last]
        if at:
            row = Collected(trend.id, trend.audience_market, first, last, max(at))
            if known.get(trend.id) != row:
                found.append(_Wanted(trend, row))
    return found


def _adopters(engine: sa.Engine, model_id: str, batch: Sequence[_Wanted]) -> Adopters:
    """Who used the trends' keys first and when; the trends are of one market."""
    market = batch[0].row.audience_market
    first, last = min(w.row.first_day for w in batch), max(w.row.last_day for w in batch)
    found: Adopters = {w.trend.id: {} for w in batch}
    with reading(engine) as session:
        heard = {day: c.by_hour for day, c in counts.counted_days(session, model_id, market, first, last).items()}
        day = first
        while day <= last:
            here = [w.trend for w in batch if w.row.first_day <= day <= w.row.last_day]
            if here and day in heard:
                _day(session, model_id, market, day, here, heard[day].tolist(), found)
            day += timedelta(days=1)
    return found


def _write(model_id: str, batch: Sequence[_Wanted], found: Adopters, now: datetime, session: Session) -> None:
    before = store.adopters_of(session, found)
    changed: set[int] = set()
    for i, rows in found.items():
        if rows != before.get(i, {}):  # each one's rank is among the others
            changed |= rows.keys() | before.get(i, {}).keys()
    mark_persons(session, changed, now)
    rows_of = {i: list(rows.values()) for i, rows in found.items()}
    store.replace_adopters(session, model_id, [w.row for w in batch], rows_of)


def _day(
    session: Session,
    model_id: str,
    market: str,
    day: date,
    trends: Sequence[StrongTrend],
    heard: Sequence[int],
    found: Adopters,
) -> None:
    """Add to `found` who used the trends' keys on a day and not before; posts without an hour say nothing."""
    items = [p for p in posts.day_posts(session, model_id, market, day, day) if not p.day_only]
    arrays = [key_array(p.keys) for p in items]
    keys = np.concatenate([np.zeros(0, np.int64), *arrays])
    of = np.repeat(np.arange(len(items)), [len(a) for a in arrays])
    midnight = day_start(day, MARKETS[market].tz)
    for trend in trends:
        code = PLACE_CODES.get(trend.place)
        for n in of[keys == trend.key_hash].tolist():
            item = items[n]
            if code is not None and code not in item.places.split():
                continue
            hour = min(int((item.published_at - midnight) / timedelta(hours=1)), len(heard) - 1)
            row = AdoptionRow(trend.id, item.person_id, item.published_at, max(int(heard[hour]), 1))
            found[trend.id].setdefault(item.person_id, row)
