"""People who log in: their roles and passwords (argon2), sessions, and what failed."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.engine import upsert
from radar.store.tables import login_failure, login_session, member

m, s, f = member.c, login_session.c, login_failure.c
SHOWN = 1_000
SESSIONS_KEPT = 20
"""Of one person; a log-in beyond them ends the oldest."""


def add_member(session: Session, name: str, role: str, password: str, now: datetime) -> int:
    """Store a person; their number. password: its hash."""
    row = {"name": name, "role": role, "password": password, "created_at": now}
    return int(session.execute(sa.insert(member).values(row).returning(m.id)).scalar_one())


def member_named(session: Session, name: str) -> sa.Row[Any] | None:
    """The person of that name."""
    return session.execute(sa.select(member).where(m.name == name)).first()


def all_members(session: Session) -> list[sa.Row[Any]]:
    """Everybody, by name."""
    return list(session.execute(sa.select(member).order_by(m.name).limit(SHOWN)))


def any_member(session: Session) -> bool:
    """Whether somebody may log in."""
    return session.scalar(sa.select(m.id).limit(1)) is not None


def set_password(session: Session, member_id: int, password: str) -> None:
    """Keep another hash."""
    session.execute(sa.update(member).where(m.id == member_id).values(password=password))


def remove_member(session: Session, member_id: int) -> None:
    """Forget a person with their sessions."""
    end_sessions(session, member_id)
    session.execute(sa.delete(member).where(m.id == member_id))


# ---- sessions ----


class SessionOf(NamedTuple):
    """A session with whose it is."""

    member_id: int
    name: str
    role: str
    seen_at: datetime


def add_session(
    session: Session, digest: str, member_id: int, *, now: datetime, expires_at: datetime, address: str, browser: str
) -> None:
    """Begin a session, and end the oldest beyond those that one may have."""
    row = {
        "digest": digest, "member_id": member_id, "created_at": now, "seen_at": now, "expires_at": expires_at,
        "address": address[:64], "browser": browser[:255],
    }  # fmt: skip
    session.execute(sa.insert(login_session).values(row))
    session.execute(sa.update(member).where(m.id == member_id).values(seen_at=now))
    newest = sa.select(s.digest).where(s.member_id == member_id).order_by(s.created_at.desc(), s.digest)
    kept = [digest, *session.scalars(newest.where(s.digest != digest).limit(SESSIONS_KEPT - 1))]
    session.execute(sa.delete(login_session).where(s.member_id == member_id, s.digest.not_in(kept)))


def session_of(session: Session, digest: str, now: datetime) -> SessionOf | None:
    """Whose session that is, while it lasts."""
    row = session.execute(
        sa.select(m.id, m.name, m.role, s.seen_at)
        .join_from(login_session, member, m.id == s.member_id)
        .where(s.digest == digest, s.expires_at > now)
    ).first()
    return SessionOf(*row) if row else None


def sessions_of(session: Session, member_id: int, now: datetime) -> list[sa.Row[Any]]:
    """A person's sessions, the one used last first."""
    mine = sa.select(login_session).where(s.member_id == member_id, s.expires_at > now)
    return list(session.execute(mine.order_by(s.seen_at.desc(), s.digest).limit(SESSIONS_KEPT)))


def note_seen(session: Session, digest: str, now: datetime, every: timedelta) -> None:
    """Say that a session is used, unless that was said a short time ago."""
    session.execute(sa.update(login_session).where(s.digest == digest, s.seen_at <= now - every).values(seen_at=now))


def end_sessions(session: Session, member_id: int, digests: list[str] | None = None, but: str = "") -> int:
    """End sessions of a person: those named, or all but one; how many."""
    statement = sa.delete(login_session).where(s.member_id == member_id, s.digest != but)
    if digests is not None:
        statement = statement.where(s.digest.in_(digests))
    return int(session.connection().execute(statement).rowcount)


def prune_sessions(session: Session, now: datetime) -> int:
    """Forget sessions that have run out."""
    return int(session.connection().execute(sa.delete(login_session).where(s.expires_at <= now)).rowcount)


# ---- failures ----


class Failures(NamedTuple):
    """What failed under a name, or from an address, so far."""

    failed_count: int
    failed_at: datetime
    locked_until: datetime | None


def failures(session: Session, digest: str) -> Failures | None:
    """What failed under that hash."""
    row = session.execute(sa.select(f.failed_count, f.failed_at, f.locked_until).where(f.digest == digest)).first()
    return Failures(*row) if row else None


def set_failures(session: Session, digest: str, found: Failures) -> None:
    """Keep what failed under that hash."""
    row = {"digest": digest} | found._asdict()
    upsert(session, login_failure, [row], on=["digest"], update=found._asdict().keys())


def forget_failures(session: Session, digests: list[str]) -> None:
    """Begin anew."""
    session.execute(sa.delete(login_failure).where(f.digest.in_(digests)))


def prune_failures(session: Session, before: datetime) -> int:
    """Forget what failed last before then."""
    return int(session.connection().execute(sa.delete(login_failure).where(f.failed_at < before)).rowcount)
