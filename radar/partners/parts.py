"""The parts of a KOL's score: each a value in [0, 1], the numbers it rests on, and a sentence for or against.

A share s of a KOL's posts is worth 1 - 2 ** (-s / half): half the value at `half`, and hardly more for the last posts
of a KOL who speaks of nothing else. Shares of few posts are shrunk towards 0: (k) / (n + PRIOR).

topic         the brief's topics among the KOL's posts (half .15), and with a text also how near their words are
market        sure that this is the KOL's audience, and whether the posts are in a language of that market
place         posts that name the market the thing is in (half .15), those of the brief's topics counted double
reach         log10 of followers from 1,000 (0) to 1,000,000 (1)
engagement    percentile of the median engagement rate among peers, shrunk to .5 where few posts speak for it
early         early-adopter score, taken from its null: .5 is what chance gives
authenticity  1, times LOOK_INTO for each signal that stands out among peers
saturation    1 - sponsored share / .5, halved where a brand of the brief's topics was paid for within 30 days
freshness     2 ** (-days since the last post / 14)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log10
from typing import Any

import numpy as np

from radar.markets import MARKETS
from radar.partners.brief import Wanted
from radar.partners.kol import Kol, Vector
from radar.text import gazetteer

PRIOR = 8.0
HALF = 0.15
LOOK_INTO = 0.3
GOOD, POOR = 0.6, 0.35
"""From GOOD on a part speaks for a KOL, up to POOR against."""
RECENT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Part:
    """One part. value  None: not known;  numbers  what it was computed from;  why, mind  sentences for and against."""

    name: str
    value: float | None
    numbers: Mapping[str, Any]
    why: str | None = None
    mind: str | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What parts are computed in: the brief, the moment, names of topics, the mean vector of all KOLs."""

    wanted: Wanted
    now: datetime
    topic_names: Mapping[str, str]
    centre: Vector | None = None

    def topics_said(self) -> str:
        """The brief's topics in words."""
        return ", ".join(self.topic_names.get(t, t) for t in self.wanted.topics)


def worth(share: float, half: float = HALF) -> float:
    """What a share is worth.

    >>> round(worth(0.15), 2), round(worth(0.5), 2)
    (0.5, 0.9)
    """
    return float(1 - 2 ** (-share / half))


def shrunk(k: float, n: float) -> float:
    """A share of few posts, towards 0.

    >>> shrunk(2, 2), round(shrunk(20, 40), 2)
    (0.2, 0.42)
    """
    return k / (n + PRIOR)


def percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def topic_part(kol: Kol, scene: Scene) -> Part | None:
    """How much the KOL speaks of what the brief is about."""
    wanted, profile = scene.wanted, kol.profile
    if not wanted.topics and wanted.vector is None:
        return None
    posts = profile.posts_on(wanted.topics)
    plain = min(round(profile.posts_on(dict.fromkeys(wanted.topics, 1.0))), profile.posts)
    by_topics = worth(shrunk(min(posts, profile.posts), profile.posts)) if wanted.topics else None
    by_words = nearness(wanted.vector, profile.vector, scene.centre)
    known = [v for v in (by_topics, by_words) if v is not None]
    named = {p: profile.products[p].posts for p in wanted.products if p in profile.products}
    numbers: dict[str, Any] = {
        "posts": profile.posts, "on_topic": plain, "by_topics": by_topics, "by_words": by_words, "products": named,
    }  # fmt: skip
    if not profile.posts or not known:
        return Part("topic", None, numbers, mind="Not known what its posts are about: none has been read.")
    value = known[0] if len(known) == 1 else 0.65 * known[0] + 0.35 * known[1]
    value = 1 - (1 - value) * 0.6 if named else value
    said = f"{plain} of its last {profile.posts} posts are about {scene.topics_said()}" if wanted.topics else (
        f"its words are {'near' if value >= 0.5 else 'far from'} the brief's"
    )  # fmt: skip
    said += "".join(f", {n} name {gazetteer.products()[p].name}" for p, n in named.items())
    return _told("topic", value, numbers, said)


def nearness(a: Vector | None, b: Vector | None, centre: Vector | None) -> float | None:
    """Cosine of two vectors from the mean of all KOLs, 0 where they point apart; None where one is not known."""
    if a is None or b is None:
        return None
    if centre is not None:
        a, b = a - centre, b - centre
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return max(0.0, min(1.0, float(a @ b) / size)) if size > 1e-9 else 0.0


def market_part(kol: Kol, scene: Scene) -> Part | None:
    """How sure it is that the KOL speaks to the market. What a KOL declares is never overruled, only remarked on."""
    if scene.wanted.to_market is None:
        return None
    about = MARKETS[kol.market]
    read = sum(kol.profile.languages.values())
    in_language = sum(n for code, n in kol.profile.languages.items() if code in about.languages or code == "und")
    share = (in_language + 2) / (read + 2)
    value = kol.market_confidence * (0.5 + 0.5 * share)
    numbers = {
        "source": kol.market_source, "confidence": kol.market_confidence, "posts": read,
        "in_its_languages": in_language,
    }  # fmt: skip
    other = max(kol.profile.languages, key=lambda c: kol.profile.languages[c], default="")
    if kol.market_source == "inferred":
        reasons = f": {kol.market_reasons}" if kol.market_reasons else ""
        return Part("market", value, numbers, mind=f"Its market is inferred, {percent(value)} sure{reasons}.")
    said = "declares" if kol.market_source == "declared" else "is listed for"
    if share < 0.5:
        mind = (
            f"It {said} {about.name}, yet {read - in_language} of {read} posts are in another language"
            f" (mostly {other}): what is declared stands."
        )
        return Part("market", value, numbers, mind=mind)
    return Part("market", value, numbers, why=f"It {said} {about.name} as its audience.")


def place_part(kol: Kol, scene: Scene) -> Part | None:
    """How much the KOL speaks of the market that the thing is in."""
    wanted, profile = scene.wanted, kol.profile
    if wanted.from_market is None:
        return None
    about = profile.places.get(wanted.from_market, 0)
    both = min(round(profile.posts_on(dict.fromkeys(wanted.topics, 1.0), wanted.from_market)), about)
    exact = max((profile.places.get(code, 0) for code in wanted.places), default=0)
    share = shrunk(min(about + both + exact, 2 * profile.posts), profile.posts)
    numbers = {"posts": profile.posts, "about": about, "on_topic_there": both, "at_the_very_place": exact}
    if not profile.posts:
        return Part("place", None, numbers, mind="Not known which places it speaks of: no post has been read.")
    name = place_name(wanted.from_market)
    said = f"{about} of its last {profile.posts} posts name {name}" + (f", {both} of them on the topic" if both else "")
    return _told("place", worth(share), numbers, said)


def place_name(code: str) -> str:
    """English name of a place."""
    if code in MARKETS:
        return MARKETS[code].name
    found = gazetteer.places().get(code)
    return found.names.get("en", code) if found else code


def reach_part(kol: Kol, scene: Scene) -> Part:
    """How many follow; people actually reached are not known, and not guessed here."""
    n = kol.follower_count
    numbers = {"followers": n, "tier": kol.tier, "median_views": kol.median_views}
    if not n:
        return Part("reach", None, numbers, mind="Its followers are not known.")
    value = min(max((log10(n) - 3) / 3, 0.0), 1.0)
    views = f", {kol.median_views:,.0f} views a video, about" if kol.median_views else ""
    return _told("reach", value, numbers, f"{n:,} followers ({kol.tier or 'no tier'}){views}")


def engagement_part(kol: Kol, scene: Scene) -> Part:
    """Where the median engagement rate stands among peers."""
    p, n = kol.engagement_percentile, kol.engagement_n
    numbers = {"percentile": p, "rate": kol.engagement_rate, "posts": n, "peers": kol.engagement_peers}
    if p is None or kol.engagement_rate is None:
        return Part("engagement", None, numbers, mind="Its engagement is hidden, or too few posts are old enough.")
    value = (p * n + 0.5 * PRIOR) / (n + PRIOR)
    said = f"it engages more than {percent(p)} of {kol.engagement_peers} peers ({kol.engagement_rate:.2%}, {n} posts)"
    part = _told("engagement", value, numbers, said)
    if kol.low_confidence:
        few = f"Its engagement rests on {n} posts: low confidence."
        return Part("engagement", value, numbers, mind=few)
    return part


def early_part(kol: Kol, scene: Scene) -> Part:
    """Whether the KOL is early on what becomes large, beyond chance."""
    found = kol.early
    if found is None or found.value is None:
        trends = found.trends if found else 0
        return Part("early", None, {"trends": trends}, mind=f"Too few trends to say whether it is early ({trends}).")
    null = 0.5 if found.null is None else found.null
    value = min(max(0.5 + (found.value - null), 0.0), 1.0)
    numbers = {
        "value": found.value, "low": found.low, "high": found.high, "null": found.null, "p": found.p,
        "trends": found.trends,
    }  # fmt: skip
    said = f"early on {found.trends} trends: {found.value:.2f}, by chance {null:.2f}"
    return _told("early", value, numbers, said)


def authenticity_part(kol: Kol, scene: Scene) -> Part:
    """Signals for review, never a verdict."""
    if kol.signs is None or not kol.signs:
        return Part("authenticity", None, {"signals": []}, mind="No authenticity signal could be computed yet.")
    odd = [sign for sign in kol.signs if sign.stands_out]
    numbers = {
        "signals": [
            {"name": s.name, "value": s.value, "percentile": s.percentile, "n": s.n, "stands_out": s.stands_out}
            for s in kol.signs
        ]
    }  # fmt: skip
    value = LOOK_INTO ** len(odd)
    if odd:
        return Part("authenticity", value, numbers, mind="Look into: " + "; ".join(s.sentence for s in odd) + ".")
    return Part("authenticity", value, numbers, why=f"None of {len(kol.signs)} authenticity signals stands out.")


def saturation_part(kol: Kol, scene: Scene) -> Part:
    """How much of what the KOL says is paid for already, and by whom lately."""
    share = kol.sponsored_share
    recent = sorted(
        known.name
        for brand in kol.profile.products.values()
        if brand.last_paid_on and brand.last_paid_on >= (scene.now - RECENT).date()
        and (known := gazetteer.products().get(brand.id))  # a later list of products may have dropped it
        and brand.id not in scene.wanted.products and known.topic_id in scene.wanted.topics
    )  # fmt: skip
    numbers = {"sponsored_share": share, "posts": kol.sponsored_n, "paid_lately": recent}
    if share is None:
        return Part("saturation", None, numbers, mind="Not known how much of it is paid for.")
    value = max(0.0, 1 - share / 0.5) * (0.5 if recent else 1.0)
    said = f"{percent(share)} of {kol.sponsored_n} posts are marked as paid"
    if recent:
        mind = f"Paid posts within 30 days name {', '.join(recent[:3])}; {said}."
        return Part("saturation", value, numbers, mind=mind)
    return _told("saturation", value, numbers, said)


def freshness_part(kol: Kol, scene: Scene) -> Part:
    """How lately the KOL posted."""
    if kol.last_post_at is None:
        return Part("freshness", None, {"last_post_at": None}, mind="No post of it is stored.")
    days = max((scene.now - kol.last_post_at) / timedelta(days=1), 0.0)
    rhythm = f", {kol.posts_per_week:.1f} posts a week" if kol.posts_per_week is not None else ""
    numbers = {"last_post_at": kol.last_post_at, "days": days, "posts_per_week": kol.posts_per_week}
    ago = {0: "today", 1: "yesterday"}.get(round(days), f"{days:.0f} days ago")
    said = f"last posted {ago}{rhythm}"
    return _told("freshness", float(2 ** (-days / 14)), numbers, said)


def _told(name: str, value: float, numbers: Mapping[str, Any], said: str) -> Part:
    """A part whose sentence speaks for the KOL or against, by its value."""
    sentence = said[0].upper() + said[1:] + "."
    why, mind = (sentence if value >= GOOD else None), (sentence if value <= POOR else None)
    return Part(name, value, numbers, why, mind)


PARTS: Mapping[str, Callable[[Kol, Scene], Part | None]] = {
    "topic": topic_part, "place": place_part, "market": market_part, "authenticity": authenticity_part,
    "engagement": engagement_part, "reach": reach_part, "saturation": saturation_part, "early": early_part,
    "freshness": freshness_part,
}  # fmt: skip
"""Every part by its name. A function that answers None: the brief does not ask for it."""
