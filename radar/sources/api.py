"""Asking a platform's JSON interface with a secret that never leaves this module."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from radar.sources.base import MAX_COUNT
from radar.sources.trouble import Malformed, Trouble
from radar.sources.web import Answer, Web

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)
"""What reading an item raises that is not of the shape it should have."""
_HIDDEN = "[secret]"


class Api:
    """A platform's interface.

    header  the one the secret goes in, as ("Authorization", "Bearer {}")

    The secret goes in no address, and whatever a server says of it is blotted out before anything is kept of it.
    """

    def __init__(self, web: Web, secret: str | None, header: tuple[str, str] = ("Authorization", "Bearer {}")) -> None:
        self._web = web
        self._headers = {header[0]: header[1].format(secret)} if secret else {}
        self._secrets = [s for s in {secret or "", quote(secret or "", safe="")} if s]

    def get(self, url: str, params: Mapping[str, str]) -> tuple[Answer, dict[str, Any]]:
        """What GET answers: an object. Raises Trouble."""
        return self._read(lambda: self._web.get(url, params=params, headers=self._headers))

    def post(self, url: str, params: Mapping[str, str], body: Any) -> tuple[Answer, dict[str, Any]]:
        """What POST of a JSON body answers: an object. Raises Trouble."""
        return self._read(lambda: self._web.post(url, params=params, headers=self._headers, body=body))

    def _read(self, ask: Any) -> tuple[Answer, dict[str, Any]]:
        try:
            answer: Answer = ask()
        except Trouble as error:
            error.detail, error.message = self.clean(error.detail), self.clean(error.message)
            raise
        body = answer.body
        for secret in self._secrets:
            body = body.replace(secret.encode(), _HIDDEN.encode())
        answer = Answer(answer.url, answer.status, answer.headers, body)
        found = answer.json()
        if not isinstance(found, dict):
            raise Malformed(f"{answer.url.partition('?')[0]}: expected an object", answer.body)
        return answer, found

    def clean(self, text: str) -> str:
        """A text without the secret."""
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        return text


def items_of(found: Mapping[str, Any], name: str, answer: Answer) -> list[Any]:
    """A list of an answer, empty where it is left out. Raises Malformed where it is something else."""
    items = found.get(name)
    if items is None:
        return []
    if not isinstance(items, list):
        raise Malformed(f"{name}: expected a list", answer.body)
    return items


def count_of(value: Any) -> int | None:
    """A count that may be written as digits; None where it is hidden or is none.

    >>> count_of("1207"), count_of(0), count_of(None), count_of(True), count_of("1e5"), count_of(-1), count_of(10**30)
    (1207, 0, None, None, None, None, None)
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        value = int(value)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MAX_COUNT
    return value if is_count else None


def word_of(value: Any) -> str | None:
    """What should be a text; None where it is none, or empty.

    >>> word_of("Ann"), word_of(""), word_of(["Ann"])
    ('Ann', None, None)
    """
    return value or None if isinstance(value, str) else None


def counts_of(item: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Counts of a post by our names, from what a platform calls them."""
    return {ours: count_of(item.get(theirs)) for ours, theirs in names.items()}


def id_of(value: Any) -> str:
    """An id as text: whole numbers are taken too, exactly. Raises ValueError.

    >>> id_of(7213456789012345678), id_of("009")
    ('7213456789012345678', '009')
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**40:
        return str(value)
    if isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable():
        return value
    raise ValueError("id: expected a text")


def text_or_none(value: Any) -> str | None:
    """A text that says something; None for anything else."""
    return value if isinstance(value, str) and value.strip() else None
