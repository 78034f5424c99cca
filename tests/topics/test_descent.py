"""Classifiers of all topics at once, beside scikit-learn's, and posts taken out of them."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.sparse import random_array
from sklearn.model_selection import KFold
from sklearn.svm import LinearSVC

from radar.topics import build_pipeline
from radar.topics.calibration import Labels
from radar.topics.descent import Posts
from radar.topics.training import fit_unseen


def drawn() -> tuple[Any, npt.NDArray[np.int8]]:
    """Features (600, 90) and topics (600, 3) that they foretell, with noise."""
    rng = np.random.default_rng(4)
    x = random_array((600, 90), density=0.1, rng=rng, format="csr")
    return x, (x @ rng.normal(size=(90, 3)) + rng.normal(scale=0.5, size=(600, 3)) > 0.6).astype(np.int8)


def by_liblinear(x: Any, y: npt.NDArray[np.int8]) -> LinearSVC:
    """To the optimum."""
    return LinearSVC(C=1.0, tol=1e-6, max_iter=20_000).fit(x, y)


def test_the_same_classifiers_as_scikit_learns() -> None:
    x, y = drawn()
    posts = Posts(x, y, 1.0, seed=0)
    posts.fit(passes=60)
    weights, bias = posts.planes()
    for k in range(3):
        theirs = by_liblinear(x, y[:, k])
        assert np.abs(weights[k] - theirs.coef_[0]).max() < 1e-3
        assert abs(bias[k] - theirs.intercept_[0]) < 1e-3


def test_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = drawn()
    splits = list(KFold(3, shuffle=True, random_state=1).split(y))
    found = []
    for count in (1, 3):
        monkeypatch.setattr("os.cpu_count", lambda count=count: count)
        posts = Posts(x, y, 1.0, seed=0)
        posts.fit()
        found.append(posts.unseen_margins(splits))
    assert np.array_equal(*found)


def test_taken_out_is_as_never_seen() -> None:
    x, y = drawn()
    splits = list(KFold(3, shuffle=True, random_state=1).split(y))
    posts = Posts(x, y, 1.0, seed=0)
    posts.fit(passes=40)
    weights, bias = posts.planes()
    seen, found = x @ weights.T + bias, posts.unseen_margins(splits, passes=20)
    for train, unseen in splits:
        for k in range(3):
            truth = by_liblinear(x[train], y[train, k]).decision_function(x[unseen])
            by_seeing = np.abs(seen[unseen, k] - truth).mean()
            assert by_seeing > 0.05
            assert np.abs(found[unseen, k] - truth).mean() < by_seeing / 4


def test_a_pipeline_solved_at_once_is_the_one_that_scikit_learn_fits() -> None:
    texts = [
        f"{a} {b} {c}" for a in ("ramen", "hotel", "train") for b in ("tokyo", "seoul") for c in map(str, range(9))
    ]
    topics = np.array([["ramen" in t, "hotel" in t, "seoul" in t] for t in texts], np.int8)
    ours, theirs = build_pipeline(class_weight=None), build_pipeline(class_weight=None).fit(texts, topics)
    fit_unseen(ours, Labels(texts, ["en"] * len(texts), topics), folds=3, seed=0)
    assert (ours.predict(texts) == topics).all()
    assert np.allclose(ours.plain_decision_function(texts), theirs.plain_decision_function(texts), atol=0.01)
    assert ours[-1].multilabel_
    assert (ours[-1].classes_ == theirs[-1].classes_).all()
