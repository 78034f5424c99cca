"""Words of texts in any of the languages, by ICU's word breaker (a dictionary for Han, kana, Thai; rules elsewhere)."""

from collections.abc import Sequence

from icu4py.breakers import WordBreaker

_SEPARATOR = "\n"


def segments(texts: Sequence[str]) -> list[list[str]]:
    """All segments of each text in order: words, spaces and signs. One breaker serves the whole batch.

    >>> segments(["東京都の鳳梨酥", "สวัสดีครับ hello"])
    [['東京', '都', 'の', '鳳梨', '酥'], ['สวัสดี', 'ครับ', ' ', 'hello']]
    """
    joined = _SEPARATOR.join(text.replace(_SEPARATOR, " ") for text in texts)
    result: list[list[str]] = [[]]
    current = result[0]
    for piece in WordBreaker(joined, "en"):
        if piece == _SEPARATOR:
            current = []
            result.append(current)
        else:
            current.append(piece)
    return result


def words(pieces: Sequence[str]) -> list[list[str]]:
    """Runs of neighbouring words: a sign ends a run, a single space does not.

    >>> words(["go", " ", "to", "!", " ", "東京", "駅"])
    [['go', 'to'], ['東京', '駅']]
    """
    runs: list[list[str]] = []
    run: list[str] = []
    for piece in pieces:
        if piece[0].isalnum() or "\u0e00" <= piece[0] <= "\u0e7f":
            run.append(piece)
        elif piece != " " and run:
            runs.append(run)
            run = []
    if run:
        runs.append(run)
    return runs
