"""The radar's answers as pandas frames, for notebooks."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from radar.answers import coverage as coverage_answer
from radar.answers import list_trends, trend_working
from radar.answers import markets as markets_answer
from radar.backtest import figures as backtest_rows
from radar.backtest import replay_list
from radar.config import load_settings
from radar.registry import load_taxonomy
from radar.store.engine import open_store, reading


def open_radar(*, demo: bool = False) -> sa.Engine:
    """The store that RADAR_* settings name, or the demo's."""
    settings = load_settings()
    return open_store((settings.for_demo() if demo else settings).url)


def markets(engine: sa.Engine) -> pd.DataFrame:
    """One row a market: what is stored and how far it reaches."""
    with reading(engine) as session:
        return pd.json_normalize(markets_answer(session))


def topics() -> pd.DataFrame:
    """One row a topic: id, group, English name, definition."""
    rows = [
        {"id": t.id, "group": t.group, "name": t.names["en"], "definition": t.definition}
        for t in load_taxonomy().topics
    ]
    return pd.DataFrame(rows)


def trends(engine: sa.Engine, market: str, **filters: Any) -> pd.DataFrame:
    """A market's trends, one row each, best first; filters as of `radar trends` (place, topic, window, scope, ...)."""
    with reading(engine) as session:
        answer = list_trends(session, market=market, **{"limit": 100} | filters)
    return pd.json_normalize(answer["items"])


def working(engine: sa.Engine, trend_id: str) -> dict[str, Any]:
    """The whole working of one trend."""
    with reading(engine) as session:
        return trend_working(session, trend_id)


def curve(engine: sa.Engine, trend_id: str) -> pd.DataFrame:
    """A trend's persons by bucket with what the baseline expects."""
    return pd.DataFrame(working(engine, trend_id)["curve"]["points"])


def coverage(engine: sa.Engine, market: str | None = None, *, now: datetime) -> dict[str, Any]:
    """What is stored by market and source, and how fresh it is at `now`."""
    with reading(engine) as session:
        return coverage_answer(session, market, now=now)


def backtest_figures(answer: Mapping[str, Any]) -> pd.DataFrame:
    """The figures of a back-test (`radar.backtest.backtest`), one a row; None where there is not enough history."""
    found = pd.DataFrame(backtest_rows(answer))
    if len(found):
        parts = found["market"].fillna("all markets"), found["kind"].fillna("all kinds"), found["bucket"].fillna("")
        found.insert(0, "list", parts[0] + " " + parts[1] + " " + parts[2])
        found["list"] = found["list"].str.strip()
    return found


def backtest_list(engine: sa.Engine, market: str, on: date, **more: Any) -> pd.DataFrame:
    """A list as of the end of a past day, a row a line, with what came of each; arguments as of `replay_list`."""
    return pd.DataFrame(replay_list(engine, market, on, **more)["items"])


def backtest_chart(answer: Mapping[str, Any], *, by: str | None = None) -> Any:
    """The shares of a back-test with their 95 % intervals as an Altair chart; a list without a figure is left out.

    by  "market": the whole list of each market;  "kind": kinds and buckets of all markets, or of the only one.
        Left out: "market" where several were replayed

    Raises ValueError where no figure can be drawn.
    """
    import altair as alt

    found = backtest_figures(answer)
    shown = found[found["measure"].isin(_DRAWN) & (found["status"] == "ok")] if len(found) else found
    if not len(shown):
        raise ValueError("not enough history: there is no figure to draw")
    several = bool(shown["market"].isna().any())
    if (by or ("market" if several else "kind")) == "market":
        shown = shown[shown["bucket"].isna()]
    else:
        shown = shown[shown["market"].isna()] if several else shown
    if not len(shown):
        raise ValueError("not enough history: no whole list has a figure")
    shown = shown.assign(
        what=[
            _DRAWN[m] + (f" at {k:.0f}" if m == "precision" else "")
            for m, k in zip(shown["measure"], shown["k"], strict=True)
        ]
    )
    shown = shown[(shown["measure"] != "already") | (shown["k"] == 10)]
    order = [what for what in _ORDER if what in set(shown["what"])]
    base = alt.Chart(shown).encode(
        y=alt.Y("list:N", sort=None, title=None),
        tooltip=["list", "what", "n", "trends", "value", "low", "high"],
    )
    axis = alt.Axis(format="%", tickCount=3)
    span = base.mark_rule().encode(x=alt.X("low:Q", title=None, axis=axis, scale=alt.Scale(domain=[0, 1])), x2="high:Q")
    points = base.mark_point(filled=True, size=45).encode(x="value:Q")
    markets = [m for m in answer["markets"] if m["lists_on"]]
    days = f"{min(m['lists_on'][0] for m in markets)} to {max(m['lists_on'][-1] for m in markets)}"
    title = alt.TitleParams(
        ("Simulated data: " if answer["simulated"] else "") + "what came of the lists",
        subtitle=[f"Lists of {days}, judged over {answer['horizon_days']} days; lines are 95 % intervals."],
    )
    return (
        alt.layer(span, points)
        .properties(width=110)
        .facet(column=alt.Column("what:N", sort=order, title=None))
        .properties(title=title)
    )


_DRAWN = {
    "precision": "became large,",
    "already": "large in its own week",
    "emerging": "emerging, became large",
    "coverage": "movers listed before",
}
_ORDER = [
    "became large, at 5", "became large, at 10", "became large, at 20", "emerging, became large",
    "movers listed before", "large in its own week",
]  # fmt: skip
