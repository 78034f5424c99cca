"""The measures of one account, as they are stored and handed on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Share:
    """How much of an account's posts is about one thing.

    name   topic id, or ISO 3166-1 code of a place market     posts  of the window about it
    share  shrunken to the market's share, in [0, 1]
    """

    name: str
    posts: int
    share: float


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When an account posts, by the market's clock.

    by_hour     posts by hour of the day (24)     by_weekday  from Monday on (7)
    gap_hours   median time between posts; None below three posts
    active_days days of the window with a post
    """

    by_hour: tuple[int, ...]
    by_weekday: tuple[int, ...]
    gap_hours: float | None
    active_days: int


@dataclass(frozen=True, slots=True)
class TopPost:
    """A post that did much better than the account's others; ratio = engagement / own median."""

    post_id: int
    engagement: int
    ratio: float


@dataclass(frozen=True, slots=True)
class BrandWork:
    """A brand or product named in posts that disclose payment."""

    product_id: str
    posts: int
    first_on: date
    last_on: date


@dataclass(frozen=True, slots=True)
class AuthorMeasures:
    """What is measured of one account. None is "not known": hidden, or too little of it.

    post_count         posts of the window (60 days)       rated_count  of these, settled with shown likes and followers
    low_confidence     fewer than 8 rated posts
    engagement         median likes + comments + shares of settled posts
    er_followers       median engagement / followers       er_views, views_count  the same over views, and its posts
    peer_count         rated accounts of the same market, platform and tier
    engagement_percentile  in [0, 1] among them by er_followers (er_views where that is not known); None below 5 peers
    growth             of followers over 30 days, as a share: 0.05 is 5 %; growth_days  days of history it rests on
    posts_per_week     over the window
    sponsored_share    of the window's posts               sponsored_count  how many
    paid_over_organic  median engagement of sponsored posts / of the others
    negative_share     of posts whose tone was read that blame     told_count  how many were read
    early              shrunken mean earliness in [0, 1]; early_low, early_high its 90 % interval, early_p the share of
                       permutations at least as early, early_null their mean score, early_count trends (at least 5)
    signals            name -> (value, n), see radar.kol.signals
    """

    author_id: int
    platform: str
    audience_market: str
    tier: str
    follower_count: int | None
    last_post_at: datetime | None
    post_count: int
    rated_count: int
    low_confidence: bool
    engagement: float | None
    er_followers: float | None
    er_views: float | None
    views_count: int
    peer_count: int
    engagement_percentile: float | None
    growth: float | None
    growth_days: int
    posts_per_week: float
    sponsored_count: int
    sponsored_share: float | None
    paid_over_organic: float | None
    negative_share: float | None
    told_count: int
    early: float | None
    early_low: float | None
    early_high: float | None
    early_p: float | None
    early_null: float | None
    early_count: int
    topics: tuple[Share, ...]
    places: tuple[Share, ...]
    rhythm: Rhythm
    top_posts: tuple[TopPost, ...]
    brands: tuple[BrandWork, ...]
    signals: Mapping[str, tuple[float | None, int]]
    measured_at: datetime
