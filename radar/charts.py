"""Charts as Vega-Lite by Altair: a page, a notebook and a download draw the same picture from the same answer.

Colours are named as styles (`observed`, `expected`, ...) of the chart's configuration, so that a page may put in those
of its own light or dark paper. Times are a market's local ones: written without a zone and drawn as UTC.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from radar.markets import MARKETS
from radar.windows import Bucket

Say = Callable[[str], str]
"""What puts a word of a chart into a reader's language; `str` leaves English."""

_INK, _MUTE, _LINE, _ACCENT, _WARN = "#1b1b1a", "#62615d", "#e4e1d9", "#0f766e", "#b45309"
CONFIG: dict[str, Any] = {
    "background": "#fbfaf7",
    "font": "Noto Sans, Noto Sans CJK TC, Noto Sans CJK JP, Noto Sans CJK KR, Noto Sans Thai, sans-serif",
    "aria": False,  # Vega's own labels are English: the page says what a picture shows
    "view": {"stroke": None},
    "axis": {"labelColor": _MUTE, "titleColor": _MUTE, "gridColor": _LINE, "domainColor": _MUTE, "tickColor": _LINE,
             "titleFontWeight": 400, "labelFontSize": 11, "titleFontSize": 11},
    "title": {"color": _INK, "subtitleColor": _MUTE, "anchor": "start", "fontSize": 14, "subtitleFontSize": 11},
    "header": {"labelColor": _INK, "labelFontSize": 12, "labelAnchor": "start", "title": None},
    "style": {
        "observed": {"color": _ACCENT}, "expected": {"color": _INK, "strokeDash": [5, 4], "strokeWidth": 1.5},
        "usual": {"color": _MUTE, "opacity": 0.22}, "tested": {"color": _ACCENT, "opacity": 0.1},
        "quiet": {"color": _MUTE, "opacity": 0.4}, "usual_tick": {"color": _INK},
        "market": {"color": _ACCENT, "strokeWidth": 1.7}, "onset": {"color": _WARN, "strokeWidth": 2},
    },
}  # fmt: skip


def curve_chart(trend: Mapping[str, Any], *, say: Say = str, width: int | str = 760, height: int = 240) -> Any:
    """A trend's persons by bucket as bars, the expected with the range of what is usual, the tested window shaded.

    trend  as `radar.answers.trend_working` answers; an Altair chart. Raises ValueError where no counts are kept.
    """
    import altair as alt

    curve = trend["curve"]
    if not curve["points"]:
        raise ValueError("The counts of those days are no longer kept: there is nothing to draw.")
    zone, length = MARKETS[trend["market"]].tz, Bucket(curve["bucket"]).length
    rows = [
        {
            "from": _wall(p["start"], zone), "until": _wall(p["start"] + length, zone), "persons": p["persons"],
            "expected": p["expected"], "low": p["low"], "high": p["high"], "heard": p["heard"],
            "zero": 0, "middle": _wall(p["start"] + length / 2, zone),
        }
        for p in curve["points"]
    ]  # fmt: skip
    first, last = rows[0]["from"], rows[-1]["until"]
    tested = {
        "from": max(_wall(trend["window"]["start"], zone), first),
        "until": min(_wall(trend["window"]["end"], zone), last),
    }  # fmt: skip
    scale = alt.Scale(type="utc", nice=False)
    data = alt.Chart(alt.Data(values=rows))
    form = "%m-%d" if curve["bucket"] == Bucket.DAY.value else "%m-%d %H:%M"
    axis = alt.Axis(format=form, labelOverlap=True, grid=False)
    start = alt.X("from:T", scale=scale, title=None, axis=axis)
    tips = [
        alt.Tooltip("from:T", title=say("From"), timeUnit="utcyearmonthdatehoursminutes"),
        alt.Tooltip("persons:Q", title=say("Observed")), alt.Tooltip("expected:Q", title=say("Expected"), format=".2f"),
        alt.Tooltip("low:Q", title=say("Usual, from")), alt.Tooltip("high:Q", title=say("Usual, to")),
        alt.Tooltip("heard:Q", title=say("Heard")),
    ]  # fmt: skip
    steps = alt.Axis(tickMinStep=1, tickCount=4)
    layers = [
        data.mark_rect(style="usual").encode(x=start, x2="until:T", y=alt.Y("low:Q", title=None), y2="high:Q"),
        data.mark_bar(style="observed", binSpacing=1).encode(
            x=start, x2="until:T", y=alt.Y("persons:Q", axis=steps), y2="zero:Q", tooltip=tips
        ),
        data.mark_line(style="expected").encode(x=alt.X("middle:T", scale=scale), y="expected:Q"),
    ]  # fmt: skip
    if tested["from"] < tested["until"]:
        window = alt.Chart(alt.Data(values=[tested])).mark_rect(style="tested")
        layers.insert(0, window.encode(x=start, x2="until:T"))
    return _finished(alt.layer(*layers).properties(width=width, height=height), _title(trend["name"], trend, say))


def markets_chart(
    beside: Mapping[str, Any], name: str, *, say: Say = str, called: Say = str, width: int | str = 760
) -> Any:
    """One key in every market, below each other on one axis of days, as a share of the KOLs heard; onsets are rules.

    beside  as `radar.answers.trend_markets` answers;    called  what a market's code is shown as
    """
    import altair as alt

    rows: list[dict[str, Any]] = []
    onsets: list[dict[str, Any]] = []
    for row in beside["items"]:
        told, zone = called(row["market"]), MARKETS[row["market"]].tz
        for day, n, heard in zip(beside["days"], row["persons"], row["heard"], strict=True):
            share = n / heard if n is not None and heard else None
            rows.append(
                {"market": told, "day": f"{day.isoformat()}T12:00", "share": share, "persons": n, "heard": heard}
            )
        onsets += [{"market": told, "day": _wall(at, zone)} for at in row["onsets"]]
    axis = alt.Axis(format="%m-%d", labelOverlap=True, grid=False)
    days = alt.X("day:T", title=None, scale=alt.Scale(type="utc", nice=False), axis=axis)
    tips = [
        alt.Tooltip("day:T", title=say("Day"), timeUnit="utcyearmonthdate"),
        alt.Tooltip("persons:Q", title=say("KOLs")),
        alt.Tooltip("heard:Q", title=say("Heard")), alt.Tooltip("share:Q", title=say("Share"), format=".1%"),
    ]  # fmt: skip
    lines = alt.Chart(alt.Data(values=rows)).mark_line(style="market", interpolate="linear").encode(
        x=days, y=alt.Y("share:Q", title=None, axis=alt.Axis(format=".0%", tickCount=2)), tooltip=tips
    )  # fmt: skip
    marks = alt.Chart(alt.Data(values=onsets or [{"market": None}])).mark_rule(style="onset").encode(x=days)
    layers = [
        alt.layer(
            lines.transform_filter(alt.datum.market == told), marks.transform_filter(alt.datum.market == told)
        ).properties(width=width, height=56, title=alt.TitleParams(told, fontSize=12, fontWeight=500))
        for told in (called(row["market"]) for row in beside["items"])
    ]
    chart = alt.vconcat(*layers, spacing=8).resolve_scale(x="shared")
    return _finished(chart, alt.TitleParams(name, subtitle=_note(beside, say)))


def voice_chart(voice: Mapping[str, Any], *, say: Say = str, called: Say = str, width: int | str = 560) -> Any:
    """Shares of voice of a group's keys as points with their intervals, one line a market and key.

    voice  as `radar.answers.share_of_voice` answers. Raises ValueError where no market has enough to tell.
    """
    import altair as alt

    told = [row for row in voice["items"] if row["status"] == "ok"]
    if not told:
        raise ValueError("Not enough people mention these keys: there is nothing to draw.")
    names = ("share", "low", "high", "persons", "posts")
    rows = [
        {"key": f"{called(row['market'])} · {line['name']}"} | {name: line[name] for name in names}
        for row in told
        for line in row["keys"]
    ]
    tips = [
        alt.Tooltip("key:N", title=say("Key")), alt.Tooltip("share:Q", title=say("Share"), format=".1%"),
        alt.Tooltip("low:Q", title=say("At least"), format=".1%"),
        alt.Tooltip("high:Q", title=say("At most"), format=".1%"),
        alt.Tooltip("persons:Q", title=say("KOLs")), alt.Tooltip("posts:Q", title=say("Posts")),
    ]  # fmt: skip
    data = alt.Chart(alt.Data(values=rows))
    shares = {"axis": alt.Axis(format=".0%", tickCount=5), "scale": alt.Scale(domain=[0, 1])}
    keys = alt.Y("key:N", title=None, sort=[row["key"] for row in rows], axis=alt.Axis(labelLimit=220))
    spans = data.mark_bar(style="usual", height=7).encode(
        x=alt.X("low:Q", title=None, **shares), x2="high:Q", y=keys, tooltip=tips
    )
    points = data.mark_point(style="observed", filled=True, size=70).encode(
        x=alt.X("share:Q", title=None, **shares), y=keys, tooltip=tips
    )
    last = max(row["last_day"] for row in told)
    note = f"{say('Simulated data')} · {last}" if voice["simulated"] else str(last)
    chart = alt.layer(spans, points).properties(width=width, height=24 * len(rows))
    return _finished(chart, alt.TitleParams(voice["group"], subtitle=note))


def place_days_chart(report: Mapping[str, Any], title: str, *, say: Say = str, width: int = 640) -> Any:
    """Day by day the share of the KOLs heard who mention a report's place; the days of its week stand out.

    report  as `radar.reports.pair_report` makes it
    """
    import altair as alt

    rows = [
        {
            "day": f"{one['day'].isoformat()}T00:00", "until": f"{(one['day'] + timedelta(days=1)).isoformat()}T00:00",
            "share": one["persons"] / one["heard"] if one["heard"] else 0.0, "zero": 0,
            "style": "week" if one["day"] >= report["first_day"] else "before",
        }
        for one in report["by_day"]
    ]  # fmt: skip
    axis = alt.Axis(format="%m-%d", labelOverlap=True, grid=False)
    scale = alt.Scale(type="utc", nice=False)
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("day:T", title=None, axis=axis, scale=scale), x2="until:T",
        y=alt.Y("share:Q", title=None, axis=alt.Axis(format=".0%", tickCount=3)), y2="zero:Q",
    )  # fmt: skip
    bars = [
        base.transform_filter(alt.datum.style == name).mark_bar(style=style, binSpacing=2)
        for name, style in (("before", "quiet"), ("week", "observed"))
    ]
    return _finished(alt.layer(*bars).properties(width=width, height=120), alt.TitleParams(title, fontSize=12))


def shares_chart(rows: Sequence[tuple[str, float, float | None]], title: str, *, width: int = 480) -> Any:
    """(name, share, usual share) below each other: the share as a bar, the usual one as a tick across it."""
    import altair as alt

    data = [{"name": name, "share": share, "usual": usual} for name, share, usual in rows]
    names = alt.Y("name:N", title=None, sort=None, axis=alt.Axis(labelLimit=200, ticks=False, domain=False))
    base = alt.Chart(alt.Data(values=data)).encode(y=names)
    percent = alt.Axis(format=".1%", tickCount=4)
    layers = [
        base.mark_bar(style="observed", height=11).encode(x=alt.X("share:Q", title=None, axis=percent)),
        base.mark_tick(style="usual_tick", thickness=2, height=17)
        .transform_filter("datum.usual !== null")
        .encode(x="usual:Q"),
    ]
    chart = alt.layer(*layers).properties(width=width, height=alt.Step(22))
    return _finished(chart, alt.TitleParams(title, fontSize=12))


def _wall(at: datetime, zone: Any) -> str:
    """A market's wall clock, without its zone."""
    return at.astimezone(zone).replace(tzinfo=None).isoformat(timespec="minutes")


def _title(name: str, answer: Mapping[str, Any], say: Say) -> Any:
    import altair as alt

    return alt.TitleParams(name, subtitle=_note(answer, say))


def _note(answer: Mapping[str, Any], say: Say) -> str:
    """What stands under every title: a picture leaves the page that said it."""
    day = f"{answer['as_of'] - timedelta(microseconds=1):%Y-%m-%d}"
    return f"{say('Simulated data')} · {day}" if answer["simulated"] else day


def _finished(chart: Any, title: Any) -> Any:
    return chart.properties(title=title).configure(**CONFIG)


def specification(chart: Any) -> dict[str, Any]:
    """A chart as Vega-Lite."""
    return dict(chart.to_dict())


def as_svg(chart: Any) -> bytes:
    """A chart as SVG; drawn here, nothing is fetched."""
    import vl_convert

    return str(vl_convert.vegalite_to_svg(specification(chart))).encode()


def as_png(chart: Any, scale: float = 2.0) -> bytes:
    """A chart as PNG, at so many pixels for each unit."""
    import vl_convert

    return bytes(vl_convert.vegalite_to_png(specification(chart), scale=scale))
