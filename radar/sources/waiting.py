"""When a server says to come back: Retry-After, RateLimit-Reset, X-RateLimit-Reset, and the usage that Graph tells."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

LONGEST = timedelta(days=2)
"""A wait that is told to be longer is taken as this long: a clock that is wrong must not silence a source for ever."""
_EPOCH_FROM = 100_000_000
"""A number from here on is an instant since 1970, a smaller one is a number of seconds."""


def told_wait(headers: Mapping[str, str], now: datetime, *, is_busy: bool) -> datetime | None:
    """Until when not to ask; None where nothing is said.

    is_busy  the answer was 429 or 503; of others only what says that nothing is left to us counts

    >>> now = datetime(2026, 5, 4, 12, tzinfo=UTC)
    >>> told_wait({"retry-after": "90"}, now, is_busy=True).isoformat()
    '2026-05-04T12:01:30+00:00'
    >>> spent = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-05-04T12:05:00Z"}
    >>> told_wait(spent, now, is_busy=False).isoformat()
    '2026-05-04T12:05:00+00:00'
    """
    names = ["retry-after"] if is_busy else []
    for prefix in ("ratelimit-", "x-ratelimit-"):
        if is_busy or headers.get(f"{prefix}remaining", "").strip() == "0":
            names.append(f"{prefix}reset")
    for name in names:
        at = _instant(headers.get(name, ""), now)
        if at is not None:
            return min(max(at, now), now + LONGEST)
    return None


BUSY_PERCENT = 80
"""Share of what Meta's Graph interface allows from which no more is asked for a while."""
_CALM_DOWN = timedelta(minutes=15)
_USAGES = ("x-business-use-case-usage", "x-app-usage", "x-ad-account-usage")
_SHARES = ("call_count", "total_cputime", "total_time", "acc_id_util_pct")


def usage_wait(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """Until when not to ask, by the usage that Meta's Graph interface tells with each answer: None below 80 %.

    >>> now = datetime(2026, 5, 4, 12, tzinfo=UTC)
    >>> usage_wait({"x-app-usage": '{"call_count": 79, "total_time": 12}'}, now)
    >>> usage_wait({"x-app-usage": '{"call_count": 80}'}, now).isoformat()
    '2026-05-04T12:15:00+00:00'
    >>> used = '{"178": [{"type": "instagram", "call_count": 99, "estimated_time_to_regain_access": 40}]}'
    >>> usage_wait({"x-business-use-case-usage": used}, now).isoformat()
    '2026-05-04T12:40:00+00:00'
    """
    found = [one for name in _USAGES for one in _usages(headers.get(name, ""))]
    busy = [one for one in found if max((_number(one.get(n)) for n in _SHARES), default=0) >= BUSY_PERCENT]
    blocked = [one for one in found if _number(one.get("estimated_time_to_regain_access")) > 0]
    if not busy and not blocked:
        return None
    minutes = max(_number(one.get("estimated_time_to_regain_access")) for one in [*busy, *blocked])
    return now + min(max(timedelta(minutes=min(minutes, 1e5)), _CALM_DOWN), LONGEST)


def _usages(text: str) -> Iterator[dict[str, Any]]:
    try:
        said = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return
    nested = [one for some in said.values() if isinstance(some, list) for one in some] if isinstance(said, dict) else []
    yield from (one for one in [said, *nested] if isinstance(one, dict))


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value == value else 0.0


def _instant(text: str, now: datetime) -> datetime | None:
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        return _date(text)
    try:
        if number >= _EPOCH_FROM:
            return datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC)
        return now + timedelta(seconds=max(number, 0))
    except (ValueError, OverflowError, OSError):
        return None


def _date(text: str) -> datetime | None:
    """An ISO 8601 or an HTTP date; one without a zone is in UTC."""
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            at = read(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return None
