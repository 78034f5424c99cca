"""Terms: words and pairs of neighbouring words that a post can be counted by."""

from collections.abc import Iterable, Sequence

MAX_LENGTH = 40


def is_term(word: str) -> bool:
    """Long enough to mean something, and not a number.

    >>> [is_term(w) for w in ("鳳梨", "的", "the", "it", "2026", "ใน")]
    [True, False, True, False, False, True]
    """
    least = 3 if word.isascii() else 2
    return least <= len(word) <= MAX_LENGTH and not word[0].isdigit()


def joined(left: str, right: str) -> str:
    """Two neighbouring words as they are written: Han, kana and Thai without a space.

    >>> joined("星砂", "列車"), joined("night", "market")
    ('星砂列車', 'night market')
    """
    return f"{left} {right}" if _spaced(left) or _spaced(right) else left + right


def _spaced(word: str) -> bool:
    return word.isascii() or "\uac00" <= word[0] <= "\ud7af"


def terms(runs: Iterable[Sequence[str]]) -> set[str]:
    """Words and pairs of words found in runs of neighbouring words.

    >>> sorted(terms([["月光", "列車", "好玩"]]))
    ['列車', '列車好玩', '好玩', '月光', '月光列車']
    """
    found: set[str] = set()
    for run in runs:
        before = ""
        for word in run:
            counts = is_term(word)
            if counts:
                found.add(word)
            pairs = counts or (len(word) == 1 and not word.isascii() and not word.isdigit())
            if before and pairs and len(before) + len(word) > 2:
                pair = joined(before, word)
                if len(pair) <= MAX_LENGTH:
                    found.add(pair)
            before = word if pairs else ""
    return found
