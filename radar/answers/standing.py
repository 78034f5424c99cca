"""Where a market stands: what is counted, until when, and whether that is enough to say anything."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np
from sqlalchemy.orm import Session

from radar.errors import Gone
from radar.markets import Market, day_hours, day_start, local_day
from radar.registry import model_id as shipped_model_id
from radar.store import answers as store
from radar.store.counts import counted_days
from radar.store.engine import world_of
from radar.store.promotion import active_model
from radar.store.trends import oldest_snapshot
from radar.trends import rise_shows_from
from radar.windows import Bucket

_DAYS, _HOURS = Bucket.DAY.warm_up, Bucket.HOUR.warm_up
HOURLY_KEPT = timedelta(days=7)
"""Snapshots are hourly for so long (`radar.prune`), daily for longer."""
_COUNTED = 10_000
"""Waiting posts are counted up to here, to say that nothing is counted yet."""
_AHEAD = timedelta(days=1)
"""How far past the newest moment one may look back from: to the end of a day that has begun, anywhere."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a market.

    as_of    the moment looked back from; None where nothing is counted and none was asked for
    latest   the newest moment that can be looked back from
    days     local days counted up to as_of;      hours  hours heard in them, counted while there are fewer than 28 days
    status   ok, not_enough_history or no_data;   reason a sentence for the latter two
    """

    market: Market
    model_id: str
    simulated: bool
    as_of: datetime | None
    latest: datetime | None
    days: int
    hours: int
    status: str
    reason: str


def standing(session: Session, market: Market, as_of: datetime | None = None) -> Standing:
    """How a market stands as of a moment; by default the newest that its trends or counts know, never the clock's.

    Raises Gone for a moment of which no list is kept.
    """
    model_id = store.counted_model(session, market.code, active_model(session) or shipped())
    seen = store.newest_snapshot(session, model_id, market.code)
    latest = _latest(session, model_id, market, seen)
    at = as_of or latest
    upto = local_day(at - timedelta(microseconds=1), market.tz) if at else None
    span = store.counted_span(session, model_id, market.code, upto)
    hours = 0
    status, reason = "ok", ""
    if at is None or upto is None or not span.days:
        if as_of is not None and latest is not None:
            raise _gone(session, model_id, market, as_of, latest)
        status, reason = "no_data", _why_no_data(session, market)
    elif latest is not None and upto > local_day(latest, market.tz) + _AHEAD:
        status, reason = "no_data", _why_too_late(market, latest)
    elif span.days < _DAYS:
        assert span.first is not None
        assert span.last is not None
        hours = _hours_heard(session, model_id, market, span.first, span.last, at)
        shown = seen is not None and (seen <= at or _has_snapshot(session, model_id, market, at))
        if hours < _HOURS or not shown:
            could = _what_could_be_seen(session, model_id, market, span.first, span.last)
            status, reason = "not_enough_history", f"{_why_too_little(span.days, hours, span.last)} {could}"
    if as_of is not None and status == "ok":
        _check_kept(session, model_id, market, as_of, latest or as_of)
    simulated = world_of(session) == "simulated"
    return Standing(market, model_id, simulated, at, latest, span.days, hours, status, reason)


class Counted(NamedTuple):
    """What is counted of a market up to a moment. until: that moment, None where nothing is counted."""

    model_id: str
    last: date | None
    until: datetime | None


def counted(session: Session, market: Market, as_of: datetime | None = None) -> Counted:
    """The counts of a market up to a moment, by default the newest they know. Raises Gone for one before them."""
    model_id = store.counted_model(session, market.code, active_model(session) or shipped())
    latest = _latest(session, model_id, market, store.newest_snapshot(session, model_id, market.code))
    until = min(as_of, latest) if as_of and latest else latest
    if until is None:
        return Counted(model_id, None, None)
    span = store.counted_span(session, model_id, market.code, local_day(until - timedelta(microseconds=1), market.tz))
    if span.last is None:
        first = store.counted_span(session, model_id, market.code).first
        said = f"Nothing of {market.name} is counted as of {until:%Y-%m-%d %H:%M} UTC."
        raise Gone(said, f"Counted: from {first} on." if first else "")
    return Counted(model_id, span.last, until)


_model: list[str] = []


def shipped() -> str:
    """The shipped model's id, worked out once."""
    if not _model:
        _model.append(shipped_model_id())
    return _model[0]


def _latest(session: Session, model_id: str, market: Market, seen: datetime | None) -> datetime | None:
    """The newest snapshot, or the hour last heard where nothing was seen since."""
    last = store.counted_span(session, model_id, market.code).last
    if last is None:
        return seen
    heard = counted_days(session, model_id, market.code, last, last)[last].by_hour.nonzero()[0]
    if len(heard):
        hours = day_hours(last, market.tz)
        counted = hours[min(int(heard[-1]), len(hours) - 1)]
    else:
        counted = day_start(last + timedelta(days=1), market.tz)
    return max(counted, seen) if seen else counted


def _has_snapshot(session: Session, model_id: str, market: Market, at: datetime) -> bool:
    beginning = at - timedelta(days=_DAYS + 1)
    return bool(store.best_snapshots(session, model_id, market.code, beginning, at, q=1.0, buckets=list(Bucket)))


def _hours_heard(session: Session, model_id: str, market: Market, first: date, last: date, at: datetime) -> int:
    heard = 0
    for day, counts in counted_days(session, model_id, market.code, first, last).items():
        for i, start in enumerate(day_hours(day, market.tz)):
            heard += bool(counts.by_hour[i]) and start < at
    return heard


def _check_kept(session: Session, model_id: str, market: Market, at: datetime, latest: datetime) -> None:
    """Raises Gone for a moment before the first of which a list is kept."""
    oldest = oldest_snapshot(session, model_id, market.code, list(Bucket))
    if oldest is not None and at < oldest:
        raise _gone(session, model_id, market, at, latest)


def _gone(session: Session, model_id: str, market: Market, at: datetime, latest: datetime) -> Gone:
    oldest = oldest_snapshot(session, model_id, market.code, list(Bucket))
    said = f"No list of {market.name} is kept as of {at:%Y-%m-%d %H:%M} UTC."
    if oldest is None:
        return Gone(said, "No trend was seen there yet: leave as_of out to see how far the counts are.")
    hourly = max(oldest, latest - HOURLY_KEPT)
    return Gone(
        said,
        f"Kept: by the day from {oldest:%Y-%m-%d %H:%M} UTC on, by the hour from {hourly:%Y-%m-%d %H:%M} UTC on, "
        f"until {latest:%Y-%m-%d %H:%M} UTC.",
    )


def _why_no_data(session: Session, market: Market) -> str:
    waiting = store.waiting_posts(session, _COUNTED)
    if waiting.get(market.code) or store.waiting_days(session).get(market.code):
        more = "" if sum(waiting.values()) < _COUNTED else " or more"
        return (
            f"{waiting.get(market.code, 0):,} posts{more} for {market.name} wait to be classified, and nothing is "
            "counted yet. Wait for the jobs, or run `radar run line`."
        )
    return (
        f"No posts are stored for {market.name}. Import some (`radar import FILE --market {market.code}`), push them "
        "to /v1/posts, or look at simulated ones (`radar demo`)."
    )


def _why_too_late(market: Market, latest: datetime) -> str:
    until = f"{latest.astimezone(market.tz):%Y-%m-%d %H:%M} {market.zone}"
    return f"Nothing is counted for {market.name} after {until}. Ask for an earlier moment."


def _why_too_little(days: int, hours: int, last: date) -> str:
    by_day = last + timedelta(days=_DAYS - days + 1)
    too_little = f"Not enough history: {days} of {_DAYS} days"
    if not hours:
        return f"{too_little}. The first trends can show on {by_day}, if posts keep coming."
    if hours < _HOURS:
        by_hour = last + timedelta(days=-(-(_HOURS - hours) // 24))
        return (
            f"{too_little} and {hours} of {_HOURS} hours. The first trends can show on {by_hour} by the hour and on "
            f"{by_day} by the day, if posts keep coming."
        )
    return (
        f"{too_little}. By the hour nothing rose beyond chance; the first trends by the day can show on {by_day}, "
        "if posts keep coming."
    )


def _what_could_be_seen(session: Session, model_id: str, market: Market, first: date, last: date) -> str:
    """How large a rise would have to be among so many persons and so many keys, once there is history."""
    known = counted_days(session, model_id, market.code, first, last).values()
    persons = round(sum(counts.day_persons for counts in known) / max(len(known), 1))
    keys = max((len(np.unique(counts.keys)) for counts in known), default=1)
    # as in a list that already holds ten trends, each window allowed for
    p = min(0.05 * 10 / max(keys, 1) / len(Bucket.DAY.windows), 0.05)
    return f"{persons:,} KOLs a day here: a tripling shows from {rise_shows_from(3.0, p)} persons."
