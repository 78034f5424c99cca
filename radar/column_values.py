"""The same of whole columns, most of whose values are written in one way; the others are read one by one.

What is read is what `radar.row_values` reads of each value, and where it would raise, so does this: whoever asks then
asks row by row which of them it is.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from radar.row_values import READ, count_of, instant_of, text_of, text_or_none

_NOTHING = type(None)


def texts_of(values: Sequence[Any]) -> list[str]:
    """Texts without spaces around them, empty where nothing is said. Raises ValueError."""
    kinds = set(map(type, values))
    if kinds != {str}:
        if not kinds <= {str, _NOTHING}:
            return list(map(text_of, values))
        values = [value or "" for value in values]
    joined = "".join(values)
    if not joined.isascii():
        try:
            joined.encode()
        except UnicodeEncodeError:
            return list(map(text_of, values))
    return list(map(str.strip, values))


def distinct(values: Sequence[Any], read: Callable[[Any], Any]) -> list[Any]:
    """What is read of values of which few are different. Raises what `read` raises."""
    if set(map(type, values)) <= {str, _NOTHING}:  # others may be equal and mean different things: 1, True
        known = {value: read(value) for value in set(values)}
        return list(map(known.__getitem__, values))
    return list(map(read, values))


def fields_of(name: str, values: Sequence[Any]) -> list[Any] | None:
    """A field that a file need not have; None where no row says anything of it. Raises ValueError."""
    kinds = set(map(type, values))
    if kinds == {_NOTHING}:
        return None
    read = READ[name]
    if read is text_or_none and kinds <= {str, _NOTHING}:
        return [text or None for text in texts_of(values)]
    if read is count_of:
        return _counts(name, kinds, values)
    missing = False if name == "deleted" else None
    return distinct(values, lambda value: missing if value is None else read(name, value))


def _counts(name: str, kinds: set[type], values: Sequence[Any]) -> list[int | None]:
    if kinds == {int} and min(values) >= 0:
        return list(values)
    if kinds == {int, _NOTHING} and min(value for value in values if value is not None) >= 0:
        return list(values)
    if kinds == {str}:
        joined = "".join(values)
        if (joined.isdigit() and joined.isascii()) or not joined:
            return [int(value) if value else None for value in values]
    return [None if value is None else count_of(name, value) for value in values]


def instants_of(values: Sequence[Any], zones: Sequence[ZoneInfo]) -> tuple[list[datetime], list[bool]]:
    """Instants, and whether only their days are known. zones: of those that name none. Raises ValueError."""
    found = _usual_instants(values, zones)
    if found is not None:
        return found, [False] * len(found)
    ats, days = zip(*map(instant_of, values, zones), strict=True)
    return list(ats), list(days)


def _usual_instants(values: Sequence[Any], zones: Sequence[ZoneInfo]) -> list[datetime] | None:
    """Of texts as 2026-11-23T14:05:00+08:00, and of plain times; None where some are written otherwise."""
    kinds = set(map(type, values))
    if kinds == {str}:
        joined = "".join(values)
        if not joined.isascii() or "/" in joined or min(map(len, values)) <= 10:
            return None
        if set(map(itemgetter(4), values)) != {"-"}:
            return None
        try:
            found = list(map(datetime.fromisoformat, values))
        except ValueError:
            return None
    elif kinds == {datetime}:
        found = list(values)
    else:
        return None
    if {at.tzinfo for at in found} == {UTC}:
        return found
    try:
        told = zip(found, zones, strict=True)
        return [(at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC) for at, zone in told]
    except (ValueError, OverflowError, OSError):
        return None
