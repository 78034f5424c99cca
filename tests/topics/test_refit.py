"""Margins of posts taken out of fitted classifiers, against classifiers fitted without them."""

import numpy as np
from scipy.sparse import random_array
from sklearn.model_selection import KFold
from sklearn.svm import LinearSVC

from radar.topics.refit import unseen_margins


def test_taken_out_is_as_never_seen() -> None:
    rng = np.random.default_rng(4)
    x = random_array((600, 90), density=0.1, rng=rng, format="csr")
    y = (x @ rng.normal(size=(90, 3)) + rng.normal(scale=0.5, size=(600, 3)) > 0.6).astype(np.int8)
    splits = list(KFold(3, shuffle=True, random_state=1).split(y))
    fitted = [LinearSVC(C=1.0, tol=1e-6, max_iter=20_000).fit(x, y[:, k]) for k in range(3)]
    coefficients = np.concatenate([e.coef_ for e in fitted])
    intercepts = np.concatenate([e.intercept_ for e in fitted])
    found = unseen_margins(x, y, coefficients, intercepts, 1.0, splits, seed=0)
    for train, unseen in splits:
        for k in range(3):
            apart = LinearSVC(C=1.0, tol=1e-6, max_iter=20_000).fit(x[train], y[train, k])
            truth = apart.decision_function(x[unseen])
            by_seeing = np.abs(fitted[k].decision_function(x[unseen]) - truth).mean()
            assert by_seeing > 0.05
            assert np.abs(found[unseen, k] - truth).mean() < by_seeing / 4
