"""Tone: whether a post blames, praises or does neither, by a second small head over the same features as the topics.

Its margins become probabilities that add up to one by a softmax (`radar.topics.tone_fit` says how both are fitted). A
post is negative or positive where that is at least as probable as not, else neutral. Needs no scikit-learn.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from radar.topics.compiled import CompiledScorer, Floats

LEAST = 0.5
"""Probability from which a post is called negative or positive."""


def tones_of(p: Floats) -> npt.NDArray[np.int8]:
    """-1, 0 or 1 for each post, from probabilities (posts, 3).

    >>> tones_of(np.array([[.6, .3, .1], [.4, .2, .4], [.1, .1, .8]])).tolist()
    [-1, 0, 1]
    """
    return (p[:, 2] >= LEAST).astype(np.int8) - (p[:, 0] >= LEAST).astype(np.int8)


@dataclass(frozen=True, slots=True)
class TonePosts:
    """Posts with their tones, columns of `radar.text.tones.TONES`."""

    texts: list[str]
    languages: list[str]
    tones: npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class ToneHead:
    """A fitted head with its calibration: softmax(margins @ scale + offset).

    scale  (3, 3)        offset  (3,)
    """

    compiled: CompiledScorer
    scale: Floats
    offset: Floats

    def probabilities(self, texts: list[str]) -> Floats:
        """Of each tone, (texts, 3); rows add up to one."""
        return self.calibrated(self.compiled.margins(texts))

    def calibrated(self, margins: Floats) -> Floats:
        """The same of margins (texts, 3)."""
        heard = margins @ self.scale + self.offset
        odds = np.exp(heard - heard.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))
