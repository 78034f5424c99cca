"""Keys of a user's own in a text: longest match by Aho-Corasick over their forms, as `radar.text.gazetteer` does it.

A form in Latin letters matches whole words only, others also inside a word: particles cling to it. Where two forms
overlap the longer one wins, also over another key's (パンダ is no パン).
"""

from collections.abc import Collection, Mapping
from typing import Any

import ahocorasick

from radar.keys import Kind, key_number
from radar.text.gazetteer import is_word
from radar.text.normalise import normalise

SHORTEST, LONGEST = 2, 60


def tracked_number(name: str) -> int:
    """The key of a tracked name: the same for every spelling of it that reads the same.

    >>> tracked_number("Donki") == tracked_number("ＤＯＮＫＩ")
    True
    """
    return key_number(Kind.TRACKED, normalise(name))


def plain_form(text: str) -> str:
    """A form as texts are compared with it, without a hashtag's sign; empty where nothing can match.

    >>> plain_form(" #ＤＯＮＫＩ "), plain_form("唐吉訶德"), plain_form("@donki"), plain_form("!?")
    ('donki', '唐吉訶德', '', '')
    """
    form = normalise(text).lstrip("#").strip()
    return form if "#" not in form and any(map(str.isalnum, form)) else ""


class Matcher:
    """Finds which tracked keys a normalised text mentions.

    forms  key number -> its forms, as plain_form gives them

    >>> sorted(Matcher({1: ["donki", "ドンキ"], 2: ["ドンキホーテ"]}).find("#donki の ドンキホーテ"))
    [1, 2]
    >>> Matcher({}).find("donki"), Matcher({1: ["donki"]}).find("donkis")
    (frozenset(), frozenset())
    """

    def __init__(self, forms: Mapping[int, Collection[str]]) -> None:
        self._automaton: Any = None
        keys: dict[str, set[int]] = {}
        for number, texts in forms.items():
            for text in texts:
                if text:
                    keys.setdefault(text, set()).add(number)
        if keys:
            self._automaton = ahocorasick.Automaton()
            for text, numbers in keys.items():
                self._automaton.add_word(text, (text, frozenset(numbers)))
            self._automaton.make_automaton()

    def __bool__(self) -> bool:
        """Whether anything is tracked."""
        return self._automaton is not None

    def find(self, normalised: str) -> frozenset[int]:
        """Numbers of the keys that the text mentions."""
        found: frozenset[int] = frozenset()
        if self._automaton is None:
            return found
        for last, (text, numbers) in self._automaton.iter_long(normalised):
            if _stands(normalised, last - len(text) + 1, last + 1):
                found |= numbers
        return found


def _stands(text: str, start: int, end: int) -> bool:
    """Whether a match is no piece of a longer Latin word."""
    if text[start].isascii() or text[end - 1].isascii():
        return is_word(text, start, end)
    return True


NONE = Matcher({})
