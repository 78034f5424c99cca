"""Fitting a topic model: the classifier on all labels, probabilities and thresholds on out-of-fold margins.

The classifiers are those that scikit-learn fits, found in a third of its time (`radar.topics.descent`); `fit` of the
pipeline is scikit-learn's own, and what the two are checked by against each other.

A post's margin on a topic, by a classifier that has not seen it, becomes a probability by Platt's sigmoid (Platt,
Advances in Large Margin Classifiers, 1999), one a topic, which also hears what the strongest rival says, and one more
classifier: whether the post has any topic at all. The threshold of a topic is where its F1 is best among
those that keep the recipe's precision; a post may reach none.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import LabelBinarizer

from radar.memory import give_back
from radar.topics.calibration import (
    Calibration,
    Floats,
    Indicators,
    Labels,
    best_threshold,
    rivals,
    sigmoid,
    with_any,
)
from radar.topics.descent import Floats32, Posts


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
    posts = Posts(pipeline[:-1].fit_transform(labels.texts), labels.topics, classifier.estimator.C, seed)
    give_back()  # of the features' making
    _fill(classifier, *posts.fit(), labels.topics)
    return posts.unseen_margins(_splits(labels, folds, seed))


def _fill(classifier: Any, coefficients: Floats32, intercepts: Floats32, topics: Indicators) -> None:
    """What the classifier's own `fit` would leave in it; coefficients are (features, topics)."""
    classifier.label_binarizer_ = LabelBinarizer(sparse_output=True).fit(topics)
    classifier.classes_ = classifier.label_binarizer_.classes_
    classifier.n_features_in_ = len(coefficients)
    classifier.estimators_ = [clone(classifier.estimator) for _ in intercepts]
    for k, one in enumerate(classifier.estimators_):
        one.coef_, one.intercept_ = np.ascontiguousarray(coefficients[:, k])[None, :], intercepts[k : k + 1]
        one.classes_, one.n_features_in_ = np.array([0, 1]), len(coefficients)


def _splits(labels: Labels, folds: int, seed: int) -> Iterator[Any]:
    first = np.where(labels.topics.any(1), labels.topics.argmax(1), -1)
    strata = np.array([f"{f} {lang}" for f, lang in zip(first, labels.languages, strict=True)])
    names, sizes = np.unique(strata, return_counts=True)
    strata = np.where(np.isin(strata, names[sizes < folds]), names[sizes.argmax()], strata)
    return StratifiedKFold(folds, shuffle=True, random_state=seed).split(strata, strata)  # type: ignore[no-any-return]


def calibrate(margins: Floats, topics: Indicators, least_precision: float, least_threshold: float) -> Calibration:
    """Sigmoids and thresholds of all topics, rounded, so that machines agree."""
    rival = rivals(margins[:, :-1])
    weights, offset = np.zeros((topics.shape[1], 3)), np.zeros(topics.shape[1])
    for k in range(topics.shape[1]):
        heard = np.stack([margins[:, k], rival[:, k], margins[:, -1]], axis=1)
        fitted = LogisticRegression(C=1e3, solver="newton-cholesky").fit(heard, topics[:, k])
        weights[k], offset[k] = fitted.coef_[0].round(6), fitted.intercept_[0].round(6)
    p = sigmoid(margins, weights, offset)
    thresholds = [
        best_threshold(p[:, k], topics[:, k], least_precision, least_threshold) for k in range(topics.shape[1])
    ]
    return Calibration(weights, offset, np.array(thresholds))
