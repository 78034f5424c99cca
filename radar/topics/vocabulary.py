"""The words of posts, as the topic model sees them: what it can know, and what it cannot."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from radar.text.vectors import words_of
from radar.topics.form import Texts, feature_codes

Knows = Callable[[Sequence[str]], npt.NDArray[np.bool_]]


def words_in(texts: Texts) -> list[list[str]]:
    """Each text's words of two signs and more that hold a letter, in order.

    >>> words_in(["去大阪吃章魚燒 in 2025!", ""])
    [['大阪', '章鱼烧', 'in'], []]
    """
    if not texts:
        return []
    joined = feature_codes(texts)
    found = words_of(joined)
    whole = joined.codes.tobytes().decode("utf-32-le", "replace")
    words = [whole[a:b] for a, b in zip(found.start.tolist(), found.end.tolist(), strict=True)]
    offsets = found.offsets.tolist()
    return [
        [word for word in words[a:b] if len(word) > 1 and any(sign.isalpha() for sign in word)]
        for a, b in pairwise(offsets)
    ]


def unknown_share(texts: Texts, knows: Knows) -> tuple[int, int]:
    """(words unknown to a model, words) over texts, each as often as it is used."""
    said = [word for words in words_in(texts) for word in words]
    new = unknown_of(set(said), knows)
    return sum(word in new for word in said), len(said)


def unknown_of(words: set[str], knows: Knows) -> set[str]:
    """Those of the words that a model has never seen."""
    ordered = sorted(words)
    return {word for word, known in zip(ordered, knows(ordered), strict=True) if not known} if ordered else set()
