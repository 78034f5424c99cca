"""One key's counts through time, with what its own past made us expect in each bucket."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy.orm import Session

from radar.answers.names import UnknownFilter, key_shown, taxonomy
from radar.answers.question import parse_window
from radar.answers.standing import counted
from radar.answers.tracked import kind_named, place_number
from radar.errors import CallerError
from radar.keys import Kind, key_number
from radar.markets import PLACE_NUMBERS, Market, day_start, local_day, market
from radar.store.counts import counted_days, key_names
from radar.store.day_blob import DAY_ONLY, DayCounts
from radar.store.engine import world_of
from radar.text.gazetteer import places, products
from radar.trends import SeriesState, usual_range
from radar.windows import Bucket

BUCKETS = tuple(bucket.value for bucket in Bucket)
_USUAL = {Bucket.QUARTER: "2d", Bucket.HOUR: "7d", Bucket.DAY: "56d"}
_LONGEST = {Bucket.QUARTER: 7, Bucket.HOUR: 31, Bucket.DAY: 400}
_LEAD_IN = {Bucket.QUARTER: 14, Bucket.HOUR: 28, Bucket.DAY: 120}
"""Days before the window that the baseline is learnt from."""


class _Slice(NamedTuple):
    """A bucket of a day: what the key and all keys together had in it."""

    start: datetime
    persons: int
    posts: int
    engagement: float
    everything: int
    heard: int


def series(
    session: Session,
    *,
    market_code: str,
    kind: str,
    key: str,
    place: str | None = None,
    bucket: str | None = None,
    window: str | None = None,
    as_of: datetime | None = None,
) -> dict[str, Any]:
    """Counts of a key by bucket, beside the baseline as it was before each.

    kind, key  of KINDS, and the text as counted;    place  a place market it was used about
    bucket     1d if left out;    window  how far back from as_of: 2d, 7d or 56d by the bucket; at most 7, 31 or 400

    Days of which nothing is known in so short buckets (old ones, which are kept by the day; those of sources that tell
    days alone) are left out: `days_left_out` says how many of the window.

    expected is one bucket ahead: of the KOLs heard in it, by the key's decayed rate and the market's week; null while
    there is too little past. Raises UnknownName, Gone and CallerError.
    """
    about, number = market(market_code), place_number(place)
    told = kind_named(kind)
    _check_key(told, key)
    if bucket and bucket not in BUCKETS:
        raise UnknownFilter("bucket", bucket[:40], list(BUCKETS))
    size = Bucket(bucket or Bucket.DAY)
    length = parse_window(window or _USUAL[size])
    if length > timedelta(days=_LONGEST[size]):
        raise CallerError(f"window: more than {_LONGEST[size]}d in buckets of {size.value}.", "Ask for less.")
    hash_ = key_number(told, key)
    known = counted(session, about, as_of)
    points: list[dict[str, Any]] = []
    left_out = 0
    since = known.until - length if known.until else None
    if known.last is not None and known.until is not None and since is not None:
        first = local_day(since, about.tz)
        days = counted_days(session, known.model_id, about.code, first - timedelta(days=_LEAD_IN[size]), known.last)
        left_out = sum(day >= first and not counts.knows(size) for day, counts in days.items())
        points = _points(_slices(days, about, size, hash_, number, known.until), size, about, since)
    shown = key_shown(key_names(session, [hash_]).get(hash_), about.languages[0])
    is_named = bool(shown["text"])
    return {
        "items": points,
        "next": None,
        "name": shown["name"] if is_named else key,
        "key": {"text": key, "kind": told.name.lower(), "gloss": shown["gloss"] if is_named else None},
        "market": about.code,
        "place": next((code for code, n in PLACE_NUMBERS.items() if n == number), None) if number else None,
        "bucket": size.value,
        "days_left_out": left_out,
        "window": {"start": since, "end": known.until} if since and known.until else None,
        "as_of": known.until,
        "model_id": known.model_id,
        "simulated": world_of(session) == "simulated",
    }


def _check_key(kind: Kind, key: str) -> None:
    """A topic, place or product must be one of ours; a word or hashtag may be any."""
    known = {Kind.TOPIC: taxonomy().ids, Kind.PLACE: [*PLACE_NUMBERS, *places()], Kind.PRODUCT: list(products())}
    if kind in known and key not in known[kind]:
        raise UnknownFilter(kind.name.lower(), key[:60], list(known[kind]))
    if not key.strip():
        raise CallerError("key: it is empty.", "Name one, as of /v1/markets/{market}/keys.")


def _slices(
    days: Mapping[date, DayCounts], about: Market, size: Bucket, key: int, place: int, until: datetime
) -> Iterator[_Slice]:
    """Every closed bucket of the counted days of which anything is known by the bucket, in order."""
    for day, counts in days.items():
        if not counts.knows(size):
            continue
        starts = size.starts(day, about.tz)
        end = day_start(day + timedelta(days=1), about.tz)
        about_place = counts.places == place
        low, high = np.searchsorted(counts.keys, [key, key + 1])
        mine = np.zeros(len(counts.keys), bool)
        mine[low:high] = about_place[low:high]
        if size is Bucket.DAY:
            nth = np.zeros(len(counts.keys), np.int64)
            heard = [counts.day_persons]
        else:
            nth = (counts.hours if size is Bucket.HOUR else counts.buckets).astype(np.int64)
            mine, about_place = mine & (counts.buckets != DAY_ONLY), about_place & (counts.buckets != DAY_ONLY)
            heard = [int(n) for n in (counts.by_hour if size is Bucket.HOUR else counts.by_quarter)]
        n = len(starts)
        sums = [
            np.bincount(nth[rows], column[rows], n)
            for rows, column in (
                (mine, counts.persons), (mine, counts.posts), (mine, counts.engagement), (about_place, counts.persons)
            )
        ]  # fmt: skip
        for i, start in enumerate(starts):
            if (starts[i + 1] if i + 1 < n else end) <= until:
                persons, posts, engagement, everything = (float(column[i]) for column in sums)
                yield _Slice(start, int(persons), int(posts), engagement, int(everything), heard[i])


def _points(slices: Iterator[_Slice], size: Bucket, about: Market, since: datetime) -> list[dict[str, Any]]:
    """Learn bucket by bucket, and tell of those since a moment what was expected before each."""
    state = SeriesState(size.windows, size.season, size.half_life, size.warm_up)
    state.add([0, 1])  # the key; and all keys together, from which the market's week is learnt
    points = []
    for one in slices:
        slot = size.slot(one.start, about.tz)
        if one.start >= since:
            expected = low = high = None
            if state.ready and one.heard:
                expected = float(state.expected_next(slot, float(one.heard))[0])
                lows, highs = usual_range([expected], max(float(state.phi[0]), 1.0))
                low, high = int(lows[0]), int(highs[0])
            points.append(
                {
                    "start": one.start, "persons": one.persons, "posts": one.posts,
                    "engagement": round(one.engagement), "heard": one.heard,
                    "expected": None if expected is None else round(expected, 3), "low": low, "high": high,
                }
            )  # fmt: skip
        state.advance([one.persons, one.everything], float(one.heard), slot)
    return points
