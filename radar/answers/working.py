"""One trend with everything it was found by: curve, baseline, stages, moments, variants, posts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from radar.answers.ids import episode_number
from radar.answers.items import Ranked, complaints_shown, describe, persons_of, stages_of
from radar.answers.question import parse_window
from radar.answers.standing import Standing, standing
from radar.errors import Gone, UnknownName
from radar.markets import MARKETS, Market, day_start, local_day
from radar.store import answers as store
from radar.store.answers import Seen
from radar.store.counts import counted_days
from radar.store.day_blob import DAY_ONLY, DayCounts
from radar.store.posts import complaints_of
from radar.trends import dispersion, usual_range
from radar.windows import Bucket

CURVE_DAYS = {Bucket.QUARTER: 2, Bucket.HOUR: 8, Bucket.DAY: 56}


def trend_working(
    session: Session, episode_id: int | str, as_of: datetime | None = None, window: str | None = None
) -> dict[str, Any]:
    """A trend as lists show it, and its whole working. A variant that never led answers with its leader.

    episode_id  the number, or the id as shown
    window      the list it was found in; its best moment there is the one shown (7d by default, else the best of all)

    Raises UnknownName.
    """
    number = episode_number(episode_id) if isinstance(episode_id, str) else episode_id
    chosen = best_moment(session, number, as_of, window, asked=str(episode_id))
    best, history, at, stand = chosen.best, chosen.history, chosen.as_of, chosen.standing
    first, about = history[0], MARKETS[history[0].audience_market]
    stages = stages_of(session, [best.episode_id], at).get(best.episode_id, [])
    item = describe(session, [Ranked(best, 0, 0, stages)], at)[0] | {"rank": None}
    _add_complaints(session, item["evidence"])
    return item | {
        "asked": str(episode_id) if isinstance(episode_id, str) else item["id"],
        "as_of": at,
        "model_id": first.model_id,
        "simulated": stand.simulated,
        "coverage": _coverage(session, best, about, stand),
        "curve": _curve(session, best, history, about, at),
        "stages": [{"stage": stage, "since": since} for since, stage in stages],
        "history": [_moment(seen) for seen in history],
    }


def _add_complaints(session: Session, shown: Sequence[dict[str, Any]]) -> None:
    """Say of each post's author how often they complain."""
    found = complaints_of(session, sorted({int(post["author"]["person_id"]) for post in shown}))
    for post in shown:
        counted = found.get(int(post["author"]["person_id"]))
        post["author"]["complaints"] = complaints_shown(counted._asdict()) if counted else None


def _coverage(session: Session, best: Seen, about: Market, stand: Standing) -> dict[str, Any]:
    """What was heard of the market in the window of a trend's best moment."""
    start, end = (datetime.fromisoformat(best.working[name]) for name in ("window_start", "at"))
    days = local_day(start, about.tz), local_day(end - timedelta(microseconds=1), about.tz)
    return store.heard(session, about.code, start, end, *days)._asdict() | {"days": stand.days}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A trend's best moment in the window asked for, among all it was seen at."""

    best: Seen
    history: list[Seen]
    as_of: datetime
    standing: Standing


def best_moment(session: Session, number: int, as_of: datetime | None, window: str | None, *, asked: str) -> Chosen:
    """The moment whose figures are shown. Raises UnknownName where the trend was never seen by then, Gone where nothing
    is kept of that."""
    length = parse_window(window or "7d")
    history = _history(session, number, as_of)
    if not history:
        raise _not_there(session, number, as_of, asked)
    stand = standing(session, MARKETS[history[0].audience_market], as_of)
    at = stand.as_of or history[-1].as_of
    recent = [seen for seen in history if seen.as_of > at - length]
    return Chosen(max(recent or history, key=lambda seen: (seen.score, seen.as_of)), history, at, stand)


def _not_there(session: Session, number: int, as_of: datetime | None, asked: str) -> Gone | UnknownName:
    """Why nothing is shown of a trend: its snapshots are pruned, or it never was."""
    known = store.episodes(session, [number]).get(number)
    if known is None or known.leader_id is not None or (as_of is not None and as_of < known.onset_at):
        return UnknownName("trend", asked[:60], [])
    later = store.snapshots_of(session, number)
    kept = f"Kept: from {later[0].as_of:%Y-%m-%d %H:%M} UTC on." if later else "Its path is kept: /v1/trends/{id}/path."
    said = f"{as_of:%Y-%m-%d %H:%M} UTC" if as_of else "any moment"
    return Gone(f"The working of trend '{asked[:60]}' is not kept as of {said}.", kept)


def _history(session: Session, number: int, as_of: datetime | None) -> list[Seen]:
    """Snapshots of an episode, or of the one it is a variant of."""
    tried: set[int] = set()
    following: int | None = number
    while following is not None and following not in tried:
        found = store.snapshots_of(session, following, as_of)
        if found:
            return found
        tried.add(following)
        known = store.episodes(session, [following]).get(following)
        following = known.leader_id if known else None
    return []


def _moment(seen: Seen) -> dict[str, Any]:
    working = seen.working
    return {
        "as_of": seen.as_of,
        "at": datetime.fromisoformat(working["at"]),
        "is_daily": seen.is_daily,
        "stage": seen.stage,
        "buckets": working["window_buckets"],
        "observed": working["observed"],
        "expected": working["expected"],
        "lift": working["lift"],
        "lift_floor": working["lift_floor"],
        "q": seen.q,
        "score": seen.score,
        "persons": working["persons"],
    }


def _curve(session: Session, best: Seen, history: Sequence[Seen], about: Market, as_of: datetime) -> dict[str, Any]:
    """Persons by bucket, with what the baseline would have expected of the KOLs then heard.

    The rate is expected over KOLs heard in the windows of the trend's moments, their median: so the dotted line agrees
    with the working. The test itself also knows the hour of the week; `expected` of the working is its figure.

    Days of which nothing is known in so short buckets are left out; where that is all of them, the curve is by the day
    and no rate is shown.
    """
    bucket = Bucket(best.bucket)
    last = local_day(as_of - timedelta(microseconds=1), about.tz)
    length = CURVE_DAYS[bucket]
    last = min(last, local_day(best.as_of, about.tz) + timedelta(days=length // 4))
    first = last - timedelta(days=length - 1)
    reach = min([first, *(local_day(datetime.fromisoformat(s.working["window_start"]), about.tz) for s in history)])
    days = counted_days(session, best.model_id, about.code, max(reach, first - timedelta(days=90)), last)
    if not any(counts.knows(bucket) for day, counts in days.items() if day >= first):
        bucket, history = Bucket.DAY, ()
    days = {day: counts for day, counts in days.items() if counts.knows(bucket)}
    times: list[datetime] = []
    persons: list[int] = []
    heard: list[int] = []
    for day, counts in days.items():
        starts = bucket.starts(day, about.tz)
        for start, y, n in zip(starts, _persons(counts, best, bucket), _heard(counts, bucket), strict=False):
            if start < as_of:
                times.append(start)
                persons.append(y)
                heard.append(n)
    rate = _rate(history, times, heard)
    told = best.working
    phi = dispersion(told["observed"], told["expected"], told["lift"]) if told["expected"] > 0 else 1.0
    low, high = usual_range([(rate or 0.0) * n for n in heard], phi)
    shown = [i for i, start in enumerate(times) if start >= day_start(first, about.tz)]
    return {
        "bucket": bucket.value,
        "rate": rate,
        "dispersion": None if rate is None else round(phi, 3),
        "points": [
            {
                "start": times[i],
                "persons": persons[i],
                "heard": heard[i],
                "expected": None if rate is None else round(rate * heard[i], 3),
                "low": None if rate is None else int(low[i]),
                "high": None if rate is None else int(high[i]),
            }
            for i in shown
        ],
    }


def _heard(counts: DayCounts, bucket: Bucket) -> list[int]:
    """Persons who posted in each bucket of a day."""
    if bucket is Bucket.DAY:
        return [counts.day_persons]
    return [int(n) for n in (counts.by_hour if bucket is Bucket.HOUR else counts.by_quarter)]


def _persons(counts: DayCounts, seen: Seen, bucket: Bucket) -> list[int]:
    """Persons of a trend's key in each bucket of a day."""
    if bucket is Bucket.DAY:
        return [persons_of(counts, seen.key_hash, seen.own_place)]
    low, high = np.searchsorted(counts.keys, [seen.key_hash, seen.key_hash + 1])
    rows = slice(int(low), int(high))
    mine = (counts.places[rows] == seen.own_place) & (counts.buckets[rows] != DAY_ONLY)
    nth = (counts.hours if bucket is Bucket.HOUR else counts.buckets)[rows][mine]
    return [int(n) for n in np.bincount(nth, counts.persons[rows][mine], minlength=len(_heard(counts, bucket)))]


def _rate(history: Sequence[Seen], times: Sequence[datetime], heard: Sequence[int]) -> float | None:
    """Persons expected of each KOL heard in a bucket; None where no window's counts are kept."""
    rates = []
    for seen in history:
        start, end = (datetime.fromisoformat(seen.working[name]) for name in ("window_start", "at"))
        exposure = sum(n for at, n in zip(times, heard, strict=True) if start <= at < end)
        if exposure:
            rates.append(seen.working["expected"] / exposure)
    return median(rates) if rates else None
