"""Topics, their taxonomy, and the unfitted text pipeline.

A post is scored on every topic on its own (one-vs-rest linear classifiers over character n-grams, words and seed
terms), so it may have several topics or none. Probabilities are calibrated and each topic has its own threshold:
radar.registry.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import ahocorasick
import numpy as np
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.svm import LinearSVC

from radar.errors import UnknownName
from radar.text.normalise import normalise
from radar.text.segment import segments, words

Texts = Sequence[str]


@dataclass(frozen=True, slots=True)
class Topic:
    """A leaf of the taxonomy: what a post is about.

    names  display names by language
    """

    id: str
    definition: str
    names: dict[str, str]

    @property
    def group(self) -> str:
        """travel or shop."""
        return self.id.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The topics in their stable order."""

    version: str
    topics: tuple[Topic, ...]

    @property
    def ids(self) -> list[str]:
        return [topic.id for topic in self.topics]

    def __getitem__(self, topic_id: str) -> Topic:
        """The topic of that id. Raises UnknownName."""
        for topic in self.topics:
            if topic.id == topic_id:
                return topic
        raise UnknownName("topic", topic_id, self.ids)


def parse_taxonomy(text: str) -> Taxonomy:
    """Read topics.toml: version, then one [[topic]] with id, definition and names each."""
    data = tomllib.loads(text)
    return Taxonomy(data["version"], tuple(Topic(t["id"], t["definition"], dict(t["names"])) for t in data["topic"]))


def parse_seeds(text: str) -> dict[str, list[str]]:
    """Read seeds.toml: topic id -> terms, those of all its languages together."""
    return {topic: sorted({t for terms in by.values() for t in terms}) for topic, by in tomllib.loads(text).items()}


def word_features(text: str) -> list[str]:
    """ICU words of a text and pairs of neighbours: the word half of the features."""
    found: list[str] = []
    for run in words(segments([normalise(text).replace("#", " ")])[0]):
        found += run
        found += [f"{left} {right}" for left, right in pairwise(run)]
    return found


class SeedCounts(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Which topics' seed terms a text holds: (texts, topics), log1p of the distinct seeds found.

    seeds   topic id -> terms in any language; Latin ones match whole words, others anywhere
    weight  of this block beside the text features, whose rows have length one
    """

    def __init__(self, seeds: Mapping[str, Sequence[str]], weight: float = 1.0) -> None:
        self.seeds = seeds
        self.weight = weight

    def fit(self, texts: Texts, y: Any = None) -> "SeedCounts":
        """Nothing is learnt from texts."""
        self.n_topics_ = len(self.seeds)
        return self

    def transform(self, texts: Texts) -> Any:
        """Counts, sparse (texts, topics)."""
        find = self._automaton()
        rows, columns, values = [], [], []
        for row, text in enumerate(texts):
            text = normalise(text)
            found: dict[int, set[str]] = {}
            for last, (term, topics) in find.iter(text):
                if term[0].isascii() and not _stands_alone(text, last - len(term) + 1, last + 1):
                    continue
                for topic in topics:
                    found.setdefault(topic, set()).add(term)
            for topic, terms in found.items():
                rows.append(row)
                columns.append(topic)
                values.append(self.weight * np.log1p(len(terms)))
        return csr_matrix((values, (rows, columns)), shape=(len(texts), max(len(self.seeds), 1)), dtype=np.float64)

    def _automaton(self) -> Any:
        if not hasattr(self, "_built"):
            topics_of: dict[str, list[int]] = {}
            for topic, terms in enumerate(self.seeds.values()):
                for term in terms:
                    topics_of.setdefault(normalise(term).lstrip("#"), []).append(topic)
            built = ahocorasick.Automaton()
            for term, topics in topics_of.items():
                built.add_word(term, (term, tuple(topics)))
            if not topics_of:
                built.add_word("\x00", ("\x00", ()))
            built.make_automaton()
            self._built = built
        return self._built

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_built"}


def _stands_alone(text: str, start: int, end: int) -> bool:
    before = text[start - 1] if start else " "
    after = text[end] if end < len(text) else " "
    return not (before.isascii() and before.isalnum()) and not (after.isascii() and after.isalnum())


def build_pipeline(
    *, c: float = 0.5, seed: int = 0, seeds: Mapping[str, Sequence[str]] | None = None, seed_weight: float = 1.0
) -> Pipeline:
    """The unfitted classifier: fit(texts, labels), predict(texts).

    labels  one name a text, or an indicator matrix (texts, topics) for several topics a text
    c       inverse strength of the penalty
    seeds   topic id -> terms that point to it; without them the text alone speaks
    """
    blocks: list[tuple[str, Any]] = [
        (
            "char",
            TfidfVectorizer(analyzer="char", ngram_range=(1, 3), preprocessor=normalise, sublinear_tf=True, min_df=2),
        ),
        ("word", TfidfVectorizer(analyzer=word_features, sublinear_tf=True, min_df=2)),
    ]
    if seeds:
        blocks.append(("seeds", SeedCounts(dict(seeds), seed_weight)))
    return Pipeline(
        [("features", FeatureUnion(blocks)), ("topics", OneVsRestClassifier(LinearSVC(C=c, random_state=seed)))]
    )


def group_ids(taxonomy: Taxonomy, group: str) -> list[str]:
    """Topic ids of "travel" or "shop"."""
    return [topic.id for topic in taxonomy.topics if topic.group == group]
