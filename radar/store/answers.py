"""What answers read: the best snapshots of a span of time, one trend's history, and what waits."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.counts import last_counted
from radar.store.engine import SQL_VARIABLES, chunks
from radar.store.tables import (
    author,
    day_count,
    dirty_day,
    episode,
    imported_file,
    lease,
    meta,
    post,
    rejected_post,
    snapshot,
    stage_change,
)


def counted_model(session: Session, market: str | None, preferred: str) -> str:
    """The model whose counts to show: the preferred one where it has counts, else the one that counted last."""
    c = day_count.c
    mine = [c.audience_market == market] if market else []
    if session.scalar(sa.select(c.model_id).where(c.model_id == preferred, *mine).limit(1)):
        return preferred
    return last_counted(session, market) or preferred


class CountedDays(NamedTuple):
    """The counted days of a market up to a day."""

    days: int
    first: date | None
    last: date | None


def counted_span(session: Session, model_id: str, market: str, upto: date | None = None) -> CountedDays:
    """How many days on which somebody posted are counted, with the first and the last of them."""
    c = day_count.c
    statement = sa.select(sa.func.count(), sa.func.min(c.local_day), sa.func.max(c.local_day)).where(
        c.model_id == model_id, c.audience_market == market, c.person_count > 0
    )
    if upto is not None:
        statement = statement.where(c.local_day <= upto)
    return CountedDays(*session.execute(statement).one())


def newest_snapshot(session: Session, model_id: str, market: str) -> datetime | None:
    """The last moment at which a trend of a market was seen."""
    s = snapshot.c
    return session.scalar(
        sa.select(s.as_of)
        .join(episode, episode.c.id == s.episode_id)
        .where(s.audience_market == market, episode.c.model_id == model_id)
        .order_by(s.as_of.desc())
        .limit(1)
    )


class Seen(NamedTuple):
    """A snapshot with its episode. own_place is the place market the series is counted for, 0 = all."""

    episode_id: int
    as_of: datetime
    audience_market: str
    bucket: str
    place: int
    kind: int
    topic_id: str | None
    stage: str
    is_on: bool
    is_daily: bool
    q: float
    score: float
    working: dict[str, Any]
    model_id: str
    key_hash: int
    own_place: int
    onset_at: datetime
    ended_at: datetime | None
    leader_id: int | None


_SEEN = (
    *[snapshot.c[name] for name in Seen._fields[:13]],
    episode.c.model_id,
    episode.c.key_hash,
    episode.c.place.label("own_place"),
    episode.c.onset_at,
    episode.c.ended_at,
    episode.c.leader_id,
)


def best_snapshots(
    session: Session,
    model_id: str,
    market: str,
    after: datetime,
    upto: datetime,
    *,
    q: float,
    lift: float = 0.0,
    buckets: Sequence[str],
) -> list[Seen]:
    """The best-scoring snapshot in (after, upto] of each episode, best first; only those with q and lift as asked."""
    s = snapshot.c
    wanted = [s.audience_market == market, s.as_of > after, s.as_of <= upto, s.q <= q, s.bucket.in_(buckets)]
    if lift > 0:
        wanted.append(s.working["lift"].as_float() >= lift)
    place = sa.func.row_number().over(partition_by=s.episode_id, order_by=(s.score.desc(), s.as_of.desc()))
    ranked = sa.select(s.episode_id, s.as_of, place.label("nth")).where(*wanted).subquery()
    statement = (
        sa.select(*_SEEN)
        .join(ranked, sa.and_(ranked.c.episode_id == s.episode_id, ranked.c.as_of == s.as_of))
        .join(episode, episode.c.id == s.episode_id)
        .where(ranked.c.nth == 1, episode.c.model_id == model_id)
        .order_by(s.score.desc(), s.episode_id)
    )
    return [Seen(*row) for row in session.execute(statement)]


def snapshots_of(session: Session, episode_id: int, upto: datetime | None = None) -> list[Seen]:
    """All snapshots of an episode by time."""
    statement = sa.select(*_SEEN).join(episode, episode.c.id == snapshot.c.episode_id).order_by(snapshot.c.as_of)
    statement = statement.where(snapshot.c.episode_id == episode_id)
    if upto is not None:
        statement = statement.where(snapshot.c.as_of <= upto)
    return [Seen(*row) for row in session.execute(statement)]


class Episode(NamedTuple):
    """An episode as stored."""

    id: int
    model_id: str
    audience_market: str
    place: int
    key_hash: int
    bucket: str
    onset_at: datetime
    ended_at: datetime | None
    stage: str
    stage_since: datetime
    leader_id: int | None


def episodes(session: Session, ids: Sequence[int]) -> dict[int, Episode]:
    """Episodes by id."""
    found: dict[int, Episode] = {}
    for some in chunks(ids, SQL_VARIABLES):
        statement = sa.select(*[episode.c[name] for name in Episode._fields]).where(episode.c.id.in_(some))
        found |= {row.id: Episode(*row) for row in session.execute(statement)}
    return found


def episodes_of_key(
    session: Session, model_id: str, market: str, key_hash: int, since: datetime, upto: datetime
) -> list[Episode]:
    """Episodes of a key in a market, by the hour or the day, that came on in [since, upto], about whatever place."""
    c = episode.c
    statement = (
        sa.select(*[c[name] for name in Episode._fields])
        .where(c.audience_market == market, c.onset_at >= since, c.onset_at <= upto)
        .where(c.model_id == model_id, c.key_hash == key_hash, c.bucket.in_(("1h", "1d")))
        .order_by(c.onset_at, c.id)
    )
    return [Episode(*row) for row in session.execute(statement)]


def stage_changes(session: Session, ids: Sequence[int], upto: datetime) -> dict[int, list[tuple[datetime, str]]]:
    """(changed_at, stage) of episodes up to a moment, in order."""
    c = stage_change.c
    found: dict[int, list[tuple[datetime, str]]] = {}
    for some in chunks(ids, SQL_VARIABLES):
        statement = (
            sa.select(c.episode_id, c.changed_at, c.stage)
            .where(c.episode_id.in_(some), c.changed_at <= upto)
            .order_by(c.episode_id, c.changed_at)
        )
        for number, changed_at, stage in session.execute(statement):
            found.setdefault(number, []).append((changed_at, stage))
    return found


class Heard(NamedTuple):
    """Who was heard in a span of time."""

    persons: int
    posts: int
    sources: int
    platforms: int


def heard(session: Session, market: str, start: datetime, end: datetime, first: date, last: date) -> Heard:
    """Distinct persons, living posts, sources and platforms of [start, end); first and last are its local days."""
    p = post.c
    statement = (
        sa.select(
            sa.func.count(author.c.person_id.distinct()),
            sa.func.count(),
            sa.func.count(p.source.distinct()),
            sa.func.count(p.platform.distinct()),
        )
        .join(author, author.c.id == p.author_id)
        .where(p.audience_market == market, p.local_day >= first, p.local_day <= last)
        .where(p.published_at >= start, p.published_at < end, p.deleted_at.is_(None))
    )
    return Heard(*session.execute(statement).one())


def waiting_posts(session: Session, at_most: int = 2**31) -> dict[str, int]:
    """Posts that wait for classification, by market; the oldest so many of them."""
    p = post.c
    # in id order and limited, so that SQLite reads the index of waiting posts and not every post by market
    waiting = sa.select(p.audience_market).where(p.classified_at.is_(None)).order_by(p.id).limit(at_most).subquery()
    statement = sa.select(waiting.c.audience_market, sa.func.count()).group_by(waiting.c.audience_market)
    return dict(session.execute(statement).all())


def waiting_days(session: Session) -> dict[str, int]:
    """Days that wait for a recount, by market."""
    statement = sa.select(dirty_day.c.audience_market, sa.func.count()).group_by(dirty_day.c.audience_market)
    return dict(session.execute(statement).all())


def rejected_counts(session: Session, since: datetime) -> dict[str, int]:
    """Items set aside since then, by source: pushed or fetched ones, and rows of files that were imported since."""
    r, f = rejected_post.c, imported_file.c
    # not grouped in the order of an index, or SQLite reads it from one end to the other
    kept = sa.select(r.source, sa.func.count()).where(r.seen_at >= since).group_by(r.source.concat(""), r.source)
    rows = sa.select(f.source, sa.func.sum(f.rejected_count)).where(f.rejected_count > 0, f.imported_at >= since)
    counts: dict[str, int] = {}
    for source, n in [*session.execute(kept), *session.execute(rows.group_by(f.source))]:
        counts[source] = counts.get(source, 0) + int(n)
    return counts


def imported_at(session: Session) -> dict[str, datetime]:
    """When a file was imported last, by source."""
    f = imported_file.c
    return dict(session.execute(sa.select(f.source, sa.func.max(f.imported_at)).group_by(f.source)).all())


def lease_of(session: Session, name: str) -> tuple[str, datetime] | None:
    """Who holds a lease, and until when."""
    row = session.execute(sa.select(lease.c.holder, lease.c.expires_at).where(lease.c.name == name)).first()
    return (row[0], row[1]) if row else None


def is_reachable(session: Session) -> bool:
    """Whether the store answers and has its tables."""
    session.execute(sa.select(meta.c.name).limit(1)).all()
    return True


class PostOwner(NamedTuple):
    """Whose a stored post is."""

    native_id: str
    author_native_id: str
    audience_market: str
    published_at: datetime


def post_owners(session: Session, platform: str, native_ids: Sequence[str]) -> dict[str, PostOwner]:
    """Owners of stored posts by the post's native id."""
    found: dict[str, PostOwner] = {}
    for some in chunks(native_ids, SQL_VARIABLES):
        statement = (
            sa.select(post.c.native_id, author.c.native_id, author.c.audience_market, post.c.published_at)
            .join(author, author.c.id == post.c.author_id)
            .where(post.c.platform == platform, post.c.native_id.in_(some))
        )
        found |= {row[0]: PostOwner(*row) for row in session.execute(statement)}
    return found
