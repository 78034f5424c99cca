"""Tone: whether a post blames, praises or does neither, by a second small head over the same features as the topics.

Beside n-grams, words and word vectors the head counts words of praise and of blame, as they are and turned round ("not
good", "不好吃", "좋지 않"): `ToneWords`. Its margins become probabilities that add up to one by a softmax fitted on
margins out of fold (matrix scaling: Guo et al., ICML 2017). A post is negative or positive where that is at least as
probable as not, else neutral.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from radar.text.tones import TONES
from radar.topics.compiled import Floats
from radar.topics.evaluation import calibration_error
from radar.topics.features import ConceptCounts
from radar.topics.pipeline import TopicPipeline, build_pipeline
from radar.topics.training import Labels, fit_out_of_fold

LEAST = 0.5
"""Probability from which a post is called negative or positive."""


def tones_of(p: Floats) -> npt.NDArray[np.int8]:
    """-1, 0 or 1 for each post, from probabilities (posts, 3).

    >>> tones_of(np.array([[.6, .3, .1], [.4, .2, .4], [.1, .1, .8]])).tolist()
    [-1, 0, 1]
    """
    return (p[:, 2] >= LEAST).astype(np.int8) - (p[:, 0] >= LEAST).astype(np.int8)


def negated(words: str, before: str, after: str) -> list[str]:
    """Each of the words with each of what turns it round put before or after it; all comma-separated.

    >>> negated("good, nice", "not ", ""), negated("美味し", "", "くない")
    (['not good', 'not nice'], ['美味しくない'])
    """
    stems = _listed(words)
    return [sign + stem for sign in _listed(before, keep=True) for stem in stems] + [
        stem + sign for sign in _listed(after) for stem in stems
    ]


def _listed(words: str, *, keep: bool = False) -> list[str]:
    """Words between commas; keep: with the space that ends them."""
    return [word.lstrip() if keep else word.strip() for word in words.split(",") if word.strip()]


class ToneWords(ConceptCounts):
    """How many words of praise and blame a text holds, plain and turned round, all languages together.

    text  of tone_words.toml: for each language positive, negative, before, after
    """

    def __init__(self, text: str, weight: float = 1.0) -> None:
        self.text = text
        self.weight = weight

    @property
    def concepts(self) -> Mapping[str, Sequence[str]]:  # type: ignore[override]
        """praise, blame, no praise, no blame -> terms."""
        parts = tomllib.loads(self.text).values()
        found: dict[str, list[str]] = {}
        for name, tone in (("praise", "positive"), ("blame", "negative")):
            found[name] = [word for part in parts for word in _listed(part[tone])]
            found[f"no {name}"] = [w for part in parts for w in negated(part[tone], part["before"], part["after"])]
        return found


@dataclass(frozen=True, slots=True)
class TonePosts:
    """Posts with their tones, columns of `TONES`."""

    texts: list[str]
    languages: list[str]
    tones: npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class ToneHead:
    """A fitted head with its calibration: softmax(margins @ scale + offset).

    scale  (3, 3)        offset  (3,)
    """

    pipeline: TopicPipeline
    scale: Floats
    offset: Floats

    def probabilities(self, texts: list[str]) -> Floats:
        """Of each tone, (texts, 3); rows add up to one."""
        return np.asarray(softmax(self.pipeline.compiled.margins(texts) @ self.scale + self.offset, axis=1))


def fit_tone(
    posts: TonePosts, words: str, *, c: float, weights: Mapping[str, float], folds: int, seed: int
) -> tuple[ToneHead, dict[str, Any]]:
    """Fit on all posts; returns the head and its figures on posts that the classifier had not seen.

    words    text of tone_words.toml
    c, weights, folds, seed  as of the topics: radar.topics.build_pipeline
    """
    pipeline = build_pipeline(c=c, seed=seed, concepts=ToneWords(words), weights=weights)
    one_a_post = np.eye(len(TONES), dtype=np.int8)[posts.tones]
    margins = fit_out_of_fold(pipeline, Labels(posts.texts, posts.languages, one_a_post), folds, seed)
    fitted = LogisticRegression(C=10.0).fit(margins, posts.tones)
    head = ToneHead(pipeline, fitted.coef_.T.round(6), fitted.intercept_.round(6))
    p = softmax(margins @ head.scale + head.offset, axis=1)
    return head, _figures(p, posts)


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
