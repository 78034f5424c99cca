"""Counts grow coarser with age: by the quarter hour, then by the hour, then by the day; one day of a market at a time.

Quarters are watched for four weeks, so they go 60 days before a market's last day. Hours are read for longer: by
detection that goes back because an old day was counted anew, which counts new series 28 days further back; by adopters
of trends, 183 days back; by charts, 59. So they go in two steps. A market's past is *settled* by the hour at a
checkpoint that is older than the setting: detection by the hour does not go back behind it, and what was concluded
before stands. Days that a watch does not look at from that checkpoint on are kept by the day from the next night on: a
detection that began before has ended by then. Trends by the day go back as far as ever; sums over a day stay the same.
"""

from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.markets import MARKETS, Market, local_day
from radar.past import TICK
from radar.store import counts, trends
from radar.store.counts import Form, Settled
from radar.store.engine import reading, writing
from radar.watch import Watch
from radar.windows import Bucket

QUARTERS_KEPT = 60
"""Days before a market's last for which counts are kept by the quarter hour: quarters are watched for 28 at most."""


def compact(engine: sa.Engine, hourly_days: int) -> int:
    """Bring every market's old days into coarser forms, and settle what can be; days that were done.

    hourly_days  days before a market's last that are kept by the hour at least

    Safe to kill and to run twice: a day is written with how far that has come.
    """
    done = 0
    for market in MARKETS.values():
        with reading(engine) as session:
            last, settled = counts.last_day(session, market.code), counts.settled(session, market.code)
        if last is None:
            continue
        done += _compact(engine, market, last - timedelta(days=QUARTERS_KEPT), Form.HOURS)
        if settled is not None:
            done += _compact(engine, market, settled.hours, Form.DAYS)
        _settle(engine, market, last - timedelta(days=hourly_days), settled)
    return done


def _compact(engine: sa.Engine, market: Market, before: date, form: Form) -> int:
    done = 0
    while True:
        with writing(engine) as session, session.begin():
            n = counts.compact_days(session, market.code, before, form, 1)
        done += n
        if not n:
            return done


def _settle(engine: sa.Engine, market: Market, before: date, settled: Settled | None) -> None:
    """Settle a market at its newest checkpoint at or before a day, if there is a newer one than before."""
    with reading(engine) as session:
        models = trends.watching_models(session)
        states = {model_id: trends.hourly_states(session, model_id, market.code) for model_id in models}
        # others are not in use any more, or begin just now: they go through whatever hours there are
        in_use = [model_id for model_id, days in states.items() if days and days[0] >= before]
        since = _checkpoint([states[model_id] for model_id in in_use], before)
        if since is None or (settled is not None and since <= settled.since):
            return
        waiting = [counts.first_undetected(session, model_id, market.code) for model_id in in_use]
        if any(day is not None and day < since for day in waiting):
            return
        reached = [_reach(session, model_id, market, since) for model_id in in_use]
    if None in reached:  # detection goes back behind it just now
        return
    hours = min(day for day in reached if day is not None)
    with writing(engine) as session, session.begin():
        counts.settle(session, market.code, Settled(since, hours))
        for model_id in models:
            trends.drop_hourly_states(session, model_id, market.code, since)


def _checkpoint(states: list[list[date]], before: date) -> date | None:
    """The newest at or before a day that all models have."""
    shared = set[date].intersection(*map(set, states)) if states else set[date]()
    return max((day for day in shared if day <= before and trends.is_anchor(day)), default=None)


def _reach(session: Session, model_id: str, market: Market, since: date) -> date | None:
    """The first local day whose counts a watch looks at that goes on from a checkpoint; None: that is there no more."""
    kept = trends.load_state(session, model_id, market.code, Bucket.HOUR.value, since)
    if kept is None:
        return None
    oldest = Watch.from_bytes(kept[1], model_id, market.code, Bucket.HOUR).reaches_back
    return since if oldest is None else local_day(datetime.fromtimestamp(oldest * TICK, UTC), market.tz)
