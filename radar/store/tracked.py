"""Tracked keys: what users follow, the sweep that finds a changed key in stored posts, and who mentioned which key."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.keys import Kind
from radar.store.engine import SQL_VARIABLES, chunks, one_writer, upsert
from radar.store.tables import aside_signal, key, meta, post, post_signal, tracked_key, tracked_mention

VERSION = "tracked version"
"""Name in `meta` of a number that grows with each change of the forms: who read with another one reads again."""


class Tracked(NamedTuple):
    """A tracked key. forms: (language, text); deleted_at: until it is out of all posts."""

    id: int
    key_hash: int
    name: str
    kind: str
    group_name: str
    forms: list[tuple[str, str]]
    who: str
    created_at: datetime
    changed_at: datetime
    deleted_at: datetime | None
    revision: int
    swept_to: int
    sweep_until: int


_COLUMNS = [tracked_key.c[name] for name in Tracked._fields]


def _tracked(row: Any) -> Tracked:
    return Tracked(*row)._replace(forms=[(language, text) for language, text in row.forms])


def tracked_keys(session: Session) -> list[Tracked]:
    """All of them, by group and name; those on their way out too. Users keep at most some hundreds."""
    statement = sa.select(*_COLUMNS).order_by(tracked_key.c.group_name, tracked_key.c.name, tracked_key.c.id)
    return [_tracked(row) for row in session.execute(statement)]


def tracked_by_hash(session: Session, key_hash: int) -> Tracked | None:
    """One by its key, on its way out or not."""
    row = session.execute(sa.select(*_COLUMNS).where(tracked_key.c.key_hash == key_hash)).first()
    return _tracked(row) if row else None


def tracked_by_id(session: Session, number: int) -> Tracked | None:
    """One by its id, unless it is on its way out."""
    mine = sa.and_(tracked_key.c.id == number, tracked_key.c.deleted_at.is_(None))
    row = session.execute(sa.select(*_COLUMNS).where(mine)).first()
    return _tracked(row) if row else None


def version(session: Session, *, hold: bool = False) -> str:
    """The version of all forms; hold: keep it from changing until the transaction ends."""
    statement = sa.select(meta.c.value).where(meta.c.name == VERSION)
    return session.scalar(statement.with_for_update(read=True) if hold else statement) or "0"


def _renew(session: Session) -> None:
    """Another version; whoever has read posts by the one before reads them again."""
    upsert(session, meta, [{"name": VERSION, "value": "0"}], on=["name"])
    held = session.scalar(sa.select(meta.c.value).where(meta.c.name == VERSION).with_for_update())
    session.execute(sa.update(meta).where(meta.c.name == VERSION).values(value=str(int(held or 0) + 1)))


def put(session: Session, values: Mapping[str, Any], *, sweeps: bool) -> int:
    """Write a tracked key by its hash, new or again, and return its id.

    sweeps  whether stored posts are to be looked through again: its forms are new
    """
    one_writer(session, VERSION)
    row = dict(values)
    if sweeps:
        _renew(session)
        row |= {"swept_to": 0, "sweep_until": session.scalar(sa.select(sa.func.max(post.c.id))) or 0}
    mine = tracked_key.c.key_hash == row["key_hash"]
    found = session.execute(sa.select(tracked_key.c.id, tracked_key.c.revision).where(mine)).first()
    if found is None:
        done = session.execute(sa.insert(tracked_key).values(**row, revision=1).returning(tracked_key.c.id))
        number: int = done.scalar_one()
    else:
        number = found.id
        session.execute(sa.update(tracked_key).where(mine).values(**row, revision=found.revision + int(sweeps)))
    if "name" in row:
        named = {"hash": row["key_hash"], "kind": int(Kind.TRACKED), "text": row["name"], "gloss": None}
        upsert(session, key, [named], on=["hash"], update=["text"])
    return number


# ---- the sweep over stored posts ----


class Swept(NamedTuple):
    """A stored post and what was read in it: by the model of its reading, or aside by another one (model_id)."""

    post_id: int
    audience_market: str
    local_day: date
    text: str
    keys: bytes
    model_id: str | None


def readings_between(session: Session, after: int, upto: int, limit: int) -> tuple[list[Swept], int]:
    """Readings of the first posts with ids in (after, upto], and the last id that was looked at."""
    near = sa.select(post.c.id).where(post.c.id > after, post.c.id <= upto).order_by(post.c.id).limit(limit)
    ids = list(session.scalars(near))
    if not ids:
        return [], upto
    found: list[Swept] = []
    for table, model in ((post_signal, sa.null()), (aside_signal, aside_signal.c.model_id)):
        statement = (
            sa.select(post.c.id, post.c.audience_market, post.c.local_day, post.c.text, table.c["keys"], model)
            .join(table, table.c.post_id == post.c.id)
            .where(post.c.id > after, post.c.id <= ids[-1], post.c.text.is_not(None), post.c.deleted_at.is_(None))
        )
        found += [Swept(*row) for row in session.execute(statement)]
    return found, ids[-1]


def rewrite_keys(session: Session, changes: Iterable[tuple[Swept, bytes]]) -> None:
    """Put other keys in readings, unless a post was read anew since."""
    plain: list[dict[str, Any]] = []
    aside: list[dict[str, Any]] = []
    for reading, keys in changes:
        row = {"b_post": reading.post_id, "b_old": reading.keys, "b_new": keys, "b_model": reading.model_id}
        (plain if reading.model_id is None else aside).append(row)
    for table, rows in ((post_signal, plain), (aside_signal, aside)):
        if not rows:
            continue
        mine = [table.c.post_id == sa.bindparam("b_post"), table.c["keys"] == sa.bindparam("b_old")]
        if table is aside_signal:
            mine.append(table.c.model_id == sa.bindparam("b_model"))
        else:
            rows = [{name: row[name] for name in ("b_post", "b_old", "b_new")} for row in rows]
        statement = sa.update(table).where(*mine).values(keys=sa.bindparam("b_new"))
        session.connection().execute(statement, rows)


def swept(session: Session, keys: Sequence[Tracked], last: int) -> bool:
    """Say that posts up to an id are done for these keys; False where one of them changed meanwhile."""
    for one in keys:
        c = tracked_key.c
        mine = sa.and_(c.id == one.id, c.revision == one.revision, c.swept_to == one.swept_to)
        if not session.connection().execute(sa.update(tracked_key).where(mine).values(swept_to=last)).rowcount:
            return False
    return True


def drop_swept(session: Session, one: Tracked) -> None:
    """Forget a deleted key that is out of all posts; who mentioned it goes with the recount of those days."""
    mine = sa.and_(tracked_key.c.id == one.id, tracked_key.c.revision == one.revision)
    session.execute(sa.delete(tracked_key).where(mine))
    session.execute(sa.delete(tracked_mention).where(tracked_mention.c.key_hash == one.key_hash))


# ---- who mentioned what ----


def put_mentions(session: Session, market: str, rows: Mapping[date, Sequence[Mapping[str, Any]]]) -> None:
    """Put who mentioned tracked keys in place of what stood there for these days of a market."""
    c = tracked_mention.c
    for days in chunks(sorted(rows), SQL_VARIABLES):
        session.execute(sa.delete(tracked_mention).where(c.audience_market == market, c.local_day.in_(days)))
    flat = [row for day in sorted(rows) for row in rows[day]]
    if flat:
        session.execute(sa.insert(tracked_mention), flat)


class Mentioned(NamedTuple):
    """How many persons mentioned a key (0: any of several) in a market, in how many posts."""

    key_hash: int
    audience_market: str
    persons: int
    posts: int


def mentioned(
    session: Session, hashes: Collection[int], markets: Mapping[str, tuple[date, date]]
) -> dict[tuple[int, str], Mentioned]:
    """Persons and posts by key and market over each market's local days (first, last); key 0 is any of the keys."""
    c = tracked_mention.c
    found: dict[tuple[int, str], Mentioned] = {}
    for market, (first, last) in markets.items():
        mine = [c.key_hash.in_(hashes), c.audience_market == market, c.local_day >= first, c.local_day <= last]
        counts = (sa.func.count(c.person_id.distinct()), sa.func.coalesce(sa.func.sum(c.post_count), 0))
        for number, persons, posts in session.execute(sa.select(c.key_hash, *counts).where(*mine).group_by(c.key_hash)):
            found[number, market] = Mentioned(number, market, persons, int(posts))
        persons, posts = session.execute(sa.select(*counts).where(*mine)).one()
        found[0, market] = Mentioned(0, market, persons, int(posts))
    return found
