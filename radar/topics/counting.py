"""Counting n-grams of many texts at once: what a vectorizer does term by term in Python, by hashes.

A run of signs is known by its hash (`radar.text.codes`), as it is when posts are scored.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from radar._jit import jit
from radar.text.codes import SEED, Codes, Hashes, Joined, grown
from radar.text.vectors import words_of

Places = npt.NDArray[np.int64]

_SPACE = np.uint32(32)


@dataclass(frozen=True, slots=True)
class Terms:
    """All terms of many texts, end to end.

    hashes      of each;  start, end  where it stands in the joined codes
    cut         where a space belongs into it that the text does not have, else 0
    offsets     (texts + 1,) each text's first term
    """

    hashes: Hashes
    start: Places
    end: Places
    cut: Places
    offsets: Places


def grams_of(joined: Joined, shortest: int, longest: int) -> Terms:
    """Every run of `shortest` to `longest` signs within a text."""
    lengths = np.diff(joined.offsets) - 1
    per_text = sum(np.maximum(lengths - n + 1, 0) for n in range(shortest, longest + 1))
    offsets = np.concatenate([[0], np.cumsum(per_text)]).astype(np.int64)
    n = int(offsets[-1])
    start, end, cut = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    terms = Terms(np.empty(n, np.uint64), start, end, cut, offsets)
    _fill_grams(joined.codes, joined.offsets, shortest, longest, terms.hashes, terms.start, terms.end)
    return terms


def words_and_pairs(joined: Joined) -> Terms:
    """Every word, and every two words with nothing or one space between, which is known by one space."""
    words = words_of(joined)
    hashes = np.empty(2 * len(words.start), np.uint64)
    start, end, cut = (np.zeros(len(hashes), np.int64) for _ in range(3))
    offsets = np.zeros(len(words.offsets), np.int64)
    n = _fill_words(joined.codes, words.start, words.end, words.offsets, hashes, start, end, cut, offsets)
    return Terms(hashes[:n], start[:n], end[:n], cut[:n], offsets)


def counted(joined: Joined, terms: Terms, least: int) -> tuple[list[str], csr_matrix]:
    """Terms that at least so many texts hold, sorted, and how often each text holds them, (texts, terms)."""
    import pandas as pd  # whoever only reads posts does not load it

    text = np.repeat(np.arange(len(terms.offsets) - 1, dtype=np.int32), np.diff(terms.offsets))
    number, hashes = pd.factorize(terms.hashes)
    often = np.flatnonzero((np.bincount(number) >= least)[number])
    number, hashes = pd.factorize(terms.hashes[often])
    first = np.empty(len(hashes), np.int64)
    first[number[::-1]] = often[::-1]
    ones = np.ones(len(number), np.float64)
    counts = csr_matrix((ones, (text[often], number.astype(np.int32))), shape=(len(terms.offsets) - 1, len(first)))
    kept = np.flatnonzero(np.bincount(counts.indices, minlength=len(first)) >= least)
    signs = joined.codes.tobytes().decode("utf-32-le")
    spans = (column[first[kept]].tolist() for column in (terms.start, terms.end, terms.cut))
    names = [signs[a:b] if not cut else f"{signs[a:cut]} {signs[cut:b]}" for a, b, cut in zip(*spans, strict=True)]
    order = sorted(range(len(names)), key=names.__getitem__)
    return [names[n] for n in order], counts[:, kept[order]]


@jit
def _fill_grams(
    codes: Codes, texts: Places, shortest: int, longest: int, hashes: Hashes, start: Places, end: Places
) -> None:
    n = 0
    for text in range(texts.size - 1):
        stop = texts[text + 1] - 1
        for at in range(texts[text], stop):
            state = SEED
            for i in range(at, min(at + longest, stop)):
                state = grown(state, codes[i])
                if i + 1 - at >= shortest:
                    hashes[n], start[n], end[n] = state, at, i + 1
                    n += 1


@jit
def _fill_words(
    codes: Codes,
    first: npt.NDArray[np.int32],
    last: npt.NDArray[np.int32],
    texts: Places,
    hashes: Hashes,
    start: Places,
    end: Places,
    cut: Places,
    offsets: Places,
) -> int:
    n = 0
    for text in range(texts.size - 1):
        offsets[text] = n
        for w in range(texts[text], texts[text + 1]):
            state = SEED
            for i in range(first[w], last[w]):
                state = grown(state, codes[i])
            hashes[n], start[n], end[n] = state, first[w], last[w]
            n += 1
            if w + 1 == texts[text + 1]:
                continue
            gap = first[w + 1] - last[w]
            if gap == 0 or (gap == 1 and codes[last[w]] == _SPACE):
                state = grown(state, _SPACE)
                for i in range(first[w + 1], last[w + 1]):
                    state = grown(state, codes[i])
                hashes[n], start[n], end[n] = state, first[w], last[w + 1]
                if gap == 0:
                    cut[n] = last[w]
                n += 1
    offsets[texts.size - 1] = n
    return n
