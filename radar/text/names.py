"""Names and handles as they are searched: their words, by beginnings."""

import re

from radar.text.normalise import compose

LONGEST = 64
_MOST = 24
_WORD = re.compile(r"[\w\u0e00-\u0e7f]+")  # Thai marks are no word characters to Python


def words_of(*names: str | None) -> set[str]:
    """What somebody is found by: the whole name, each of its words, and where words are not split, every rest of one.

    >>> sorted(words_of("mika.travel", "Mika"))
    ['mika', 'mika.travel', 'travel']
    >>> sorted(words_of("小美"))
    ['小美', '美']
    """
    found: set[str] = set()
    for name in names:
        whole = " ".join(compose(name or "").lower().split()).strip("@ ")
        words = _WORD.findall(whole)
        found |= {whole, *words}
        for word in words:
            if not word.isascii():
                found |= {word[i:] for i in range(min(len(word), _MOST))}
    return {word[:LONGEST] for word in found if word}


def asked_words(text: str) -> list[str]:
    """The words of a search; each must begin a word of the name.

    >>> asked_words("@Mika Travel")
    ['mika', 'travel']
    """
    return [word.strip("@")[:LONGEST] for word in compose(text).lower().split() if word.strip("@")]
