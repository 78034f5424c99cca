"""Episode ids as people meet them: 13 characters of Crockford's base 32 instead of a 63-bit number."""

from radar.errors import UnknownName

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {c: i for i, c in enumerate(_DIGITS)} | {"i": 1, "l": 1, "o": 0}
_LENGTH = 13


def trend_id(number: int) -> str:
    """The id that URLs and JSON show.

    >>> trend_id(2**63 - 1)
    '7zzzzzzzzzzzz'
    """
    return "".join(_DIGITS[(number >> shift) & 31] for shift in range(5 * (_LENGTH - 1), -1, -5))


def episode_number(shown: str) -> int:
    """The episode behind an id. Raises UnknownName when it cannot be one.

    >>> episode_number(trend_id(123456789)), episode_number("7ZZZZZZZZZZZZ") == 2**63 - 1
    (123456789, True)
    """
    text = shown.strip().lower()
    if len(text) != _LENGTH or any(c not in _VALUES for c in text):
        raise UnknownName("trend", shown[:60], [])
    number = 0
    for c in text:
        number = number << 5 | _VALUES[c]
    if number >= 2**63:
        raise UnknownName("trend", shown[:60], [])
    return number
