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

HALF = 0.5
SAME_WORDS = 0.8  # Jaccard index of two posts' keys from which they are one text
SAME_TASTE = 0.5  # the same of everything else that two persons said
FEWEST_KEYS = 5  # a shorter post is no evidence of copying
MINUTES = 10.0
FEWEST_PERSONS = 4
MOST_PERSONS = 64  # more are not compared: a crowd of that size is looked at by its first 64
NARROW = 0.5
"""What a narrow trend's score is multiplied with."""

Keys = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sign:
    """A reason to call a trend narrow: same_words, same_minutes, new_accounts or same_taste, in a share of persons."""

    reason: str
    share: float


def signs(
    said: Sequence[Keys], others: Sequence[Keys], minutes: NDArray[np.float64] | None, new: float, usual_new: float
) -> list[Sign]:
    """Signs in at least half of the persons; of fewer than four persons nothing is said.

    said     keys of each person's first post of the trend;    others  of everything else the person posted then, as
             often as they come
    minutes  when that first post came; None where the hour is not known, or the window is too short to tell
    new, usual_new  share of new accounts among these persons, and among all persons heard
    """
    n = len(said)
    if n < FEWEST_PERSONS:
        return []
    shares = {
        "same_words": _alike(said[:MOST_PERSONS], SAME_WORDS),
        "same_taste": _alike(others[:MOST_PERSONS], SAME_TASTE),
        "same_minutes": 0.0 if minutes is None else _crowded(minutes),
        "new_accounts": new if new >= 2 * usual_new else 0.0,
    }
    return [Sign(reason, round(share, 3)) for reason, share in shares.items() if share >= HALF]


def _alike(sets: Sequence[Keys], least: float) -> float:
    """Share of persons who have somebody else's keys, by Jaccard index."""
    lengths = np.array([len(s) for s in sets])
    if not lengths.sum():
        return 0.0
    keys, column = np.unique(np.concatenate(list(sets)), return_inverse=True)
    has = np.zeros((len(sets), len(keys)), np.float32)
    has[np.repeat(np.arange(len(sets)), lengths), column] = 1
    size = has.sum(1)
    both = has @ has.T
    with np.errstate(invalid="ignore"):
        jaccard = both / (size[:, None] + size[None, :] - both)
    jaccard[size < FEWEST_KEYS, :] = jaccard[:, size < FEWEST_KEYS] = 0
    np.fill_diagonal(jaccard, 0)
    return float((jaccard.max(1) >= least).mean())


def _crowded(minutes: NDArray[np.float64]) -> float:
    """The largest share that falls within ten minutes."""
    at = np.sort(minutes)
    return float((np.searchsorted(at, at + MINUTES, side="right") - np.arange(len(at))).max() / len(at))
