"""Reading posts: everything a text says that needs no model, for many texts at once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from radar.keys import Keys, Kind, key_number, key_numbers
from radar.text import gazetteer
from radar.text.codes import Joined
from radar.text.key_rows import KeyRows
from radar.text.language import languages_of
from radar.text.normalise import Normal, normalise, split_hashtags, text_hash
from radar.text.segment import breaks_of, segments
from radar.text.sponsored import is_sponsored
from radar.text.term_keys import term_keys
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


@dataclass(frozen=True, slots=True)
class Readings:
    """What texts say, column by column, as `Reading` has it.

    bodies  the normalised texts without their hashtags
    """

    normal: Normal
    bodies: list[str]
    languages: list[str]
    keys: KeyRows
    places: list[tuple[str, ...]]
    sponsored: list[bool]
    text_hashes: list[int]

    def __getitem__(self, row: int) -> Reading:
        return Reading(
            self.normal.said[row], self.languages[row], self.keys[row], self.places[row], self.sponsored[row],
            self.text_hashes[row],
        )  # fmt: skip


def read(texts: Sequence[str], priors: Sequence[str | None] | None = None) -> Readings:
    """Read texts; priors are the authors' usual languages.

    >>> reading = read(["週末去大阪 #USJ"])[0]
    >>> reading.places, reading.language, len(reading.keys) > 3
    (('JP', 'JP-27', 'JP:usj'), 'zh-Hant', True)
    """
    normal = Normal.of(texts)
    normalised = normal.said
    split = [split_hashtags(text) for text in normalised]
    bodies = [body for body, _ in split]
    joined, whole = Joined.of(bodies), Joined.of(normalised)
    found = gazetteer.finder().find(normalised, whole)
    tags = KeyRows.of(key_numbers(Kind.HASHTAG, (tag for _, tags in split for tag in tags)), [len(t) for _, t in split])
    names = KeyRows.of([key for names in found for key in names.keys], [len(names.keys) for names in found])
    return Readings(
        normal,
        bodies,
        languages_of(normalised, priors or [None] * len(texts), whole),
        term_keys(joined, breaks_of(bodies, joined)) | tags | names,
        [names.places for names in found],
        [is_sponsored(tags) for _, tags in split],
        [text_hash(text) for text in normalised],
    )


def _named(tags: list[str], pieces: list[str], found: gazetteer.Found) -> tuple[tuple[Kind, Collection[str]], ...]:
    """What a text mentions, by kind."""
    return (
        (Kind.TERM, terms(pieces)), (Kind.HASHTAG, tags), (Kind.PLACE, found.places), (Kind.PRODUCT, found.products)
    )  # fmt: skip


def key_texts(texts: Sequence[str], wanted: set[int]) -> dict[int, tuple[Kind, str]]:
    """Kind and text of those wanted keys that occur in the texts: how a counted key gets its name back."""
    named: dict[int, tuple[Kind, str]] = {}
    normalised = [normalise(text) for text in texts]
    split = [split_hashtags(text) for text in normalised]
    for text, (_, tags), pieces in zip(normalised, split, segments([body for body, _ in split]), strict=True):
        for kind, names in _named(tags, pieces, gazetteer.find(text)):
            named |= {number: (kind, name) for name in names if (number := key_number(kind, name)) in wanted}
    return named
