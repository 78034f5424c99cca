"""Half-open spans of time and their buckets."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from radar.markets import day_start


class Bucket(StrEnum):
    """Lengths of the slices in which mentions are counted: 15 min for alerts, 1 h for ranking, 1 d for slow trends."""

    QUARTER = "15m"
    HOUR = "1h"
    DAY = "1d"

    @property
    def length(self) -> timedelta:
        return _FACTS[self].length

    @property
    def windows(self) -> tuple[int, ...]:
        """Window lengths in buckets."""
        return _FACTS[self].windows

    @property
    def season(self) -> int:
        """Slots of the weekly cycle; a quarter shares its hour's."""
        return 7 if self is Bucket.DAY else 168

    @property
    def half_life(self) -> float:
        """Half-life of the baseline in buckets: 7 days of quarters and hours, 60 days of days."""
        return _FACTS[self].half_life

    @property
    def warm_up(self) -> int:
        """Buckets of history before anything is said: two days of quarters and hours; 28 days, four of each weekday."""
        return _FACTS[self].warm_up

    @property
    def young(self) -> int:
        """Buckets for which a trend is emerging."""
        return _FACTS[self].young

    @property
    def old(self) -> int:
        """Buckets after which a trend that goes on is steady."""
        return _FACTS[self].old

    def starts(self, day: date, zone: ZoneInfo) -> list[datetime]:
        """The starts of a local day's buckets in UTC.

        >>> len(Bucket.QUARTER.starts(date(2026, 3, 8), ZoneInfo("America/New_York")))
        92
        """
        start, end = day_start(day, zone), day_start(day + timedelta(days=1), zone)
        count = 1 if self is Bucket.DAY else int((end - start) / self.length)
        return [start + n * self.length for n in range(count)]

    def slot(self, start: datetime, zone: ZoneInfo) -> int:
        """The slot of the weekly cycle that a bucket which begins at `start` belongs to."""
        local = start.astimezone(zone)
        return local.weekday() if self is Bucket.DAY else local.weekday() * 24 + local.hour


@dataclass(frozen=True, slots=True)
class _Facts:
    length: timedelta
    windows: tuple[int, ...]
    half_life: float
    warm_up: int
    young: int
    old: int


_FACTS = {
    Bucket.QUARTER: _Facts(timedelta(minutes=15), (1, 4, 12), 672.0, 192, 8, 672),
    Bucket.HOUR: _Facts(timedelta(hours=1), (1, 3, 6, 24), 168.0, 48, 6, 168),
    Bucket.DAY: _Facts(timedelta(days=1), (1, 3, 7), 60.0, 28, 3, 28),
}

RANKED = (Bucket.HOUR, Bucket.DAY)
"""What lists hold unless they are asked for another: quarters are for alerts, and are kept for some weeks only."""


@dataclass(frozen=True, slots=True)
class Window:
    """Time in [start, end), both aware and UTC."""

    start: datetime
    end: datetime

    @classmethod
    def ending(cls, end: datetime, length: timedelta) -> "Window":
        """The window of that length which ends at `end`.

        >>> from datetime import UTC
        >>> Window.ending(datetime(2026, 1, 2, tzinfo=UTC), timedelta(days=1)).start.isoformat()
        '2026-01-01T00:00:00+00:00'
        """
        return cls(end - length, end)
