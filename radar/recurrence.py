"""Whether a rise comes every year: the same weeks of last year by the counts, or the season calendar before that."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa

from radar.markets import PLACE_CODES
from radar.store import counts
from radar.store.counts import KeyName
from radar.store.day_blob import DayCounts
from radar.store.engine import reading
from radar.trends.seasons import Season, compared, days_before, season_of

KEPT_DAYS = 64
ASKED_DAYS = 3
"""Days whose answers are kept: while a day is gone through, that one and the one before are asked for in turns."""
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Recurring:
    """What is known of last year, as a trend's working shows it.

    is_recurring  about as large as last year, or in season where last year is not known
    """

    is_recurring: bool
    shown: dict[str, Any]


class Recurrence:
    """Answers for the keys of one market, day by day; counts of last year's weeks are read when first asked for."""

    def __init__(self, engine: sa.Engine, model_id: str, market: str, first: date) -> None:
        self._engine, self._model_id, self._market, self._first = engine, model_id, market, first
        self._days: OrderedDict[date, DayCounts | None] = OrderedDict()
        self._names: dict[int, KeyName | None] = {}
        self._answers: dict[date, dict[tuple[int, int], Recurring | None]] = {}
        self._befores: dict[tuple[date, str | None], list[date]] = {}

    def learn_names(self, keys: Iterable[int]) -> None:
        """Look up what keys are called, so that they are not asked for one by one."""
        new = sorted({key for key in keys if key not in self._names})
        if new:
            with reading(self._engine) as session:
                found = counts.key_names(session, new)
            self._names |= {key: found.get(key) for key in new}

    def name(self, key: int) -> KeyName | None:
        """What a key is called."""
        if key not in self._names:
            self.learn_names([key])
        return self._names[key]

    def of(self, key: int, place: int, day: date) -> Recurring | None:
        """Whether a key about a place recurs on a local day; None where nothing is known of its seasons."""
        answers = self._answers.get(day)
        if answers is None:
            while len(self._answers) >= ASKED_DAYS:
                del self._answers[min(self._answers)]
            answers = self._answers[day] = {}
            self._befores.clear()
        if (key, place) not in answers:
            answers[key, place] = self._asked(key, place, day)
        return answers[key, place]

    def _asked(self, key: int, place: int, day: date) -> Recurring | None:
        name = self.name(key)
        season = season_of(name.text, PLACE_CODES.get(place), day) if name else None
        asked = day, season.id if season else None
        if (befores := self._befores.get(asked)) is None:
            known_since = self._first + timedelta(days=10)
            befores = self._befores[asked] = [b for b in days_before(day, season) if b >= known_since]
        if not befores:
            return self._by_calendar(season)
        observed, heard = self._sum(key, place, day - timedelta(days=6), day)
        tried = [(compared(observed, heard, self._weeks(key, place, before)), before) for before in befores]
        known = [(found, before) for found, before in tried if found is not None]
        if not known:
            return None
        found, before = max(known, key=lambda one: one[0].expected)
        shown = {
            "source": "last_year", "name": season.name if season else None, "around": before.isoformat(),
            "expected": found.expected, "ratio": found.ratio, "ratio_floor": found.ratio_floor,
        }  # fmt: skip
        return Recurring(found.is_recurring, shown)

    def _weeks(self, key: int, place: int, before: date) -> list[tuple[float, float]]:
        """Person-days of the week that ended on a day, of the one before it and of the one after."""
        ends = [before + k * WEEK for k in (-1, 0, 1)]
        return [self._sum(key, place, end - timedelta(days=6), end) for end in ends]

    def _by_calendar(self, season: Season | None) -> Recurring | None:
        if season is None:
            return None
        return Recurring(True, {"source": "calendar", "name": season.name, "ratio": None})

    def _sum(self, key: int, place: int, first: date, last: date) -> tuple[float, float]:
        """Person-days of the key and of the market on these local days."""
        persons = heard = 0.0
        for n in range((last - first).days + 1):
            found = self._counts(first + timedelta(days=n))
            if found is not None:
                low, high = np.searchsorted(found.keys, [key, key + 1])
                persons += float(found.persons[low:high][found.places[low:high] == place].sum())
                heard += found.day_persons
        return persons, heard

    def _counts(self, day: date) -> DayCounts | None:
        if day not in self._days:
            with reading(self._engine) as session:
                self._days[day] = counts.counted_days(session, self._model_id, self._market, day, day).get(day)
            while len(self._days) > KEPT_DAYS:
                self._days.popitem(last=False)
        else:
            self._days.move_to_end(day)
        return self._days[day]
