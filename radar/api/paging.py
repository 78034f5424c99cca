"""Pages of lists that are made whole: sorted and cut, with the cursor that goes on."""

from typing import Any

from pydantic import BaseModel

from radar.answers.cursors import cursor_of, mark_of, place_in
from radar.api.shown import Shown

_NOT_FILTERS = ("cursor", "limit", "format", "fields")


def cut(answer: dict[str, Any], shown: Shown, line: type[BaseModel], cursor: str | None) -> dict[str, Any]:
    """A page of an answer with all its lines: the one after `cursor`, else after the request's own."""
    mark = _mark(shown)
    given = cursor or shown.cursor
    begin = max(place_in(mark, given, (int,))[0], 0) if given else 0
    items = sorted_by(answer["items"], shown.order)
    end = begin + shown.limit
    return answer | {"items": items[begin:end], "next": cursor_of(mark, end) if end < len(items) else None}


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
    query = sorted(item for item in shown.request.query_params.multi_items() if item[0] not in _NOT_FILTERS)
    return mark_of(shown.request.url.path, query)
