"""The market's profile: how many first mentions a person makes in each slot of the cycle, shared by all series.

Formula: docstring of `radar.trends`, section 2; learnt by `radar.trends.march.learn_profile`.
"""

import numpy as np
from numpy.typing import NDArray


class Profile:
    """Factor per slot of the cycle, mean 1, from decayed observed and expected mentions of all series of a market.

    season     slots of the cycle; 0 or 1: no cycle. A week of days' slots (168, 672) leans on the day (24, 96).
    half_life  in buckets; a factor lives four times as long as the baseline and at least four cycles
    """

    def __init__(self, season: int, half_life: float) -> None:
        self.season = max(season, 1)
        self.day = self.season // 7 if self.season % 7 == 0 and self.season > 7 else 1
        self.decay = 0.5 ** (1 / max(4.0 * half_life, 4.0 * self.season))
        self.cycle = np.zeros((3, self.season))
        self.cycle[2] = 1.0

    @property
    def factors(self) -> NDArray[np.float64]:
        """Of each slot."""
        return np.asarray(self.cycle[2])

    def slot(self, slot: int) -> int:
        """Any bucket number to its slot."""
        return slot % self.season
