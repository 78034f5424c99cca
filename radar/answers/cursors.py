"""The one dialect of pages: `next` of a page is the `cursor` of the one after, and belongs to one list."""

import base64
import binascii
import json
from hashlib import blake2b
from typing import Any

from radar.errors import CallerError

_HINT = "Take `next` of the page before as it is, with the same filters; or leave cursor out to begin again."


def mark_of(*told: Any) -> str:
    """A short print of what a list is of."""
    return blake2b(repr(told).encode("utf-8", "replace"), digest_size=5).hexdigest()


def cursor_of(mark: str, *place: Any) -> str:
    """A place in a list of that mark, as text for addresses.

    >>> place_in("abc", cursor_of("abc", 2.5, 7), (float, int))
    (2.5, 7)
    """
    return base64.urlsafe_b64encode(json.dumps([mark, *place]).encode()).decode().rstrip("=")


def place_in(mark: str, cursor: str, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    """Read a place back, each part of its kind. Raises CallerError where it is none, or of another list."""
    try:
        of, *place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise CallerError("cursor: this is no cursor.", _HINT) from None
    too_large = any(isinstance(part, int) and abs(part) >= 2**63 for part in place)
    if of != mark or too_large or [type(part) for part in place] != list(kinds):
        raise CallerError("cursor: it belongs to a list with other filters.", _HINT)
    return tuple(place)
