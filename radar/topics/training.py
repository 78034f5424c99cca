"""Fitting a topic model: the classifier on all labels, probabilities and thresholds on out-of-fold margins.

A post's margin on a topic, by a classifier that has not seen it, becomes a probability by Platt's sigmoid (Platt,
Advances in Large Margin Classifiers, 1999), one a topic. The threshold of a topic is where its F1 is best among
those that keep the recipe's precision; a post may reach none.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

Floats = npt.NDArray[np.float64]
Indicators = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Labels:
    """Labelled posts: texts and their topics, (posts, topics) of 0 and 1."""

    texts: list[str]
    languages: list[str]
    topics: Indicators


TENTHS = 10


def tenths(p: Floats) -> list[int]:
    """Posts by tenths of their highest probability, (10,); p (posts, topics)."""
    at = np.minimum((p.max(1) * TENTHS).astype(int), TENTHS - 1)
    return [int(n) for n in np.bincount(at, minlength=TENTHS)]


def spread(labels: Labels, p: Floats) -> dict[str, dict[str, Any]]:
    """By language: how many posts, how many of them each topic has, how many none, and their probabilities by tenths.

    p  out of fold, (posts, topics)
    """
    languages = np.array(labels.languages)
    found = {}
    for language in sorted(set(labels.languages)):
        topics = labels.topics[languages == language]
        found[language] = {
            "posts": len(topics),
            "topics": topics.sum(0, dtype=int).tolist(),
            "off_topic": int((topics.sum(1) == 0).sum()),
            "scores": tenths(p[languages == language]),
        }
    return found


@dataclass(frozen=True, slots=True)
class Calibration:
    """From margins to probabilities and decisions, each (topics,): sigmoid(slope * margin + offset) >= threshold."""

    slope: Floats
    offset: Floats
    thresholds: Floats

    def probabilities(self, margins: Floats) -> Floats:
        """(posts, topics) in (0, 1)."""
        return np.asarray(expit(self.slope * margins + self.offset))


def fit_out_of_fold(pipeline: Any, labels: Labels, folds: int, seed: int) -> Floats:
    """Fit the pipeline on all labels; returns margins by classifiers that have not seen the posts, (posts, topics).

    Folds share languages and topics. The features are fitted once, on all posts: they know no labels.
    """
    features = pipeline[:-1].fit_transform(labels.texts)
    margins = _margins(features, pipeline[-1], labels, folds, seed)
    pipeline[-1].fit(features, labels.topics)
    for estimator in pipeline[-1].estimators_:
        estimator.coef_ = estimator.coef_.astype(np.float32)  # half the model, on disk and while it is opened
    return margins


def _margins(features: Any, classifier: Any, labels: Labels, folds: int, seed: int) -> Floats:
    first = np.where(labels.topics.any(1), labels.topics.argmax(1), -1)
    strata = np.array([f"{f} {lang}" for f, lang in zip(first, labels.languages, strict=True)])
    names, sizes = np.unique(strata, return_counts=True)
    strata = np.where(np.isin(strata, names[sizes < folds]), names[sizes.argmax()], strata)
    margins = np.zeros(labels.topics.shape)
    for train, test in StratifiedKFold(folds, shuffle=True, random_state=seed).split(features, strata):
        model = sklearn.base.clone(classifier).fit(features[train], labels.topics[train])
        margins[test] = np.stack([e.decision_function(features[test]) for e in model.estimators_], axis=1)
    return margins


def calibrate(margins: Floats, topics: Indicators, least_precision: float, least_threshold: float) -> Calibration:
    """Sigmoids and thresholds of all topics, rounded, so that machines agree."""
    sigmoids = [LogisticRegression(C=1e3).fit(margins[:, [k]], topics[:, k]) for k in range(topics.shape[1])]
    slope = np.array([s.coef_[0, 0] for s in sigmoids]).round(6)
    offset = np.array([s.intercept_[0] for s in sigmoids]).round(6)
    p = expit(slope * margins + offset)
    thresholds = [
        best_threshold(p[:, k], topics[:, k], least_precision, least_threshold) for k in range(topics.shape[1])
    ]
    return Calibration(slope, offset, np.array(thresholds))


def f1(on: npt.NDArray[np.bool_], truth: Indicators) -> float:
    """Harmonic mean of precision and recall; 0 where neither holds anything."""
    return float(2 * (on & (truth == 1)).sum() / max(on.sum() + truth.sum(), 1))


def best_threshold(p: Floats, truth: Indicators, least_precision: float, least: float) -> float:
    """Where F1 is best among thresholds from `least` on that keep the precision.

    >>> best_threshold(np.array([.9, .8, .4, .35]), np.array([1, 1, 1, 0], np.int8), 0.7, 0.3)
    0.36
    """
    best, best_f1 = 0.5, -1.0
    for threshold in np.arange(least, 0.91, 0.02):
        on = p >= threshold
        precision = (truth[on] == 1).mean() if on.any() else 1.0
        score = f1(on, truth)
        if precision >= least_precision and score > best_f1:
            best, best_f1 = float(threshold), score
    return round(best, 2)
