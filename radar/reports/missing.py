"""What a report does not rest on: each gap by its name, with its figures; faces put it into words."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from radar.answers.standing import Standing
from radar.reports.week import Week
from radar.store.reports import WeekCount
from radar.store.runs import source_states

_HOURLY = timedelta(days=7)
"""How long hourly snapshots are kept."""


def what_is_missing(
    session: Session,
    stand: Standing,
    week: Week,
    found: Mapping[str, Any],
    platforms: Sequence[WeekCount],
    sources: Sequence[WeekCount],
    expected: Mapping[str, Any],
    kept_days: int,
) -> list[dict[str, Any]]:
    """Gaps of a week, as {"what": name, "n": count, "names": sources}, in a fixed order."""
    gaps: list[dict[str, Any]] = []

    def gap(what: str, is_there: bool, n: int | None = None, names: Sequence[str] = ()) -> None:
        if is_there:
            gaps.append({"what": what, "n": n, "names": list(names)})

    latest = stand.latest or week.end
    unread = sum(count.unread for count in platforms)
    paused = [state.name for state in source_states(session) if state.pause_reason]
    silent = [count.name for count in sources if week.end - count.last_post_at > timedelta(days=1)]
    gap("history", found["status"] == "not_enough_history", stand.days)
    gap("end", latest < week.end)
    gap("snapshots", latest - week.end > timedelta(days=kept_days), kept_days)
    gap("hours", _HOURLY < latest - week.end <= timedelta(days=kept_days))
    gap("unread", unread > 0, unread)
    gap("one_platform", len(platforms) == 1, names=[count.name for count in platforms])
    gap("silent", bool(silent), names=silent)
    gap("paused", bool(paused), names=paused)
    gap("shadow", found["shadow"] is None)
    gap("forecast", expected["status"] != "ok")
    return gaps
