"""All measures of one account together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from radar.kol.early import Adoption, early
from radar.kol.facts import ENOUGH, SETTLED, WINDOW, PostFact
from radar.kol.growth import History, follower_step, growth
from radar.kol.measures import AuthorMeasures
from radar.kol.rates import median, rates, top_posts
from radar.kol.rhythm import posting_burst, rhythm
from radar.kol.shares import shares
from radar.kol.sponsors import brands, paid_over_organic

SHORTEST_WEEKS = 1.0


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of an account besides its posts."""

    author_id: int
    platform: str
    audience_market: str
    tier: str
    follower_count: int | None
    first_post_at: datetime | None


@dataclass(frozen=True, slots=True)
class Priors:
    """A market's share of posts by topic and by place market."""

    topics: Mapping[str, float]
    places: Mapping[str, float]


def measure(
    account: Account,
    posts: Sequence[PostFact],
    history: History,
    adoptions: Sequence[Adoption],
    priors: Priors,
    zone: ZoneInfo,
    now: datetime,
) -> AuthorMeasures:
    """Measure an account as of now; peers are not known here: peer_count 0, engagement_percentile None.

    posts  its own, in order of time: those of the last year for brands, those of the window for all else
    """
    recent = [p for p in posts if now - WINDOW < p.published_at <= now]
    settled = [p for p in recent if p.published_at <= now - SETTLED]
    r = rates(settled)
    grown, growth_days = growth(history, now.astimezone(zone).date())
    found = early(adoptions, account.author_id)
    told = [p.tone for p in recent if p.tone is not None]
    since = max(now - WINDOW, account.first_post_at or now)
    weeks = max((now - since).days / 7, SHORTEST_WEEKS)
    paid = sum(p.sponsored for p in recent)
    return AuthorMeasures(
        account.author_id, account.platform, account.audience_market, account.tier, account.follower_count,
        posts[-1].published_at if posts else None, len(recent), r.rated_count, r.low_confidence, r.engagement,
        r.er_followers, r.er_views, r.views_count, 0, None, grown, growth_days, round(len(recent) / weeks, 3), paid,
        round(paid / len(recent), 4) if recent else None, paid_over_organic(settled),
        round(sum(t < 0 for t in told) / len(told), 4) if told else None, len(told),
        found.score, found.low, found.high, found.p, found.null, found.n,
        shares([p.topics for p in recent], priors.topics), shares([p.places for p in recent], priors.places),
        rhythm([p.published_at for p in recent], zone), top_posts(settled, r.engagement), brands(posts, zone),
        _signals(recent, settled, history, zone), now,
    )  # fmt: skip


def _signals(
    recent: Sequence[PostFact], settled: Sequence[PostFact], history: History, zone: ZoneInfo
) -> dict[str, tuple[float | None, int]]:
    """Name -> (value, posts or days it rests on). Sources: radar.kol.signals."""
    shown = [(p, e) for p in settled if (e := p.engagement) is not None]
    values = [e for _, e in shown]
    top_tenth = float(np.quantile(values, 0.9)) if len(values) >= ENOUGH else math.inf
    strong = [p.published_at.astimezone(zone).date() for p, e in shown if e >= top_tenth]
    ratios = [p.comments / p.likes for p in settled if p.likes and p.comments is not None]
    by_view = [p.views / p.followers for p in settled if p.followers and p.views is not None]
    levels = [e / p.followers for p, e in shown if p.followers]
    texts = [p.text_hash for p in recent if p.text_hash]
    mean = float(np.mean(values)) if len(values) >= ENOUGH else 0.0
    return {
        "follower_step": follower_step(history, strong),
        "engagement_level": (median(levels), len(levels)),
        "comment_ratio": (median(ratios), len(ratios)),
        "engagement_spread": (round(float(np.std(values)) / mean, 4) if mean else None, len(values)),
        "view_ratio": (median(by_view), len(by_view)),
        "repeated_share": (round(1 - len(set(texts)) / len(texts), 4) if len(texts) >= ENOUGH else None, len(texts)),
        "posting_burst": (posting_burst([p.published_at for p in recent], zone), len(recent)),
    }
