"""Scoring in one pass: what a fitted pipeline answers, read from its own coefficients by compiled code.

For each text the n-grams of signs and of words are hashed and looked up in the fitted vocabularies, counted, weighed
(1 + ln count, times idf, row of length one), and their classes' coefficients summed; concepts are found by walking a
table of the terms' beginnings; the words' vectors are added up. Nothing is stored a text, and the answer is
scikit-learn's to rounding (float32 coefficients).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import numpy.typing as npt

from radar._jit import jit
from radar._prefetch import prefetch
from radar.text.codes import (
    ABSENT,
    SEED,
    SPACED,
    Classes,
    Codes,
    Hashes,
    HashTable,
    Joined,
    classes_of,
    grown,
    hashes_of,
    look_up,
)
from radar.text.normalise import Normal
from radar.text.vectors import Words, vectors_of, word_table, words_of
from radar.topics.form import feature_codes

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

CHUNK = 4_096
"""Texts at a time: what bounds the memory of a pass."""

_SPACE = np.uint32(32)
_LINE = 16
"""Coefficients in a line of the processor's cache."""
_PREFIX = -1
_LATIN_END = 128
_PLANE = 0x10000


@dataclass(frozen=True, slots=True)
class Grams:
    """A fitted TfidfVectorizer: which column an n-gram has, its idf, and the columns' coefficients.

    idf  (columns,)         coefficients  (columns, classes), block weight within
    """

    table: HashTable
    idf: Floats32
    coefficients: Floats32

    @classmethod
    def of(cls, vectorizer: Any, coefficients: Floats32) -> "Grams":
        names = list(vectorizer.vocabulary_)
        columns = np.fromiter((vectorizer.vocabulary_[name] for name in names), np.int32, len(names))
        return cls(
            HashTable.of(hashes_of(names), columns),
            np.asarray(vectorizer.idf_, np.float32),
            coefficients,
        )


@dataclass(frozen=True, slots=True)
class Concepts:
    """Terms by the hashes of their beginnings.

    table       hash -> term, -1 where only longer terms begin so
    latin       (terms,) 1 where a term matches whole words only
    starts      (terms + 1,) where a term's concepts begin in `concepts`
    """

    table: HashTable
    latin: npt.NDArray[np.uint8]
    starts: Ints
    concepts: Ints
    number: int
    coefficients: Floats32

    @classmethod
    def of(cls, terms: Mapping[str, Sequence[int]], coefficients: Floats32) -> "Concepts":
        """terms  term -> its concepts' rows of the coefficients."""
        names = list(terms)
        begun = sorted({name[:n] for name in names for n in range(1, len(name))} - set(names))
        return cls(
            HashTable.of(
                np.concatenate([hashes_of(names), hashes_of(begun)]),
                np.concatenate([np.arange(len(names)), np.full(len(begun), _PREFIX)]),
            ),
            np.array([ord(name[0]) < _LATIN_END for name in names], np.uint8),
            np.cumsum([0, *(len(terms[name]) for name in names)]).astype(np.int32),
            np.array([concept for name in names for concept in terms[name]], np.int32),
            len(coefficients),
            coefficients,
        )

    def add(self, joined: Joined, sums: Floats32, classes: Classes | None = None) -> None:
        """Add what each text names, ln(1 + distinct terms) times a concept's coefficients, to sums (texts, classes).

        classes  of the code points, where they are known
        """
        if classes is None:
            classes = classes_of(joined.codes)
        _sum_concepts(
            joined.codes, classes, joined.offsets, self.table.hashes, self.table.values, self.latin, self.starts,
            self.concepts, self.number, self.coefficients, sums,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """What texts show every scorer: made once, whatever is asked of them.

    joined  feature texts        vectors  (texts, dimensions)
    """

    joined: Joined
    classes: Classes
    words: Words
    vectors: Floats32

    @classmethod
    def of(cls, texts: Sequence[str], normal: Normal | None = None) -> "Shown":
        """Of raw texts, at most CHUNK of them; normal: the same in one form, where it is at hand."""
        joined = feature_codes(texts, normal)
        words = words_of(joined)
        return cls(joined, classes_of(joined.codes), words, vectors_of(words))


@dataclass(frozen=True, slots=True)
class CompiledScorer:
    """The decision function of a fitted `TopicPipeline`.

    longest  the longest n-gram of signs;  vectors  (dimensions, classes);  intercepts  (classes,)
    """

    char: Grams
    longest: int
    word: Grams
    concepts: Concepts
    vectors: Floats32
    intercepts: Floats

    @classmethod
    def of(
        cls, blocks: Mapping[str, tuple[Any, float]], coefficients: Floats32, intercepts: npt.ArrayLike
    ) -> "CompiledScorer":
        """blocks  name -> (fitted transformer, weight), in the order of the coefficients' rows (features, classes).

        The coefficients are taken over, and weighed where they stand.
        """
        at, rows = 0, {}
        for name, (transformer, weight) in blocks.items():
            width = _width(transformer)
            coefficients[at : at + width] *= np.float32(weight * getattr(transformer, "weight", 1.0))
            rows[name] = coefficients[at : at + width]
            at += width
        if at != len(coefficients):
            raise ValueError(f"the blocks have {at} features, the classifier {len(coefficients)}")
        char, word = blocks["char"][0], blocks["word"][0]
        terms = blocks["concepts"][0].terms() if "concepts" in blocks else {}
        none = np.zeros((1, coefficients.shape[1]), np.float32)
        return cls(
            Grams.of(char, rows["char"]), char.ngram_range[1], Grams.of(word, rows["word"]),
            Concepts.of(terms, rows.get("concepts", none)), rows["vectors"], np.asarray(intercepts, np.float64),
        )  # fmt: skip

    def save(self, path: Path) -> None:
        """Keep it as arrays alone (npz): what opens in a moment, without scikit-learn."""
        np.savez(path, allow_pickle=False, **dict(_arrays_of(self)))

    @classmethod
    def open(cls, path: Path) -> "CompiledScorer":
        """Read what `save` wrote. Raises ValueError, KeyError or OSError for anything else."""
        with np.load(path, allow_pickle=False) as kept:
            return _from_arrays(cls, kept)  # type: ignore[no-any-return]

    def margins(self, texts: Sequence[str]) -> Floats:
        """What the linear classifiers say of raw texts, (texts, classes)."""
        out = np.zeros((len(texts), len(self.intercepts)))
        for at in range(0, len(texts), CHUNK):
            out[at : at + CHUNK] = self.margins_of(Shown.of(texts[at : at + CHUNK]))
        return out

    def knows(self, words: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Whether each word is in the vocabulary of words, (words,)."""
        table = self.word.table
        found = (look_up(table.hashes, table.values, wanted) != ABSENT for wanted in hashes_of(words))
        return np.fromiter(found, bool, len(words))

    def margins_of(self, shown: Shown) -> Floats:
        """The same of what texts show."""
        joined, words = shown.joined, shown.words
        sums = np.zeros((len(joined.offsets) - 1, len(self.intercepts)), np.float32)
        _sum_grams(
            joined.codes, joined.offsets, self.longest, self.char.table.hashes, self.char.table.values, self.char.idf,
            self.char.coefficients, np.zeros(len(self.char.idf), np.int32), sums,
        )  # fmt: skip
        _sum_words(
            joined.codes, words.start, words.end, words.offsets, self.word.table.hashes, self.word.table.values,
            self.word.idf, self.word.coefficients, np.zeros(len(self.word.idf), np.int32), sums,
        )  # fmt: skip
        self.concepts.add(joined, sums, shown.classes)
        _sum_vectors(shown.vectors, self.vectors, sums)
        return np.asarray(sums + self.intercepts)


def _width(transformer: Any) -> int:
    if hasattr(transformer, "vocabulary_"):
        return len(transformer.vocabulary_)
    return max(len(transformer.concepts), 1) if hasattr(transformer, "concepts") else word_table().dimensions


def _arrays_of(part: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Name -> array or number of everything in a dataclass, nested ones by dotted names."""
    for field in fields(part):
        value = getattr(part, field.name)
        if is_dataclass(value):
            yield from _arrays_of(value, f"{before}{field.name}.")
        else:
            yield before + field.name, np.asarray(value)


def _from_arrays(kind: Any, kept: Mapping[str, Any], before: str = "") -> Any:
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for field in fields(kind):
        inner = hints[field.name]
        if is_dataclass(inner):
            values[field.name] = _from_arrays(inner, kept, f"{before}{field.name}.")
        else:
            array = kept[before + field.name]
            values[field.name] = array if array.ndim else array.item()
    return kind(**values)


@jit
def _weigh(columns: Ints, counts: Ints, idf: Floats32, coefficients: Floats32, out: Floats32, sums: Floats32) -> None:
    """Add a text's weighed columns to sums (classes,); counts is left at zero."""
    total = np.float32(0.0)
    out[:] = np.float32(0.0)
    for column in columns:
        value = idf[column]
        if counts[column] > 1:
            value *= np.float32(1.0 + np.log(counts[column]))
        counts[column] = 0
        total += value * value
        for k in range(out.size):
            out[k] += value * coefficients[column, k]
    if total > 0:
        total = np.float32(1.0) / np.sqrt(total)
        for k in range(out.size):
            sums[k] += total * out[k]


@jit
def _ask_for_column(columns: Ints, n: int, column: int, idf: Floats32, coefficients: Floats32) -> int:
    """Note a column that a text has, and ask for what it weighs; how many there are then."""
    columns[n] = column
    prefetch(idf, column)
    for k in range(0, coefficients.shape[1], _LINE):
        prefetch(coefficients[column], k)
    return n + 1


@jit
def _sum_grams(
    codes: Codes,
    offsets: npt.NDArray[np.int64],
    longest: int,
    slots: Hashes,
    kept: Ints,
    idf: Floats32,
    coefficients: Floats32,
    counts: Ints,
    sums: Floats32,
) -> None:
    out = np.zeros(sums.shape[1], np.float32)
    columns = np.zeros(idf.size, np.int32)
    mask = np.uint64(slots.size - 1)
    most = 0
    for text in range(sums.shape[0]):
        most = max(most, offsets[text + 1] - offsets[text])
    hashes = np.empty(longest * most, np.uint64)
    for text in range(sums.shape[0]):
        n, m, stop = 0, 0, offsets[text + 1] - 1
        for at in range(offsets[text], stop):
            state = SEED
            for i in range(at, min(at + longest, stop)):
                state = grown(state, codes[i])
                hashes[m] = state
                m += 1
                prefetch(slots, np.int64(state & mask))
                prefetch(kept, np.int64(state & mask))
        for i in range(m):
            column = look_up(slots, kept, hashes[i])
            if column >= 0:
                if counts[column] == 0:
                    n = _ask_for_column(columns, n, column, idf, coefficients)
                counts[column] += 1
        _weigh(columns[:n], counts, idf, coefficients, out, sums[text])


@jit
def _sum_words(
    codes: Codes,
    start: Ints,
    end: Ints,
    firsts: npt.NDArray[np.int64],
    slots: Hashes,
    kept: Ints,
    idf: Floats32,
    coefficients: Floats32,
    counts: Ints,
    sums: Floats32,
) -> None:
    out = np.zeros(sums.shape[1], np.float32)
    columns = np.zeros(idf.size, np.int32)
    for text in range(sums.shape[0]):
        n = 0
        for w in range(firsts[text], firsts[text + 1]):
            state = SEED
            for i in range(start[w], end[w]):
                state = grown(state, codes[i])
            last = w
            while True:
                column = look_up(slots, kept, state)
                if column >= 0:
                    if counts[column] == 0:
                        n = _ask_for_column(columns, n, column, idf, coefficients)
                    counts[column] += 1
                after = w + 1
                if last != w or after >= firsts[text + 1]:
                    break
                gap = start[after] - end[w]
                if gap > 1 or (gap == 1 and codes[end[w]] != _SPACE):
                    break
                state = grown(state, _SPACE)
                for i in range(start[after], end[after]):
                    state = grown(state, codes[i])
                last = after
        _weigh(columns[:n], counts, idf, coefficients, out, sums[text])


@jit
def _is_latin(codes: Codes, classes: Classes, at: int, first: int, stop: int) -> bool:
    return first <= at < stop and codes[at] < np.uint32(_LATIN_END) and classes[at] == SPACED and codes[at] != 95


@jit
def _sum_concepts(
    codes: Codes,
    classes: Classes,
    offsets: npt.NDArray[np.int64],
    slots: Hashes,
    kept: Ints,
    latin: npt.NDArray[np.uint8],
    starts: Ints,
    concepts: Ints,
    number: int,
    coefficients: Floats32,
    sums: Floats32,
) -> None:
    seen = np.full(latin.size + 1, -1, np.int64)
    counts = np.zeros(number, np.int32)
    begins_none = np.zeros(_PLANE, np.bool_)  # signs that no term begins with, as they come
    for text in range(sums.shape[0]):
        first, stop, some = offsets[text], offsets[text + 1] - 1, False
        for at in range(first, stop):
            if codes[at] < _PLANE and begins_none[codes[at]]:
                continue
            state = SEED
            for i in range(at, stop):
                state = grown(state, codes[i])
                term = look_up(slots, kept, state)
                if term == ABSENT:
                    if i == at and codes[at] < _PLANE:
                        begins_none[codes[at]] = True
                    break
                if term < 0 or seen[term] == text:
                    continue
                if latin[term] and (
                    _is_latin(codes, classes, at - 1, first, stop) or _is_latin(codes, classes, i + 1, first, stop)
                ):
                    continue
                seen[term] = text
                some = True
                for c in range(starts[term], starts[term + 1]):
                    counts[concepts[c]] += 1
        if some:
            for c in range(number):
                if counts[c]:
                    value = np.float32(np.log1p(counts[c]))
                    counts[c] = 0
                    for k in range(sums.shape[1]):
                        sums[text, k] += value * coefficients[c, k]


@jit
def _sum_vectors(vectors: Floats32, coefficients: Floats32, sums: Floats32) -> None:
    for text in range(sums.shape[0]):
        for d in range(vectors.shape[1]):
            value = vectors[text, d]
            if value != 0:
                for k in range(sums.shape[1]):
                    sums[text, k] += value * coefficients[d, k]
