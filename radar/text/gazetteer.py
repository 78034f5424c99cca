"""Places and products in a text: longest match by Aho-Corasick over the names in radar/text/data.

Longest match wins, so 東京都 is Tokyo and never Kyoto; a longer string that means something else (the negative
list) wins as well and names nothing. Latin names match whole words only. A name that several places share is the one
that the rest of the text speaks for (its words, or another place of that prefecture or country), else it stays open.
"""

import csv
import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import ahocorasick

from radar.keys import Kind, key_numbers
from radar.text.codes import Joined
from radar.text.longest import Names
from radar.text.normalise import normalise

DATA = Path(__file__).parent / "data"
LANGUAGES = ("zh-Hant", "ja", "ko", "th", "en")
REMEMBERED = 1 << 14
"""Sets of names whose meaning is remembered."""


@dataclass(frozen=True, slots=True)
class Place:
    """A country, subdivision (ISO 3166-2), city or point of interest.

    >>> places()["JP-27"].country
    'JP'
    """

    code: str
    kind: str
    country: str
    subdivision: str
    names: dict[str, str]

    @property
    def codes(self) -> tuple[str, ...]:
        """The place and what it lies in."""
        return tuple(dict.fromkeys(code for code in (self.country, self.subdivision, self.code) if code))


@dataclass(frozen=True, slots=True)
class Product:
    """A brand or product that cross-border shoppers name."""

    id: str
    kind: str
    topic_id: str
    country: str
    name: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a text names: place codes with what they lie in, product ids, and the keys of them all."""

    places: tuple[str, ...]
    products: tuple[str, ...]
    keys: tuple[int, ...]


def _rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def places() -> dict[str, Place]:
    """All places by code."""
    return {
        row["code"]: Place(
            row["code"],
            row["kind"],
            row["country"],
            row["subdivision"],
            {lang: row[lang].split("|")[0] for lang in LANGUAGES if row[lang]},
        )
        for row in _rows("places.csv")
    }


@cache
def _within() -> dict[str, tuple[str, ...]]:
    """Place code -> the place and what it lies in."""
    return {code: place.codes for code, place in places().items()}


@cache
def products() -> dict[str, Product]:
    """All products by id."""
    return {
        row["id"]: Product(row["id"], row["kind"], row["topic"], row["country"], row["forms"].split("|")[0])
        for row in _rows("products.csv")
    }


def product_forms() -> dict[str, list[str]]:
    """Topic id -> how its brands and products are written."""
    forms: dict[str, list[str]] = {}
    for row in _rows("products.csv"):
        forms.setdefault(row["topic"], []).extend(row["forms"].split("|"))
    return forms


def place_forms() -> dict[str, list[str]]:
    """Kind of place -> how its places are written, in all languages."""
    forms: dict[str, list[str]] = {}
    for row in _rows("places.csv"):
        forms.setdefault(row["kind"], []).extend(f for lang in LANGUAGES for f in row[lang].split("|") if f)
    return forms


@cache
def forms_of_places() -> dict[str, list[str]]:
    """Place code -> how it is written, in all languages."""
    return {row["code"]: [f for lang in LANGUAGES for f in row[lang].split("|") if f] for row in _rows("places.csv")}


@cache
def forms_of_products() -> dict[str, list[str]]:
    """Product id -> how it is written, in all languages."""
    return {row["id"]: row["forms"].split("|") for row in _rows("products.csv")}


AMBIGUOUS = "?"


@cache
def ambiguous() -> dict[str, dict[str, tuple[str, ...]]]:
    """Names that several places share -> each place's code and the words that speak for it."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for row in _rows("places_ambiguous.csv"):
        words = dict(part.rpartition(":")[::2] for part in row["contexts"].split(";") if part)
        found[normalise(row["name"])] = {
            code: tuple(normalise(word) for word in words.get(code, "").split("|") if word)
            for code in row["codes"].split()
            if code in places()
        }
    return found


def resolve(name: str, normalised: str, named: Collection[str]) -> str | None:
    """Which of the places that share a name is meant: the one most is said for; None where none leads.

    named  codes of places that the text names without doubt
    """
    said: list[tuple[int, str]] = []
    for code, words in ambiguous()[name].items():
        nearby = {*places()[code].codes} & {*named}
        said.append((2 * sum(word in normalised for word in words) + len(nearby), code))
    said.sort(reverse=True)
    if not said or said[0][0] == 0 or (len(said) > 1 and said[1][0] == said[0][0]):
        return None
    return said[0][1]


_NOTHING = Found((), (), ())


@cache
def _names() -> dict[str, tuple[str, str]]:
    """Name -> place code, AMBIGUOUS or "", and product id or "": neither for what only looks like a name."""
    built: dict[str, tuple[str, str]] = {}
    for row in _rows("products.csv"):
        for form in row["forms"].split("|"):
            if name := normalise(form):
                built[name] = ("", row["id"])
    for row in _rows("places.csv"):
        for lang in LANGUAGES:
            for form in row[lang].split("|"):
                if name := normalise(form):
                    built[name] = (row["code"], "")
    for name in ambiguous():
        built.setdefault(name, (AMBIGUOUS, ""))
    for row in _rows("places_negative.csv"):
        if name := normalise(row["text"]):
            built.setdefault(name, ("", ""))
    return built


@cache
def _automaton() -> Any:
    built = ahocorasick.Automaton()
    for name, means in _names().items():
        built.add_word(name, (name, *means))
    built.make_automaton()
    return built


def is_word(text: str, start: int, end: int) -> bool:
    """Whether a Latin match stands alone in the text."""
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    return not (before.isascii() and before.isalnum()) and not (after.isascii() and after.isalnum())


def spans(normalised: str) -> list[tuple[int, int, str, str]]:
    """Where a text names a place or a product for sure: start, end, place code or "", product id or "".

    >>> spans("大阪必買")
    [(0, 2, 'JP-27', '')]
    """
    found = []
    for last, (name, place_code, product_id) in _automaton().iter_long(normalised):
        start, end = last - len(name) + 1, last + 1
        is_whole = not name[0].isascii() or is_word(normalised, start, end)
        if is_whole and place_code != AMBIGUOUS and (place_code or product_id):
            found.append((start, end, place_code, product_id))
    return found


def find(normalised: str) -> Found:
    """Places and products named in a normalised text, hashtags included.

    >>> find("東京都 から namba まで").places
    ('JP', 'JP-13', 'JP-27', 'JP:namba')
    """
    matches = (
        name
        for last, (name, _, _) in _automaton().iter_long(normalised)
        if not name[0].isascii() or is_word(normalised, last - len(name) + 1, last + 1)
    )
    return _meant(matches, normalised)


def _meant(names: Iterable[str], normalised: str) -> Found:
    """What names that stand in a text mean."""
    codes: set[str] = set()
    named: set[str] = set()
    open_names: list[str] = []
    within = _within()
    meanings = _names()
    for name in names:
        place_code, product_id = meanings[name]
        if place_code == AMBIGUOUS:
            open_names.append(name)
        elif place_code:
            codes.update(within[place_code])
        elif product_id:
            named.add(product_id)
    for code in [resolve(name, normalised, codes) for name in open_names]:
        if code:
            codes.update(within[code])
    said = tuple(sorted(codes)), tuple(sorted(named))
    keys = itertools.chain(*map(key_numbers, (Kind.PLACE, Kind.PRODUCT), said))
    return Found(*said, tuple(keys))


class Finder:
    """`find` of many texts, in one compiled pass; what the same names said before is remembered.

    >>> texts = ["東京都 から namba まで", "大阪"]
    >>> Finder().find(texts, Joined.of(texts)) == [find(text) for text in texts]
    True
    """

    def __init__(self) -> None:
        self._said = list(_names())
        self._names = Names(self._said)
        self._open = frozenset(i for i, name in enumerate(self._said) if _names()[name][0] == AMBIGUOUS)
        self._remembered: dict[tuple[int, ...], Found] = {(): _NOTHING}

    def find(self, normalised: Sequence[str], joined: Joined) -> list[Found]:
        """Places and products named in each text; joined: the same texts."""
        matches, offsets = self._names.find(joined)
        found, bounds = matches.tolist(), offsets.tolist()
        return [
            self._of(tuple(found[a:b]), text)
            for text, (a, b) in zip(normalised, itertools.pairwise(bounds), strict=True)
        ]

    def _of(self, matches: tuple[int, ...], normalised: str) -> Found:
        known = self._remembered.get(matches)
        if known is None:
            known = _meant([self._said[match] for match in matches], normalised)
            if self._open.isdisjoint(matches):  # what the rest of a text decides is no other's
                if len(self._remembered) >= REMEMBERED:
                    self._remembered = {(): _NOTHING}
                self._remembered[matches] = known
        return known


@cache
def finder() -> Finder:
    """The one that is shared."""
    return Finder()
