"""Which posts are worth a person's time: where rules and model disagree, where the model is in doubt, what is new.

Doubt is uncertainty sampling (Lewis and Gale, SIGIR 1994). Every fourth row is drawn at random, so that there are also
labels of posts that nothing speaks for.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence

import numpy as np
from scipy.special import logit

from radar.topics.calibration import Floats
from radar.topics.evaluation import Decisions

REASONS = ("disagree", "threshold", "new_term", "random")
"""Seeds say a topic that the model does not; a probability near its threshold; a word unknown to the model; chance."""


def orders(
    p: Floats, thresholds: Floats, by_seeds: Decisions, new_terms: Sequence[int], seed: int
) -> dict[str, list[int]]:
    """Rows by each reason, most worth first.

    p, by_seeds  (posts, topics)      new_terms  rows that hold a new term, one a term
    """
    missed = np.where(by_seeds & (p < thresholds), 1 - p, 0).max(1, initial=0.0)
    tight = np.clip(p, 1e-6, 1 - 1e-6)
    distance = np.abs(logit(tight) - logit(thresholds)).min(1, initial=np.inf)
    ranked = np.argsort(-missed, kind="stable")
    return {
        "disagree": ranked[missed[ranked] > 0].tolist(),
        "threshold": np.argsort(distance, kind="stable").tolist(),
        "new_term": list(new_terms),
        "random": np.random.default_rng(seed).permutation(len(p)).tolist(),
    }


def shares(rows: int, held: Mapping[str, int], asked: Mapping[str, int]) -> dict[str, int]:
    """Rows by language: those asked for, and of what is left an equal part each, as far as it holds posts.

    >>> shares(10, {"ja": 100, "ko": 2, "th": 100}, {})
    {'ja': 4, 'ko': 2, 'th': 4}
    >>> shares(10, {"ja": 100, "ko": 20, "th": 100}, {"ko": 6})
    {'ja': 2, 'ko': 6, 'th': 2}
    """
    out = {name: min(asked.get(name, 0), n) for name, n in held.items()}
    open_ = [name for name in held if name not in asked and held[name]]
    left = rows - sum(out.values())
    while left > 0 and open_:
        for name in list(open_):
            if left <= 0:
                break
            out[name] += 1
            left -= 1
            if out[name] >= held[name]:
                open_.remove(name)
    return out


def pick(
    by_reason: Mapping[str, Sequence[int]],
    languages: Sequence[str],
    same: Sequence[Hashable],
    quotas: Mapping[str, int],
) -> list[tuple[int, str]]:
    """Rows with their reasons: each language by turns from each reason, until its quota is full.

    same  what a row says, as something to compare: of equal texts one is picked
    """
    picked: list[tuple[int, str]] = []
    seen: set[Hashable] = set()
    for language, quota in quotas.items():
        queues = {reason: (i for i in rows if languages[i] == language) for reason, rows in by_reason.items()}
        found = 0
        while queues and found < quota:
            for reason, queue in list(queues.items()):
                row = _next(queue, same, seen)
                if row is None:
                    del queues[reason]
                elif found < quota:
                    picked.append((row, reason))
                    seen.add(same[row])
                    found += 1
    return picked


def _next(queue: Iterator[int], same: Sequence[Hashable], seen: set[Hashable]) -> int | None:
    return next((row for row in queue if same[row] not in seen), None)
