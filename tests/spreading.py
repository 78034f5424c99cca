"""Worlds of trends that spread among markets, of different kinds, for testing what says where they go (simulated)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

START = pd.Timestamp("2025-01-01", tz="UTC")


def names(n: int) -> list[str]:
    """Market names."""
    return [f"M{i:02d}" for i in range(n)]


def cascade(
    trends: int = 3000,
    markets: int = 9,
    days: float = 120,
    seed: int = 0,
    reach: float = 0.06,
    *,
    optional: bool = True,
) -> pd.DataFrame:
    """Trends of heavy-tailed size that pass from market to market: as on a network where each infects others.

    Size is seen only with noise, as `volume`. Markets wake at different hours, have regions that share a script, and
    the last one is never reached from elsewhere.
    """
    rng = np.random.default_rng(seed)
    region = np.arange(markets) % 3
    scripts = np.array(["latin", "kana", "hangul"])
    close = np.where(region[:, None] == region, 3.0, 0.5) * rng.lognormal(0, 0.8, (markets, markets))
    close[:, -1] = 0
    lag = rng.lognormal(-0.3, 0.8, (markets, markets))  # days
    wake = rng.uniform(0, 24, markets)
    weight = rng.dirichlet(np.full(markets, 1.5))
    rows: list[tuple[str, str, float, float, str]] = []
    for n in range(trends):
        size = np.exp(rng.normal(0, 1.2))
        origin = int(rng.choice(markets, p=weight))
        script = scripts[region[origin]] if rng.random() < 0.8 else "latin"
        at = np.full(markets, np.inf)
        at[origin] = rng.uniform(0, days)
        queue = [origin]
        while queue:
            i = queue.pop(int(np.argmin([at[q] for q in queue])))
            fit = np.where(scripts[region] == script, 1.5, 0.6)
            goes = rng.random(markets) < 1 - np.exp(-reach * size * close[i] * fit)
            for j in np.flatnonzero(goes):
                when = at[i] + lag[i, j] * rng.gamma(1.5, 0.7)
                when += _asleep(when, wake[j])
                if when < at[j]:
                    if not np.isfinite(at[j]):
                        queue.append(int(j))
                    at[j] = when
        for j in np.flatnonzero(at <= days):
            rows.append((f"t{n}", names(markets)[j], at[j], 1000 * size * np.exp(rng.normal(0, 0.7)), script))
    return _frame(rows, optional)


def _asleep(day: float, wake: float) -> float:
    """Days until a market is awake, 16 hours from `wake` on."""
    hour = (day * 24 - wake) % 24
    return (24 - hour) / 24 if hour > 16 else 0.0


def chains(
    trends: int = 600, seed: int = 0, days: float = 300, leads: Sequence[float] = (0, 30, 50, 76)
) -> pd.DataFrame:
    """Trends that follow one order of markets with known lags (hours); half of them stay where they begin."""
    rng = np.random.default_rng(seed)
    rows = []
    for n in range(trends):
        at, spreads = rng.uniform(0, days), rng.random() < 0.5
        for j, lead in enumerate(leads):
            if j == 0 or (spreads and rng.random() < 0.8):
                when = at + lead * (1 + (0.15 * rng.normal() if j else 0)) / 24
                if when <= days:
                    rows.append((f"t{n}", names(len(leads))[j], when, 1.0, "han"))
    return _frame(rows, False)


def noise(trends: int = 1500, markets: int = 6, days: float = 150, seed: int = 0) -> pd.DataFrame:
    """Markets that have a trend or not without regard to each other, at any time."""
    rng = np.random.default_rng(seed)
    rows = []
    for n in range(trends):
        for j in range(markets):
            if rng.random() < 0.3:
                rows.append((f"t{n}", names(markets)[j], rng.uniform(0, days), 1.0, "latin"))
    return _frame(rows, False)


def apart(trends: int = 40, seed: int = 0, wakes: Sequence[float] = (0, 0), *, by_day: bool = False) -> pd.DataFrame:
    """Two markets that share trends without regard to each other, each awake at hours of its own (UTC).

    A trend is due at any time, and each market takes it up within three days of its own, when it is awake for 16
    hours. by_day: it is due on a day, and taken up in any of the 12 hours of that or one of the next two: then the
    market that wakes first is first by the clock.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for n in range(trends):
        due = rng.uniform(0, 90)
        for j, wake in enumerate(wakes):
            when = due + rng.uniform(0, 3)
            when += _asleep(when, wake)
            if by_day:
                when = int(due) + int(rng.integers(0, 3)) + (wake + rng.uniform(0, 12)) / 24
            rows.append((f"t{n}", names(2)[j], when, 1.0, ""))
    return _frame(rows, False)


def _frame(rows: list[tuple[str, str, float, float, str]], optional: bool) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["trend", "market", "day", "volume", "script"])
    frame["onset_at"] = START + pd.to_timedelta(frame.pop("day"), "D")
    return frame if optional else frame[["trend", "market", "onset_at"]]
