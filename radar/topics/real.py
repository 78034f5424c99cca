"""Figures on real texts that never train anything: how many get a right topic, or any topic where none is right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from radar.topics.calibration import Floats


@dataclass(frozen=True, slots=True)
class RealSet:
    """Texts of one source that are about one thing.

    wanted  topics of which each text should get one; empty where it should get none
    mixed   nobody knows what each is about: only how many get a topic is told
    """

    name: str
    texts: list[str]
    wanted: tuple[str, ...]
    mixed: bool = False


@dataclass(frozen=True, slots=True)
class RealFigures:
    """What a model says of one set.

    recall, first  share of texts that get a wanted topic; whose likeliest topic is one; None where none is wanted
    given, most    share that get any topic; the topics given most often
    """

    name: str
    posts: int
    recall: float | None
    first: float | None
    given: float
    most: tuple[str, ...]
    mixed: bool

    @classmethod
    def of(
        cls, found: RealSet, score: Callable[[list[str]], Floats], thresholds: Floats, topic_ids: Sequence[str]
    ) -> "RealFigures":
        """Figures of a scorer on a set of at least one text."""
        p = score(found.texts)
        on, right = p >= thresholds, [topic_ids.index(topic) for topic in found.wanted]
        most = [k for k in np.argsort(-on.mean(0), kind="stable")[:3] if on[:, k].any()]
        return cls(
            found.name,
            len(p),
            round(float(on[:, right].any(1).mean()), 3) if right else None,
            round(float(np.isin(p.argmax(1), right).mean()), 3) if right else None,
            round(float(on.any(1).mean()), 3),
            tuple(topic_ids[k] for k in most),
            found.mixed,
        )
