"""Fitting a topic model: the classifier on all labels, probabilities and thresholds on out-of-fold margins.

A post's margin on a topic, by a classifier that has not seen it, becomes a probability by Platt's sigmoid (Platt,
Advances in Large Margin Classifiers, 1999), one a topic. The threshold of a topic is where its F1 is best among
those that keep the recipe's precision; a post may reach none.
"""

from typing import Any

import numpy as np
from joblib import parallel_config
from scipy.special import expit
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from radar.spread import workers
from radar.topics.calibration import Calibration, Floats, Indicators, Labels, best_threshold


def fit_out_of_fold(pipeline: Any, labels: Labels, folds: int, seed: int) -> Floats:
    """Fit the pipeline on all labels; returns margins by classifiers that have not seen the posts, (posts, topics).

    Folds share languages and topics. The features are fitted once, on all posts: they know no labels. Topics are
    fitted side by side in threads: liblinear leaves Python free.
    """
    features = pipeline[:-1].fit_transform(labels.texts)
    with parallel_config(backend="threading", n_jobs=workers()):
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
        estimators = clone(classifier).fit(features[train], labels.topics[train]).estimators_
        unseen = features[test]
        margins[test] = np.stack([e.decision_function(unseen) for e in estimators], axis=1)
    return margins


def calibrate(margins: Floats, topics: Indicators, least_precision: float, least_threshold: float) -> Calibration:
    """Sigmoids and thresholds of all topics, rounded, so that machines agree."""
    sigmoid = LogisticRegression(C=1e3, solver="newton-cholesky")  # exact in a few steps: one column
    sigmoids = [clone(sigmoid).fit(margins[:, [k]], topics[:, k]) for k in range(topics.shape[1])]
    slope = np.array([s.coef_[0, 0] for s in sigmoids]).round(6)
    offset = np.array([s.intercept_[0] for s in sigmoids]).round(6)
    p = expit(slope * margins + offset)
    thresholds = [
        best_threshold(p[:, k], topics[:, k], least_precision, least_threshold) for k in range(topics.shape[1])
    ]
    return Calibration(slope, offset, np.array(thresholds))
