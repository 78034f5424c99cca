"""The radar's answers as pandas frames, for notebooks."""

from datetime import datetime
from typing import Any

import pandas as pd
import sqlalchemy as sa

from radar.answers import coverage as coverage_answer
from radar.answers import list_trends, trend_working
from radar.answers import markets as markets_answer
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
