"""What platforms allow, cost and ask for, from the one file that says it: facts.toml beside this module."""

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from radar.errors import CallerError

FILE = Path(__file__).with_name("facts.toml")


@cache
def all_facts() -> dict[str, dict[str, Any]]:
    """Facts by platform. Raises CallerError for a file that says too little, naming what is missing."""
    try:
        found = tomllib.loads(FILE.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise CallerError(f"{FILE.name}: {error}", f"Correct it: {FILE}") from error
    for platform, facts in found.items():
        for name, kind in (("checked", date), ("origin", str), ("terms", str)):
            if not isinstance(facts.get(name), kind):
                said = f"{FILE.name}: {platform}.{name}: expected a {kind.__name__}"
                raise CallerError(said, f"Correct it: {FILE}")
    return found


def facts_of(kind: str) -> dict[str, Any]:
    """Facts of a kind of source; empty where it has none."""
    return all_facts().get(kind, {})


def ask_every(kind: str, config: dict[str, Any]) -> timedelta:
    """How often one account is asked at most: as the operator says, or else the facts."""
    said = config.get("every_minutes")
    return timedelta(minutes=float(facts_of(kind).get("ask_every_minutes", 0) if said is None else said))


def keep_for(kind: str) -> timedelta | None:
    """For how long what is stored may stay without being asked for again; None for as long as one likes."""
    days = facts_of(kind).get("keep_days")
    return timedelta(days=days) if days else None


def derives(kind: str, config: dict[str, Any]) -> bool:
    """Whether topics, counts and scores may be made of a source's posts.

    >>> derives("youtube", {}), derives("youtube", {"amendment": True}), derives("bluesky", {})
    (False, True, True)
    """
    return facts_of(kind).get("derived") != "amendment" or config.get("amendment") is True


@dataclass(frozen=True, slots=True)
class Budget:
    """What may be used of a platform in a period.

    period   the day or month it is for, as 2026-11-27 or 2026-11
    ends_at  when the next one begins
    unit     "units", or "micro-usd"
    """

    bucket: str
    unit: str
    limit: int
    period: str
    ends_at: datetime


def budgets_of(kind: str, config: dict[str, Any], now: datetime) -> list[Budget]:
    """The budgets of a source at a moment; `budget` of its configuration goes over the limit of the facts.

    >>> from datetime import UTC
    >>> (one,) = budgets_of("youtube", {}, datetime(2026, 11, 27, 5, tzinfo=UTC))
    >>> one.limit, one.period, one.ends_at.isoformat()
    (10000, '2026-11-26', '2026-11-27T08:00:00+00:00')
    """
    return [_budget(said, config, now) for said in facts_of(kind).get("budget", [])]


def _budget(said: dict[str, Any], config: dict[str, Any], now: datetime) -> Budget:
    here = now.astimezone(ZoneInfo(said["zone"]))
    start = here.replace(hour=0, minute=0, second=0, microsecond=0)
    if said["per"] == "month":
        period, after = f"{here:%Y-%m}", (start.replace(day=1) + timedelta(days=32)).replace(day=1)
    else:
        period, after = f"{here:%Y-%m-%d}", start + timedelta(days=1)
    limit = int(config.get("budget", said.get("limit", 0)))
    return Budget(said["bucket"], said["unit"], limit, period, after.astimezone(now.tzinfo))
