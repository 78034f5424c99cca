"""Keys that the same people use are one trend: the best leads, the others are its variants."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

JACCARD = 0.5


def merge_variants(person_sets: Sequence[Iterable[int]], scores: ArrayLike) -> list[int]:
    """Index of the leader of each set: its own where it leads.

    person_sets  persons behind each trend (sets or integer arrays);    scores  (k,) higher leads, ties by position

    From the best score down, a set joins the best leader whose Jaccard index with it is 0.5 or more, else it leads.
    Variants resemble their leader, not just each other, so a chain of half-overlaps never becomes one trend.

    >>> merge_variants([{1, 2, 3}, {1, 2, 3, 4}, {7, 8}], [5.0, 9.0, 1.0])
    [1, 1, 2]
    """
    members = [{int(x) for x in persons} for persons in person_sets]
    ranks = np.asarray(scores, np.float64)
    if ranks.shape != (len(members),):
        raise ValueError(f"scores must have shape ({len(members)},), got {ranks.shape}")
    leaders_of: defaultdict[int, list[int]] = defaultdict(list)  # person -> leaders, best first
    answer = list(range(len(members)))
    for i in np.argsort(-ranks, kind="stable").tolist():
        shared = Counter(leader for person in members[i] for leader in leaders_of[person])
        close = [x for x, n in shared.items() if n >= JACCARD * (len(members[i]) + len(members[x]) - n)]
        if close:
            answer[i] = min(close, key=lambda x: (-ranks[x], x))
        else:
            for person in members[i]:
                leaders_of[person].append(i)
    return answer
