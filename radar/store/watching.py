"""Accounts to watch and posts to ask for again: how far each was read, and when its turn is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.engine import SQL_VARIABLES, chunks, upsert
from radar.store.posts import link_authors, mark_dirty
from radar.store.tables import author, post, refresh_due, source_state
from radar.store.tables import watched_account as watched


class Watched(NamedTuple):
    """An account on the watch list and how it fares."""

    source: str
    handle: str
    audience_market: str
    person: str | None
    consented: bool
    cursor: dict[str, Any] | None
    watermark_at: datetime | None
    asked_at: datetime | None
    profiled_at: datetime | None
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None
    missing_since: datetime | None
    pause_reason: str | None


def watched_accounts(session: Session, source: str | None = None) -> list[Watched]:
    """The watch list, of one source or of all; those that were asked longest ago first."""
    statement = sa.select(*[watched.c[name] for name in Watched._fields])
    if source is not None:
        statement = statement.where(watched.c.source == source)
    found = [Watched(*row) for row in session.execute(statement.order_by(watched.c.source, watched.c.handle))]
    return sorted(found, key=lambda a: (a.asked_at is not None, a.asked_at))


def watch(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Put accounts on the list: rows of source, handle, audience_market, person, consented. One that is there keeps
    what was read; a pause of its own ends.
    """
    told = ("audience_market", "person", "consented", "pause_reason", "missing_since")
    filled = [{"pause_reason": None, "missing_since": None} | row for row in rows]
    upsert(session, watched, filled, on=["source", "handle"], update=told)


def unwatch(session: Session, source: str, handle: str | None = None) -> int:
    """Take an account, or all of a source's, off the list; posts stay."""
    statement = sa.delete(watched).where(watched.c.source == source)
    if handle is not None:
        statement = statement.where(watched.c.handle == handle)
    return int(session.connection().execute(statement).rowcount)


def note_account(session: Session, source: str, handle: str, **values: Any) -> None:
    """Set columns of one watched account."""
    session.execute(sa.update(watched).where(watched.c.source == source, watched.c.handle == handle).values(values))


def resume(session: Session, source: str) -> None:
    """Let a source and all of its accounts be asked again."""
    session.execute(
        sa.update(source_state).where(source_state.c.name == source).values(pause_reason=None, resume_at=None)
    )
    session.execute(sa.update(watched).where(watched.c.source == source).values(pause_reason=None, missing_since=None))


def pause(session: Session, source: str, reason: str) -> None:
    """Ask a source no more until it is resumed."""
    session.execute(sa.update(source_state).where(source_state.c.name == source).values(pause_reason=reason[:2000]))


def wait_until(session: Session, source: str, resume_at: datetime) -> None:
    """Ask a source no more before that instant."""
    session.execute(sa.update(source_state).where(source_state.c.name == source).values(resume_at=resume_at))


def remove_source(session: Session, source: str) -> None:
    """Forget a source, its accounts and what it was to be asked for again. Posts stay, as long as they may."""
    unwatch(session, source)
    session.execute(sa.delete(refresh_due).where(refresh_due.c.source == source, refresh_due.c.expires_at.is_(None)))
    session.execute(sa.delete(source_state).where(source_state.c.name == source))


class Due(NamedTuple):
    """A post whose turn it is to be asked for again."""

    post_id: int
    source: str
    ref: str
    due_at: datetime
    missing_since: datetime | None
    platform: str
    native_id: str
    author_id: str
    audience_market: str
    published_at: datetime
    expires_at: datetime | None


def due_posts(session: Session, source: str, now: datetime, limit: int) -> list[Due]:
    """Posts of a source that are to be asked for again by now, the longest overdue first."""
    statement = (
        sa.select(
            *[refresh_due.c[name] for name in ("post_id", "source", "ref", "due_at", "missing_since")],
            post.c.platform, post.c.native_id, author.c.native_id.label("author_id"), post.c.audience_market,
            post.c.published_at, refresh_due.c.expires_at,
        )
        .join(post, post.c.id == refresh_due.c.post_id)
        .join(author, author.c.id == post.c.author_id)
        .where(refresh_due.c.source == source, refresh_due.c.due_at <= now)
        .order_by(refresh_due.c.due_at, refresh_due.c.post_id)
        .limit(limit)
    )  # fmt: skip
    return list(map(Due._make, session.execute(statement)))


def plan_refreshes(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Ask for posts again: rows of post_id, source, ref, due_at, expires_at. What is planned already stays."""
    upsert(session, refresh_due, [{"missing_since": None} | row for row in rows], on=["post_id"])


def replan(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Give posts another turn: rows of post_id, due_at, missing_since, expires_at; without a due_at it was the last."""
    done = [row["post_id"] for row in rows if row["due_at"] is None]
    for some in chunks(done, SQL_VARIABLES):
        session.execute(sa.delete(refresh_due).where(refresh_due.c.post_id.in_(some)))
    again = [
        {
            "b_id": row["post_id"],
            "b_due": row["due_at"],
            "b_missing": row["missing_since"],
            "b_until": row["expires_at"],
        }
        for row in rows
        if row["due_at"] is not None
    ]
    if again:
        statement = (
            sa.update(refresh_due)
            .where(refresh_due.c.post_id == sa.bindparam("b_id"))
            .values(
                due_at=sa.bindparam("b_due"),
                missing_since=sa.bindparam("b_missing"),
                expires_at=sa.bindparam("b_until"),
            )
        )
        session.connection().execute(statement, again)


def link_person(session: Session, name: str, platform: str, account: str) -> int:
    """Make accounts, by handle or native id, those of a person; how many stored authors and watched accounts it met.

    platform  a platform of stored authors, or the name or kind of a source on the watch list
    """
    statement = sa.select(author.c.id).where(
        author.c.platform == platform, sa.or_(author.c.native_id == account, author.c.handle == account)
    )
    ids = list(session.scalars(statement))
    if ids:
        mark_dirty(session, link_authors(session, dict.fromkeys(ids, name)))
    sources = sa.select(source_state.c.name).where(
        sa.or_(source_state.c.name == platform, source_state.c.kind == platform)
    )
    met = session.connection().execute(
        sa.update(watched).where(watched.c.source.in_(sources), watched.c.handle == account).values(person=name)
    )
    return len(ids) + int(met.rowcount)
