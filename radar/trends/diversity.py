"""Whether a crowd is many people or one hand: how alike the persons behind a trend are.

Four signs, each a share of persons: they say it in the same words, within the same minutes, from accounts that are new
where others are not, and they agree on everything else too. A trend with a sign in half its persons is *narrow*: it is
shown with the reason and ranked lower, never hidden. Coordination of this kind is what studies of astroturfing look at
(Pacheco et al., "Uncovering coordinated networks on social media", ICWSM 2021: shared traces, timing, similarity).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from radar._jit import jit
from radar.trends.lookup import I64

HALF = 0.5
SAME_WORDS = 0.8  # Jaccard index of two posts' keys from which they are one text
SAME_TASTE = 0.5  # the same of everything else that two persons said
FEWEST_KEYS = 5  # a shorter post is no evidence of copying
MINUTES = 10.0
FEWEST_PERSONS = 4
MOST_PERSONS = 64  # more are not compared: a crowd of that size is looked at by its first 64
NARROW = 0.5
"""What a narrow trend's score is multiplied with."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A reason to call a trend narrow: same_words, same_minutes, new_accounts or same_taste, in a share of persons."""

    reason: str
    share: float


SIGNS = ("same_words", "same_taste", "same_minutes", "new_accounts")


def signs(shares: Sequence[float], usual_new: float) -> list[Sign]:
    """Signs in at least half of the persons, of the shares that were found in the order of SIGNS.

    usual_new  share of new accounts among all who are heard: theirs is a sign from twice that on

    >>> signs([0.2, 0.5, 0.0, 0.6], usual_new=0.4)
    [Sign(reason='same_taste', share=0.5)]
    """
    return [
        Sign(reason, round(share, 3))
        for reason, share in zip(SIGNS, shares, strict=True)
        if share >= HALF and (reason != "new_accounts" or share >= 2 * usual_new)
    ]


@jit
def alike(keys: I64, starts: I64, distinct: int, least: float) -> float:
    """Share of sets that have another's keys: whoever had a key before is in a chain of its own for each key."""
    n, links = starts.size - 1, 0
    first, before, whose = np.empty(distinct, np.int32), np.empty(keys.size, np.int32), np.empty(keys.size, np.int32)
    first[:] = -1
    size, both = np.zeros(n, np.int64), np.zeros((n, n), np.int64)
    for i in range(n):
        for at in range(starts[i], starts[i + 1]):
            link = first[keys[at]]
            if link >= 0 and whose[link] == i:
                continue
            size[i] += 1
            before[links], whose[links], first[keys[at]] = link, i, links
            links += 1
            while link >= 0:
                both[i, whose[link]] += 1
                both[whose[link], i] += 1
                link = before[link]
    found = 0
    for i in range(n):
        for j in range(n):
            if i == j or size[i] < FEWEST_KEYS or size[j] < FEWEST_KEYS:
                continue
            if np.float32(both[i, j]) / np.float32(size[i] + size[j] - both[i, j]) >= np.float32(least):
                found += 1
                break
    return found / n


@jit
def crowded(posts: I64, first: int, end: int, seconds: NDArray[np.float64]) -> float:
    """The largest share that falls within ten minutes, of posts from one to before another of a list.

    seconds  when each post came, of all there are
    """
    n = end - first
    at = np.empty(n)
    for i in range(n):  # they are to come in order: it is quick then
        k, minute = i, seconds[posts[first + i]] / 60
        while k > 0 and at[k - 1] > minute:
            at[k] = at[k - 1]
            k -= 1
        at[k] = minute
    most = until = 0
    for i in range(n):
        while until < n and at[until] <= at[i] + MINUTES:
            until += 1
        most = max(most, until - i)
    return most / n
