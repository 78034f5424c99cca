"""Counting n-grams of many texts at once: what a vectorizer does term by term in Python, by hashes.

A run of signs is known by its hash (`radar.text.codes`), as it is when posts are scored.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from radar._jit import jit
from radar.text.codes import SEED, Codes, Hashes, HashTable, Joined, grown
from radar.text.vectors import words_of

Places = npt.NDArray[np.int64]

CHUNK = 2_048
"""Texts whose terms are held at a time: of all of them they would take as much memory as all the rest of fitting."""

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


def counted(joined: Joined, terms_of: Callable[[Joined], Terms], least: int) -> tuple[list[str], csr_matrix]:
    """Terms that at least so many texts hold, sorted, and how often each text holds them, (texts, terms) of float32.

    terms_of  all terms of some texts; it is given `CHUNK` of them at a time
    """
    found, sizes = _Found(), [np.zeros(1, np.int64)]
    columns, counts = [np.zeros(0, np.int32)], [np.zeros(0, np.float32)]
    for first in range(0, len(joined.offsets) - 1, CHUNK):
        offsets = joined.offsets[first : first + CHUNK + 1]
        part = Joined(joined.codes[offsets[0] : offsets[-1]], offsets - offsets[0])
        some, often, per_text = found.add(terms_of(part), int(offsets[0]))
        columns.append(some)
        counts.append(often)
        sizes.append(per_text)
    kept = np.flatnonzero(found.texts[: found.n] >= least)
    signs = joined.codes.tobytes().decode("utf-32-le")
    spans = found.spans(kept)
    names = [signs[a:b] if not cut else f"{signs[a:cut]} {signs[cut:b]}" for a, b, cut in zip(*spans, strict=True)]
    order = sorted(range(len(names)), key=names.__getitem__)
    column = np.full(found.n + 1, -1, np.int32)
    column[kept[order]] = np.arange(len(order), dtype=np.int32)
    del found
    ends = np.concatenate(sizes).cumsum()
    told = column[np.concatenate(columns)]
    del columns
    holds = told >= 0
    starts = np.concatenate([[0], holds.cumsum()])[ends]
    values, shape = np.concatenate(counts)[holds], (len(joined.offsets) - 1, len(names))
    return [names[n] for n in order], csr_matrix((values, told[holds], starts.astype(np.int32)), shape)


class _Found:
    """Distinct terms by their number, in the order in which they were found.

    n  how many;  texts  (n or more,) how many texts hold each
    """

    def __init__(self) -> None:
        self.n = self._read = 0
        self.texts = np.zeros(0, np.int32)
        self._hashes, self._last, self._at = np.zeros(0, np.uint64), np.zeros(0, np.int32), np.zeros(0, np.int32)
        self._table = HashTable.of(self._hashes, self._at)
        self._spans: list[npt.NDArray[np.int32]] = []

    def add(self, terms: Terms, moved: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], Places]:
        """What texts more hold, end to end: numbers of terms, how often, and how many terms each text has.

        moved  where their codes begin among those of all texts
        """
        size = len(terms.hashes)
        self._make_room(self.n + size)
        columns, counts = np.empty(size, np.int32), np.empty(size, np.float32)
        first, sizes = np.empty(size, np.int32), np.zeros(len(terms.offsets) - 1, np.int64)
        before, table = self.n, self._table
        self.n, told = _tally(
            terms.hashes, terms.offsets, self._read, table.hashes, table.values, self._hashes, self.texts, self._last,
            self._at, self.n, first, columns, counts, sizes,
        )  # fmt: skip
        self._read += len(sizes)
        new = first[: self.n - before]
        cut = np.where(terms.cut[new], terms.cut[new] + moved, 0)
        self._spans.append(np.stack([terms.start[new] + moved, terms.end[new] + moved, cut], axis=1).astype(np.int32))
        return columns[:told].copy(), counts[:told].copy(), sizes

    def spans(self, numbers: Places) -> list[list[int]]:
        """Where terms stand in the codes of all texts: starts, ends, cuts."""
        return np.concatenate([np.zeros((0, 3), np.int32), *self._spans])[numbers].T.tolist()  # type: ignore[no-any-return]

    def _make_room(self, size: int) -> None:
        """For so many terms: chunks grow the arrays, so that the compiled pass need not."""
        if size <= len(self._hashes):
            return
        room = max(size, len(self._hashes) * 3 // 2)
        self._hashes, self.texts, self._last, self._at = (
            np.concatenate([known, np.zeros(room - len(known), known.dtype)])
            for known in (self._hashes, self.texts, self._last, self._at)
        )
        if 2 * room > len(self._table.hashes):
            del self._table
            self._table = HashTable.of(self._hashes[: self.n], np.arange(self.n), room)


@jit
def _tally(
    hashes: Hashes,
    offsets: Places,
    read: int,
    slots: Hashes,
    kept: npt.NDArray[np.int32],
    known: Hashes,
    texts: npt.NDArray[np.int32],
    last: npt.NDArray[np.int32],
    at: npt.NDArray[np.int32],
    n: int,
    first: npt.NDArray[np.int32],
    columns: npt.NDArray[np.int32],
    counts: npt.NDArray[np.float32],
    sizes: Places,
) -> tuple[int, int]:
    """Number the terms and count them by text; returns how many are known, and how many were told of all texts.

    read  texts before these      last  (known,) the text after the one that held a term last      at  where it was told
    """
    mask, before, m = np.uint64(slots.size - 1), n, 0
    for text in range(offsets.size - 1):
        begun, mine = m, read + text + 1
        for i in range(offsets[text], offsets[text + 1]):
            slot = hashes[i] & mask
            while slots[slot] != np.uint64(0) and slots[slot] != hashes[i]:
                slot = (slot + np.uint64(1)) & mask
            if slots[slot] == np.uint64(0):
                slots[slot], kept[slot], known[n] = hashes[i], n, hashes[i]
                first[n - before] = i
                n += 1
            number = kept[slot]
            if last[number] == mine:
                counts[at[number]] += np.float32(1.0)
                continue
            last[number], at[number], columns[m], counts[m] = mine, m, number, np.float32(1.0)
            texts[number] += 1
            m += 1
        sizes[text] = m - begun
    return n, m


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
