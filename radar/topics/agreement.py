"""How far two people agree on topics, beyond chance: Cohen's kappa (Educational and Psychological Measurement, 1960).

1 is full agreement, 0 what chance gives. A topic's kappa is over the posts both labelled, each given the topic or not;
the overall one is over all of these decisions, post by topic, together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Given = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TopicAgreement:
    """One topic: to how many posts the first gave it, the second, and both; kappa is None where nothing can vary."""

    topic: str
    first: int
    second: int
    both: int
    kappa: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two people's agreement on posts that both labelled.

    same       posts given the very same topics
    by_topic   topics that either of them gave, those agreed on least first
    disagreed  rows of the posts that they labelled differently
    """

    posts: int
    same: int
    kappa: float | None
    by_topic: tuple[TopicAgreement, ...]
    disagreed: tuple[int, ...]


def kappa(first: Given, second: Given) -> float | None:
    """Cohen's kappa of two raters' yes and no, of any equal shape; None where chance alone would agree always.

    >>> yes, no = True, False
    >>> round(kappa(np.array([yes, yes, no, no]), np.array([yes, no, no, no])), 2)
    0.5
    """
    if not first.size:
        return None
    agreed, a, b = float((first == second).mean()), float(first.mean()), float(second.mean())
    by_chance = a * b + (1 - a) * (1 - b)
    return None if by_chance >= 1 else (agreed - by_chance) / (1 - by_chance)


def agreement(first: Given, second: Given, topic_ids: Sequence[str]) -> Agreement:
    """Two people's topics of the same posts, each (posts, topics)."""
    used = np.flatnonzero((first | second).any(0)).tolist()
    by_topic = [
        TopicAgreement(
            topic_ids[k],
            int(first[:, k].sum()),
            int(second[:, k].sum()),
            int((first[:, k] & second[:, k]).sum()),
            kappa(first[:, k], second[:, k]),
        )
        for k in used
    ]
    by_topic.sort(key=lambda topic: (topic.kappa is not None, topic.kappa or 0.0, topic.topic))
    differs = (first != second).any(1)
    return Agreement(
        len(first),
        int((~differs).sum()),
        kappa(first, second),
        tuple(by_topic),
        tuple(np.flatnonzero(differs).tolist()),
    )
