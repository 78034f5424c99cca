"""What matching knows of a KOL: measures as they are stored, and a profile in the topic model's feature space."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sign:
    """An authenticity signal. percentile  among n peers, in [0, 1]; stands_out  whether it is one to look into."""

    name: str
    value: float | None
    percentile: float | None
    n: int
    stands_out: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Early:
    """How early a KOL was on what became large: mean of 1 - adoption percentile over `trends` trends, with its null.

    value  None below the trends needed;  null  the value by chance;  p  chance of this or more by chance
    """

    value: float | None
    low: float | None
    high: float | None
    null: float | None
    p: float | None
    trends: int


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand or product in a KOL's posts: posts that name it, those of them paid, and the last paid day."""

    id: str
    posts: int
    paid: int
    last_paid_on: date | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """What a KOL's latest posts are about.

    posts      looked at            topics, places, products, languages  posts by topic, place code, product, language
    pairs      posts by (topic, country)                 vector  (dimensions,) mean of the posts' vectors, length one
    together   posts of several topics by (their topics, the countries they name): a post counts once, not once a topic
    """

    posts: int
    topics: Mapping[str, int] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)
    pairs: Mapping[tuple[str, str], int] = field(default_factory=dict)
    products: Mapping[str, Brand] = field(default_factory=dict)
    languages: Mapping[str, int] = field(default_factory=dict)
    vector: Vector | None = None
    together: Mapping[tuple[tuple[str, ...], tuple[str, ...]], int] = field(default_factory=dict)

    def posts_on(self, weights: Mapping[str, float], country: str | None = None) -> float:
        """Posts about topics, each by the heaviest of its topics; with a country, those that name it.

        >>> both = {(("eat", "see"), ("JP",)): 2}
        >>> Profile(5, {"eat": 3, "see": 2}, pairs={("eat", "JP"): 2}, together=both).posts_on({"eat": 1.0, "see": 0.5})
        3.0
        """
        of = self.topics if country is None else {t: n for (t, c), n in self.pairs.items() if c == country}
        found = sum(weight * of.get(topic, 0) for topic, weight in weights.items())
        for (topics, countries), n in self.together.items():
            if country is None or country in countries:
                known = [weights[t] for t in topics if t in weights]
                found -= n * (sum(known) - max(known, default=0.0))
        return found


@dataclass(frozen=True, slots=True)
class Account:
    """Who an account is, whom it speaks to and how that is known, and how large it is."""

    author_id: int
    person_id: int
    platform: str
    handle: str | None
    name: str | None
    url: str | None
    market: str
    market_source: str
    market_confidence: float
    market_reasons: str | None
    follower_count: int | None
    tier: str | None


@dataclass(frozen=True, slots=True)
class Kol(Account):
    """An account with all that ranks it. Shares and percentiles are in [0, 1]; None is not known, never 0.

    engagement_percentile  among engagement_peers KOLs of its market, platform and tier;  engagement_n  posts behind it
    median_views           of a video, about
    """

    profile: Profile
    last_post_at: datetime | None = None
    posts_per_week: float | None = None
    engagement_rate: float | None = None
    engagement_percentile: float | None = None
    engagement_peers: int = 0
    engagement_n: int = 0
    low_confidence: bool = False
    median_views: float | None = None
    sponsored_share: float | None = None
    sponsored_n: int = 0
    early: Early | None = None
    signs: tuple[Sign, ...] | None = None
