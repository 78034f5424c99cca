"""Keys that the same people use are one trend: the best leads, the others are its variants."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

JACCARD = 0.5
WITHIN = 0.8
"""Share of a key's posts that are another's, from which it says the same thing in a part of the words."""


AS_MUCH = 1.25


def merge_variants(
    person_sets: Sequence[Iterable[int]],
    scores: ArrayLike,
    post_sets: Sequence[Iterable[int]] | None = None,
    lifts: ArrayLike | None = None,
) -> list[int]:
    """Index of the leader of each set: its own where it leads.

    person_sets  persons behind each trend (sets or integer arrays);    scores  (k,) higher leads, ties by position
    post_sets    posts behind each trend, where they are known
    lifts        (k,) how much each rose; 0 for what holds no other by its posts

    From the best score down, a set joins the best leader whose Jaccard index with it is 0.5 or more, or whose posts
    hold four in five of its own and which rose about as much (a broad key that rose less holds many and is none of
    them), else it leads. Variants resemble their leader, not just each other, so a chain of half-overlaps never
    becomes one trend.

    >>> merge_variants([{1, 2, 3}, {1, 2, 3, 4}, {7, 8}], [5.0, 9.0, 1.0])
    [1, 1, 2]
    >>> merge_variants([{1, 2, 3, 4, 5}, {1, 2}], [9.0, 1.0], [{10, 20, 30, 40, 50}, {10, 20}], [8.0, 6.0])
    [0, 0]
    """
    members = [_as_set(persons) for persons in person_sets]
    posts = [_as_set(some) for some in post_sets] if post_sets is not None else [set() for _ in members]
    ranks = np.asarray(scores, np.float64)
    rises = np.ones(len(members)) if lifts is None else np.asarray(lifts, np.float64)
    if ranks.shape != (len(members),) or len(posts) != len(members):
        raise ValueError(f"scores must have shape ({len(members)},) and post_sets that length, got {ranks.shape}")
    leaders_of: defaultdict[int, list[int]] = defaultdict(list)  # person -> leaders, best first
    leaders_in: defaultdict[int, list[int]] = defaultdict(list)  # post -> leaders, best first
    answer = list(range(len(members)))
    for i in np.argsort(-ranks, kind="stable").tolist():
        shared = Counter(leader for person in members[i] for leader in leaders_of[person])
        close = [x for x, n in shared.items() if n >= JACCARD * (len(members[i]) + len(members[x]) - n)]
        held = Counter(leader for post in posts[i] for leader in leaders_in[post])
        close += [x for x, n in held.items() if n >= WITHIN * len(posts[i]) and rises[i] <= AS_MUCH * rises[x]]
        if close:
            answer[i] = min(close, key=lambda x: (-ranks[x], x))
        else:
            for person in members[i]:
                leaders_of[person].append(i)
            for post in posts[i]:
                leaders_in[post].append(i)
    return answer


def _as_set(numbers: Iterable[int]) -> set[int]:
    return set(numbers.tolist()) if isinstance(numbers, np.ndarray) else {int(x) for x in numbers}
