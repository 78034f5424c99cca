"""KOL arithmetic: what an account's posts, counts and follower history say of it. Pure: `now` is passed in.

Words and formulas:

- **engagement** of a post = likes + comments + shares; None where likes are hidden (never 0).
- **er_followers** = median over settled posts of engagement / followers at the time of the post; **er_views** = the
  same over views. Medians, never means: in open data of 152,291 accounts the mean is 40 times the median (PlayerSells,
  X, October 2026). Settled = at least 4 days old; window = 60 days; fewer than 8 rated posts are `low_confidence`.
- **tier**: size class by followers, configurable by market (`tiers`); **peers** are accounts of the same market,
  platform and tier, and a **percentile** is the mid-rank among them (`peers`), shown with their number.
- **overperformance** of a post = its engagement / the account's own median.
- **shares** of topics and places are shrunken to the market's: (x + k p) / (n + k), k = 10 (`shares`).
- **paid over organic** = median engagement of sponsored posts / that of others, from three of each (`sponsors`).
- **early** = shrunken mean over trends of 1 - the account's rank among its adopters (`early`), with a permutation null.
- **signals** for review (`signals`): each with value, peer percentile and n, never one verdict.

What is not known is None; a number that rests on little says its n.
"""

from radar.kol.facts import PostFact
from radar.kol.measures import AuthorMeasures, BrandWork, Rhythm, Share, TopPost
from radar.kol.measuring import Account, Priors, measure
from radar.kol.peers import PEER_MEASURES, Sketch, best_rate
from radar.kol.signals import SIGNALS, Signal
from radar.kol.tiers import TIER_NAMES, Tiers

__all__ = [
    "PEER_MEASURES",
    "SIGNALS",
    "TIER_NAMES",
    "Account",
    "AuthorMeasures",
    "BrandWork",
    "PostFact",
    "Priors",
    "Rhythm",
    "Share",
    "Signal",
    "Sketch",
    "Tiers",
    "TopPost",
    "best_rate",
    "measure",
]
