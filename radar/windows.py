"""Half-open spans of time and their buckets."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Bucket(StrEnum):
    """Lengths of the slices in which mentions are counted."""

    HOUR = "1h"
    DAY = "1d"

    @property
    def length(self) -> timedelta:
        return timedelta(hours=1) if self is Bucket.HOUR else timedelta(days=1)

    @property
    def windows(self) -> tuple[int, ...]:
        """Window lengths in buckets (design: 1 h {1, 3, 6, 24} for ranking, 1 d {1, 3, 7} for slow trends)."""
        return (1, 3, 6, 24) if self is Bucket.HOUR else (1, 3, 7)

    @property
    def season(self) -> int:
        """Slots of the weekly cycle."""
        return 168 if self is Bucket.HOUR else 7

    @property
    def half_life(self) -> float:
        """Half-life of the baseline in buckets: 7 days of hours, 60 days of days."""
        return 168.0 if self is Bucket.HOUR else 60.0

    @property
    def warm_up(self) -> int:
        """Buckets of history before anything is said: two days of hours; 28 days of days, four of each weekday."""
        return 48 if self is Bucket.HOUR else 28

    @property
    def young(self) -> int:
        """Buckets for which a trend is emerging."""
        return 6 if self is Bucket.HOUR else 3

    @property
    def old(self) -> int:
        """Buckets after which a trend that goes on is steady."""
        return 168 if self is Bucket.HOUR else 28


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
