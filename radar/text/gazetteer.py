"""Places and products in a text: longest match by Aho-Corasick over the names in radar/text/data.

Longest match wins, so 東京都 is Tokyo and never Kyoto; a longer string that means something else (the negative
list) wins as well and names nothing. Latin names match whole words only.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import ahocorasick

from radar.text.normalise import normalise

DATA = Path(__file__).parent / "data"
LANGUAGES = ("zh-Hant", "ja", "ko", "th", "en")


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
    """What a text names: place codes with what they lie in, and product ids."""

    places: tuple[str, ...]
    products: tuple[str, ...]


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
def products() -> dict[str, Product]:
    """All products by id."""
    return {
        row["id"]: Product(row["id"], row["kind"], row["topic"], row["country"], row["forms"].split("|")[0])
        for row in _rows("products.csv")
    }


@cache
def _automaton() -> Any:
    built = ahocorasick.Automaton()
    for row in _rows("products.csv"):
        for form in row["forms"].split("|"):
            if name := normalise(form):
                built.add_word(name, (name, "", row["id"]))
    for row in _rows("places.csv"):
        for lang in LANGUAGES:
            for form in row[lang].split("|"):
                if name := normalise(form):
                    built.add_word(name, (name, row["code"], ""))
    for row in _rows("places_negative.csv"):
        if (name := normalise(row["text"])) and name not in built:
            built.add_word(name, (name, "", ""))
    built.make_automaton()
    return built


def _is_word(text: str, start: int, end: int) -> bool:
    """Whether a Latin match stands alone in the text."""
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    return not (before.isascii() and before.isalnum()) and not (after.isascii() and after.isalnum())


def find(normalised: str) -> Found:
    """Places and products named in a normalised text, hashtags included.

    >>> find("東京都 から namba まで").places
    ('JP', 'JP-13', 'JP-27', 'JP:namba')
    """
    codes: set[str] = set()
    named: set[str] = set()
    for last, (name, place_code, product_id) in _automaton().iter_long(normalised):
        if name[0].isascii() and not _is_word(normalised, last - len(name) + 1, last + 1):
            continue
        if place_code:
            codes.update(places()[place_code].codes)
        elif product_id:
            named.add(product_id)
    return Found(tuple(sorted(codes)), tuple(sorted(named)))
