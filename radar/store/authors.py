"""Authors one at a time and in lists: finding one by what people call it, notes, and named lists."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.engine import upsert
from radar.store.tables import author, author_list, author_note, list_key, list_member, post
from radar.store.tables import post_signal as signal


def author_named(session: Session, platform: str | None, name: str, *, hidden: bool = False) -> list[int]:
    """Ids of authors whose native id or handle it is; hidden ones only where asked for."""
    c = author.c
    wanted = [sa.or_(c.native_id == name, c.handle == name)]
    if platform is not None:
        wanted.append(c.platform == platform)
    if not hidden:
        wanted.append(c.hidden_at.is_(None))
    return list(session.scalars(sa.select(c.id).where(*wanted).order_by(c.id).limit(3)))


def author_exists(session: Session, author_id: int, *, hidden: bool = False) -> bool:
    """Whether there is such an author; a hidden one only counts where asked for."""
    statement = sa.select(author.c.id).where(author.c.id == author_id)
    return session.scalar(statement if hidden else statement.where(author.c.hidden_at.is_(None))) is not None


def accounts_of_person(session: Session, person_id: int) -> list[int]:
    """All accounts of a person that may be shown."""
    c = author.c
    return list(session.scalars(sa.select(c.id).where(c.person_id == person_id, c.hidden_at.is_(None)).order_by(c.id)))


def newest_posts(session: Session, author_id: int, limit: int) -> list[int]:
    """Ids of an author's newest living posts that were read."""
    statement = (
        sa.select(post.c.id)
        .join(signal, signal.c.post_id == post.c.id)
        .where(post.c.author_id == author_id, post.c.deleted_at.is_(None))
        .order_by(post.c.published_at.desc(), post.c.id.desc())
    )
    return list(session.scalars(statement.limit(limit)))


# ---- notes ----


class Note(NamedTuple):
    """What somebody wrote down of an author."""

    id: int
    author_id: int
    text: str
    written_at: datetime


def notes_of(session: Session, author_ids: Sequence[int]) -> list[Note]:
    """Notes on authors, the newest first."""
    statement = sa.select(*[author_note.c[name] for name in Note._fields]).where(
        author_note.c.author_id.in_(author_ids)
    )
    return [Note(*row) for row in session.execute(statement.order_by(author_note.c.id.desc()))]


def add_note(session: Session, author_id: int, text: str, now: datetime) -> int:
    """Write a note; its id."""
    row = {"author_id": author_id, "text": text, "written_at": now}
    return int(session.execute(sa.insert(author_note).values(row).returning(author_note.c.id)).scalar_one())


def drop_note(session: Session, author_id: int, note_id: int) -> bool:
    """Take a note away; whether it was there."""
    c = author_note.c
    gone = session.connection().execute(sa.delete(author_note).where(c.id == note_id, c.author_id == author_id))
    return gone.rowcount > 0


# ---- lists ----


class AuthorList(NamedTuple):
    """A named list and how many of its members may be shown."""

    id: int
    name: str
    created_at: datetime
    members: int


def lists(session: Session) -> list[AuthorList]:
    """All lists by name."""
    shown = sa.select(list_member.c.list_id, author.c.id).join(author, author.c.id == list_member.c.author_id)
    shown_ = shown.where(author.c.hidden_at.is_(None)).subquery()
    c = author_list.c
    statement = (
        sa.select(c.id, c.name, c.created_at, sa.func.count(shown_.c.id))
        .outerjoin(shown_, shown_.c.list_id == c.id)
        .group_by(c.id, c.name, c.created_at)
        .order_by(c.name)
    )
    return [AuthorList(*row) for row in session.execute(statement)]


def lists_with(session: Session, author_id: int) -> list[str]:
    """Names of the lists that an author is on."""
    statement = (
        sa.select(author_list.c.name)
        .join(list_member, list_member.c.list_id == author_list.c.id)
        .where(list_member.c.author_id == author_id)
    )
    return list(session.scalars(statement.order_by(author_list.c.name)))


def put_on_list(session: Session, name: str, author_ids: Sequence[int], now: datetime) -> None:
    """Put authors on a list, which is made if there is none of that name."""
    upsert(session, author_list, [{"name": name, "created_at": now}], on=["name"])
    list_id = session.scalar(sa.select(author_list.c.id).where(author_list.c.name == name))
    rows: list[dict[str, Any]] = [{"list_id": list_id, "author_id": i, "added_at": now} for i in author_ids]
    upsert(session, list_member, rows, on=["list_id", "author_id"])


def take_off_list(session: Session, list_id: int, author_ids: Sequence[int]) -> int:
    """Take authors off a list; how many were on it."""
    c = list_member.c
    gone = session.connection().execute(sa.delete(list_member).where(c.list_id == list_id, c.author_id.in_(author_ids)))
    return int(gone.rowcount)


def drop_list(session: Session, list_id: int) -> None:
    """Delete a list; its members stay."""
    session.execute(sa.delete(list_member).where(list_member.c.list_id == list_id))
    session.execute(sa.delete(list_key).where(list_key.c.list_id == list_id))
    session.execute(sa.delete(author_list).where(author_list.c.id == list_id))
