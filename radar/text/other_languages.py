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

import numpy as np
import numpy.typing as npt

from radar._jit import jit
from radar.text.codes import SEED, Codes, Hashes, HashTable, Joined, grown, hashes_of, look_up

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


def may_be_told(joined: Joined) -> npt.NDArray[np.bool_]:
    """Which of many lower-case texts `by_words` may find another language in, whatever the prior, (texts,)."""
    marks = _marks()
    found = np.empty(len(joined.offsets) - 1, np.bool_)
    _may_be_told(
        joined.codes, joined.offsets, marks.kinds, marks.letters, marks.words.hashes, marks.words.values,
        marks.languages, len(_others().words), found,
    )  # fmt: skip
    return found


@dataclass(frozen=True, slots=True)
class _Marks:
    """What tells a language, for compiled code; bit k of a number is for the k-th language with words.

    kinds      of each code point: _LETTER, or _JOINED for what no word begins behind
    letters    (first 0x2000 code points,) whose letter each is     words      the hash of a word -> its row
    languages  (words,) whose word each is; the bit behind the last language's is English
    """

    kinds: npt.NDArray[np.uint8]
    letters: npt.NDArray[np.int64]
    words: HashTable
    languages: npt.NDArray[np.int64]


_LETTER, _JOINED = 1, 2
_APOSTROPHE = np.uint32(39)


@cache
def _marks() -> _Marks:
    data, known = _data(), _others()
    signs = np.arange(0x110000, dtype=np.uint32).view("U1")
    is_word = np.strings.isalnum(signs)
    kinds = np.where(is_word & ~np.strings.isdecimal(signs), _LETTER, np.where(is_word, _JOINED, 0)).astype(np.uint8)
    kinds[[ord(sign) for sign in "_#@"]] = _JOINED
    letters = np.zeros(0x2000, np.int64)
    languages: dict[str, int] = dict.fromkeys(known.english, 1 << len(known.words))
    for bit, (language, words) in enumerate(known.words.items()):
        letters[[ord(sign) for sign in data[language].get("letters", "")]] |= 1 << bit
        for word in words:
            languages[word] = languages.get(word, 0) | 1 << bit
    return _Marks(
        kinds,
        letters,
        HashTable.of(hashes_of(list(languages)), np.arange(len(languages))),
        np.array(list(languages.values()), np.int64),
    )


@jit
def _may_be_told(
    codes: Codes,
    offsets: npt.NDArray[np.int64],
    kinds: npt.NDArray[np.uint8],
    letters: npt.NDArray[np.int64],
    slots: Hashes,
    kept: npt.NDArray[np.int32],
    languages: npt.NDArray[np.int64],
    count: int,
    found: npt.NDArray[np.bool_],
) -> None:
    seen = np.full(languages.size, -1, np.int64)
    said, signs = np.zeros(count + 1, np.int64), np.zeros(count + 1, np.int64)
    for text in range(found.size):
        at, stop = offsets[text], offsets[text + 1] - 1
        said[:] = 0
        signs[:] = 0
        for i in range(at, stop):
            if codes[i] < letters.size and letters[codes[i]]:
                for k in range(count):
                    signs[k] += letters[codes[i]] >> k & 1
        while at < stop:
            if kinds[codes[at]] != _LETTER or (at > offsets[text] and kinds[codes[at - 1]]):
                at += 1
                continue
            state = SEED
            while at < stop and kinds[codes[at]] == _LETTER:
                state = grown(state, codes[at])
                at += 1
            if at + 1 < stop and codes[at] == _APOSTROPHE and kinds[codes[at + 1]] == _LETTER:
                state = grown(state, codes[at])
                at += 1
                while at < stop and kinds[codes[at]] == _LETTER:
                    state = grown(state, codes[at])
                    at += 1
            word = look_up(slots, kept, state)
            if word >= 0 and seen[word] != text:
                seen[word] = text
                for k in range(count + 1):
                    said[k] += languages[word] >> k & 1
        most = 0
        for k in range(count):
            most = max(most, said[k] + 2 * min(signs[k] // 2, 4))
        found[text] = most + 1 > max(said[count], 1)  # one more where it is the author's own


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
