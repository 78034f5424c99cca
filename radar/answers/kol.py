"""KOLs as answers show them: lists with filters and pages, one with every number that proves it, several beside."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from radar.answers.items import shown_post
from radar.answers.kol_question import BY_ENGAGEMENT, SORT_NAMES, AuthorFilters, cursor_of, list_named, read_filters
from radar.answers.names import place_name, topic
from radar.cells import cell_of
from radar.errors import CallerError, UnknownName
from radar.kol import AuthorMeasures, Share
from radar.kol.facts import ENOUGH, WINDOW
from radar.kol.peers import Sketch
from radar.kol.signals import SIGNALS, judge
from radar.markets import MARKETS
from radar.store import author_facts, peers, search
from radar.store import authors as store
from radar.store.engine import world_of
from radar.store.measures import measures_of
from radar.store.peers import PeerGroup
from radar.store.posts import evidence
from radar.store.search import Listed
from radar.text.gazetteer import products
from radar.text.names import asked_words

__all__ = ["BY_ENGAGEMENT", "SORT_NAMES", "AuthorFilters", "list_named"]

MOST_COMPARED = 10
_NEWEST, _HISTORY = 5, 400
Item = dict[str, Any]


class UnknownKOL(UnknownName):
    """A KOL that is not stored, or is hidden."""

    def __init__(self, text: str, near: Sequence[str]) -> None:
        super().__init__("KOL", text[:80], list(near))
        if not self.near:
            self.hint = "Give an id of /v1/authors, or platform:handle as instagram:mei.travels."


def list_authors(session: Session, asked: AuthorFilters) -> Item:
    """A page of KOLs. Raises UnknownName for a name that does not exist, CallerError for filters that clash."""
    query, mark = read_filters(session, asked)
    found = search.find_authors(session, query, asked.limit + 1)
    page = found[: asked.limit]
    ids = [place.author_id for place in page]
    return {
        "items": lines(session, ids),
        "next": cursor_of(page[-1], mark) if len(found) > asked.limit else None,
        "sort": asked.sort or BY_ENGAGEMENT,
        "simulated": world_of(session) == "simulated",
    }


# ---- lines ----


def lines(session: Session, ids: Sequence[int]) -> list[Item]:
    """KOLs as lists show them, in the order of ids."""
    said, measured = search.listed(session, ids), measures_of(session, ids)
    return [_line(said[i], measured.get(i)) for i in ids if i in said]


def _line(said: Listed, m: AuthorMeasures | None) -> Item:
    told = {
        "id": str(said.id), "platform": said.platform, "handle": said.handle, "name": said.name, "url": said.url,
        "market": said.audience_market, "person_id": str(said.person_id), "measured": m is not None,
    }  # fmt: skip
    return told | {name: getattr(m, name) if m else None for name in _LINE} | {
        "tier": m.tier if m else "unknown",
        "topics": [_topic_share(s) for s in m.topics[:3]] if m else [],
        "places": [_place_share(s) for s in m.places[:3]] if m else [],
    }  # fmt: skip


_LINE = (
    "follower_count", "last_post_at", "post_count", "rated_count", "low_confidence", "er_followers", "er_views",
    "engagement_percentile", "peer_count", "growth", "sponsored_share", "early", "early_count",
)  # fmt: skip


def _topic_share(share: Share) -> Item:
    named = topic(share.name) or {"id": share.name, "name": share.name}
    return {"id": share.name, "name": named["name"], "posts": share.posts, "share": share.share}


def _place_share(share: Share) -> Item:
    return {"id": share.name, "name": place_name(share.name), "posts": share.posts, "share": share.share}


# ---- one ----


def find_author(session: Session, text: str, *, hidden: bool = False) -> int:
    """The author of an id, a handle, or platform:handle. Raises UnknownKOL with near matches."""
    said = text.strip()
    if said.isdecimal() and len(said) < 19 and store.author_exists(session, int(said), hidden=hidden):
        return int(said)
    if "\x00" in said:  # PostgreSQL holds none
        raise UnknownKOL(said, [])
    platform, colon, name = said.partition(":")
    name = (name if colon else said).removeprefix("@")
    found = store.author_named(session, platform.lower() if colon else None, name, hidden=hidden)
    if len(found) == 1:
        return found[0]
    if found:
        near = [f"{line['platform']}:{line['handle']}" for line in lines(session, found)]
        raise CallerError(f"'{said[:80]}' is the handle of several accounts.", f"Say which: {', '.join(near)}.")
    raise UnknownKOL(said, _near(session, name))


def _near(session: Session, name: str) -> list[str]:
    """Handles that share the longest beginning with a name, from three characters on."""
    words = asked_words(name)
    for length in range(len(words[0]) if words else 0, 2, -1):
        found = search.accounts_named(session, words[0][:length])
        if found:
            return found
    return []


def author_profile(session: Session, text: str) -> Item:
    """One KOL with every number, and what proves it. Raises UnknownKOL."""
    author_id = find_author(session, text)
    said = search.listed(session, [author_id])[author_id]
    m = measures_of(session, [author_id]).get(author_id)
    history = author_facts.histories(session, [author_id]).get(author_id, [])
    found = _line(said, m) | {
        "bio": said.bio, "languages": (said.languages or "").replace(",", " ").split(),
        "market_known": {
            "code": said.audience_market, "source": said.market_source, "confidence": said.market_confidence,
            "reasons": said.market_reasons,
        },
        "corrected": (said.corrected or "").split(), "first_seen_at": said.first_seen_at,
        "first_post_at": said.first_post_at,
        "accounts": [
            {name: line[name] for name in ("id", "platform", "handle", "name")}
            for line in lines(session, [i for i in store.accounts_of_person(session, said.person_id) if i != author_id])
        ],
        "followers": [{"day": day, "count": n} for day, n in history[-_HISTORY:]],
        "posts": _posts(session, store.newest_posts(session, author_id, _NEWEST)),
        "notes": [_note(note) for note in store.notes_of(session, [author_id])],
        "lists": store.lists_with(session, author_id),
        "simulated": world_of(session) == "simulated",
        "measures": _measures(session, m) if m else None,
    }  # fmt: skip
    return found


def _posts(session: Session, ids: Sequence[int]) -> list[Item]:
    return [shown_post(row) for row in evidence(session, ids)] if ids else []


def _note(note: store.Note) -> Item:
    return {"id": str(note.id), "text": note.text, "written_at": note.written_at}


def _measures(session: Session, m: AuthorMeasures) -> Item:
    """All measures, each with its n and, where there are peers, its place among them."""
    group = next(
        g for g in peers.groups(session).values()
        if (g.audience_market, g.platform, g.tier) == (m.audience_market, m.platform, m.tier)
    )  # fmt: skip
    tops = {post["id"]: post for post in _posts(session, [t.post_id for t in m.top_posts])}
    return {
        "measured_at": m.measured_at,
        "window_days": WINDOW.days,
        "low_confidence": m.low_confidence,
        "enough": ENOUGH,
        "peers": {"market": m.audience_market, "platform": m.platform, "tier": m.tier, "rated": group.author_count},
        "rates": _rates(m, group),
        "posts_per_week": m.posts_per_week,
        "paid": {
            "share": m.sponsored_share, "posts": m.sponsored_count, "of": m.post_count,
            "over_organic": m.paid_over_organic,
        },
        "complaints": {"share": m.negative_share, "posts": m.told_count},
        "early": {
            "score": m.early, "low": m.early_low, "high": m.early_high, "null": m.early_null, "p": m.early_p,
            "trends": m.early_count,
        },
        "topics": [_topic_share(s) for s in m.topics],
        "places": [_place_share(s) for s in m.places],
        "rhythm": {
            "by_hour": list(m.rhythm.by_hour), "by_weekday": list(m.rhythm.by_weekday),
            "gap_hours": m.rhythm.gap_hours, "active_days": m.rhythm.active_days,
            "zone": MARKETS[m.audience_market].zone,
        },
        "growth_days": m.growth_days,
        "top_posts": [
            {"ratio": t.ratio, "engagement": t.engagement, "post": tops[str(t.post_id)]}
            for t in m.top_posts
            if str(t.post_id) in tops
        ],
        "brands": [
            {
                "id": b.product_id, "name": p.name if (p := products().get(b.product_id)) else b.product_id,
                "posts": b.posts, "first_on": b.first_on, "last_on": b.last_on,
            }
            for b in m.brands
        ],
        "signals": _signals(m, group),
    }  # fmt: skip


_RATES = ("er_followers", "er_views", "growth", "posts_per_week", "sponsored_share", "early")


def _rates(m: AuthorMeasures, group: PeerGroup) -> list[Item]:
    """Each measure beside its peers: value, n, percentile, and the peers' quartiles."""
    n = {
        "er_followers": m.rated_count, "er_views": m.views_count, "growth": m.growth_days,
        "posts_per_week": m.post_count, "sponsored_share": m.post_count, "early": m.early_count,
    }  # fmt: skip
    found = []
    for name in _RATES:
        peers = group.sketches.get(name, Sketch(0, ()))
        value = getattr(m, name)
        found.append(
            {
                "name": name, "value": value, "n": n[name], "percentile": peers.percentile(value), "peers": peers.n,
                "quartiles": [peers.quantile(share) for share in (0.25, 0.5, 0.75)] if peers.quantile(0.5) is not None
                else None,
            }
        )  # fmt: skip
    return found


def _signals(m: AuthorMeasures, group: PeerGroup) -> list[Item]:
    found = []
    for name in SIGNALS:
        value, n = m.signals.get(name, (None, 0))
        peers = group.sketches.get("er_followers" if name == "engagement_level" else name, Sketch(0, ()))
        s = judge(name, value, n, peers)
        found.append(
            {
                "name": name, "value": value, "n": n, "percentile": s.percentile, "peers": s.peers, "is_odd": s.is_odd,
                "odd_end": SIGNALS[name],
            }
        )  # fmt: skip
    return found


def compare(session: Session, texts: Sequence[str]) -> Item:
    """Up to ten KOLs side by side, each as its profile. Raises CallerError for none or too many."""
    if not 1 <= len(texts) <= MOST_COMPARED:
        raise CallerError(f"{len(texts)} KOLs were named.", f"Name one to {MOST_COMPARED}, separated by commas.")
    return {
        "items": [author_profile(session, text) for text in texts], "next": None,
        "simulated": world_of(session) == "simulated",
    }  # fmt: skip


# ---- lists and notes ----


def shown_lists(session: Session) -> Item:
    """All lists with how many are on them."""
    found = [{"name": one.name, "members": one.members, "created_at": one.created_at} for one in store.lists(session)]
    return {"items": found, "next": None}


def checked_name(name: str) -> str:
    """A list's name. Raises CallerError."""
    name = name.strip()
    if not 1 <= len(name) <= 120 or "\x00" in name or "/" in name:
        raise CallerError("A list's name has 1 to 120 characters and no slash.", "Give another name.")
    return name


def checked_note(text: str) -> str:
    """A note's text. Raises CallerError."""
    text = text.strip()
    if not 1 <= len(text) <= 10_000 or "\x00" in text:
        raise CallerError("A note has 1 to 10,000 characters.", "Write a shorter or a longer one.")
    return text


CSV_COLUMNS = (
    "id", "platform", "handle", "name", "url", "market", "tier", "follower_count", "last_post_at", "post_count",
    "rated_count", "low_confidence", "er_followers", "er_views", "engagement_percentile", "peer_count", "growth",
    "sponsored_share", "early", "early_count", "topics", "places",
)  # fmt: skip


def csv_row(line: Mapping[str, Any]) -> list[Any]:
    """A line of a list as a row of CSV: a cell that a spreadsheet would run as a formula is quoted."""
    row = {
        **line,
        "topics": " ".join(t["id"] for t in line["topics"]),
        "places": " ".join(p["id"] for p in line["places"]),
    }
    return [cell_of(row[name]) for name in CSV_COLUMNS]
