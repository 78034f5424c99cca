"""A trend's path over markets as numbers for an SVG macro: a bar a market, from its onset on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from radar.web.charts import WIDTH
from radar.web.languages import percent, say
from radar.web.words import country, hours

LANE = 34
"""Height of a market's lane."""


@dataclass(frozen=True, slots=True)
class PathLane:
    """A market's part of a trend's path, from left to right in 0..WIDTH.

    bar      (x, width) from its onset to its end, None where it has not begun;  open  it goes on
    expected (low, middle, high) of an onset that is to come
    """

    market: str
    name: str
    y: int
    bar: tuple[float, float] | None
    open: bool
    expected: tuple[float, float, float] | None
    words: str


@dataclass(frozen=True, slots=True)
class PathDrawing:
    """Lanes under each other, with the moment they are seen from and the days named along the edge."""

    lanes: list[PathLane]
    height: int
    now: float
    ticks: list[datetime]


def draw_path(
    stops: Sequence[Mapping[str, Any]], expected: Sequence[Mapping[str, Any]], as_of: datetime
) -> PathDrawing | None:
    """Lay a trend's path over markets out by time; None where it is in one market and expected in none."""
    if len(stops) + len(expected) < 2:
        return None
    start = min(stop["onset_at"] for stop in stops)
    ends = [stop["ended_at"] or as_of for stop in stops] + [item["high_at"] for item in expected]
    end = max([*ends, *(stop["onset_at"] for stop in stops), as_of if as_of < max(ends) else max(ends)])
    span = max(float((end - start).total_seconds()), 3600.0)

    def x(at: datetime) -> float:
        share: float = (at - start).total_seconds() / span
        return round(min(max(share, 0.0), 1.0) * WIDTH, 2)

    lanes = []
    for n, stop in enumerate(stops):
        left, right = x(stop["onset_at"]), x(stop["ended_at"] or max(as_of, stop["onset_at"]))
        later = stop["hours_after_first"]
        words = say("%(time)s later") % {"time": hours(later)} if later else say("first")
        bar = (left, round(max(right - left, 4.0), 2))
        lanes.append(
            PathLane(stop["market"], country(stop["market"]), n * LANE, bar, stop["ended_at"] is None, None, words)
        )
    for n, item in enumerate(expected, start=len(stops)):
        times = (x(item["low_at"]), x(item["expected_at"]), x(item["high_at"]))
        week = next((c["probability"] for c in item["probabilities"] if c["days"] == 7), 0.0)
        words = say("%(share)s within a week") % {"share": percent(week, 0)}
        lanes.append(PathLane(item["market"], country(item["market"]), n * LANE, None, False, times, words))
    ticks = [start, start + (end - start) / 2, end]
    return PathDrawing(lanes, len(lanes) * LANE, x(as_of), ticks)
