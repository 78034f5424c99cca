"""The unfitted classifier: features, then one linear classifier a topic.

A post is scored on every topic on its own, so it may have several topics or none. Probabilities are calibrated and
each topic has its own threshold: radar.registry. scikit-learn fits, and its own methods can be asked on every fitted
part; `decision_function` and `predict` give the same answers by one compiled pass (`radar.topics.compiled`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from radar.topics.compiled import CompiledScorer, Floats
from radar.topics.features import ConceptCounts, Grams, TextVectors
from radar.topics.form import Texts, feature_texts, word_features

WEIGHTS = {"char": 1.0, "word": 0.6, "concepts": 0.5, "vectors": 1.2}
"""Of the blocks beside each other; each row of a block has length one, but for the concepts'."""


class TopicPipeline(Pipeline):  # type: ignore[misc]
    """A scikit-learn pipeline whose fitted classifiers are asked by compiled code."""

    def fit(self, X: Texts, y: Any = None, **params: Any) -> "TopicPipeline":
        """Fit by scikit-learn; labels are one name a text, or an indicator matrix (texts, topics)."""
        self.__dict__.pop("_compiled", None)
        return super().fit(X, y, **params)  # type: ignore[no-any-return]

    @property
    def compiled(self) -> CompiledScorer:
        """The same classifiers for fast reading; built when first asked for."""
        if "_compiled" not in self.__dict__:
            union, topics = self.named_steps["features"], self.named_steps["topics"]
            weights = union.transformer_weights or {}
            blocks = {name: (block, weights.get(name, 1.0)) for name, block in union.transformer_list}
            coefficients = np.empty((topics.estimators_[0].coef_.shape[1], len(topics.estimators_)), np.float32)
            for k, estimator in enumerate(topics.estimators_):
                coefficients[:, k] = estimator.coef_[0]
            intercepts = np.concatenate([np.atleast_1d(e.intercept_) for e in topics.estimators_])
            self._compiled = CompiledScorer.of(blocks, coefficients, intercepts)
        return self._compiled

    def decision_function(self, X: Texts, **params: Any) -> Floats:
        """Signed distance of each text from each topic's plane, (texts, topics)."""
        return self.compiled.margins(list(X))

    def plain_decision_function(self, X: Texts) -> Floats:
        """The same by scikit-learn alone: what the compiled pass is checked against."""
        return np.asarray(super().decision_function(X))

    def predict(self, X: Texts, **params: Any) -> Any:
        """The topic of each text, (texts,), or for several topics a text an indicator matrix."""
        topics = self.named_steps["topics"]
        if len(topics.estimators_) == 1:
            return super().predict(X, **params)
        margins = self.decision_function(X)
        if topics.multilabel_:
            return (margins > 0).astype(np.int64)
        return topics.classes_[margins.argmax(1)]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if name != "_compiled"}


def build_pipeline(
    *,
    c: float = 0.05,
    seed: int = 0,
    concepts: Mapping[str, Sequence[str]] | ConceptCounts | None = None,
    weights: Mapping[str, float] = WEIGHTS,
    class_weight: str | None = "balanced",
    least_texts: int = 2,
) -> TopicPipeline:
    """The unfitted classifier: fit(texts, labels), predict(texts).

    labels    one name a text, or an indicator matrix (texts, topics) for several topics a text
    c         inverse strength of the penalty: small, as fits some hundred texts (of .05, .1 and .2 the best on our own
              labels, 700 a language in seven groups of topics, whole voices held out); recipes name more
    concepts  name -> terms that point to it (seeds, brands, places); without them the text alone speaks
    weights   of the blocks beside each other
    class_weight  as scikit-learn's: small classes weigh as much as large ones; recipes, with thresholds of their own
                  for each topic, have none
    least_texts   how many texts hold an n-gram, a word or a pair at least that is a feature
    """
    named = concepts if isinstance(concepts, ConceptCounts) else ConceptCounts(dict(concepts or {}))
    counting: dict[str, Any] = {"sublinear_tf": True, "min_df": least_texts, "dtype": np.float32}
    blocks: list[tuple[str, Any]] = [
        ("char", Grams(analyzer="char", ngram_range=(1, 3), lowercase=False, **counting)),
        ("word", Grams(analyzer=word_features, **counting)),
        *([("concepts", named)] if concepts else []),
        ("vectors", TextVectors()),
    ]
    return TopicPipeline(
        [
            ("text", FunctionTransformer(feature_texts)),
            ("features", FeatureUnion(blocks, transformer_weights={name: weights[name] for name, _ in blocks})),
            ("topics", OneVsRestClassifier(LinearSVC(C=c, tol=0.01, class_weight=class_weight, random_state=seed))),
        ]
    )
