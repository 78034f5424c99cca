"""Which audience talks about which place, or topic: every market beside every other, from the counts of days."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy.orm import Session

from radar.answers.listing import ranked
from radar.answers.names import UnknownFilter, place_name, taxonomy, topic_names
from radar.answers.question import ask, parse_window
from radar.answers.standing import Standing, standing
from radar.errors import CallerError
from radar.keys import Kind, key_number
from radar.markets import MARKETS, PLACE_CODES, PLACE_NUMBERS, local_day
from radar.store.answers import Seen
from radar.store.counts import counted_days
from radar.store.day_blob import DayCounts
from radar.store.engine import world_of
from radar.text.gazetteer import places

USUAL_DAYS = 28
"""Days before the window that it is compared with."""
FEWEST = 10
"""Mentions under which no change is told."""
LONGEST = timedelta(days=35)
Numbers = npt.NDArray[np.float64]


class Row(NamedTuple):
    """A place, topic or product: its id, its name in English, the number of its key."""

    id: str
    name: str
    key: int


def matrix(
    session: Session, *, by: str = "place", place: str | None = None, window: str | None = None
) -> dict[str, Any]:
    """Of the KOLs heard on a day in each market, the share that mentions each place (or topic), against its usual.

    by      place or topic;    place  a country: its prefectures, cities and points instead of countries
    window  whole local days up to 35d, 7d if left out

    Raises UnknownName and CallerError.
    """
    rows = place_rows(place) if by == "place" else topic_rows()
    asked = window or "7d"
    length = parse_window(asked)
    if length < timedelta(days=1) or length > LONGEST:
        raise CallerError(f"window: '{asked[:40]}' is not from 1d to {LONGEST.days}d.", "Ask for 7d or 28d.")
    cells: dict[str, list[dict[str, Any]]] = {row.id: [] for row in rows}
    heard: dict[str, float] = {}
    for code in MARKETS:
        stand = standing(session, MARKETS[code])
        found = _read(session, stand, rows, round(length / timedelta(days=1)))
        trends = _trends(session, stand, asked, by, [row.id for row in rows])
        heard[code] = round(found.heard / max(found.days, 1), 1)
        for n, row in enumerate(rows):
            cells[row.id].append({"market": code} | found.cell(n) | {"trends": trends.get(row.id, 0)})
    items: list[dict[str, Any]] = [{"id": row.id, "name": row.name, "cells": cells[row.id]} for row in rows]
    if place:
        items = [item for item in items if any(cell["persons_a_day"] or cell["trends"] for cell in item["cells"])]
    items.sort(key=lambda item: -sum(cell["share"] or 0.0 for cell in item["cells"]))
    simulated = world_of(session) == "simulated"
    return {
        "items": items, "next": None, "by": by, "place": place and place.upper(), "window": asked, "heard": heard,
        "simulated": simulated,
    }  # fmt: skip


def place_rows(country: str | None) -> list[Row]:
    """Countries, or the places inside one. Raises UnknownFilter."""
    if not country:
        return [Row(code, place_name(code), key_number(Kind.PLACE, code)) for code in PLACE_NUMBERS]
    code = country.upper()
    if code not in PLACE_NUMBERS:
        raise UnknownFilter("place", country[:60], list(PLACE_NUMBERS))
    inside = [p for p in places().values() if p.country == code and p.code != code]
    return [Row(p.code, place_name(p.code), key_number(Kind.PLACE, p.code)) for p in inside]


def topic_rows() -> list[Row]:
    """The topics."""
    names = topic_names()
    return [Row(t.id, names[t.id].get("en", t.id), key_number(Kind.TOPIC, t.id)) for t in taxonomy().topics]


class Sums(NamedTuple):
    """Sums over the days of a window and of those before it: KOLs by row, and KOLs heard."""

    days: int
    persons: Numbers
    heard: float
    usual: Numbers
    usual_heard: float

    @classmethod
    def of(cls, found: Mapping[date, DayCounts], rows: Sequence[Row], begins: date, place: int = 0) -> "Sums":
        """Of counted days, those from `begins` on being the window.

        place  number of a place market: only what was said about it;  0  wherever
        """
        keys = np.array([row.key for row in rows], np.int64)
        now, before = np.zeros(len(rows)), np.zeros(len(rows))
        days, heard, usual_heard = 0, 0.0, 0.0
        for day, counts in found.items():
            if day >= begins:
                now += _persons(counts, keys, place)
                heard += counts.day_persons
                days += 1
            else:
                before += _persons(counts, keys, place)
                usual_heard += counts.day_persons
        return cls(days, now, heard, before, usual_heard)

    def cell(self, n: int) -> dict[str, Any]:
        """What a cell of the matrix says."""
        share = float(self.persons[n]) / self.heard if self.heard else None
        usual = float(self.usual[n]) / self.usual_heard if self.usual_heard else None
        enough = self.persons[n] + self.usual[n] >= FEWEST
        return {
            "persons_a_day": round(float(self.persons[n]) / max(self.days, 1), 2),
            "share": None if share is None else round(share, 5),
            "usual_share": None if usual is None else round(usual, 5),
            "change": round(share / usual, 3) if enough and share is not None and usual else None,
        }


def _read(session: Session, stand: Standing, rows: Sequence[Row], length: int) -> Sums:
    """The newest days of a market, against those before."""
    if stand.latest is None:
        return Sums.of({}, rows, date.min)
    last = local_day(stand.latest - timedelta(microseconds=1), stand.market.tz)
    begins = last - timedelta(days=length - 1)
    first = begins - timedelta(days=USUAL_DAYS)
    return Sums.of(counted_days(session, stand.model_id, stand.market.code, first, last), rows, begins)


def _persons(counts: DayCounts, keys: npt.NDArray[np.int64], place: int) -> Numbers:
    """Persons of each key on a day, about a place market (0: whatever place)."""
    there = counts.places == place
    held, persons = counts.keys[there], counts.persons[there].astype(np.float64)
    sums = np.concatenate([[0.0], np.cumsum(persons)])
    return np.asarray(sums[np.searchsorted(held, keys, side="right")] - sums[np.searchsorted(held, keys)])


def _trends(session: Session, stand: Standing, window: str, by: str, ids: Sequence[str]) -> dict[str, int]:
    """How many trends of the window are about each row."""
    if stand.status != "ok":
        return {}
    lines = ranked(session, ask(market_code=stand.market.code, window=window, scope="all"), stand)
    numbers = {key_number(Kind.PLACE, id): id for id in ids} if by == "place" else {}
    counted: dict[str, int] = {}
    for line in lines:
        for id in _rows_of(line.seen, by, numbers):
            counted[id] = counted.get(id, 0) + 1
    return counted


def _rows_of(seen: Seen, by: str, numbers: dict[int, str]) -> set[str]:
    if by == "topic":
        return {seen.topic_id} if seen.topic_id else set()
    keys = {seen.key_hash} | {variant["key"] for variant in seen.working["variants"]}
    found = {numbers[key] for key in keys if key in numbers}
    country = PLACE_CODES.get(seen.place)
    return found | ({country} if country in numbers.values() and country else set())
