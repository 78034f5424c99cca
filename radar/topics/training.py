"""Fitting a topic model: the classifier on all labels, probabilities and thresholds on out-of-fold margins.

The classifiers are those that scikit-learn fits, found in a sixth of its time (`radar.topics.descent`); `fit` of the
pipeline is scikit-learn's own, and what the two are checked by against each other.

A post's margin on a topic, by a classifier that has not seen it, becomes a probability by Platt's sigmoid (Platt,
Advances in Large Margin Classifiers, 1999), one a topic, which also hears what the strongest rival says, and one more
classifier: whether the post has any topic at all. The threshold of a topic is where its F1 is best among
those that keep the recipe's precision; a post may reach none.

Before all topics stands a gate: the log odds that a post has any, by the margin of any topic and the two highest ones.
It is shut as far as it must be for no more than the recipe's share of off-topic posts to be given a topic, out of fold.
Higher thresholds would do that too, but cost posts that surely have some topic and are only torn between two.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import LabelBinarizer

from radar.memory import give_back
from radar.topics.calibration import (
    OPEN,
    Calibration,
    Floats,
    Gate,
    Indicators,
    Labels,
    best_thresholds,
    gate_features,
    rivals,
    sigmoid,
    with_any,
)
from radar.topics.descent import Floats32, Posts
from radar.topics.features import fitted_features

HALVINGS = 12
"""Of the span of log odds in which the gate's opening is looked for."""


def fit_out_of_fold(pipeline: Any, labels: Labels, folds: int, seed: int) -> Floats:
    """Fit the pipeline on all labels; returns margins by classifiers that have not seen the posts, (posts, topics + 1).

    The last column is of one classifier more: any topic.
    """
    return fit_unseen(pipeline, replace(labels, topics=with_any(labels.topics)), folds, seed)


def fit_unseen(pipeline: Any, labels: Labels, folds: int, seed: int) -> Floats:
    """Fit the pipeline on the labels as they are; returns margins by classifiers that have not seen the posts.

    Folds share languages and topics. The features are fitted once, on all posts: they know no labels.
    """
    classifier = pipeline[-1]
    posts = Posts(_features(pipeline, labels.texts), labels.topics, classifier.estimator.C, seed)
    give_back()  # of the features' making
    posts.fit()
    margins = posts.unseen_margins(_splits(labels, folds, seed))
    planes = posts.planes()
    del posts
    _fill(classifier, *planes, labels.topics)
    return margins


def _features(pipeline: Any, texts: list[str]) -> Any:
    """What all steps but the last make of raw texts, fitted on them."""
    steps = pipeline.named_steps
    return fitted_features(steps["features"], steps["text"].fit_transform(texts))


def _fill(classifier: Any, coefficients: Floats32, intercepts: Floats32, topics: Indicators) -> None:
    """What the classifier's own `fit` would leave in it; it keeps the coefficients, (topics, features)."""
    classifier.label_binarizer_ = LabelBinarizer(sparse_output=True).fit(topics)
    classifier.classes_ = classifier.label_binarizer_.classes_
    classifier.n_features_in_ = coefficients.shape[1]
    classifier.estimators_ = [clone(classifier.estimator) for _ in intercepts]
    for k, one in enumerate(classifier.estimators_):
        one.coef_, one.intercept_ = coefficients[k : k + 1], intercepts[k : k + 1]
        one.classes_, one.n_features_in_ = np.array([0, 1]), coefficients.shape[1]


def _splits(labels: Labels, folds: int, seed: int) -> Iterator[Any]:
    first = np.where(labels.topics.any(1), labels.topics.argmax(1), -1)
    strata = np.array([f"{f} {lang}" for f, lang in zip(first, labels.languages, strict=True)])
    names, sizes = np.unique(strata, return_counts=True)
    strata = np.where(np.isin(strata, names[sizes < folds]), names[sizes.argmax()], strata)
    return StratifiedKFold(folds, shuffle=True, random_state=seed).split(strata, strata)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Cautions:
    """What thresholds and gate keep to, out of fold.

    precision  the least of a topic's decisions
    threshold  none is lower
    off_topic  the largest share of off-topic posts that may be given a topic
    """

    precision: float
    threshold: float
    off_topic: float


def calibrate(margins: Floats, topics: Indicators, cautions: Cautions) -> Calibration:
    """Sigmoids, gate and thresholds of all topics, rounded, so that machines agree."""
    rival = rivals(margins[:, :-1])
    weights, offset = np.zeros((topics.shape[1], 3)), np.zeros(topics.shape[1])
    for k in range(topics.shape[1]):
        heard = np.stack([margins[:, k], rival[:, k], margins[:, -1]], axis=1)
        fitted = LogisticRegression(C=1e3, solver="newton-cholesky").fit(heard, topics[:, k])
        weights[k], offset[k] = fitted.coef_[0].round(6), fitted.intercept_[0].round(6)
    gate, thresholds = _gated(sigmoid(margins, weights, offset), margins, topics, cautions)
    return Calibration(weights, offset, thresholds, gate)


def _gated(p: Floats, margins: Floats, topics: Indicators, cautions: Cautions) -> tuple[Gate, Floats]:
    """The widest gate that keeps off-topic posts out, and the thresholds behind it; found by halving."""
    off_topic = topics.sum(1) == 0
    gate, best = OPEN, best_thresholds(p, topics, cautions.precision, cautions.threshold)
    if not off_topic.any() or (p[off_topic] >= best).any(1).mean() <= cautions.off_topic:
        return gate, best
    fitted = LogisticRegression(C=1e3, solver="newton-cholesky").fit(gate_features(margins), ~off_topic)
    odds = fitted.decision_function(gate_features(margins[off_topic]))
    low, least = odds.min(), odds.max() + 1  # where it is shut to all of them
    high = least
    for _ in range(HALVINGS):
        offset = round(float(fitted.intercept_[0] - least) + 1, 6)
        tried = Gate(fitted.coef_[0].round(6), offset, cautions.threshold)
        gated = p * tried.factor(margins)[:, None]
        thresholds = best_thresholds(gated, topics, cautions.precision, cautions.threshold)
        if (gated[off_topic] >= thresholds).any(1).mean() > cautions.off_topic:
            low = least
        else:
            high, gate, best = least, tried, thresholds
        least = (low + high) / 2
    return gate, best
