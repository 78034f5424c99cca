"""What single values of an imported file's rows say: texts, counts, flags and instants, however they are written."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from radar.markets import day_start


def text_of(value: Any) -> str:
    """A text without spaces around it, empty where nothing is said. Raises ValueError."""
    if type(value) is str and value.isascii():
        return value.strip()
    if value is None or value != value:  # NaN
        return ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    if isinstance(value, bool | dict | list):
        raise ValueError(f"expected text, not {type(value).__name__}: {str(value)[:40]}")
    text = value if isinstance(value, str) else str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("not UTF-8: save the file as UTF-8") from None
    return text.strip()


def count_of(name: str, value: Any) -> int | None:
    """A whole number; None where it is hidden. Raises ValueError that names the field."""
    if type(value) is int and value >= 0:
        return value
    text = text_of(value).replace(",", "")
    if not text:
        return None
    try:
        return int(text) if text.isdigit() else int(float(text))
    except (ValueError, OverflowError):
        raise ValueError(f"{name}: '{text[:40]}' is not a number") from None


def flag_of(name: str, value: Any) -> bool | None:
    """Yes or no; None where nothing is said. Raises ValueError that names the field."""
    if value is None or isinstance(value, bool):
        return value
    text = text_of(value).lower()
    if text in ("", "none", "null"):
        return None
    if text in ("true", "1", "yes", "y", "t"):
        return True
    if text in ("false", "0", "no", "n", "f"):
        return False
    raise ValueError(f"{name}: '{text[:40]}' is neither true nor false")


def text_or_none(name: str, value: Any) -> str | None:
    """A text; None where nothing is said. Raises ValueError."""
    return text_of(value) or None


def _deleted(name: str, value: Any) -> bool:
    return bool(flag_of(name, value))


READ: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(("author_name", "handle", "person", "url", "language", "repost_of"), text_or_none),
    **dict.fromkeys(("like_count", "comment_count", "share_count", "view_count", "follower_count"), count_of),
    "sponsored": flag_of,
    "deleted": _deleted,
}
"""How fields that a file need not have are read."""
OF_AUTHOR = ("author_name", "handle", "person", "follower_count")
"""Those of them that are said of the author."""


def instant_of(value: Any, zone: ZoneInfo) -> tuple[datetime, bool]:
    """The instant, and whether only its day is known (then it is the day's beginning). Raises ValueError."""
    text = value.isoformat() if isinstance(value, date) else text_of(value).replace("/", "-")
    if not text:
        raise ValueError("published_at: empty")
    try:
        if text[4:5] == "-" and len(text) > 10 and not isinstance(value, date):  # as most are written
            at = datetime.fromisoformat(text)
            return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC), False
        if isinstance(value, datetime):
            at = value
        elif text.replace(".", "", 1).isdigit() and len(text.split(".")[0]) >= 9:
            seconds = float(text)
            return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC), False
        elif len(text) <= 10:
            return day_start(date.fromisoformat(text), zone), True
        else:
            at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC), False
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"published_at: '{text[:40]}' is no time; expected as 2026-11-23T14:05:00+08:00") from None
