"""Small drawings as numbers for SVG macros: where the lines go, and nothing about how they look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from radar.windows import Bucket

WIDTH, HEIGHT = 1000, 240
"""Of a curve's drawing; it is stretched to its place, so its words stand beside it."""


def spark_lines(counts: Sequence[int | None]) -> list[str]:
    """Points of a sparkline on a field of len - 1 by 1, one line for each unbroken stretch.

    >>> spark_lines([0, 2, None, 1, 1])
    ['0,1.000 1,0.000', '3,0.500 4,0.500']
    """
    top = max((n for n in counts if n is not None), default=0) or 1
    lines: list[list[str]] = [[]]
    for i, n in enumerate(counts):
        if n is None:
            lines.append([])
        else:
            lines[-1].append(f"{i},{1 - n / top:.3f}")
    return [" ".join(line) for line in lines if len(line) > 1]


@dataclass(frozen=True, slots=True)
class CurveDrawing:
    """A curve of counted persons as bars, with the expected ones as lines.

    bars      (x, y, width, height);      expected  points of each unbroken line
    window    (x, width) of the tested window, None when it lies outside
    top       persons at the upper edge;  ticks     starts of buckets named along the edge
    """

    bars: list[tuple[float, float, float, float]]
    expected: list[str]
    window: tuple[float, float] | None
    top: int
    ticks: list[datetime]


def draw_curve(curve: Mapping[str, Any], window: Mapping[str, Any]) -> CurveDrawing | None:
    """Lay a trend's curve out by time; None when there is nothing to draw."""
    points = curve["points"]
    if not points:
        return None
    length = Bucket(curve["bucket"]).length
    start, end = points[0]["start"], points[-1]["start"] + length
    scale = WIDTH / ((end - start) / length)
    top = _nice(max(max(p["persons"], p["expected"] or 0) for p in points))
    bars = []
    lines: list[list[str]] = [[]]
    before = None
    for point in points:
        x = (point["start"] - start) / length * scale
        if point["persons"]:
            height = HEIGHT * point["persons"] / top
            bars.append((round(x + 0.1 * scale, 2), round(HEIGHT - height, 2), round(0.8 * scale, 2), round(height, 2)))
        if before is not None and point["start"] - before > 1.5 * length:
            lines.append([])
        before = point["start"]
        if point["expected"] is not None:
            lines[-1].append(f"{x + scale / 2:.2f},{HEIGHT * (1 - point['expected'] / top):.2f}")
    left, right = max(window["start"], start), min(window["end"], end)
    at, wide = (left - start) / length * scale, (right - left) / length * scale
    shade = (round(at, 2), round(wide, 2)) if right > left else None
    ticks = [points[0]["start"], points[len(points) // 2]["start"], points[-1]["start"]]
    return CurveDrawing(bars, [" ".join(line) for line in lines if len(line) > 1], shade, top, ticks)


def _nice(most: float) -> int:
    """A round number at or above.

    >>> _nice(0), _nice(7), _nice(23), _nice(61)
    (2, 8, 40, 80)
    """
    size = 1
    while True:
        for step in (2, 4, 6, 8, 10, 12, 16):
            if step * size >= most:
                return step * size
        size *= 10


LANE = 34
"""Height of a market's lane."""


@dataclass(frozen=True, slots=True)
class Lane:
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
class LanesDrawing:
    """Lanes under each other, with the moment they are seen from and the days named along the edge."""

    lanes: list[Lane]
    height: int
    now: float
    ticks: list[datetime]


def draw_lanes(
    stops: Sequence[Mapping[str, Any]], expected: Sequence[Mapping[str, Any]], as_of: datetime
) -> LanesDrawing | None:
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
        words = "first" if not stop["hours_after_first"] else f"{stop['hours_after_first']:.0f} h later"
        bar = (left, round(max(right - left, 4.0), 2))
        lanes.append(Lane(stop["market"], stop["name"], n * LANE, bar, stop["ended_at"] is None, None, words))
    for n, item in enumerate(expected, start=len(stops)):
        times = (x(item["low_at"]), x(item["expected_at"]), x(item["high_at"]))
        week = next((c["probability"] for c in item["probabilities"] if c["days"] == 7), 0.0)
        words = f"{100 * week:.0f} % within a week"
        lanes.append(Lane(item["market"], item["market"], n * LANE, None, False, times, words))
    ticks = [start, start + (end - start) / 2, end]
    return LanesDrawing(lanes, len(lanes) * LANE, x(as_of), ticks)
