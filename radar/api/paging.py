"""Pages of lists that are made whole: sorted and cut, with the cursor that goes on."""

import base64
import binascii
import json
from hashlib import blake2b
from typing import Any

from pydantic import BaseModel

from radar.api.shown import Shown
from radar.errors import CallerError

_NOT_FILTERS = ("cursor", "limit", "format", "fields")
_HINT = "Take `next` of the page before, with the same filters; or leave cursor out to begin again."


def cut(answer: dict[str, Any], shown: Shown, line: type[BaseModel], cursor: str | None) -> dict[str, Any]:
    """A page of an answer with all its lines: the one after `cursor`, else after the request's own."""
    mark = _mark(shown)
    begin = _position(cursor or shown.cursor, mark)
    items = sorted_by(answer["items"], shown.order)
    end = begin + shown.limit
    return answer | {"items": items[begin:end], "next": _cursor(end, mark) if end < len(items) else None}


def sorted_by(items: list[dict[str, Any]], order: tuple[tuple[str, bool], ...]) -> list[dict[str, Any]]:
    """Lines in an order; None last whichever way, equal ones as they were.

    >>> [line["n"] for line in sorted_by([{"n": 1}, {"n": None}, {"n": 3}], (("n", True),))]
    [3, 1, None]
    """
    for name, descending in reversed(order):
        known = [item for item in items if item[name] is not None]
        unknown = [item for item in items if item[name] is None]
        items = sorted(known, key=lambda item: item[name], reverse=descending) + unknown  # used at once
    return items


def _mark(shown: Shown) -> str:
    """A short print of the list: a cursor belongs to one."""
    query = sorted(item for item in shown.request.query_params.multi_items() if item[0] not in _NOT_FILTERS)
    return blake2b(repr((shown.request.url.path, query)).encode("utf-8", "replace"), digest_size=5).hexdigest()


def _cursor(position: int, mark: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([position, mark]).encode()).decode().rstrip("=")


def _position(text: str | None, mark: str) -> int:
    if text is None:
        return 0
    try:
        position, of = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise CallerError("cursor: this is no cursor.", _HINT) from None
    if of != mark or not isinstance(position, int) or isinstance(position, bool) or position < 0:
        raise CallerError("cursor: it belongs to a list with other filters.", _HINT)
    return position
