"""Fitting the tone head: a linear classifier a tone, and probabilities on margins out of fold.

Beside n-grams, words and word vectors the head counts words of praise and blame, as they are and turned round
(`radar.topics.tone_words`). The softmax is fitted on margins of posts that the classifiers have not seen (matrix
scaling: Guo et al., ICML 2017).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from radar.text.tones import TONES
from radar.topics.calibration import Floats, Labels
from radar.topics.evaluation import calibration_error
from radar.topics.pipeline import TopicPipeline, build_pipeline
from radar.topics.tone import ToneHead, TonePosts
from radar.topics.tone_words import ToneWords
from radar.topics.training import fit_unseen


@dataclass(frozen=True, slots=True)
class FittedTone:
    """A head, the pipeline it was compiled from, and its figures on posts that the classifiers had not seen."""

    head: ToneHead
    pipeline: TopicPipeline
    figures: dict[str, Any]


def fit_tone(
    posts: TonePosts, words: str, *, c: float, weights: Mapping[str, float], folds: int, seed: int
) -> FittedTone:
    """Fit on all posts.

    words    text of tone_words.toml
    c, weights, folds, seed  as of the topics: radar.topics.build_pipeline
    """
    pipeline = build_pipeline(c=c, seed=seed, concepts=ToneWords(words), weights=weights, class_weight=None)
    one_a_post = np.eye(len(TONES), dtype=np.int8)[posts.tones]
    margins = fit_unseen(pipeline, Labels(posts.texts, posts.languages, one_a_post), folds, seed)
    fitted = LogisticRegression(C=10.0).fit(margins, posts.tones)
    head = ToneHead(pipeline.compiled, fitted.coef_.T.round(6), fitted.intercept_.round(6))
    p = softmax(margins @ head.scale + head.offset, axis=1)
    return FittedTone(head, pipeline, _figures(p, posts))


def _figures(p: Floats, posts: TonePosts) -> dict[str, Any]:
    languages = np.array(posts.languages)
    of = {language: languages == language for language in sorted(set(posts.languages))}
    return {
        "posts": len(posts.texts),
        "right": round(float((p.argmax(1) == posts.tones).mean()), 3),
        "calibration_error": round(calibration_error(p[:, 0], (posts.tones == 0).astype(np.int8)), 4),
        "auc": {name: blame_auc(p[rows], posts.tones[rows]) for name, rows in of.items()},
    }


def blame_auc(p: Floats, tones: npt.NDArray[np.int8]) -> float:
    """How often a post that blames is scored above one that praises: area under the ROC curve, neutral posts left out.

    >>> blame_auc(np.array([[.8, .1, .1], [.1, .8, .1], [.2, .2, .6]]), np.array([0, 1, 2], np.int8))
    1.0
    """
    told = tones != 1
    return round(float(roc_auc_score(tones[told] == 0, p[told, 0] - p[told, 2])), 3)
