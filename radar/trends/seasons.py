"""The season calendar: what comes every year, so that a yearly peak is not called a surprise.

The calendar is data (seasons.toml beside this module): words in the languages of the markets, and days that are fixed
or follow a public holiday. It answers only where there is less than a year of history; with a year, the same weeks of
last year answer (`compared`).
"""

import tomllib
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from radar.trends.stages import LIFT_ON
from radar.trends.tail import lift, lift_floor

FEWEST_LAST_YEAR = 5.0
"""Persons in last year's weeks from which they say anything."""
PHI = 1.3
YEAR = timedelta(weeks=52)


@dataclass(frozen=True, slots=True)
class Season:
    """A time of year.

    first, last  (month, day) of fixed days, or None;    holiday  (country, name), days before and after it
    places       codes of place markets it belongs to; empty: any
    """

    id: str
    name: str
    words: tuple[str, ...]
    places: frozenset[str]
    first: tuple[int, int] | None
    last: tuple[int, int] | None
    holiday: tuple[str, str] | None
    before: int
    after: int

    def holds(self, day: date) -> bool:
        """Whether a local day lies in it.

        >>> calendar()["year_end"].holds(date(2026, 1, 2)), calendar()["sakura"].holds(date(2026, 8, 1))
        (True, False)
        """
        if self.holiday is not None:
            moved = (
                at
                for year in (day.year - 1, day.year, day.year + 1)
                for at in _days_of(*self.holiday, year)
                if at - timedelta(days=self.before) <= day <= at + timedelta(days=self.after)
            )
            return any(moved)
        first, last, today = self.first or (1, 1), self.last or (12, 31), (day.month, day.day)
        return first <= today <= last if first <= last else today >= first or today <= last

    def year_before(self, day: date) -> date:
        """The day of last year's season that answers to a day: as far from the holiday, else 52 weeks before.

        >>> calendar()["lunar_new_year"].year_before(date(2026, 2, 17))
        datetime.date(2025, 1, 29)
        """
        if self.holiday is not None:
            known = [at for year in range(day.year - 2, day.year + 2) for at in _days_of(*self.holiday, year)]
            this = min(known, key=lambda at: abs(at - day))
            return max(at for at in known if at < this) + (day - this)
        return day - YEAR


@cache
def calendar() -> dict[str, Season]:
    """All seasons by id."""
    data = tomllib.loads((Path(__file__).parent / "seasons.toml").read_text(encoding="utf-8"))
    return {item["id"]: _season(item) for item in data["season"]}


def _season(item: dict[str, Any]) -> Season:
    first, last = (_month_day(item.get(name)) for name in ("from", "to"))
    country_and_name = item.get("holiday")
    return Season(
        item["id"], item["name"], tuple(word.lower() for word in item["words"]), frozenset(item.get("places", ())),
        first, last, (country_and_name[0], country_and_name[1]) if country_and_name else None,
        item.get("before", 0), item.get("after", 0),
    )  # fmt: skip


def _month_day(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    month, day = text.split("-")
    return int(month), int(day)


@cache
def _days_of(country: str, name: str, year: int) -> tuple[date, ...]:
    """The day of a public holiday in a year; its observed twins follow within the week and add nothing."""
    import holidays  # takes a fifth of a second, and is seldom asked

    found = holidays.country_holidays(country, years=year, language="en_US")
    return tuple(sorted(at for at, said in found.items() if name in said))[:1]


def days_before(day: date, season: Season | None = None) -> list[date]:
    """The days of last year that a day answers to: of a key's season, else 52 weeks before; and around moving holidays.

    Many words belong to a holiday that no calendar lists them under: while a moving one is near, what was said at the
    same distance to it last year is as fair a comparison as the same week.

    >>> [day.isoformat() for day in days_before(date(2026, 2, 17))]
    ['2025-02-18', '2025-01-29']
    """
    first = season.year_before(day) if season else day - YEAR
    moving = [other.year_before(day) for other in _held(day) if other.holiday is not None]
    return list(dict.fromkeys([first, *moving]))


@lru_cache(512)
def _held(day: date) -> tuple[Season, ...]:
    """The seasons that a day lies in."""
    return tuple(season for season in calendar().values() if season.holds(day))


def season_of(text: str, place: str | None, day: date) -> Season | None:
    """The season that a key's text belongs to on a local day, about a place market (None: unknown).

    Latin words match whole words, others anywhere.

    >>> season_of("京都賞楓", "JP", date(2026, 11, 20)).id, season_of("taskiller", None, date(2026, 1, 2))
    ('autumn_leaves', None)
    """
    named = _named(text)
    if not named:
        return None
    right = (s for s in named if not (s.places and place is not None and place not in s.places))
    return next((season for season in right if season in _held(day)), None)


@lru_cache(65_536)
def _named(text: str) -> tuple[Season, ...]:
    """The seasons that have a word in a text."""
    said = f" {text.lower()} "
    return tuple(
        season
        for season in calendar().values()
        if any((f" {word} " if word.isascii() else word) in said for word in season.words)
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """This year's week beside the same weeks of last year: what was expected by them, and by how much it was passed."""

    expected: float
    ratio: float
    ratio_floor: float

    @property
    def is_recurring(self) -> bool:
        """Whether it is about as large as last year: a rise by half, surely, is a trend again."""
        return self.ratio < LIFT_ON or self.ratio_floor < 1.0


def compared(observed: float, heard: float, last_year: list[tuple[float, float]]) -> Compared | None:
    """A week against the busiest of the same ISO week of last year, the one before and the one after.

    observed, heard  person-days of the key and of the market in the last seven days
    last_year        the same of each of those weeks; a season moves by some days from year to year

    None where last year's weeks hold fewer than five persons: they say nothing.

    >>> compared(40, 1000, [(10, 900), (38, 950), (5, 980)]).is_recurring, compared(90, 1000, [(40, 950)]).is_recurring
    (True, False)
    """
    weeks = [(y, n) for y, n in last_year if n > 0]
    if not weeks or heard <= 0:
        return None
    y, n = max(weeks, key=lambda week: week[0] / week[1])
    if y < FEWEST_LAST_YEAR:
        return None
    expected = heard * y / n
    ratio = float(lift(observed, expected, PHI))
    return Compared(round(expected, 2), round(ratio, 2), round(float(lift_floor(observed, expected, PHI)), 2))
