"""Keys by which systems ask: the hash of each token, its scope, and how long it holds."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.tables import api_key

k = api_key.c
SHOWN = 1_000


def add_key(session: Session, name: str, digest: str, scope: str, *, now: datetime, expires_at: datetime | None) -> int:
    """Store a key; its number."""
    row = {"name": name, "digest": digest, "scope": scope, "created_at": now, "expires_at": expires_at}
    return int(session.execute(sa.insert(api_key).values(row).returning(k.id)).scalar_one())


def key_of_digest(session: Session, digest: str) -> sa.Row[Any] | None:
    """The key whose token has that hash, whether it still holds or not."""
    return session.execute(sa.select(api_key).where(k.digest == digest)).first()


def all_keys(session: Session) -> list[sa.Row[Any]]:
    """The keys, the newest first."""
    return list(session.execute(sa.select(api_key).order_by(k.id.desc()).limit(SHOWN)))


def holding(now: datetime) -> sa.ColumnElement[bool]:
    """Of keys: neither revoked nor expired."""
    return sa.and_(k.revoked_at.is_(None), sa.or_(k.expires_at.is_(None), k.expires_at > now))


def any_holding(session: Session, now: datetime) -> bool:
    """Whether some key holds."""
    return session.scalar(sa.select(k.id).where(holding(now)).limit(1)) is not None


def revoke(session: Session, id: int, now: datetime) -> None:
    """End a key."""
    session.execute(sa.update(api_key).where(k.id == id, k.revoked_at.is_(None)).values(revoked_at=now))


def note_use(session: Session, id: int, now: datetime, every: timedelta) -> None:
    """Say that a key was used now, unless that was said a short time ago."""
    stale = sa.or_(k.used_at.is_(None), k.used_at <= now - every)
    session.execute(sa.update(api_key).where(k.id == id, stale).values(used_at=now))
