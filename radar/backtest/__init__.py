"""The back-test: the lists of the past as they were known then, and what came of them.

A list is replayed as of the end of a local day, by the code that answers `radar trends`: episodes on in the 7 days
before, by their best score, out of snapshots with as_of <= that moment. The detector is causal (a bucket is judged by
the state before it), so a stored snapshot is what was known then, with two reservations that the answer counts:

- Posts that came late, edits and recounts rewind detection to the midnight before them, and what it says of that day
  from then on is what it would have said of the counts as they are now. Days that were counted, or recounted, more than
  a day after they ended are `recounted_days`; in a store that was filled by an import at once they are all.
- Snapshots older than 7 days are kept one a day, by the day's best moment and dated its end, and for as long as
  RADAR_SNAPSHOT_DAYS. So everything here is exact to the day and begins with the first snapshot kept (`kept_from`).

What "became large" means, and the intervals, are in `radar.trends.evaluation`. By market, kind and bucket:

precision at k     of the first k lines of all lists together, those whose series became large in the horizon. n counts
                   lines, `trends` different series. The interval is that of as many draws as there are trends: a trend
                   that stands in three lists is one piece of evidence. `already`: those that were large in the
                   list's own week; they were chosen for it, so this is no forecast, but it tells a trend that was
                   over by the time of the list from one that never was large.
emerging           trends that began (were first emerging) in the period and were listed; those that became large in the
                   horizon after the day they began. A series that begins again within 7 days counts once.
lead_days          large movers that were listed: peak day - last day known at the first listing. 0: that day was the
                   peak, below 0: listed after it. The first listing in the horizon before the peak or the week after.
coverage           large movers (keys whose peak came after a list's moment); those listed before the peak day began,
                   and, as `by_peak_day`, at its end. A key is listed where a list's line is led by it or has it as
                   variant. The whole list counts, not its first lines.

Fewer than 10 different trends under a figure answer "not enough history" in place of it. Trends found by the
quarter hour are kept for some weeks only, and are not judged.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from radar.answers.names import key_shown
from radar.answers.question import ask
from radar.backtest.figures import cell_figures, cells_of, figures
from radar.backtest.judge import judge
from radar.backtest.plan import HORIZON_DAYS, LIST_Q, STEP_DAYS, Cell, Groups, Plan, Truth
from radar.backtest.replay import Replay
from radar.backtest.told import about_market, described
from radar.keys import Kind
from radar.markets import MARKETS, Market
from radar.markets import market as market_of
from radar.store.counts import key_names
from radar.store.engine import reading
from radar.trends.evaluation import (
    BASELINE_DAYS,
    LEAST_BASELINE_DAYS,
    LEAST_PERSONS,
    LIST_DAYS,
    TOO_LITTLE,
    Records,
    precision_figures,
)

__all__ = ["HORIZON_DAYS", "STEP_DAYS", "Plan", "backtest", "figures", "replay_list"]

Progress = Callable[[str, int, int], None]


def backtest(
    engine: sa.Engine,
    plan: Plan | None = None,
    *,
    market: str | None = None,
    kind: str | None = None,
    truth: Truth | None = None,
    progress: Progress = lambda what, done, of: None,
) -> dict[str, Any]:
    """Replay lists and say what came of them, by market, kind and bucket; all markets together where none is named.

    truth  what was injected into a simulated store (its truth.json): lists are then held against it as well

    Raises UnknownName and CallerError.
    """
    plan = plan or Plan()
    asked = [market_of(market)] if market else list(MARKETS.values())
    only = ask(market_code=asked[0].code, kind=kind, scope=plan.scope).kind
    groups = _groups(truth) if truth else None
    about: list[dict[str, Any]] = []
    cells: list[dict[str, Any]] = []
    together: dict[Cell, Records] = {cell: Records() for cell in cells_of(only)}
    for one in asked:
        with reading(engine) as session:
            replay = Replay(session, one, plan)
            found = {cell: Records() for cell in cells_of(only)}
            for done in judge(replay, found, groups):
                progress(one.name, done, len(found))
            about.append(about_market(replay))
        if replay.moments:
            cells += [cell_figures(one.code, cell, records) for cell, records in found.items()]
            for cell, records in found.items():
                together[cell].add(records)
    if len([m for m in about if m["status"] == "ok"]) > 1:
        cells = [cell_figures(None, cell, records) for cell, records in together.items()] + cells
    simulated = any(m["simulated"] for m in about)
    return {
        "simulated": simulated,
        "status": "ok" if cells else TOO_LITTLE,
        "horizon_days": plan.horizon,
        "step_days": plan.step,
        "large_times": plan.times,
        "scope": plan.scope,
        "q": LIST_Q,
        "baseline": {"days": BASELINE_DAYS, "least_days": LEAST_BASELINE_DAYS, "left_out_days": LIST_DAYS},
        "definition": _definition(plan),
        "markets": about,
        "cells": cells,
        "truth": _truth_cells(asked, together, only) if truth and simulated and cells else None,
    }


def replay_list(
    engine: sa.Engine, market: str, on: date, plan: Plan | None = None, *, kind: str | None = None, limit: int = 20
) -> dict[str, Any]:
    """One list as of the end of a local day, line by line with what came of it. Raises UnknownName, CallerError."""
    plan = plan or Plan()
    about = market_of(market)
    with reading(engine) as session:
        replay = Replay(session, about, Plan(on, on, plan.horizon, 1, plan.times, plan.scope))
        only = ask(market_code=about.code, kind=kind, scope=plan.scope).kind
        lines = replay.lines(on, only, None)[:limit] if replay.can_list(on) else []
        names = key_names(session, [line.seen.key_hash for line in lines])
        items = [
            described(replay, on, line, key_shown(names.get(line.seen.key_hash), about.languages[0])) for line in lines
        ]
        return about_market(replay) | {"on": on, "horizon_days": plan.horizon, "items": items}


def _groups(truth: Truth) -> Groups:
    """The injection that each injected post belongs to."""
    return {(p[0], p[1]): i for i, injected in enumerate(truth["injections"]) for p in injected["post_ids"]}


def _truth_cells(asked: Sequence[Market], together: Mapping[Cell, Records], kind: Kind | None) -> dict[str, Any]:
    """Precision against what was injected; only a simulated store has such a thing."""
    return {
        "simulated": True,
        "definition": "A line is true where at least half of the persons behind it posted for one injected burst. "
        "Simulated: it says how the arithmetic works, not how it does on your posts.",
        "markets": [market.code for market in asked],
        "precision": precision_figures(together[kind, None].true, is_truth=True),
    }


def _definition(plan: Plan) -> str:
    return (
        f"Large: in the {plan.horizon} days after a list, on some day at least {LEAST_PERSONS} persons and surely "
        f"{plan.times:g} times the usual (mean of the {BASELINE_DAYS} days that end a week before the list, for the "
        "persons heard), and among the tenth of the market's keys of that kind that gained most persons."
    )
