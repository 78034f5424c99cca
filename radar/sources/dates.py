"""Instants as feeds write them: RFC 822, ISO 8601, and what people make of them."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_tz

_HOURS = {
    "JST": 9,
    "KST": 9,
    "HKT": 8,
    "SGT": 8,
    "MYT": 8,
    "PHT": 8,
    "ICT": 7,
    "WIB": 7,
    "IST": 5.5,
    "CET": 1,
    "CEST": 2,
}
"""Names of zones that RFC 822 does not know and feeds of our markets use. CST is left to RFC 822 (US Central)."""
_NAMED = re.compile(r"\b([A-Z]{2,4})\s*$")
_OFFSET = re.compile(r"(?:[+-]\d{2}:?\d{2}|\bZ|\bz|\b(?:GMT|UTC?|EST|EDT|CST|CDT|MST|MDT|PST|PDT))\s*$")


def instant(text: str, zone: tzinfo) -> datetime | None:
    """The instant in UTC; one without a zone is in `zone`. None for what is no time.

    >>> from zoneinfo import ZoneInfo
    >>> taipei = ZoneInfo("Asia/Taipei")
    >>> instant("Mon, 04 May 2026 20:00:00 +0800", taipei).hour, instant("2026-05-04 20:00", taipei).hour
    (12, 12)
    >>> instant("yesterday", taipei)
    """
    text = " ".join(text.split())
    if not text or len(text) > 100:
        return None
    named = _NAMED.search(text)
    offset = None
    if named and named[1] in _HOURS:
        offset = timezone(timedelta(hours=_HOURS[named[1]]))
        text = text[: named.start()].strip()
    for read in (_iso, _rfc):
        at = read(text)
        if at is None:
            continue
        try:
            return (at if at.tzinfo else at.replace(tzinfo=offset or zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
    return None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        return None


def _rfc(text: str) -> datetime | None:
    try:
        read = parsedate_tz(text)
        if read is None:
            return None
        at = datetime(*read[:6])
        if not _OFFSET.search(text):
            return at
        return at.replace(tzinfo=timezone(timedelta(seconds=read[9] or 0)))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
