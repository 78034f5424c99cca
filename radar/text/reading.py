"""Reading posts: everything a text says that needs no model, for many texts at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from radar.keys import Keys, Kind, key_number, key_numbers
from radar.text import gazetteer
from radar.text.language import languages_of
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


def _named(tags: list[str], pieces: list[str], found: gazetteer.Found) -> tuple[tuple[Kind, Collection[str]], ...]:
    """What a text mentions, by kind."""
    return (
        (Kind.TERM, terms(pieces)), (Kind.HASHTAG, tags), (Kind.PLACE, found.places), (Kind.PRODUCT, found.products)
    )  # fmt: skip


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
    languages = languages_of(normalised, priors or [None] * len(texts))
    for text, (_, tags), of_text, language in zip(normalised, split, pieces, languages, strict=True):
        found = gazetteer.find(text)
        numbers = [number for kind, names in _named(tags, of_text, found) for number in key_numbers(kind, names)]
        numbers.sort()
        readings.append(
            Reading(
                text,
                language,
                np.array(numbers, dtype=np.int64),
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
        for kind, names in _named(tags, pieces, gazetteer.find(text)):
            named |= {number: (kind, name) for name in names if (number := key_number(kind, name)) in wanted}
    return named
