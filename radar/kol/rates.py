"""Engagement rates: medians over settled posts, with their n."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from radar.kol.facts import ENOUGH, PostFact
from radar.kol.measures import TopPost

TOP = 5


@dataclass(frozen=True, slots=True)
class Rates:
    """Medians over settled posts; n of each. None where no post shows what it takes."""

    engagement: float | None
    er_followers: float | None
    rated_count: int
    er_views: float | None
    views_count: int

    @property
    def low_confidence(self) -> bool:
        """Fewer than 8 rated posts."""
        return max(self.rated_count, self.views_count) < ENOUGH


def median(values: Sequence[float]) -> float | None:
    """The median; None of nothing."""
    return float(statistics.median(values)) if values else None


def rates(settled: Sequence[PostFact]) -> Rates:
    """Engagement rates of an account's settled posts of the window. Source: radar.kol.

    Median over posts of engagement / followers at post time, and of engagement / views.
    """
    shown = [(p, e) for p in settled if (e := p.engagement) is not None]
    by_followers = [e / p.followers for p, e in shown if p.followers]
    by_views = [e / p.views for p, e in shown if p.views]
    engagement = median([e for _, e in shown])
    return Rates(engagement, median(by_followers), len(by_followers), median(by_views), len(by_views))


def top_posts(settled: Sequence[PostFact], own_median: float | None) -> tuple[TopPost, ...]:
    """The posts that did best against the account's own median, best first (overperformance, from news analytics)."""
    if not own_median:
        return ()
    found = [TopPost(p.id, e, round(e / own_median, 2)) for p in settled if (e := p.engagement) is not None]
    return tuple(sorted(found, key=lambda t: (-t.ratio, t.post_id))[:TOP])
