"""Keys that somebody watches: what named lists hold beside KOLs."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.keys import Kind
from radar.store.engine import upsert
from radar.store.tables import author, author_list, key, list_key, list_member

MOST_KEYS = 1000
"""Keys on one list."""
_k = list_key.c


class WatchedKey(NamedTuple):
    """A key on a list. audience_market is empty and place 0 where it is watched in all of them."""

    key_hash: int
    audience_market: str
    place: int
    added_at: datetime
    kind: int
    text: str
    gloss: str | None


def keys_on(session: Session, list_id: int) -> list[WatchedKey]:
    """The keys on a list, by when they were put there."""
    statement = (
        sa.select(_k.key_hash, _k.audience_market, _k.place, _k.added_at, key.c.kind, key.c.text, key.c.gloss)
        .join(key, key.c.hash == _k.key_hash)
        .where(_k.list_id == list_id)
        .order_by(_k.added_at, _k.key_hash)
        .limit(MOST_KEYS)
    )
    return [WatchedKey(*row) for row in session.execute(statement)]


def counted(session: Session) -> dict[int, int]:
    """How many keys are on each list."""
    statement = sa.select(_k.list_id, sa.func.count()).group_by(_k.list_id)
    return {row[0]: row[1] for row in session.execute(statement)}


def lists_watching(session: Session, key_hash: int, market: str) -> list[str]:
    """Names of the lists that hold a key, in a market or in all."""
    statement = (
        sa.select(author_list.c.name)
        .join(list_key, _k.list_id == author_list.c.id)
        .where(_k.key_hash == key_hash, _k.audience_market.in_((market, "")))
        .distinct()
        .order_by(author_list.c.name)
    )
    return list(session.scalars(statement))


def put_keys(session: Session, name: str, rows: Sequence[tuple[Kind, str, int, str, int]], now: datetime) -> None:
    """Put keys on a list, which is made if there is none: rows of kind, text, number, market (or ""), place (or 0)."""
    upsert(session, author_list, [{"name": name, "created_at": now}], on=["name"])
    list_id = session.scalar(sa.select(author_list.c.id).where(author_list.c.name == name))
    names = [{"hash": number, "kind": int(kind), "text": text, "gloss": None} for kind, text, number, _, _ in rows]
    upsert(session, key, names, on=["hash"])
    held = [
        {"list_id": list_id, "key_hash": number, "audience_market": market, "place": place, "added_at": now}
        for _, _, number, market, place in rows
    ]
    upsert(session, list_key, held, on=["list_id", "key_hash", "audience_market", "place"])


def take_keys_off(session: Session, list_id: int, key_hash: int, market: str | None = None) -> int:
    """Take a key off a list, in one market ("" for the line of all) or wherever it is watched; how many lines."""
    mine = [_k.list_id == list_id, _k.key_hash == key_hash]
    if market is not None:
        mine.append(_k.audience_market == market)
    return int(session.connection().execute(sa.delete(list_key).where(*mine)).rowcount)


class WatchedKol(NamedTuple):
    """A KOL on a list."""

    id: int
    platform: str
    handle: str | None
    name: str | None
    audience_market: str


def kols_on(session: Session, list_id: int, *, limit: int) -> list[WatchedKol]:
    """The KOLs on a list that may be shown, by when they were put there; also those not measured yet."""
    statement = (
        sa.select(*[author.c[name] for name in WatchedKol._fields])
        .join(list_member, list_member.c.author_id == author.c.id)
        .where(list_member.c.list_id == list_id, author.c.hidden_at.is_(None))
        .order_by(list_member.c.added_at, author.c.id)
        .limit(limit)
    )
    return [WatchedKol(*row) for row in session.execute(statement)]


def persons_on(session: Session, list_id: int) -> set[int]:
    """The persons whose accounts are on a list."""
    statement = (
        sa.select(author.c.person_id)
        .join(list_member, list_member.c.author_id == author.c.id)
        .where(list_member.c.list_id == list_id, author.c.hidden_at.is_(None))
    )
    return set(session.scalars(statement))
