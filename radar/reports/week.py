"""ISO weeks as a market's local days: Monday to Sunday of its one time zone."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from radar.errors import CallerError
from radar.markets import Market, day_start, local_day

_WEEK = timedelta(days=7)


class NoSuchWeek(CallerError):
    """A week that no report can be made of."""

    slug = "no-such-week"


class WeekNotThere(NoSuchWeek):
    """A week that is no mistake of form, and of which nothing is stored (yet)."""

    status = 404
    slug = "week-not-there"


@dataclass(frozen=True, slots=True)
class Week:
    """An ISO week of a market: its name as 2026-W47, its local days, and the instants [start, end) they span."""

    name: str
    first: date
    last: date
    start: datetime
    end: datetime

    @classmethod
    def of(cls, monday: date, about: Market) -> "Week":
        """The week that begins on a Monday."""
        year, number, _ = monday.isocalendar()
        after = monday + _WEEK
        return cls(
            f"{year}-W{number:02d}", monday, after - timedelta(days=1), day_start(monday, about.tz),
            day_start(after, about.tz),
        )  # fmt: skip


def last_complete(about: Market, now: datetime) -> Week:
    """The last week that is over in a market.

    >>> from datetime import UTC
    >>> from radar.markets import MARKETS
    >>> last_complete(MARKETS["TW"], datetime(2026, 11, 22, 16, tzinfo=UTC)).name  # Monday has begun in Taipei
    '2026-W47'
    >>> last_complete(MARKETS["US"], datetime(2026, 11, 22, 16, tzinfo=UTC)).name
    '2026-W46'
    """
    today = local_day(now, about.tz)
    return Week.of(today - timedelta(days=today.weekday()) - _WEEK, about)


def last_weeks(about: Market, now: datetime, count: int) -> list[Week]:
    """So many complete weeks, the newest first."""
    newest = last_complete(about, now).first
    return [Week.of(newest - n * _WEEK, about) for n in range(count)]


def parse_week(text: str | None, about: Market, now: datetime) -> Week:
    """A week by its name, the last complete one where none is named.

    Raises NoSuchWeek for what is no week, WeekNotThere for one that is not over.

    >>> from datetime import UTC
    >>> from radar.markets import MARKETS
    >>> found = parse_week("2026-w01", MARKETS["JP"], datetime(2026, 11, 27, tzinfo=UTC))
    >>> found.name, found.first.isoformat(), found.start.isoformat()
    ('2026-W01', '2025-12-29', '2025-12-28T15:00:00+00:00')
    """
    newest = last_complete(about, now)
    if not text:
        return newest
    found = re.fullmatch(r"([0-9]{4})-?[Ww]([0-9]{1,2})", text.strip())
    try:
        if found is None:
            raise ValueError
        week = Week.of(date.fromisocalendar(int(found[1]), int(found[2]), 1), about)
    except (ValueError, OverflowError):
        hint = f"Ask for a year and an ISO week, as {newest.name}, or leave the week out for the last complete one."
        raise NoSuchWeek(f"week: '{text[:40]}' is no ISO week.", hint) from None
    if week.first > newest.first:
        raise WeekNotThere(
            f"{week.name} is not over in {about.name}: it ends with {week.last} ({about.zone}).",
            f"Ask for {newest.name}, the last complete week.",
        )
    return week
