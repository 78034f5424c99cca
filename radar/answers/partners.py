"""Partners as answers show them: who to work with for a brief, and who is like whom."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from radar.answers.items import shown_post
from radar.answers.kol import find_author
from radar.answers.names import topic, topic_names
from radar.answers.standing import shipped
from radar.config import Settings
from radar.errors import CallerError
from radar.markets import MARKETS
from radar.match import Found, match, similar
from radar.partners.brief import Brief, Scorer, Wanted, read_brief
from radar.partners.kol import Kol
from radar.partners.parts import place_name
from radar.partners.price import Prices, parse_prices, shipped_prices
from radar.partners.scoring import Weights, parse_weights, shipped_weights
from radar.store import partners as store
from radar.store.engine import world_of
from radar.store.posts import evidence
from radar.store.promotion import active_model
from radar.text import gazetteer

COMMENTERS = "Overlap of commenters is not known: no source here brings the names of those who comment."
MOST = 50
"""KOLs in one answer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A brief with what a request may say of how to rank."""

    brief: Brief
    weights: Mapping[str, float] = field(default_factory=dict)
    diversity: float | None = None
    limit: int = 10


class _NoScorer:
    """Stands for the model where a brief has no text to read."""

    def __init__(self) -> None:
        self.topic_ids = list(topic_names())
        self.thresholds: list[float] = []

    def score(self, texts: list[str]) -> Any:
        raise AssertionError("a brief without a text is not scored")


def weights_of(settings: Settings) -> Weights:
    """The weights to rank by. Raises CallerError where the file that is named cannot be read."""
    return parse_weights(_text(settings.partner_weights, "RADAR_PARTNER_WEIGHTS") or shipped_weights())


def prices_of(settings: Settings) -> Prices:
    """What posts may cost. Raises UnreadableInput and CallerError."""
    return parse_prices(_text(settings.partner_prices, "RADAR_PARTNER_PRICES") or shipped_prices())


def _text(path: Path | None, name: str) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CallerError(
            f"Cannot read {path}: {getattr(error, 'strerror', None) or error}.", f"See {name}."
        ) from error


def partners(
    session: Session, asked: Asked, *, now: datetime, scorer: Callable[[], Scorer], settings: Settings
) -> dict[str, Any]:
    """Who to work with for a brief.

    scorer  gives the active topic model: asked only where the brief has a text

    Raises UnknownName, TooVague, Conflict and CallerError.
    """
    if not 1 <= asked.limit <= MOST:
        raise CallerError(f"limit: {asked.limit} is not from 1 to {MOST}.", "Ask for fewer.")
    weights = weights_of(settings).changed(asked.weights, asked.diversity)
    names = {topic_id: by["en"] for topic_id, by in topic_names().items()}
    reader = scorer() if asked.brief.text.strip() else _NoScorer()
    excluded = tuple(str(find_author(session, name)) for name in asked.brief.exclude_authors)
    brief = replace(asked.brief, exclude_authors=excluded)
    wanted = read_brief(brief, reader, platforms=store.platforms(session), topic_names=names)
    found = match(
        session, wanted, now=now, weights=weights, prices=prices_of(settings), topic_names=names, limit=asked.limit
    )
    return {
        "items": _items(session, found.found, weights),
        "review": _items(session, found.review, weights),
        "next": None,
        "brief": _understood(wanted),
        "weights": dict(weights.of),
        "diversity": weights.diversity,
        "looked_at": found.looked_at,
        "left_out": dict(found.left_out),
        "message": found.message,
        "notes": list(wanted.notes),
        "commenters": COMMENTERS,
        "as_of": now,
        "model_id": active_model(session) or shipped(),
        "simulated": world_of(session) == "simulated",
    }


def stored(session: Session) -> dict[str, Any]:
    """What a form of briefs needs to know of the store: the platforms of its KOLs, and whether it is simulated."""
    return {"platforms": store.platforms(session), "simulated": world_of(session) == "simulated"}


def _items(session: Session, found: Sequence[Found], weights: Weights) -> list[dict[str, Any]]:
    ids = sorted({i for one in found for i in one.posts})
    posts = {row["id"]: row for row in evidence(session, ids)} if ids else {}
    return [_item(rank, one, posts, weights) for rank, one in enumerate(found, start=1)]


def _item(rank: int, one: Found, posts: Mapping[int, Any], weights: Weights) -> dict[str, Any]:
    scored = one.scored
    proofs = [shown_post(posts[i]) for i in one.posts if i in posts]
    proved = [post["id"] for post in proofs]
    post_ids = {"topic": proved, "place": [i for i in proved if int(i) in one.there]}
    return {
        "rank": rank,
        "author": author(scored.kol),
        "score": round(scored.score, 4),
        "parts": [
            {
                "name": part.name, "value": _rounded(part.value), "weight": weights.of[part.name],
                "factor": round(scored.factors[part.name], 4), "numbers": _numbers(part.numbers), "why": part.why,
                "mind": part.mind, "post_ids": post_ids.get(part.name, []),
            }
            for part in scored.parts
        ],
        "why": scored.why,
        "mind": scored.mind,
        "price": _price(one),
        "posts": proofs,
    }  # fmt: skip


def author(kol: Kol) -> dict[str, Any]:
    """A KOL as answers name it."""
    return {
        "id": str(kol.author_id), "person_id": str(kol.person_id), "platform": kol.platform, "handle": kol.handle,
        "name": kol.name, "url": kol.url, "follower_count": kol.follower_count, "tier": kol.tier,
        "market": {
            "code": kol.market, "source": kol.market_source, "confidence": kol.market_confidence,
            "reasons": kol.market_reasons,
        },
    }  # fmt: skip


def _price(one: Found) -> dict[str, Any] | None:
    if one.price is None:
        return None
    p = one.price
    said = f"{p.currency} {p.low:,.0f} to {p.high:,.0f} a post" + (" (heuristic)" if p.heuristic else "")
    return {
        "low": p.low, "high": p.high, "currency": p.currency, "heuristic": p.heuristic, "as_of": p.as_of,
        "inputs": dict(p.inputs), "sentence": said,
    }  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _numbers(numbers: Mapping[str, Any]) -> dict[str, Any]:
    return {name: round(v, 4) if isinstance(v, float) else v for name, v in numbers.items()}


def _understood(wanted: Wanted) -> dict[str, Any]:
    brief = wanted.brief
    return {
        "text": brief.text,
        "topics": [topic(t) | {"weight": round(w, 3)} for t, w in wanted.topics.items()],  # type: ignore[operator]
        "products": [{"id": p, "name": gazetteer.products()[p].name} for p in wanted.products],
        "from": wanted.from_market,
        "to": wanted.to_market,
        "places": [{"code": c, "name": place_name(c)} for c in wanted.places],
        "platforms": list(brief.platforms),
        "tiers": list(brief.tiers),
        "budget": brief.budget,
        "exclude": {
            "topics": list(brief.exclude_topics),
            "products": list(brief.exclude_products),
            "authors": list(brief.exclude_authors),
        },
    }


def similar_authors(session: Session, author_id: str, *, limit: int = 10) -> dict[str, Any]:
    """Who is like a KOL, in its market; author_id may be a handle too. Raises UnknownName and NotMeasured."""
    if not 1 <= limit <= MOST:
        raise CallerError(f"limit: {limit} is not from 1 to {MOST}.", "Ask for fewer.")
    mine, found = similar(session, find_author(session, author_id), limit=limit)
    items = [
        {
            "rank": rank,
            "author": author(one.kol),
            "likeness": round(one.total, 4),
            "by": {
                "audience": round(one.likeness.audience, 4), "topics": round(one.likeness.topics, 4),
                "style": _rounded(one.likeness.style), "places": round(one.places, 4),
            },
            "commenter_overlap": None,
            "sentence": _alike(mine, one.kol, [topic_names().get(t, {}).get("en", t) for t in one.shared_topics]),
        }
        for rank, one in enumerate(found, start=1)
    ]  # fmt: skip
    few = "" if items else f" Nobody else of {MARKETS[mine.market].name} has a profile yet."
    return {
        "items": items, "next": None, "author": author(mine), "message": f"{len(items)} KOLs alike.{few}",
        "commenters": COMMENTERS, "simulated": world_of(session) == "simulated",
    }  # fmt: skip


def _alike(mine: Kol, other: Kol, topics: list[str]) -> str:
    said = f"Both speak of {', '.join(topics)}" if topics else "They share no topic"
    size = "the same size" if mine.tier == other.tier else f"{other.tier or 'of unknown size'} beside {mine.tier}"
    where = "on the same platform" if mine.platform == other.platform else f"on {other.platform}"
    return f"{said}; {size}, {where}."
