"""Signals for review: oddities of an account, each with value, peer percentile and n. Never one verdict.

What can be computed from posts and follower history alone (follower lists are out of reach for who hosts this
himself); after the heuristics of HypeAuditor, Modash and CreatorIQ, collected November 2026:

- follower_step      the largest daily gain of followers, in robust deviations (gain - median) / (1.4826 MAD) over the
                     account's days, of days without a post of its own top tenth in the three days before
- engagement_level   er_followers: both ends of the peers are odd
- comment_ratio      median comments / likes: both ends are odd
- engagement_spread  coefficient of variation of engagement: the low end is odd (too regular)
- view_ratio         median views / followers: both ends are odd
- repeated_share     share of the window's posts whose text the account had posted before: the high end is odd
- posting_burst      most posts on a day / median posts on a day with any: the high end is odd

Texts of comments are not collected, so repeated comments cannot be told.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from radar.kol.peers import Sketch

SIGNALS: Mapping[str, str] = {
    "follower_step": "high",
    "engagement_level": "both",
    "comment_ratio": "both",
    "engagement_spread": "low",
    "view_ratio": "both",
    "repeated_share": "high",
    "posting_burst": "high",
}
"""Name -> the end of the peers at which a value is odd."""

EDGE = 0.01
LEAST_PEERS = 20
"""Peers from which an edge of 1 % can be told from the largest of a few."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One oddity. percentile among `peers` peers; n  posts or days it rests on; is_odd  worth a look."""

    name: str
    value: float | None
    percentile: float | None
    peers: int
    n: int
    is_odd: bool


def judge(name: str, value: float | None, n: int, peers: Sketch) -> Signal:
    """A signal beside its peers; odd at their outer percent, on the side that matters.

    >>> judge("engagement_spread", 0.01, 30, Sketch.of([0.5 + i / 100 for i in range(50)])).is_odd
    True
    """
    percentile = peers.percentile(value)
    is_odd = False
    if percentile is not None and peers.n >= LEAST_PEERS:
        side = SIGNALS[name]
        is_odd = (percentile <= EDGE and side != "high") or (percentile >= 1 - EDGE and side != "low")
    return Signal(name, value, percentile, peers.n, n, is_odd)
