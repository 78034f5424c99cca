"""Static word vectors of six languages in one space, and the words that texts fall into by their vocabulary.

The table was distilled from a multilingual sentence encoder (models/vectors/make_word_vectors.py tells how): a text's
vector is the sum of its words' vectors, scaled to length one, and lies near the vectors of texts that say the same in
another language. Words of scripts without spaces, and Hangul, are split along the likeliest path over the table's
words (a unigram model, Viterbi); other scripts' words are what stands between signs. An emoji is a word.

A word weighs a / (a + p), p its frequency (Arora et al., ICLR 2017): the commonest say least of what a text is about.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from radar._jit import jit
from radar.text.codes import (
    ABSENT,
    EMOJI,
    OTHER,
    SEED,
    SPACED,
    Classes,
    Codes,
    Hashes,
    HashTable,
    Joined,
    classes_of,
    grown,
    look_up,
)

PATH = Path(__file__).parent / "data" / "word_vectors.npz"
LONGEST = 16
"""Signs of the longest word that a run is split into."""

FREQUENT = 1e-3
"""a of a / (a + p), as the paper has it."""

_UNKNOWN = np.float32(-22.0)  # ln probability of a sign that no word holds
PREFIX = -1


@dataclass(frozen=True, slots=True)
class WordTable:
    """Words by the hash of their signs.

    table     hash -> row, PREFIX where only longer words begin so
    log_p     (words,) float32 ln of the word's frequency
    vectors   (words, dimensions) int8                       scale  (words,) float32, what a vector is multiplied by
    """

    table: HashTable
    log_p: npt.NDArray[np.float32]
    vectors: npt.NDArray[np.int8]
    scale: npt.NDArray[np.float32]

    @property
    def dimensions(self) -> int:
        return int(self.vectors.shape[1])


@cache
def word_table() -> WordTable:
    """The table that ships with radar, read once."""
    with np.load(PATH) as data:
        words, prefixes = data["words"], data["prefixes"]
        table = HashTable.of(
            np.concatenate([words, prefixes]),
            np.concatenate([np.arange(len(words)), np.full(len(prefixes), PREFIX)]),
        )
        log_p = data["log_p"].astype(np.float32)
        weighed = data["scale"] * (FREQUENT / (FREQUENT + np.exp(log_p)))
        return WordTable(table, log_p, data["vectors"], weighed.astype(np.float32))


@dataclass(frozen=True, slots=True)
class Words:
    """Words of many texts, end to end.

    start, end  (words,) places in the joined codes       rows  (words,) int32 in the table, -1 for a word outside it
    offsets     (texts + 1,) each text's first word
    """

    start: npt.NDArray[np.int32]
    end: npt.NDArray[np.int32]
    rows: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]


@jit
def _split(
    codes: Codes,
    classes: Classes,
    offsets: npt.NDArray[np.int64],
    slots: Hashes,
    kept: npt.NDArray[np.int32],
    log_p: npt.NDArray[np.float32],
    start: npt.NDArray[np.int32],
    end: npt.NDArray[np.int32],
    rows: npt.NDArray[np.int32],
    firsts: npt.NDArray[np.int64],
) -> int:
    """Fill start, end, rows (each as long as codes) and firsts; returns how many words there are."""
    n = 0
    best = np.zeros(512, np.float32)
    back = np.zeros(512, np.int32)
    word = np.zeros(512, np.int32)
    for text in range(offsets.size - 1):
        firsts[text] = n
        at, stop = offsets[text], offsets[text + 1] - 1
        while at < stop:
            kind = classes[at]
            if kind == OTHER:
                at += 1
                continue
            until = at + 1
            if kind != EMOJI:
                while until < stop and classes[until] == kind and until - at < 500:
                    until += 1
            if kind in (SPACED, EMOJI):
                state = SEED
                for i in range(at, until):
                    state = grown(state, codes[i])
                row = look_up(slots, kept, state)
                start[n], end[n], rows[n] = at, until, max(row, -1)
                n += 1
                at = until
                continue
            length = until - at
            for i in range(1, length + 1):
                best[i] = np.float32(-1e30)
            best[0] = np.float32(0.0)
            for i in range(length):
                alone = best[i] + _UNKNOWN
                if alone > best[i + 1]:
                    best[i + 1], back[i + 1], word[i + 1] = alone, i, -1
                state = SEED
                for j in range(i, min(length, i + LONGEST)):
                    state = grown(state, codes[at + j])
                    row = look_up(slots, kept, state)
                    if row == ABSENT:
                        break
                    if row >= 0 and best[i] + log_p[row] > best[j + 1]:
                        best[j + 1], back[j + 1], word[j + 1] = best[i] + log_p[row], i, row
            count = 0
            i = length
            while i > 0:
                count += 1
                i = back[i]
            i, k = length, n + count
            while i > 0:
                k -= 1
                start[k], end[k], rows[k] = at + back[i], at + i, word[i]
                i = back[i]
            n += count
            at = until
    firsts[offsets.size - 1] = n
    return n


def words_of(joined: Joined, table: WordTable | None = None) -> Words:
    """Split joined texts into words, by the table that ships unless another is given."""
    table = table or word_table()
    size = len(joined.codes)
    start, end, rows = (np.empty(size, np.int32) for _ in range(3))
    firsts = np.empty(len(joined.offsets), np.int64)
    n = _split(
        joined.codes, classes_of(joined.codes), joined.offsets, table.table.hashes, table.table.values, table.log_p,
        start, end, rows, firsts,
    )  # fmt: skip
    return Words(start[:n], end[:n], rows[:n], firsts)


def split_words_of(text: str) -> list[tuple[int, int, str]]:
    """The words of one feature text: (start, end, word).

    >>> [word for _, _, word in split_words_of("東京ディズニーランドへ行く usj2025")]
    ['東京', 'ディズニーランド', 'へ', '行く', 'usj2025']
    """
    found = words_of(Joined.of([text]))
    return [(a, b, text[a:b]) for a, b in zip(found.start.tolist(), found.end.tolist(), strict=True)]


@jit
def _add_words(
    rows: npt.NDArray[np.int32],
    first: int,
    last: int,
    vectors: npt.NDArray[np.int8],
    scale: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
) -> None:
    """Sum the vectors of words first to last - 1 into out (dimensions,), and scale it to length one."""
    out[:] = 0.0
    for w in range(first, last):
        row = rows[w]
        if row >= 0:
            for d in range(out.size):
                out[d] += scale[row] * vectors[row, d]
    total = np.float32(0.0)
    for d in range(out.size):
        total += out[d] * out[d]
    if total > 0:
        total = np.float32(1.0) / np.sqrt(total)
        for d in range(out.size):
            out[d] *= total


@jit
def _vectors(
    rows: npt.NDArray[np.int32],
    firsts: npt.NDArray[np.int64],
    vectors: npt.NDArray[np.int8],
    scale: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
) -> None:
    for text in range(out.shape[0]):
        _add_words(rows, firsts[text], firsts[text + 1], vectors, scale, out[text])


def text_vectors(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """The vector of each normalised text, (texts, dimensions), of length one; zeros where no word is known."""
    return vectors_of(words_of(Joined.of(texts)))


def vectors_of(words: Words) -> npt.NDArray[np.float32]:
    """The same of texts that are split into words."""
    table = word_table()
    out = np.zeros((len(words.offsets) - 1, table.dimensions), np.float32)
    _vectors(words.rows, words.offsets, table.vectors, table.scale, out)
    return out
