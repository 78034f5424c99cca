"""Topics, their taxonomy, and the unfitted text pipeline.

A post is scored on every topic on its own (one-vs-rest logistic regression over character and word n-grams), so it
may have several topics or none. Probabilities are calibrated and each topic has its own threshold: radar.registry.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline

from radar.errors import UnknownName
from radar.text.normalise import normalise
from radar.text.segment import segments, words


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


def word_features(text: str) -> list[str]:
    """ICU words of a text and pairs of neighbours: the word half of the features."""
    found: list[str] = []
    for run in words(segments([normalise(text).replace("#", " ")])[0]):
        found += run
        found += [f"{left} {right}" for left, right in zip(run, run[1:], strict=False)]
    return found


def build_pipeline(*, c: float = 8.0, seed: int = 0) -> Pipeline:
    """The unfitted classifier: fit(texts, labels), predict(texts).

    labels  one name a text, or an indicator matrix (texts, topics) for several topics a text
    c       inverse strength of the ridge penalty
    """
    features = FeatureUnion(
        [
            ("char", TfidfVectorizer(analyzer="char", ngram_range=(1, 3), preprocessor=normalise, sublinear_tf=True, min_df=2)),
            ("word", TfidfVectorizer(analyzer=word_features, sublinear_tf=True, min_df=2)),
        ]
    )
    one = LogisticRegression(C=c, solver="liblinear", random_state=seed, max_iter=200)
    return Pipeline([("features", features), ("topics", OneVsRestClassifier(one))])


def group_ids(taxonomy: Taxonomy, group: str) -> list[str]:
    """Topic ids of "travel" or "shop"."""
    return [topic.id for topic in taxonomy.topics if topic.group == group]


Texts = Sequence[str]
Matrix = Any
