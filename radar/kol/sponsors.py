"""Work for payment: how much is disclosed, how it does beside the rest, and for whom."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from radar.kol.facts import PostFact
from radar.kol.measures import BrandWork
from radar.kol.rates import median

LEAST = 3
KEPT = 20


def paid_over_organic(settled: Sequence[PostFact]) -> float | None:
    """Median engagement of sponsored posts / that of the others; None below three of each (as Modash and Upfluence)."""
    paid = [e for p in settled if p.sponsored and (e := p.engagement) is not None]
    organic = [e for p in settled if not p.sponsored and (e := p.engagement) is not None]
    if min(len(paid), len(organic)) < LEAST:
        return None
    usual = median(organic)
    return round((median(paid) or 0.0) / usual, 3) if usual else None


def brands(posts: Sequence[PostFact], zone: ZoneInfo) -> tuple[BrandWork, ...]:
    """Brands and products named in sponsored posts, with the first and last day; the latest first. Posts in order."""
    found: dict[str, BrandWork] = {}
    for post in posts:
        for name in post.products if post.sponsored else ():
            day = post.published_at.astimezone(zone).date()
            known = found.get(name)
            found[name] = BrandWork(name, (known.posts if known else 0) + 1, known.first_on if known else day, day)
    return tuple(sorted(found.values(), key=lambda b: (-b.last_on.toordinal(), -b.posts, b.product_id))[:KEPT])
