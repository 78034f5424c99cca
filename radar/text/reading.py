"""Reading posts: everything a text says that needs no model, for many texts at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from radar.keys import Keys, Kind, key_number
from radar.text import gazetteer
from radar.text.language import language_of
from radar.text.normalise import normalise, split_hashtags, text_hash
from radar.text.segment import segments
from radar.text.sponsored import is_sponsored
from radar.text.terms import terms


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says.

    keys  (n,) int64, sorted and distinct: hashtags, terms, places, products
    """

    normalised: str
    language: str
    keys: Keys
    places: tuple[str, ...]
    sponsored: bool
    text_hash: int


@lru_cache(maxsize=20_000)
def _number(kind: Kind, text: str) -> int:
    return key_number(kind, text)


def _named_keys(tags: list[str], pieces: list[str], found: gazetteer.Found) -> set[tuple[Kind, str]]:
    named = {(Kind.TERM, term) for term in terms(pieces)}
    named |= {(Kind.HASHTAG, tag) for tag in tags}
    named |= {(Kind.PLACE, code) for code in found.places}
    named |= {(Kind.PRODUCT, product) for product in found.products}
    return named


def read(texts: Sequence[str], priors: Sequence[str | None] | None = None) -> list[Reading]:
    """Read texts; priors are the authors' usual languages.

    >>> reading = read(["週末去大阪 #USJ"])[0]
    >>> reading.places, reading.language, len(reading.keys) > 3
    (('JP', 'JP-27', 'JP:usj'), 'zh-Hant', True)
    """
    normalised = [normalise(text) for text in texts]
    split = [split_hashtags(text) for text in normalised]
    pieces = segments([body for body, _ in split])
    readings = []
    for i, (text, (_, tags)) in enumerate(zip(normalised, split, strict=True)):
        found = gazetteer.find(text)
        numbers = [_number(kind, name) for kind, name in _named_keys(tags, pieces[i], found)]
        readings.append(
            Reading(
                text,
                language_of(text, priors[i] if priors else None),
                np.array(sorted(numbers), dtype=np.int64),
                found.places,
                is_sponsored(tags),
                text_hash(text),
            )
        )
    return readings


def key_texts(texts: Sequence[str], wanted: set[int]) -> dict[int, tuple[Kind, str]]:
    """Kind and text of those wanted keys that occur in the texts: how a counted key gets its name back."""
    named: dict[int, tuple[Kind, str]] = {}
    normalised = [normalise(text) for text in texts]
    split = [split_hashtags(text) for text in normalised]
    for text, (_, tags), pieces in zip(normalised, split, segments([body for body, _ in split]), strict=True):
        for kind, name in _named_keys(tags, pieces, gazetteer.find(text)):
            number = _number(kind, name)
            if number in wanted:
                named[number] = (kind, name)
    return named
