"""Words of texts in any of the languages, by ICU's word breaker (a dictionary for Han, kana, Thai; rules elsewhere)."""

from collections.abc import Sequence
from operator import itemgetter

import numpy as np
import numpy.typing as npt
from icu4py.breakers import WordBreaker

from radar.text.codes import Joined

Breaks = npt.NDArray[np.int32]

_SEPARATOR = "\n"
_LAST_OF_TWO_BYTES = 0xFFFF


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


def breaks_of(texts: Sequence[str], joined: Joined) -> Breaks:
    """Where the same segments end in texts without line feeds, joined; the line feed behind a text is one as well.

    >>> breaks_of(["東京都", "go!"], Joined.of(["東京都", "go!"])).tolist()
    [2, 3, 4, 6, 7, 8]
    """
    if not texts:
        return np.empty(0, np.int32)
    found = WordBreaker(_SEPARATOR.join(texts) + _SEPARATOR, "en").segments()
    ends = np.fromiter(map(itemgetter(1), found), np.int32)
    is_wide = joined.codes > _LAST_OF_TWO_BYTES
    if not is_wide.any():
        return ends
    units = np.arange(1, len(joined.codes) + 1) + np.cumsum(is_wide)  # ICU counts in UTF-16
    return (np.searchsorted(units, ends) + 1).astype(np.int32)


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
