"""Mentions of accounts in texts, as @ann.lee or @ann@server.example: found, and taken out.

A handle in Latin letters ends where other letters begin (`@ann.leeさん`), and the full stop of a sentence is none of
its dots.
"""

import re
from collections.abc import Callable, Iterator

GONE = "@erased"
_AT = re.compile(r"(?<![\w.])[@\uff20]([\w.\-]+(?:@[\w.\-]+)?)")
_LATIN = re.compile(r"[A-Za-z0-9_.\-@]+")


def mentions(text: str) -> set[str]:
    """What may be handles behind an @, lower case.

    >>> sorted(mentions("with @Ann.Lee, @bob@server.example. ann@mail.example"))
    ['ann.lee', 'bob', 'bob@server.example']
    >>> "ann.lee" in mentions("@ann.leeさんと")
    True
    """
    if "@" not in text and "\uff20" not in text:
        return set()
    return {name for found in _AT.finditer(text) for name in _names(found[1])}


def without_mentions(text: str, is_gone: Callable[[str], bool]) -> str:
    """A text in which mentions of some accounts, by lower-case handle, name nobody. A reading of it stays the same.

    >>> without_mentions("With @Ann.Lee. And @ann.lee2", lambda name: name == "ann.lee")
    'With @erased. And @ann.lee2'
    """

    def told(found: re.Match[str]) -> str:
        for name in _names(found[1]):
            if is_gone(name):
                return GONE + found[1][len(name) :]
        return found[0]

    return _AT.sub(told, text)


def _names(said: str) -> Iterator[str]:
    """Handles that what stands behind an @ may be, the longest first; they keep their length."""
    latin = _LATIN.match(said)
    for token in dict.fromkeys((said, latin[0] if latin else "", said.partition("@")[0])):
        if name := token.rstrip(".-@"):
            yield name.lower() if len(name.lower()) == len(name) else name
