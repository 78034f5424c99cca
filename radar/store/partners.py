"""What matching reads: KOLs of a market with measures and profile in pages, and the posts that prove a match."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.partners.kol import Account
from radar.store.engine import SQL_VARIABLES, chunks, upsert
from radar.store.tables import author, author_facet, author_measure, author_profile, peer_group, post, post_topic
from radar.store.tables import post_signal as signal

PAGE = 500
_LATE = timedelta(hours=6)
"""A run of the measuring job may write for this long under one moment."""


class Due(NamedTuple):
    """An account whose profile is older than its measures."""

    author_id: int
    audience_market: str
    measured_at: datetime


def due_profiles(session: Session, limit: int) -> list[Due]:
    """Accounts measured since their profile was made, the longest waiting first."""
    m, p = author_measure.c, author_profile.c
    upto = session.scalar(sa.select(sa.func.max(p.measured_at)))
    statement = (
        sa.select(m.author_id, m.audience_market, m.measured_at)
        .outerjoin(author_profile, p.author_id == m.author_id)
        .where(sa.or_(p.author_id.is_(None), p.measured_at < m.measured_at))
        .order_by(m.measured_at, m.author_id)
        .limit(limit)
    )
    if upto is not None:
        statement = statement.where(m.measured_at >= upto - _LATE)
    return [Due(*row) for row in session.execute(statement)]


class LatestPost(NamedTuple):
    """A post of an account as it was read."""

    id: int
    author_id: int
    text: str | None
    local_day: date
    places: str
    language: str
    sponsored: bool
    keys: bytes
    topics: list[str]


def latest_posts(session: Session, authors: Sequence[int], limit: int) -> dict[int, list[LatestPost]]:
    """The latest read posts of each account, at most `limit` of each."""
    if not authors:
        return {}
    p = post.c
    nth = sa.func.row_number().over(partition_by=p.author_id, order_by=(p.published_at.desc(), p.id.desc()))
    ranked = (
        sa.select(p.id, nth.label("nth"))
        .where(p.author_id.in_(authors), p.deleted_at.is_(None), p.repost_of.is_(None), p.classified_at.is_not(None))
        .subquery()
    )
    statement = (
        sa.select(
            p.id, p.author_id, p.text, p.local_day,
            signal.c.places, signal.c.language, signal.c.sponsored, signal.c["keys"],
        )
        .join(ranked, ranked.c.id == p.id)
        .join(signal, signal.c.post_id == p.id)
        .where(ranked.c.nth <= limit)
        .order_by(p.author_id, p.id)
    )  # fmt: skip
    found: dict[int, list[LatestPost]] = {}
    by_id: dict[int, LatestPost] = {}
    for row in session.execute(statement):
        one = LatestPost(*row, [])
        by_id[one.id] = one
        found.setdefault(one.author_id, []).append(one)
    wanted = sa.select(ranked.c.id).where(ranked.c.nth <= limit)
    topics = sa.select(post_topic.c.post_id, post_topic.c.topic_id).where(post_topic.c.post_id.in_(wanted))
    for post_id, topic_id in session.execute(topics):
        if post_id in by_id:
            by_id[post_id].topics.append(topic_id)
    return found


def write_profiles(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put profiles in place of those that were there; of accounts that are not measured any more there are none."""
    columns = [c.name for c in author_profile.columns if c.name != "author_id"]
    measured, id = set[int](), author_measure.c.author_id
    for some in chunks([row["author_id"] for row in rows], SQL_VARIABLES):
        measured.update(session.scalars(sa.select(id).where(id.in_(some))))
    kept = [row for row in rows if row["author_id"] in measured]
    upsert(session, author_profile, kept, on=["author_id"], update=columns)


@dataclass(frozen=True, slots=True)
class Measured(Account):
    """An account with its measures and profile, as stored."""

    group_id: int
    last_post_at: datetime | None
    post_count: int
    rated_count: int
    low_confidence: bool
    engagement: float | None
    er_followers: float | None
    er_views: float | None
    views_count: int
    engagement_percentile: float | None
    posts_per_week: float
    sponsored_count: int
    sponsored_share: float | None
    early: float | None
    early_low: float | None
    early_high: float | None
    early_p: float | None
    early_null: float | None
    early_count: int
    peer_count: int
    measures: dict[str, Any]
    facts: dict[str, Any] | None
    vector: bytes | None


_AUTHOR = ("person_id", "platform", "handle", "name", "url", "market_source", "market_confidence", "market_reasons")
_SPECIAL = {
    "market": author_measure.c.audience_market,
    "tier": peer_group.c.tier,
    "peer_count": peer_group.c.author_count,
    "measures": author_measure.c.profile,
    "facts": author_profile.c.facts,
    "vector": author_profile.c.vector,
}
_MEASURED = tuple(
    author.c[name] if name in _AUTHOR else _SPECIAL[name] if name in _SPECIAL else author_measure.c[name]
    for name in (field.name for field in fields(Measured))
)
_FROM = (
    author_measure.join(author, author.c.id == author_measure.c.author_id)
    .join(peer_group, peer_group.c.id == author_measure.c.group_id)
    .outerjoin(author_profile, author_profile.c.author_id == author_measure.c.author_id)
)


def measured(
    session: Session,
    market: str | None,
    *,
    platforms: Collection[str] = (),
    tiers: Collection[str] = (),
    page: int = PAGE,
) -> Iterator[list[Measured]]:
    """Shown KOLs of a market (None: of all) by account id, a page at a time; hidden ones never."""
    wanted, after = _wanted(market, platforms, tiers), 0
    while True:
        statement = (
            sa.select(*_MEASURED)
            .select_from(_FROM)
            .where(author_measure.c.author_id > after, *wanted)
            .order_by(author_measure.c.author_id)
            .limit(page)
        )
        rows = [Measured(*row) for row in session.execute(statement)]
        if rows:
            yield rows
        if len(rows) < page:
            return
        after = rows[-1].author_id


def candidates(
    session: Session,
    market: str | None,
    *,
    platforms: Collection[str] = (),
    tiers: Collection[str] = (),
    facets: Sequence[Collection[int]] = (),
    limit: int,
) -> list[int]:
    """Ids of shown KOLs found by each of some sets of facets, the most engaging among their peers first.

    facets  by any of each set (`radar.store.measures.facet`)
    """
    c = author_measure.c
    found = [sa.select(author_facet.c.author_id).where(author_facet.c.facet.in_(some)) for some in facets]
    statement = (
        sa.select(c.author_id)
        .select_from(_FROM)
        .where(*_wanted(market, platforms, tiers), *(c.author_id.in_(some) for some in found))
        .order_by(c.engagement_percentile.desc().nulls_last(), c.author_id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def _wanted(market: str | None, platforms: Collection[str], tiers: Collection[str]) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = [author.c.hidden_at.is_(None)]
    if market:
        wanted.append(author_measure.c.audience_market == market)
    if platforms:
        wanted.append(peer_group.c.platform.in_(platforms))
    if tiers:
        wanted.append(peer_group.c.tier.in_(tiers))
    return wanted


def measured_one(session: Session, author_id: int) -> Measured | None:
    """One shown KOL; None where there is none of that id."""
    statement = sa.select(*_MEASURED).select_from(_FROM)
    row = session.execute(
        statement.where(author_measure.c.author_id == author_id, author.c.hidden_at.is_(None))
    ).first()
    return Measured(*row) if row else None


def measured_some(session: Session, authors: Sequence[int]) -> list[Measured]:
    """Shown KOLs of those ids."""
    statement = sa.select(*_MEASURED).select_from(_FROM)
    statement = statement.where(author_measure.c.author_id.in_(authors), author.c.hidden_at.is_(None))
    return [Measured(*row) for row in session.execute(statement)]


def group_sketches(session: Session, market: str) -> dict[int, dict[str, Any]]:
    """Sketches of measures, as stored, by peer group of a market."""
    statement = sa.select(peer_group.c.id, peer_group.c.sketches).where(peer_group.c.audience_market == market)
    return {row[0]: row[1] for row in session.execute(statement)}


def sample_vectors(session: Session, market: str | None, limit: int) -> list[bytes]:
    """Vectors of some KOLs of a market, the same ones each time."""
    statement = sa.select(author_profile.c.vector).where(author_profile.c.vector.is_not(None))
    if market:
        statement = statement.where(author_profile.c.audience_market == market)
    return list(session.scalars(statement.order_by(author_profile.c.author_id).limit(limit)))


def platforms(session: Session) -> list[str]:
    """Platforms that KOLs are stored of."""
    return sorted(session.scalars(sa.select(peer_group.c.platform).distinct()))


def kol_count(
    session: Session,
    market: str | None,
    *,
    platforms: Collection[str] = (),
    tiers: Collection[str] = (),
    upto: int | None = None,
) -> int:
    """Shown KOLs of a market (None: of all), of those platforms and tiers; counted no further than `upto`."""
    some = sa.select(sa.literal(1)).select_from(_FROM).where(*_wanted(market, platforms, tiers)).limit(upto)
    return session.scalar(sa.select(sa.func.count()).select_from(some.subquery())) or 0


class ProofPost(NamedTuple):
    """A post that proves a match."""

    id: int
    author_id: int
    places: str


def proof_posts(session: Session, authors: Sequence[int], topics: Collection[str], limit: int) -> list[ProofPost]:
    """The latest posts of accounts on any of the topics (none: on anything), at most `limit` of each account."""
    if not authors:
        return []
    p = post.c
    nth = sa.func.row_number().over(partition_by=p.author_id, order_by=(p.published_at.desc(), p.id.desc()))
    candidates = sa.select(p.id, nth.label("nth")).where(
        p.author_id.in_(authors), p.deleted_at.is_(None), p.repost_of.is_(None)
    )
    if topics:
        on = sa.select(post_topic.c.post_id).where(post_topic.c.post_id == p.id, post_topic.c.topic_id.in_(topics))
        candidates = candidates.where(on.exists())
    ranked = candidates.subquery()
    statement = (
        sa.select(p.id, p.author_id, signal.c.places)
        .join(ranked, ranked.c.id == p.id)
        .join(signal, signal.c.post_id == p.id)
        .where(ranked.c.nth <= limit)
        .order_by(p.author_id, p.published_at.desc(), p.id.desc())
    )
    return [ProofPost(*row) for row in session.execute(statement)]
