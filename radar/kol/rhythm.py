"""When an account posts."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from radar.kol.measures import Rhythm


def rhythm(times: Sequence[datetime], zone: ZoneInfo) -> Rhythm:
    """Posts by local hour and weekday, the median gap between them, and days with any; times in order.

    >>> from datetime import UTC
    >>> rhythm([datetime(2026, 5, 4, h, tzinfo=UTC) for h in (1, 3, 7)], ZoneInfo("UTC")).gap_hours
    3.0
    """
    local = [at.astimezone(zone) for at in times]
    hours, weekdays = Counter(at.hour for at in local), Counter(at.weekday() for at in local)
    gaps = np.diff([at.timestamp() for at in times]) / 3600
    return Rhythm(
        tuple(hours.get(h, 0) for h in range(24)),
        tuple(weekdays.get(d, 0) for d in range(7)),
        round(float(np.median(gaps)), 2) if len(times) >= 3 else None,
        len({at.date() for at in local}),
    )


def posting_burst(times: Sequence[datetime], zone: ZoneInfo) -> float | None:
    """Most posts on a local day / median posts on a day with any; None below five such days."""
    by_day = Counter(at.astimezone(zone).date() for at in times)
    if len(by_day) < 5:
        return None
    return round(max(by_day.values()) / float(np.median(list(by_day.values()))), 3)
