"""Followers over time, from what was observed on days."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

import numpy as np

GROWTH = timedelta(days=30)
LEAST_HISTORY = 14
"""Days of history below which growth is not told."""
BEFORE_STEP = timedelta(days=3)

History = Sequence[tuple[date, int]]
"""(day, followers) in order of days."""


def followers_on(history: History, day: date) -> int | None:
    """Followers as last seen on or before a day; before the first sight, the first.

    >>> followers_on([(date(2026, 5, 1), 10), (date(2026, 5, 3), 30)], date(2026, 5, 2))
    10
    """
    if not history:
        return None
    at = bisect_right(history, day, key=lambda seen: seen[0])
    return history[max(at - 1, 0)][1]


def growth(history: History, today: date) -> tuple[float | None, int]:
    """(relative growth over the last 30 days of the history, days it rests on); None below 14 days of history.

    With less than 30 days the growth seen is carried over to 30 in proportion. None too where followers were not seen
    for 30 days: whether they stood still is not known.

    >>> growth([(date(2026, 5, 1), 1000), (date(2026, 5, 31), 1100)], date(2026, 6, 2))
    (0.1, 30)
    """
    if len(history) < 2:
        return None, 0
    last_on, last = history[-1]
    if last_on < today - GROWTH:
        return None, 0
    start = max(last_on - GROWTH, history[0][0])
    days = (last_on - start).days
    first = followers_on(history, start)
    if days < LEAST_HISTORY or not first:
        return None, days
    return round((last / first - 1) * GROWTH.days / days, 4), days


def follower_step(history: History, strong: Sequence[date]) -> tuple[float | None, int]:
    """(the largest unexplained daily gain in robust deviations, days of gains). Source: radar.kol.signals.

    strong  days of posts in the account's own top tenth by engagement: a gain up to 3 days after one is explained
    """
    days = [(b - a).days for (a, _), (b, _) in pairwise(history)]
    gains = [(n - m) / d for ((_, m), (_, n)), d in zip(pairwise(history), days, strict=True)]
    if sum(days) < LEAST_HISTORY or len(gains) < LEAST_HISTORY // 2:
        return None, len(gains)
    centre = float(np.median(gains))
    spread = 1.4826 * float(np.median(np.abs(np.array(gains) - centre)))
    floor = max(spread, 0.0005 * history[-1][1], 1.0)  # a count that hardly moves has no deviations to speak of
    unexplained = [
        gain
        for gain, (day, _) in zip(gains, history[1:], strict=True)
        if not any(timedelta(0) <= day - post <= BEFORE_STEP for post in strong)
    ]
    return (round((max(unexplained) - centre) / floor, 2) if unexplained else None), len(gains)
