"""When a server says to come back: Retry-After, RateLimit-Reset and X-RateLimit-Reset, however they are written."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

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
