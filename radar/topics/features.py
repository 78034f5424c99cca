"""What a post shows a linear classifier: n-grams of signs, words, concepts, and the sum of its words' vectors.

All of them read one form of the text: `radar.topics.form`.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import ahocorasick
import numpy as np
from scipy.sparse import csr_matrix, hstack, vstack
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer

from radar.text.codes import Joined
from radar.text.normalise import normalise
from radar.text.vectors import text_vectors
from radar.topics.compiled import Concepts
from radar.topics.counting import counted, grams_of, words_and_pairs
from radar.topics.form import Texts, feature_texts, word_features

_ROWS = 2_048
"""Texts whose blocks are put side by side at a time."""


class Grams(TfidfVectorizer):  # type: ignore[misc]
    """scikit-learn's TF-IDF of feature texts, its vocabulary counted by compiled code and saved as one text.

    Fitting takes a fifth of the time, writing and reading a tenth. Terms hold no line feed: feature texts have none.
    """

    def _count_vocab(self, raw_documents: Texts, fixed_vocab: bool) -> Any:
        """What scikit-learn calls to count terms while it fits: {term: column} and counts (texts, terms)."""
        if fixed_vocab or self.analyzer not in ("char", word_features):
            return super()._count_vocab(raw_documents, fixed_vocab)
        joined = Joined.of(raw_documents)
        terms_of = partial(grams_of, shortest=self.ngram_range[0], longest=self.ngram_range[1])
        least = self.min_df if isinstance(self.min_df, int) else 1
        names, counts = counted(joined, terms_of if self.analyzer == "char" else words_and_pairs, least)
        if not names:
            raise ValueError(f"No term is in {self.min_df} of {len(raw_documents)} texts.")
        return {name: column for column, name in enumerate(names)}, counts.astype(self.dtype, copy=False)

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        if "vocabulary_" in state:
            state = state | {"vocabulary_": "\n".join(sorted(self.vocabulary_, key=self.vocabulary_.__getitem__))}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(terms := state.get("vocabulary_"), str):
            state = state | {"vocabulary_": {term: column for column, term in enumerate(terms.split("\n"))}}
        super().__setstate__(state)


class ConceptCounts(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Which concepts' terms a text holds: (texts, concepts), weight * ln(1 + distinct terms found).

    concepts  name -> terms in any language; those that begin in Latin letters match whole words, others anywhere
    weight    of this block beside the others, whose rows have length one
    """

    def __init__(self, concepts: Mapping[str, Sequence[str]], weight: float = 1.0) -> None:
        self.concepts = concepts
        self.weight = weight

    def fit(self, texts: Texts, y: Any = None) -> "ConceptCounts":
        """Nothing is learnt from texts."""
        self.n_concepts_ = len(self.concepts)
        return self

    def transform(self, texts: Texts) -> Any:
        """Counts of feature texts, sparse (texts, concepts)."""
        number = max(len(self.concepts), 1)
        concepts = Concepts.of(self.terms(), np.eye(number, dtype=np.float32))
        parts = [csr_matrix((0, number), dtype=np.float32)]
        for first in range(0, len(texts), _ROWS):
            joined = Joined.of(texts[first : first + _ROWS])
            found = np.zeros((len(joined.offsets) - 1, number), np.float32)
            concepts.add(joined, found)
            parts.append(csr_matrix(found * np.float32(self.weight)))
        return vstack(parts, "csr")

    def matches(self, text: str) -> list[tuple[int, int, str]]:
        """Terms in a feature text: (start, end, term)."""
        found = []
        for last, term in self._automaton().iter(text):
            start, end = last - len(term) + 1, last + 1
            if not term[0].isascii() or stands_alone(text, start, end):
                found.append((start, end, term))
        return found

    def terms(self) -> dict[str, tuple[int, ...]]:
        """Feature form of each term -> the concepts it points to.

        A term in Han alone stands in both forms: Japanese with kana keeps its signs.
        """
        found: dict[str, set[int]] = {}
        for concept, terms in enumerate(self.concepts.values()):
            for term, form in zip(terms, feature_texts(terms), strict=True):
                for either in {form, normalise(term).lstrip("#")} - {""}:
                    found.setdefault(either, set()).add(concept)
        return {term: tuple(sorted(concepts)) for term, concepts in sorted(found.items())}

    def _automaton(self) -> Any:
        if not hasattr(self, "_built"):
            built = ahocorasick.Automaton()
            for term in self.terms() or ["\x00"]:
                built.add_word(term, term)
            built.make_automaton()
            self._built = built
        return self._built

    def __getstate__(self) -> dict[str, Any]:
        """Concepts as one text, a line each, as Grams keeps its terms: names and terms hold no tab or line feed."""
        state = {name: value for name, value in self.__dict__.items() if name != "_built"}
        return state | {"concepts": "\n".join("\t".join((name, *terms)) for name, terms in self.concepts.items())}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(lines := state["concepts"], str):
            rows = [line.split("\t") for line in lines.split("\n") if line]
            state = state | {"concepts": {name: terms for name, *terms in rows}}
        self.__dict__.update(state)


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no Latin letter or digit touches text[start:end]."""
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    return not (before.isascii() and before.isalnum()) and not (after.isascii() and after.isalnum())


class TextVectors(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The sum of a feature text's word vectors, of length `weight`: (texts, dimensions)."""

    def __init__(self, weight: float = 1.0) -> None:
        self.weight = weight

    def fit(self, texts: Texts, y: Any = None) -> "TextVectors":
        """Nothing is learnt from texts."""
        self.fitted_ = True
        return self

    def transform(self, texts: Texts) -> Any:
        """Dense rows as a sparse matrix, so that they stand beside the other blocks."""
        parts = [text_vectors(texts[first : first + _ROWS]) for first in range(0, len(texts), _ROWS)]
        rows = np.concatenate([text_vectors([]), *parts])
        rows *= np.float32(self.weight)
        count, dimensions = rows.shape
        columns = np.tile(np.arange(dimensions, dtype=np.int32), count)
        return csr_matrix((rows.ravel(), columns, np.arange(count + 1, dtype=np.int32) * dimensions), rows.shape)


def fitted_features(union: Any, texts: Texts) -> csr_matrix:
    """What the union's own `fit_transform` gives, by less than half its memory: (texts, features)."""
    blocks = []
    for name, block in union.transformer_list:
        blocks.append(block.fit_transform(texts))
        blocks[-1].data *= np.float32(union.transformer_weights[name])
    size = sum(block.nnz for block in blocks)
    data, columns, starts = np.empty(size, np.float32), np.empty(size, np.int32), np.zeros(len(texts) + 1, np.int32)
    for first in range(0, len(texts), _ROWS):
        rows = hstack([block[first : first + _ROWS] for block in blocks], "csr")
        begun = starts[first]
        starts[first + 1 : first + rows.shape[0] + 1] = rows.indptr[1:] + begun
        data[begun : begun + rows.nnz], columns[begun : begun + rows.nnz] = rows.data, rows.indices
    return csr_matrix((data, columns, starts), (len(texts), sum(block.shape[1] for block in blocks)))
