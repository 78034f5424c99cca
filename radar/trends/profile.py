"""The market's profile: how many first mentions a person makes in each slot of the cycle, shared by all series.

Formula: docstring of `radar.trends`, section 2.
"""

import numpy as np
from numpy.typing import NDArray

PRIOR = 50.0  # mentions with which a slot is drawn to its parent: hour of week to hour of day, hour of day to 1


class Profile:
    """Factor per slot of the cycle, mean 1, from decayed observed and expected mentions of all series of a market.

    season     slots of the cycle; 0 or 1: no cycle. A week of days' slots (168, 672) leans on the day (24, 96).
    half_life  in buckets; a factor lives four times as long as the baseline and at least four cycles
    """

    def __init__(self, season: int, half_life: float) -> None:
        self.season = max(season, 1)
        self.day = self.season // 7 if self.season % 7 == 0 and self.season > 7 else 1
        self.decay = 0.5 ** (1 / max(4.0 * half_life, 4.0 * self.season))
        self.observed = np.zeros(self.season)
        self.expected = np.zeros(self.season)
        self.factors = np.ones(self.season)

    def slot(self, slot: int) -> int:
        """Any bucket number to its slot."""
        return slot % self.season

    def update(self, slot: int, observed: float, expected: float) -> None:
        """Learn from a bucket: mentions of all series, and mentions expected before any factor."""
        self.observed *= self.decay
        self.expected *= self.decay
        self.observed[slot] += observed
        self.expected[slot] += expected
        if self.season > 1:
            self.factors = self._fit()

    def _fit(self) -> NDArray[np.float64]:
        """Slot to parent to 1, each drawn by PRIOR; divided by the whole so that the mean stays 1."""
        total = (self.observed.sum() + PRIOR) / (self.expected.sum() + PRIOR)
        seen, due = self.observed / total, self.expected
        parents = self.season // self.day if self.day > 1 else self.season
        by_day_seen = seen.reshape(parents, -1).sum(0)
        by_day_due = due.reshape(parents, -1).sum(0)
        parent = np.tile((PRIOR + by_day_seen) / (PRIOR + by_day_due), parents)
        return np.asarray((PRIOR * parent + seen) / (PRIOR + due))
