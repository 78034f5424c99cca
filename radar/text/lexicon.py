"""Function words of five languages: what never begins or ends a term. Read once from data/function_words.toml."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from radar.text.normalise import compose

DATA = Path(__file__).parent / "data" / "function_words.toml"


@dataclass(frozen=True, slots=True)
class FunctionWords:
    """Hand-written word lists; those of all languages together where the script tells them apart.

    stop       words that end a term          link  words that may stand inside one (進撃の巨人)
    tail       words that may only end one    part      words that count only with their neighbours
    everyday   language -> content words that all texts are full of
    never      stop and part: what is no term, also where it is put together from smaller pieces
    """

    stop: frozenset[str]
    link: frozenset[str]
    tail: frozenset[str]
    part: frozenset[str]
    everyday: dict[str, frozenset[str]]
    never: frozenset[str]


@dataclass(frozen=True, slots=True)
class KoreanEndings:
    """What is glued to Korean words.

    josa       particles                    whole  nouns that only look as if a particle ended them
    predicate  beginning -> dictionary form         adjectives  those dictionary forms
    verb   endings of inflected verbs               hada        forms of 하다 and 되다
    """

    josa: frozenset[str]
    whole: frozenset[str]
    predicate: dict[str, str]
    adjectives: frozenset[str]
    verb: frozenset[str]
    hada: frozenset[str]


@cache
def function_words() -> FunctionWords:
    """The lists of all languages.

    >>> "的" in function_words().stop, "の" in function_words().link
    (True, True)
    """
    data = tomllib.loads(compose(DATA.read_text(encoding="utf-8")))

    def listed(name: str) -> frozenset[str]:
        return frozenset(word for part in data.values() for word in part.get(name, "").split())

    everyday = {language: frozenset(part["everyday"].split()) for language, part in data.items()}
    link = listed("link")
    stop, part = listed("stop") - link, listed("part")
    return FunctionWords(stop, link, listed("tail"), part, everyday, stop | part)


@cache
def korean_endings() -> KoreanEndings:
    """The endings of Korean words."""
    data = tomllib.loads(DATA.read_text(encoding="utf-8"))["ko"]

    return KoreanEndings(
        frozenset(data["josa"].split()),
        frozenset(data["whole"].split()),
        data["predicate"],
        frozenset(data["predicate"].values()),
        frozenset(data["endings"]["verb"].split()),
        frozenset(data["endings"]["hada"].split()),
    )
