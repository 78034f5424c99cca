"""What `radar db check` reads: by day, by page of a key, by page of episodes; every statement follows an index."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.tables import (
    author,
    day_count,
    dirty_day,
    episode,
    metadata,
    post,
    snapshot,
    stage_change,
)

PAGE = 5_000
"""Rows of a table that are looked at by one statement."""
EPISODES = 500


def file_faults(session: Session, at_most: int) -> list[str]:
    """What SQLite finds wrong with its own file; reads the whole of it. Nothing on PostgreSQL."""
    if session.get_bind().dialect.name != "sqlite":
        return []
    found = session.connection().exec_driver_sql("PRAGMA quick_check").scalars().fetchmany(at_most)
    return [] if found == ["ok"] else [str(line) for line in found]


def day_before(session: Session, model_id: str, market: str, before: date | None) -> date | None:
    """The newest local day earlier than `before` of which there is a post or a count."""
    newest = []
    for table, mine in (
        (post, post.c.audience_market == market),
        (day_count, sa.and_(day_count.c.model_id == model_id, day_count.c.audience_market == market)),
    ):
        statement = sa.select(sa.func.max(table.c.local_day)).where(mine)
        if before is not None:
            statement = statement.where(table.c.local_day < before)
        newest.append(session.scalar(statement))
    return max((day for day in newest if day is not None), default=None)


class StoredDay(NamedTuple):
    """A day as it was counted."""

    counts: bytes
    person_count: int
    post_count: int
    is_sealed: bool


def stored_day(session: Session, model_id: str, market: str, day: date) -> StoredDay | None:
    """A model's counts of a day."""
    c = day_count.c
    row = session.execute(
        sa.select(*[c[name] for name in StoredDay._fields]).where(
            c.model_id == model_id, c.audience_market == market, c.local_day == day
        )
    ).first()
    return StoredDay(*row) if row else None


def counted_by_any(session: Session, market: str, day: date) -> bool:
    """Whether some model has counted a day."""
    c = day_count.c
    statement = sa.select(c.model_id).where(c.audience_market == market, c.local_day == day).limit(1)
    return session.scalar(statement) is not None


def waits(session: Session, market: str, day: date) -> bool:
    """Whether a day waits for a recount."""
    c = dirty_day.c
    return session.scalar(sa.select(c.mark).where(c.audience_market == market, c.local_day == day)) is not None


def has_pruned(session: Session, market: str, day: date) -> bool:
    """Whether a living, read post of a day has lost its text."""
    c = post.c
    statement = sa.select(c.id).where(
        c.audience_market == market, c.local_day == day, c.text.is_(None), c.deleted_at.is_(None),
        c.classified_at.is_not(None),
    )  # fmt: skip
    return session.scalar(statement.limit(1)) is not None


def placed_posts(session: Session, market: str, day: date) -> list[tuple[int, datetime, str | None]]:
    """(id, published_at, author's market) of a day's posts."""
    statement = (
        sa.select(post.c.id, post.c.published_at, author.c.audience_market)
        .outerjoin(author, author.c.id == post.c.author_id)
        .where(post.c.audience_market == market, post.c.local_day == day)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(statement)]


class Link(NamedTuple):
    """A column that names a row of another table."""

    child: str
    column: str
    parent: str


def links() -> list[Link]:
    """All foreign keys of the tables, and the two that are kept without a constraint."""
    found = [
        Link(table.name, fk.parent.name, fk.column.table.name)
        for table in metadata.sorted_tables
        for fk in sorted(table.foreign_keys, key=lambda fk: fk.parent.name)
    ]
    return [*found, Link("episode", "key_hash", "key")]


class Page(NamedTuple):
    """Rows that were looked at: how many, the keys of those whose parent is missing, and where the next page begins."""

    rows: int
    lost: list[str]
    last: Sequence[Any]


def orphan_page(session: Session, link: Link, after: Sequence[Any] | None) -> Page | None:
    """A page of a table, the newest rows first; None behind the last."""
    child, parent = metadata.tables[link.child], metadata.tables[link.parent]
    ids = list(child.primary_key.columns)
    column = child.c[link.column]
    target = next(iter(parent.primary_key.columns)).name
    there = parent.alias("there")
    lost = sa.and_(column.is_not(None), ~sa.exists().where(there.c[target] == column))
    statement = sa.select(*ids, lost).order_by(*[c.desc() for c in ids]).limit(PAGE)
    if after is not None:
        statement = statement.where(sa.tuple_(*ids) < sa.tuple_(*_bound(ids, after)))
    rows = session.execute(statement).all()
    if not rows:
        return None
    return Page(len(rows), [" ".join(map(str, row[:-1])) for row in rows if row[-1]], rows[-1][:-1])


def _bound(ids: Sequence[sa.Column[Any]], values: Sequence[Any]) -> list[sa.BindParameter[Any]]:
    return [sa.bindparam(None, value, type_=c.type) for c, value in zip(ids, values, strict=True)]


class Told(NamedTuple):
    """An episode, with what its last change and its snapshots say otherwise."""

    id: int
    onset_at: datetime
    ended_at: datetime | None
    audience_market: str
    stage: str
    stage_since: datetime
    last_stage: str | None
    last_change: datetime | None
    first_change: datetime | None
    strays: int


def episode_page(session: Session, since: datetime | None, after: Told | None) -> list[Told]:
    """A page of the episodes that began since then, by time.

    strays  its snapshots of another market or bucket length, from before it began, or still on after it ended
    """
    e, s, c = episode.c, snapshot.c, stage_change.c
    mine = sa.select(c.stage, c.changed_at).where(c.episode_id == e.id)
    last = mine.order_by(c.changed_at.desc()).limit(1)
    stray = sa.or_(
        s.audience_market != e.audience_market, s.bucket != e.bucket, s.as_of < e.onset_at,
        sa.and_(s.is_on, s.as_of > e.ended_at),
    )  # fmt: skip
    statement = sa.select(
        e.id, e.onset_at, e.ended_at, e.audience_market, e.stage, e.stage_since,
        last.with_only_columns(c.stage).scalar_subquery(),
        last.with_only_columns(c.changed_at).scalar_subquery(),
        sa.select(sa.func.min(c.changed_at)).where(c.episode_id == e.id).scalar_subquery(),
        sa.select(sa.func.count()).select_from(snapshot).where(s.episode_id == e.id, stray).scalar_subquery(),
    ).order_by(e.onset_at, e.id).limit(EPISODES)  # fmt: skip
    if since is not None:
        statement = statement.where(e.onset_at >= since)
    if after is not None:
        statement = statement.where(sa.tuple_(e.onset_at, e.id) > sa.tuple_(*_bound([e.onset_at, e.id], after[1::-1])))
    return [Told._make(row) for row in session.execute(statement)]


def has_counts(session: Session, model_id: str | None = None) -> bool:
    """Whether a model, or any, has counted a day."""
    statement = sa.select(day_count.c.local_day).limit(1)
    if model_id is not None:
        statement = statement.where(day_count.c.model_id == model_id)
    return session.scalar(statement) is not None
