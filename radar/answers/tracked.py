"""The keys of a market: every topic, hashtag, term, place and product that its people used in a window, with counts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from radar.answers.cursors import cursor_of, mark_of, place_in
from radar.answers.names import KINDS, UnknownFilter, key_shown
from radar.answers.ordering import one_order
from radar.answers.question import parse_window
from radar.answers.standing import counted
from radar.errors import CallerError
from radar.keys import Kind, key_number, kinds_of
from radar.markets import PLACE_NUMBERS, Market, market
from radar.store.counts import counted_days, key_names, known_keys
from radar.store.day_blob import DayCounts
from radar.store.engine import world_of

SORTS = ("persons", "posts", "engagement", "days")
MOST = 1_000
LONGEST = timedelta(days=60)
Numbers = npt.NDArray[Any]


class _Sums(NamedTuple):
    """Of each key over the days: person-days, posts, engagement, days on which it was used."""

    keys: npt.NDArray[np.int64]
    persons: Numbers
    posts: Numbers
    engagement: Numbers
    days: Numbers


def keys(
    session: Session,
    *,
    market_code: str,
    kind: str | None = None,
    key: str | None = None,
    place: str | None = None,
    persons: int = 1,
    window: str | None = None,
    as_of: datetime | None = None,
    sort: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> dict[str, Any]:
    """A page of a market's keys.

    kind     one of KINDS;    key  one text only, of whatever kind;    place  a place market they were used about
    persons  person-days from which a key is listed
    window   whole local days up to 60d that end with as_of, 7d if left out
    sort     one of SORTS, `-` before it for descending; -persons if left out

    Raises UnknownName, Gone and CallerError.
    """
    about = market(market_code)
    column, descending = one_order(sort, SORTS, "-persons")
    if not 1 <= limit <= MOST:
        raise CallerError(f"limit: {limit} is not from 1 to {MOST}.", "Take pages by `next`.")
    only, number = kind_named(kind) if kind else None, place_number(place)
    length = parse_window(window or "7d")
    if not timedelta(days=1) <= length <= LONGEST:
        raise CallerError(f"window: '{(window or '')[:40]}' is not from 1d to {LONGEST.days}d.", "Ask for 7d or 28d.")
    known = counted(session, about, as_of)
    days = round(length / timedelta(days=1))
    found: list[DayCounts] = []
    if known.last is not None:
        first = known.last - timedelta(days=days - 1)
        found = list(counted_days(session, known.model_id, about.code, first, known.last).values())
    sums = _wanted(_sums(found, number), only, key, persons)
    values = getattr(sums, column)
    order = np.lexsort((sums.keys, -values if descending else values))
    mark = mark_of("keys", about.code, kind, key, number, persons, days, known.last, column, descending)
    begin = _after(cursor, mark, values[order], sums.keys[order], descending) if cursor else 0
    page, begin = _named(session, sums, order, begin, limit)
    more, last = begin < len(order), order[begin - 1] if begin else 0
    heard = sum(counts.day_persons for counts in found)
    return {
        "items": _lines(session, about, sums, page, heard, number),
        "next": cursor_of(mark, float(values[last]), int(sums.keys[last])) if more else None,
        "total": len(order),
        "market": about.code,
        "place": place and place.upper(),
        "days": len(found),
        "last_day": known.last,
        "heard": heard,
        "model_id": known.model_id,
        "simulated": world_of(session) == "simulated",
    }


def kind_named(text: str) -> Kind:
    """A kind of keys. Raises UnknownFilter."""
    if text.lower() not in KINDS:
        raise UnknownFilter("kind", text[:60], list(KINDS))
    return Kind[text.upper()]


def place_number(text: str | None) -> int:
    """The number of a place market, 0 for all. Raises UnknownFilter."""
    if not text:
        return 0
    if text.upper() not in PLACE_NUMBERS:
        raise UnknownFilter("place", text[:60], list(PLACE_NUMBERS))
    return PLACE_NUMBERS[text.upper()]


def _sums(found: Sequence[DayCounts], place: int) -> _Sums:
    """Sums over the days, of mentions about a place market."""
    rows = [(day.keys[mine], day.persons[mine], day.posts[mine], day.engagement[mine])
            for day in found if (mine := day.places == place).any()]  # fmt: skip
    if not rows:
        return _Sums(np.zeros(0, np.int64), *(np.zeros(0) for _ in range(4)))
    unique, at = np.unique(np.concatenate([row[0] for row in rows]), return_inverse=True)
    persons, posts, engagement = (
        np.bincount(at, np.concatenate([row[n] for row in rows]).astype(np.float64), len(unique)) for n in (1, 2, 3)
    )
    used = np.bincount(np.searchsorted(unique, np.concatenate([np.unique(row[0]) for row in rows])))
    return _Sums(unique, persons, posts, engagement, used.astype(np.float64))


def _wanted(sums: _Sums, kind: Kind | None, key: str | None, persons: int) -> _Sums:
    kept = sums.persons >= persons
    if kind is not None:
        kept &= kinds_of(sums.keys) == int(kind)
    if key:
        text = key.strip().removeprefix("#") or key
        kept &= np.isin(sums.keys, [key_number(kind, name) for kind in Kind for name in {key.strip(), text}])
    keys, *told = (column[kept] for column in sums)
    return _Sums(keys, *told)


def _after(cursor: str, mark: str, values: Numbers, numbers: npt.NDArray[np.int64], descending: bool) -> int:
    """How many come before the page after a cursor."""
    value, key = place_in(mark, cursor, (float, int))
    sign = -1 if descending else 1
    before = (sign * values < sign * value) | ((values == value) & (numbers <= key))
    return int(before.sum())


def _named(session: Session, sums: _Sums, order: Any, begin: int, limit: int) -> tuple[list[int], int]:
    """The next keys whose name is kept, and how far they reach: of words that never were a series only a hash is."""
    page: list[int] = []
    while begin < len(order) and len(page) < limit:
        some = order[begin : begin + limit - len(page)]
        known = known_keys(session, [int(sums.keys[i]) for i in some])
        page += [int(i) for i in some if int(sums.keys[i]) in known]
        begin += len(some)
    return page, begin


def _lines(session: Session, about: Market, sums: _Sums, page: Any, heard: int, place: int) -> list[dict[str, Any]]:
    names = key_names(session, [int(number) for number in sums.keys[page]])
    language = about.languages[0]
    code = next((code for code, number in PLACE_NUMBERS.items() if number == place), None) if place else None
    lines = []
    for i in page:
        shown = key_shown(names.get(int(sums.keys[i])), language)
        lines.append(
            {
                "name": shown["name"], "key": {part: shown[part] for part in ("text", "kind", "gloss")},
                "market": about.code, "place_market": code, "persons": int(sums.persons[i]),
                "posts": int(sums.posts[i]), "engagement": round(float(sums.engagement[i])),
                "days": int(sums.days[i]), "share": round(float(sums.persons[i]) / heard, 5) if heard else None,
            }
        )  # fmt: skip
    return lines
