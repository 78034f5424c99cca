"""Languages that the radar does not read, told by their script, their letters or their everyday words.

The lists are in data/other_languages.toml. A text in Latin letters stays English unless another language shows: by two
letters that hardly another one has, or by more everyday words than English has in it. One is enough where the author
is known to write that language.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).parent / "data" / "other_languages.toml"
READ = frozenset({"zh-Hant", "zh-Hans", "ja", "ko", "th", "en"})
"""Languages whose posts get topics and a tone."""

_WORD = re.compile(r"(?<![#@\w])[^\W\d_]+(?:'[^\W\d_]+)?")


def _data() -> dict[str, dict[str, str]]:
    return tomllib.loads(DATA.read_text(encoding="utf-8"))


def scripts() -> dict[str, list[str]]:
    """Language -> ranges of code points (first-last, hexadecimal) of the script that tells it."""
    return {language: part["script"].split() for language, part in _data().items() if "script" in part}


@dataclass(frozen=True, slots=True)
class _Others:
    scripts: dict[str, re.Pattern[str]]
    letters: dict[str, re.Pattern[str]]
    words: dict[str, frozenset[str]]
    telling: frozenset[str]
    english: frozenset[str]
    any_script: re.Pattern[str]


@cache
def _others() -> _Others:
    data = _data()
    ranges = {
        language: "".join(f"\\u{low}-\\u{high}" for low, high in (part.split("-") for part in parts))
        for language, parts in scripts().items()
    }
    words = {
        language: frozenset(part["words"].split())
        for language, part in data.items()
        if "words" in part and language != "en"
    }
    return _Others(
        {language: re.compile(f"[{signs}]") for language, signs in ranges.items()},
        {language: re.compile(f"[{part['letters']}]") for language, part in data.items() if "letters" in part},
        words,
        frozenset().union(*words.values()),
        frozenset(data["en"]["words"].split()),
        re.compile(f"[{''.join(ranges.values())}]"),
    )


def by_script(text: str, letters: int) -> str | None:
    """The language whose script at least a third of a text's letters are in.

    letters  of the scripts that are read, Latin among them

    >>> by_script("привет from osaka", 9), by_script("ramen 🍜", 5)
    ('ru', None)
    """
    known = _others()
    if text.isascii() or 2 * (found := len(known.any_script.findall(text))) < max(letters, 1):
        return None
    return max(known.scripts, key=lambda language: len(known.scripts[language].findall(text))) if found else None


def by_words(text: str, prior: str | None, least: int = 2) -> str | None:
    """The language of a lower-case text in Latin letters where it is another one than English.

    least  words or letters that tell it

    >>> by_words("el mejor ramen de la ciudad", None), by_words("the best ramen in la", None)
    ('es', None)
    """
    known, words = _others(), set(_WORD.findall(text))
    telling = words & known.telling
    votes = {language: len(telling & listed) for language, listed in known.words.items()}
    if not text.isascii():
        for language, pattern in known.letters.items():
            votes[language] = votes.get(language, 0) + 2 * min(len(pattern.findall(text)) // 2, 4)
    if prior in votes:
        votes[prior] += 1
    best = max(votes, key=lambda language: votes[language])
    return best if votes[best] >= max(least, len(words & known.english) + 1) else None
