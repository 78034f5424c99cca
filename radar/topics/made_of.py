"""What a model was trained on, by language: what its manifest says, and what posts are compared with later."""

from typing import Any

import numpy as np

from radar.topics.calibration import Floats, Labels

TENTHS = 10


def tenths(p: Floats) -> list[int]:
    """Posts by tenths of their highest probability, (10,); p (posts, topics).

    >>> tenths(np.array([[0.05, 0.95], [0.0, 0.31]]))
    [0, 0, 0, 1, 0, 0, 0, 0, 0, 1]
    """
    at = np.minimum((p.max(1) * TENTHS).astype(int), TENTHS - 1)
    return [int(n) for n in np.bincount(at, minlength=TENTHS)]


def by_language(labels: Labels, p: Floats) -> dict[str, dict[str, Any]]:
    """How many posts, how many of them each topic has and how many none, and their probabilities by tenths.

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
