"""Small drawings as numbers for SVG macros: where the lines go, and nothing about how they look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from radar.markets import MARKETS
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
    band      outline of each unbroken stretch of what is usual, as points of a polygon
    window    (x, width) of the tested window, None when it lies outside
    top       persons at the upper edge;  ticks     starts of buckets named along the edge
    """

    bars: list[tuple[float, float, float, float]]
    expected: list[str]
    band: list[str]
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
    top = _nice(max(max(p["persons"], p["expected"] or 0, p["high"] or 0) for p in points))
    bars = []
    lines: list[list[str]] = [[]]
    bands: list[list[tuple[float, float, float]]] = [[]]
    before = None
    for point in points:
        x = (point["start"] - start) / length * scale
        if point["persons"]:
            height = HEIGHT * point["persons"] / top
            bars.append((round(x + 0.1 * scale, 2), round(HEIGHT - height, 2), round(0.8 * scale, 2), round(height, 2)))
        if before is not None and point["start"] - before > 1.5 * length:
            lines.append([])
            bands.append([])
        before = point["start"]
        if point["expected"] is not None:
            lines[-1].append(f"{x + scale / 2:.2f},{HEIGHT * (1 - point['expected'] / top):.2f}")
            low, high = (HEIGHT * (1 - point[name] / top) for name in ("low", "high"))
            bands[-1] += [(x, low, high), (x + scale, low, high)]
    left, right = max(window["start"], start), min(window["end"], end)
    at, wide = (left - start) / length * scale, (right - left) / length * scale
    shade = (round(at, 2), round(wide, 2)) if right > left else None
    ticks = [points[0]["start"], points[len(points) // 2]["start"], points[-1]["start"]]
    joined = [" ".join(line) for line in lines if len(line) > 1]
    return CurveDrawing(bars, joined, [_outline(band) for band in bands if band], shade, top, ticks)


def _outline(band: Sequence[tuple[float, float, float]]) -> str:
    """Forth along the upper edge and back along the lower one."""
    there = [f"{x:.1f},{high:.1f}" for x, _, high in band]
    return " ".join(there + [f"{x:.1f},{low:.1f}" for x, low, _ in reversed(band)])


@dataclass(frozen=True, slots=True)
class Lane:
    """One market's line on the axis that all share: points of each unbroken stretch; onsets in days from the first."""

    row: Mapping[str, Any]
    lines: list[str]
    onsets: list[float]
    top: float


def draw_lanes(beside: Mapping[str, Any]) -> list[Lane]:
    """Markets below each other, each as a share of the KOLs heard there: a small market's rise shows too."""
    days = beside["days"]
    lanes = []
    for row in beside["items"]:
        shares = [
            n / heard if n is not None and heard else None
            for n, heard in zip(row["persons"], row["heard"], strict=True)
        ]
        top = max((s for s in shares if s is not None), default=0.0)
        scaled = [None if s is None else round(1000 * s / top) if top else 0 for s in shares]
        start = datetime(days[0].year, days[0].month, days[0].day, tzinfo=MARKETS[row["market"]].tz)
        onsets = [(at - start) / timedelta(days=1) - 0.5 for at in row["onsets"]]  # a day's count stands at its noon
        lanes.append(Lane(row, spark_lines(scaled), [round(min(max(x, 0.0), len(days) - 1.0), 2) for x in onsets], top))
    return lanes


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
