"""What a list of KOLs is asked for: filters checked, and the cursor that goes on from a page."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from radar.answers.names import taxonomy
from radar.answers.ordering import one_order
from radar.errors import CallerError, UnknownName
from radar.kol import TIER_NAMES
from radar.markets import PLACE_NUMBERS, market
from radar.store import authors as store
from radar.store import peers
from radar.store.authors import AuthorList
from radar.store.search import Place, Query
from radar.text.names import asked_words

SORT_NAMES = {
    "engagement": "engagement_percentile", "followers": "follower_count", "growth": "growth", "early": "early",
    "active": "last_post_at",
}  # fmt: skip
"""What a list can be sorted by -> its column."""
BY_ENGAGEMENT = "-engagement"


@dataclass(frozen=True, slots=True)
class AuthorFilters:
    """What a list of KOLs is asked for, as it came. Percentiles in [0, 1]."""

    text: str | None = None
    market: str | None = None
    platform: str | None = None
    tier: str | None = None
    topic: str | None = None
    place: str | None = None
    min_engagement: float | None = None
    max_engagement: float | None = None
    sponsored: bool | None = None
    list: str | None = None
    sort: str | None = None
    limit: int = 20
    cursor: str | None = None


def read_filters(session: Session, asked: AuthorFilters) -> tuple[Query, str]:
    """The filters checked, and a short print of them: a cursor belongs to one set."""
    low, high = asked.min_engagement, asked.max_engagement
    if low is not None and high is not None and low > high:
        said = f"min_engagement {low:g} lies above max_engagement {high:g}"
        raise CallerError(f"No KOL can match: {said}.", "Swap them, or leave one out.")
    tiers = _several("tier", asked.tier, TIER_NAMES)
    words = tuple(asked_words(asked.text or ""))
    if asked.text and not words:
        raise CallerError("text: it holds no word to search for.", "Give the beginning of a name or handle.")
    if asked.topic and asked.topic not in taxonomy().ids:
        raise UnknownName("topic", asked.topic, list(taxonomy().ids))
    place = asked.place.upper() if asked.place else None
    if place and place not in PLACE_NUMBERS:
        raise UnknownName("place market", place, list(PLACE_NUMBERS))
    sort, descending = one_order(asked.sort, list(SORT_NAMES), BY_ENGAGEMENT)
    platforms = tuple(part.strip().lower() for part in (asked.platform or "").split(",") if part.strip())
    if platforms:
        known = sorted({group.platform for group in peers.groups(session).values()})
        unknown = next((name for name in platforms if name not in known), None)
        if unknown:
            raise UnknownName("platform", unknown, known)
    query = Query(
        market=market(asked.market).code if asked.market else None,
        words=words, platforms=platforms, tiers=tiers, topic=asked.topic or None, place=place,
        least=asked.min_engagement, most=asked.max_engagement, sponsored=asked.sponsored,
        list_id=list_named(session, asked.list).id if asked.list else None, sort=SORT_NAMES[sort],
        ascending=not descending,
    )  # fmt: skip
    mark = sha256(repr(query).encode()).hexdigest()[:8]
    after = _place(asked.cursor, mark, query.sort) if asked.cursor else None
    return Query(**{name: getattr(query, name) for name in Query.__slots__ if name != "after"}, after=after), mark


def _several(name: str, text: str | None, known: Sequence[str]) -> tuple[str, ...]:
    found = tuple(part.strip().lower() for part in (text or "").split(",") if part.strip())
    unknown = next((part for part in found if part not in known), None)
    if unknown:
        raise UnknownName(name, unknown, list(known))
    return found


def cursor_of(place: Place, mark: str) -> str:
    value = place.value.isoformat() if isinstance(place.value, datetime) else place.value
    return base64.urlsafe_b64encode(json.dumps([value, place.author_id, mark]).encode()).decode().rstrip("=")


def _place(cursor: str, mark: str, sort: str) -> Place:
    hint = "Take `next` of the page before, with the same filters; or leave cursor out to begin again."
    try:
        value, author_id, of = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if sort == "last_post_at" and value is not None:
            value = datetime.fromisoformat(value).astimezone(UTC)
        elif value is not None:
            value = int(value) if sort == "follower_count" else float(value)
        place, of = Place(value, int(author_id)), str(of)
        if any(isinstance(part, int) and abs(part) >= 2**63 for part in place):
            raise ValueError("too large")
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise CallerError("cursor: this is no cursor.", hint) from None
    if of != mark:
        raise CallerError("cursor: it belongs to a list with other filters.", hint)
    return place


def list_named(session: Session, name: str) -> AuthorList:
    """A list by its name. Raises UnknownName."""
    known = store.lists(session)
    found = next((one for one in known if one.name == name), None)
    if found is None:
        raise UnknownName("list", name[:120], [one.name for one in known])
    return found
