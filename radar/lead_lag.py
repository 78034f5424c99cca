"""Which market moves first: the order of onsets over trends that two markets share.

Two markets with strong rhythms of their own correlate at some lag in most cases, so nothing here correlates series.
What counts is, of each trend that both had, whose onset came first (Box-Steffensmeier would call it a paired order):

1. Sampling. Both onsets are floored to the coarser of the two sampling steps. Equal ones are *ties*: sources that are
   looked at once an hour cannot show a lead of 20 minutes.
2. Sign test over the trends that are no ties, two-sided, exact (Dixon and Mood, JASA 41, 1946): p.
3. Null by permutation, which keeps the time of day. Markets that are awake at other hours are first by the clock alone.
   Each trend's two days change sides at random while every market's times of day are dealt out anew among its own
   trends, once with days of UTC and once with days that begin at each market's quiet hour; the less sure of both
   counts: `null_share` is the share first that remains, and null_p how far the observed one is from it (normal tail
   with the permutations' mean and deviation, since pairs are many and q needs small p).
4. Benjamini and Hochberg (1995) over the pairs that were tested gives q from p, and null_q from null_p: over all
   topics, and over all pairs of all topic groups together.
5. Median lag with the 95 % interval of its bootstrap, ties being lags of 0. The bootstrap of a median needs no draws:
   P(median* <= x_(k)) = P(Binomial(n, k / n) >= n / 2) (Efron, SIAM 1982, chapter 10). It is widened by half of the
   median sampling step on either side: closer than that the lag is not known.

A lead is shown with q and null_q <= 0.05, 10 shared trends at least, and a median lag of
a sampling step at least.
"""

from __future__ import annotations  # for pandas, which only comparing needs

from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from radar.trends.fdr import benjamini_hochberg

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 10
"""Shared trends below which nothing is said."""
Q = 0.05
LEVEL = 0.95
PERMUTATIONS = 199
EVERYTHING = "all"
"""The group of the rows over all topics."""
NO_LEAD = "no lead shown"
COLUMNS = (
    "group", "first", "second", "shared", "ties", "share_first", "p", "q", "null_share", "null_p", "null_q",
    "median_lag_hours", "low_hours", "high_hours", "step_hours", "lead", "answer",
)  # fmt: skip

_HOUR = 3_600.0
_DAY = 86_400.0
Floats = NDArray[np.float64]
Step = str | timedelta | Mapping[str, str | timedelta]


def pair_table(onsets: pd.DataFrame, step: Step = "1h", *, seed: int = 0) -> pd.DataFrame:
    """Which of two markets has trends first, for every pair that shares some.

    onsets  a row an onset: trend, market, onset_at (naive times are UTC), and if you like `group`, the trend's topic
            group, and `step`, a timedelta, where an onset is known less exactly than its market is looked at; of a
            trend's several onsets in a market the first counts. Or a row a trend with a column of times a market.
    step    how often a market is looked at, as "1h" or a timedelta; a mapping by market where they differ
    seed    of the permutations

    Returns a row a pair and group ("all" over all), the surest first, so directed that share_first >= 0.5: `first`
    had its onset before `second` in that share of the trends that are no ties. Lags are hours from first to second.
    `answer` says "no lead shown" and why where `lead` is false; figures are NaN under 10 shared trends.

    Raises ValueError for a frame without these columns, or a step that is no positive length of time.

    >>> import pandas as pd
    >>> at = pd.Timestamp("2026-03-02", tz="UTC") + pd.to_timedelta(range(0, 720, 36), "h")
    >>> frame = pd.DataFrame({"JP": at, "TW": at + pd.Timedelta("30h")})
    >>> found = pair_table(frame, step="1h").iloc[0]
    >>> found["first"], found["second"], int(found["shared"]), float(found["median_lag_hours"]), bool(found["lead"])
    ('JP', 'TW', 20, 30.0, True)
    """
    import pandas as pd

    from radar.onsets import tidy_onsets

    tidy = tidy_onsets(onsets, "group", "step")
    if "group" in tidy:
        tidy["group"] = tidy.groupby("trend", sort=False)["group"].transform("first")
    steps = _steps(step, sorted(tidy["market"].unique()))
    rng = np.random.default_rng(seed)
    rows = list(_rows(tidy, EVERYTHING, steps, rng))
    by_group = []
    if "group" in tidy and tidy["group"].notna().any():
        for group, part in tidy.groupby("group", sort=True):
            by_group += list(_rows(part, str(group), steps, rng))
    table = pd.DataFrame([*_judged(rows), *_judged(by_group)], columns=list(COLUMNS))
    order = table.assign(whole=table["group"] != EVERYTHING)
    order = order.sort_values(["whole", "group", "lead", "q", "shared"], ascending=[True, True, False, True, False])
    return order.drop(columns="whole").reset_index(drop=True)


def _steps(step: Step, markets: list[str]) -> dict[str, float]:
    """Seconds of each market's sampling step."""
    if isinstance(step, Mapping):
        missing = [market for market in markets if market not in step]
        if missing:
            raise ValueError(f"step: expected one for every market, {', '.join(missing)} missing")
        return {market: _seconds(step[market]) for market in markets}
    return dict.fromkeys(markets, _seconds(step))


def _seconds(step: str | timedelta) -> float:
    import pandas as pd

    try:
        length = float(pd.Timedelta(step).total_seconds())
    except ValueError as error:
        raise ValueError(f"step: {step!r} is no length of time, as '1h'") from error
    if not length > 0:
        raise ValueError(f"step: must be longer than nothing, got {step!r}")
    return length


def _rows(tidy: pd.DataFrame, group: str, steps: Mapping[str, float], rng: np.random.Generator) -> Iterator[Any]:
    import pandas as pd

    if tidy.empty:
        return
    seconds = (tidy["onset_at"] - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    coarse = tidy["market"].map(steps).to_numpy(np.float64)
    if "step" in tidy:
        coarse = np.fmax(coarse, pd.to_timedelta(tidy["step"]).dt.total_seconds().to_numpy(np.float64))
    wide = tidy.assign(at=seconds, step=coarse).pivot(index="trend", columns="market", values=["at", "step"])
    times, coarser = wide["at"].to_numpy(np.float64), wide["step"].to_numpy(np.float64)
    known = np.isfinite(times)
    names = [str(name) for name in wide["at"].columns]
    for i, j in combinations(range(len(names)), 2):
        both = known[:, i] & known[:, j]
        if both.any():
            step = np.maximum(coarser[both, i], coarser[both, j])
            yield _pair(group, names[i], names[j], times[both, i], times[both, j], step, rng)


def _pair(
    group: str, one: str, other: str, a: Floats, b: Floats, step: Floats, rng: np.random.Generator
) -> dict[str, Any]:
    """The figures of a pair; a, b are onsets in seconds, of the same trends, and step how exactly they are known."""
    a, b = np.floor(a / step) * step, np.floor(b / step) * step
    ahead, behind = int((a < b).sum()), int((b < a).sum())
    if behind > ahead:
        one, other, a, b, ahead, behind = other, one, b, a, behind, ahead
    row: dict[str, Any] = dict.fromkeys(COLUMNS, np.nan)
    row |= {"group": group, "first": one, "second": other, "shared": a.size, "ties": a.size - ahead - behind}
    row |= {"step_hours": float(np.median(step)) / _HOUR, "lead": False, "answer": NO_LEAD}
    if a.size < FEWEST:
        row["answer"] = f"{NO_LEAD}: {a.size} shared trends, {FEWEST} are needed"
        return row
    from scipy.special import bdtr  # when it is computed with: answers read constants of this module

    decided = ahead + behind
    row["p"] = min(1.0, 2 * float(bdtr(min(ahead, behind), decided, 0.5)))
    row["share_first"] = ahead / decided if decided else np.nan
    row["null_share"], row["null_p"] = _null(a, b, ahead - behind, step, rng)
    lags = (b - a) / _HOUR
    row["median_lag_hours"] = float(np.median(lags))
    low, high = median_interval(lags)
    row["low_hours"], row["high_hours"] = low - row["step_hours"] / 2, high + row["step_hours"] / 2
    return row


def _null(a: Floats, b: Floats, net: int, step: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """(share first by the clock alone, how likely as far from it as the net of firsts observed)."""
    quiet_a, quiet_b = _quiet(a), _quiet(b)
    quiet_b += _DAY * round((quiet_a - quiet_b) / _DAY)  # days that lie over each other as far as they can
    found = [_permuted(a, b, net, step, begins, rng) for begins in ((0.0, 0.0), (quiet_a, quiet_b))]
    return max(found, key=lambda null: null[1])


def _permuted(
    a: Floats, b: Floats, net: int, step: Floats, begins: tuple[float, float], rng: np.random.Generator
) -> tuple[float, float]:
    """The null where days begin at these seconds in either market."""
    days_a, days_b = np.floor((a - begins[0]) / _DAY), np.floor((b - begins[1]) / _DAY)
    clock_a, clock_b = a - days_a * _DAY, b - days_b * _DAY
    nets, shares = np.empty(PERMUTATIONS), np.empty(PERMUTATIONS)
    for n in range(PERMUTATIONS):
        swap = rng.random(a.size) < 0.5
        first = np.where(swap, days_b, days_a) * _DAY + rng.permutation(clock_a)
        second = np.where(swap, days_a, days_b) * _DAY + rng.permutation(clock_b)
        first, second = np.floor(first / step), np.floor(second / step)
        before, after = int((first < second).sum()), int((second < first).sum())
        nets[n], shares[n] = before - after, before / max(before + after, 1)
    from scipy.special import ndtr

    spread = max(float(nets.std()), 1e-9)
    return float(shares.mean()), float(min(1.0, 2 * ndtr(-abs(net - nets.mean()) / spread)))


def _quiet(at: Floats) -> float:
    """The second of the day (UTC) in the middle of the seven hours with the fewest onsets."""
    hours = np.bincount((at // _HOUR % 24).astype(int), minlength=24)
    around = sum(np.roll(hours, shift) for shift in range(-3, 4))
    return (float(np.argmin(around)) + 0.5) * _HOUR


def median_interval(lags: Floats, level: float = LEVEL) -> tuple[float, float]:
    """The interval of a median's bootstrap distribution, exactly.

    >>> median_interval(np.arange(1.0, 22.0))
    (7.0, 15.0)
    """
    from scipy.special import bdtrc

    ordered = np.sort(lags)
    n = ordered.size
    below = bdtrc(np.ceil(n / 2) - 1, n, np.arange(1, n + 1) / n)  # P(median* <= x_(k))
    low = int(np.searchsorted(below, (1 - level) / 2))
    high = int(np.searchsorted(below, 1 - (1 - level) / 2))
    return float(ordered[low]), float(ordered[min(high, n - 1)])


def _judged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with q over those that were tested, and what they show."""
    tested = [row for row in rows if row["shared"] >= FEWEST]
    for p, q in (("p", "q"), ("null_p", "null_q")):
        for row, value in zip(tested, benjamini_hochberg([r[p] for r in tested]) if tested else [], strict=True):
            row[q] = float(value)
    for row in tested:
        row["lead"], row["answer"] = _answer(row)
    return rows


def _answer(row: Mapping[str, Any]) -> tuple[bool, str]:
    if row["q"] > Q:
        return False, f"{NO_LEAD}: either order is as likely (q {row['q']:.2g})"
    if row["null_q"] > Q or row["share_first"] <= row["null_share"]:
        return False, f"{NO_LEAD}: their hours of the day alone explain it (q {row['null_q']:.2g})"
    if row["median_lag_hours"] < row["step_hours"]:
        return False, f"{NO_LEAD}: the lag is below the sampling step of {row['step_hours']:g} h"
    return True, f"{row['first']} before {row['second']}"
