"""Keys that the same people use are one trend: the best leads, the others are its variants."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from radar._jit import jit
from radar.trends.lookup import I64, Groups

JACCARD = 0.5
WITHIN = 0.8
"""Share of a key's posts that are another's, from which it says the same thing in a part of the words."""


AS_MUCH = 1.25

F64 = NDArray[np.float64]


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
    members = [_distinct(persons) for persons in person_sets]
    posts = [_distinct(some) for some in post_sets] if post_sets is not None else [np.zeros(0, np.int64)] * len(members)
    ranks = np.asarray(scores, np.float64)
    if ranks.shape != (len(members),) or len(posts) != len(members):
        raise ValueError(f"scores must have shape ({len(members)},) and post_sets that length, got {ranks.shape}")
    rises = np.ones(len(members)) if lifts is None else np.asarray(lifts, np.float64)
    return merge_numbered(_numbered(members), _numbered(posts), ranks, rises)


def merge_numbered(persons: Groups, posts: Groups, scores: F64, lifts: F64) -> list[int]:
    """The same of persons and posts that are numbered from 0 without great gaps, each once in a set."""
    answer = np.arange(len(scores))
    if len(scores):
        person_count, post_count = (int(groups.members.max(initial=-1)) + 1 for groups in (persons, posts))
        order = np.argsort(-scores, kind="stable")
        merge(*persons, *posts, order, scores, lifts, person_count, post_count, answer)
    found: list[int] = answer.tolist()
    return found


def _distinct(numbers: Iterable[int]) -> I64:
    return np.unique(np.array(list(numbers), np.int64))


def _numbered(sets: list[I64]) -> Groups:
    groups = Groups.of(sets)
    return groups._replace(members=np.unique(groups.members, return_inverse=True)[1].astype(np.int64))


@jit
def merge(
    persons: I64, person_starts: I64, posts: I64, post_starts: I64, order: I64, scores: F64, lifts: F64,
    person_count: int, post_count: int, answer: I64,
) -> None:  # fmt: skip
    """Write down the leader of each set. order: from the best score down; answer: (k,) each its own, to begin with."""
    of_person, person_next, person_leader = _chains(person_count, persons.size)
    of_post, post_next, post_leader = _chains(post_count, posts.size)
    shared, met = np.zeros(order.size, np.int64), np.empty(order.size, np.int64)
    for n in range(order.size):
        i = order[n]
        a, b, c, d = person_starts[i], person_starts[i + 1], post_starts[i], post_starts[i + 1]
        best = -1
        for k in range(_meet(persons[a:b], of_person, person_next, person_leader, shared, met)):
            x = met[k]
            joint = shared[x]
            if joint >= JACCARD * (b - a + person_starts[x + 1] - person_starts[x] - joint):
                best = _better(best, x, scores)
            shared[x] = 0
        for k in range(_meet(posts[c:d], of_post, post_next, post_leader, shared, met)):
            x = met[k]
            if shared[x] >= WITHIN * (d - c) and lifts[i] <= AS_MUCH * lifts[x]:
                best = _better(best, x, scores)
            shared[x] = 0
        if best >= 0:
            answer[i] = best
        else:
            _lead(i, persons, a, b, of_person, person_next, person_leader)
            _lead(i, posts, c, d, of_post, post_next, post_leader)


@jit
def _chains(count: int, links: int) -> tuple[I64, I64, I64]:
    """The leaders of each of so many persons or posts, as chains: the first link of each, the next of each link, whose
    it is; none yet."""
    first = np.empty(count, np.int64)
    first[:] = -1
    return first, np.empty(links, np.int64), np.empty(links, np.int64)


@jit
def _meet(members: I64, first: I64, following: I64, leader: I64, shared: I64, met: I64) -> int:
    """Leaders that some persons or posts have already, and how many each; answers how many leaders."""
    found = 0
    for k in range(members.size):
        link = first[members[k]]
        while link >= 0:
            x = leader[link]
            if shared[x] == 0:
                met[found] = x
                found += 1
            shared[x] += 1
            link = following[link]
    return found


@jit
def _better(best: int, x: int, scores: F64) -> int:
    """The better one of two leaders, the earlier of equals."""
    if best < 0 or scores[x] > scores[best] or (scores[x] == scores[best] and x < best):
        return x
    return best


@jit
def _lead(i: int, members: I64, start: int, end: int, first: I64, following: I64, leader: I64) -> None:
    """Let a set lead its persons or posts."""
    for link in range(start, end):
        following[link] = first[members[link]]
        leader[link] = i
        first[members[link]] = link
