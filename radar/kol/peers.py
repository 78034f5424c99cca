"""Where an account stands among its peers: those of the same market, platform and tier.

Benchmarks of agencies differ by a factor of five for the same tier, so none is used: a percentile is the mid-rank
among stored accounts (share below + half the share equal), never told without their number. A group's sorted values are
kept as a sketch: all of them up to 201, else 201 evenly spaced quantiles, which is exact to half a percent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FEWEST_PEERS = 5
"""Peers below which no percentile is told."""
_KEPT = 201

PEER_MEASURES = (
    "er_followers", "er_views", "growth", "posts_per_week", "sponsored_share", "early",
    "follower_step", "comment_ratio", "engagement_spread", "view_ratio", "repeated_share", "posting_burst",
)  # fmt: skip
"""What peers are compared by: columns of a stored measure, the last six are signals."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """Sorted values of n peers, or their quantiles.

    >>> Sketch.of([4.0, 1.0, 2.0, 3.0, 5.0]).percentile(4.0)
    0.7
    >>> Sketch.of([1.0, 2.0]).percentile(2.0) is None  # too few
    True
    """

    n: int
    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> "Sketch":
        """The sketch of a group's values."""
        known = np.sort(np.asarray(values, float))
        if len(known) > _KEPT:
            known = np.quantile(known, np.linspace(0, 1, _KEPT))
        return cls(len(values), tuple(float(f"{v:.6g}") for v in known))

    def percentile(self, value: float | None) -> float | None:
        """Mid-rank of a value in [0, 1]; None for no value or fewer than 5 peers."""
        if value is None or self.n < FEWEST_PEERS:
            return None
        value = float(f"{value:.6g}")
        low, high = np.searchsorted(self.values, value), np.searchsorted(self.values, value, side="right")
        return round(float(low + high) / 2 / len(self.values), 4)

    def quantile(self, share: float) -> float | None:
        """The value that a share of the peers stays below; None for fewer than 5 peers."""
        return float(np.quantile(self.values, share)) if self.n >= FEWEST_PEERS else None


def best_rate(er_followers: float | None, er_views: float | None) -> str:
    """The name of the engagement rate that an account is ranked by: over followers where they are known."""
    return "er_views" if er_followers is None and er_views is not None else "er_followers"
