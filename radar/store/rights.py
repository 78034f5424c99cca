"""Rights of the listed, in the store: correct, hide and erase an author, know an erased one again by a hash alone.

The hash is HMAC-SHA256 of (platform, native id) under a key of the store's own, made with the first erasure: without
the key nobody can tell who it stands for, and with it only guess by guess.
"""

import hmac
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.markets import MARKETS
from radar.store.engine import SQL_VARIABLES, chunks, upsert
from radar.store.measures import forget_measures, mark_authors
from radar.store.posts import mark_dirty
from radar.store.tables import (
    author,
    author_note,
    erased_author,
    meta,
    metadata,
    person,
    post,
    pushed_batch,
    rejected_post,
    snapshot,
    source_state,
    tracked_mention,
    trend_adoption,
    watched_account,
)
from radar.store.version import answers_changed
from radar.text.mentions import without_mentions

ERASURE_KEY = "erasure key"
CORRECTABLE = ("handle", "name", "url", "bio", "languages", "follower_count")
"""What can be corrected besides the audience market."""
_GONE = "erased"
NOWHERE = "https://erased.invalid"
_POSTS = 500
_LONGEST_WINDOW = timedelta(days=10)
"""From a post to a snapshot that can still show it: windows have 7 days at most, and a day is summed up at its end."""


class Listed(NamedTuple):
    """Who an author is: what has to leave no trace."""

    id: int
    platform: str
    native_id: str
    person_id: int
    handle: str | None
    name: str | None
    url: str | None
    audience_market: str


def identity(session: Session, author_id: int) -> Listed | None:
    """An author, hidden or not."""
    row = session.execute(
        sa.select(*[author.c[name] for name in Listed._fields]).where(author.c.id == author_id)
    ).first()
    return Listed(*row) if row else None


# ---- knowing an erased author again ----


def _digest(key: str, platform: str, native_id: str) -> str:
    return hmac.new(bytes.fromhex(key), f"{platform}\0{native_id}".encode("utf-8", "replace"), sha256).hexdigest()


def has_erased(session: Session) -> bool:
    """Whether anybody's erasure was ever asked for."""
    return session.scalar(sa.select(meta.c.value).where(meta.c.name == ERASURE_KEY)) is not None


def erased_among(session: Session, identities: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those (platform, native id)s whose erasure was asked for."""
    key = session.scalar(sa.select(meta.c.value).where(meta.c.name == ERASURE_KEY))
    if key is None:
        return set()
    by_digest = {_digest(key, platform, native_id): (platform, native_id) for platform, native_id in identities}
    found: set[tuple[str, str]] = set()
    for some in chunks(list(by_digest), SQL_VARIABLES):
        found |= {by_digest[d] for d in session.scalars(
            sa.select(erased_author.c.digest).where(erased_author.c.digest.in_(some))
        )}  # fmt: skip
    return found


def refuse_from_now(session: Session, who: Listed, now: datetime) -> None:
    """Remember an author by keyed hashes only: of its id, and of what others mention it by."""
    upsert(session, meta, [{"name": ERASURE_KEY, "value": secrets.token_hex(32)}], on=["name"])
    key = session.scalar(sa.select(meta.c.value).where(meta.c.name == ERASURE_KEY))
    assert key is not None
    names = {who.native_id, *(as_mention(name) for name in handles(who))}
    rows = [{"digest": _digest(key, who.platform, name), "erased_at": now} for name in sorted(names)]
    upsert(session, erased_author, rows, on=["digest"])


def handles(who: Listed) -> set[str]:
    """What others mention an author by, lower case; a number is nobody's handle."""
    return {name.lower() for name in (who.handle, who.native_id) if name and not name.isdecimal()}


def as_mention(handle: str) -> str:
    """What stands for a mention where erased authors are known by hashes."""
    return f"@{handle}"


# ---- erasing ----


def erase_posts(session: Session, author_id: int) -> list[str]:
    """Delete some of an author's posts and all that hangs on them; their native ids, none when all are gone."""
    answers_changed(session, removed=True)
    rows = session.execute(
        sa.select(
            post.c.id, post.c.native_id, post.c.platform, post.c.audience_market, post.c.local_day, post.c.published_at
        )
        .where(post.c.author_id == author_id)
        .order_by(post.c.published_at)
        .limit(_POSTS)
    ).all()
    if not rows:
        return []
    ids, names = [row.id for row in rows], [row.native_id for row in rows]
    _delete_hanging(session, post, ids)
    session.execute(
        sa.update(post).where(post.c.platform == rows[0].platform, post.c.repost_of.in_(names)).values(repost_of=_GONE)
    )
    session.execute(sa.delete(post).where(post.c.id.in_(ids)))
    mark_dirty(session, {(row.audience_market, row.local_day) for row in rows})
    _forget_evidence(session, set(ids), rows[0].published_at, rows[-1].published_at)
    session.execute(sa.delete(rejected_post).where(rejected_post.c.native_id.in_(names)))
    return names


def _delete_hanging(session: Session, table: sa.Table, ids: Sequence[int]) -> None:
    """Delete what refers to rows of a table, in every table that there is; posts go before their author."""
    for other in reversed(metadata.sorted_tables):
        for column in other.columns:
            if any(key.column is table.c.id for key in column.foreign_keys) and other is not post:
                session.execute(sa.delete(other).where(column.in_(ids)))


def _forget_evidence(session: Session, ids: set[int], first: datetime, last: datetime) -> None:
    """Take posts out of the evidence of every snapshot whose window can hold one published from first to last."""
    c = snapshot.c
    for market in MARKETS:  # an author's market can have been another
        near = sa.and_(c.audience_market == market, c.as_of >= first, c.as_of <= last + _LONGEST_WINDOW)
        rows = session.execute(sa.select(c.episode_id, c.as_of, c.working).where(near)).all()
        for episode_id, as_of, working in rows:
            if ids.intersection(working.get("evidence", ())):
                kept = working | {"evidence": [i for i in working["evidence"] if i not in ids]}
                mine = sa.and_(c.episode_id == episode_id, c.as_of == as_of)
                session.execute(sa.update(snapshot).where(mine).values(working=kept))


def erase_author(session: Session, who: Listed) -> None:
    """Delete an author whose posts are gone, with all that hangs on it, and what names it elsewhere."""
    answers_changed(session, removed=True)
    forget_measures(session, [who.id])
    _delete_hanging(session, author, [who.id])
    session.execute(sa.delete(author).where(author.c.id == who.id))
    if session.scalar(sa.select(author.c.id).where(author.c.person_id == who.person_id).limit(1)) is None:
        session.execute(sa.delete(trend_adoption).where(trend_adoption.c.person_id == who.person_id))
        session.execute(sa.delete(tracked_mention).where(tracked_mention.c.person_id == who.person_id))
        session.execute(sa.delete(person).where(person.c.id == who.person_id))
    named = {name for name in (who.handle, who.native_id, who.url) if name}
    _forget_watched(session, who, named)
    for name in sorted(named):
        told = source_state.c.last_error.contains(name, autoescape=True)
        session.execute(sa.update(source_state).where(told).values(last_error=None, last_error_at=None))


_TEXTS: Sequence[tuple[sa.Table, str]] = ((post, "text"), (author, "bio"), (author_note, "text"))
"""Where others may name an author, with `id`; those with a platform name those of it."""
_END = r"(?:[/?#]\S*|(?![\w-]|\.\w))"
STRETCH = 20_000
"""Ids that one look at texts goes over."""


def forget_answers(session: Session) -> bool:
    """Delete the oldest answers to pushes, which name posts: a push is safe to repeat without them.

    False where all that were there are gone, though others may come meanwhile.
    """
    key = pushed_batch.c.idempotency_key
    some = session.scalars(sa.select(key).order_by(pushed_batch.c.pushed_at).limit(_POSTS)).all()
    session.execute(sa.delete(pushed_batch).where(key.in_(some)))
    return len(some) == _POSTS


def rejects_naming(session: Session, who: Listed) -> Iterator[list[int]]:
    """Items set aside that hold the author's handle, id or address, some ids at a time, as `texts_naming`."""
    c = rejected_post.c
    names = sorted({name for name in (who.handle, who.native_id, who.url) if name})
    said = sa.or_(*(c.payload.contains(name, autoescape=True) for name in names))
    for here in _stretches(session, rejected_post):
        if ids := session.scalars(sa.select(c.id).where(here, said)).all():
            yield list(ids)


def forget_rejects(session: Session, ids: Sequence[int]) -> None:
    """Delete items that were set aside."""
    for some in chunks(ids, SQL_VARIABLES):
        session.execute(sa.delete(rejected_post).where(rejected_post.c.id.in_(some)))


def _stretches(session: Session, table: sa.Table) -> Iterator[sa.ColumnElement[bool]]:
    """The ids of a table, some at a time, each read in a transaction of its own."""
    lowest = session.scalar(sa.select(sa.func.min(table.c.id))) or 0
    last = session.scalar(sa.select(sa.func.max(table.c.id))) or 0
    for first in range(lowest, last + 1, STRETCH):
        session.rollback()  # no long snapshot
        yield sa.and_(table.c.id >= first, table.c.id < first + STRETCH)


class Naming(NamedTuple):
    """A text that may name somebody."""

    table: sa.Table
    column: str
    id: int
    text: str


def texts_naming(session: Session, who: Listed) -> Iterator[list[Naming]]:
    """Others' texts that hold the author's handle or address, some ids at a time. For a call that may take its time."""
    names = [*handles(who), *([_address(who.url)] if who.url else [])]
    for table, column in _TEXTS if names else ():
        c = table.c
        said = sa.or_(*(c[column].icontains(name, autoescape=True) for name in names))
        mine = [c.platform == who.platform] if "platform" in c else []
        for here in _stretches(session, table):
            if rows := session.execute(sa.select(c.id, c[column]).where(here, said, *mine)).all():
                yield [Naming(table, column, *row) for row in rows]


def forget_mentions(session: Session, who: Listed, found: Sequence[Naming]) -> int:
    """Name the author no more in texts of others that are still as they were found; how many changed."""
    names = handles(who)
    changed = 0
    for table, column, row_id, text in found:
        kept = without_mentions(text, names.__contains__)
        if who.url:
            kept = re.sub(rf"(?:https?://)?(?:www\.)?{re.escape(_address(who.url))}{_END}", NOWHERE, kept)
        if kept != text:
            mine = sa.and_(table.c.id == row_id, table.c[column] == text)
            changed += session.connection().execute(sa.update(table).where(mine).values({column: kept})).rowcount
    if changed:
        answers_changed(session, removed=True)
    return changed


def _address(url: str) -> str:
    return url.rpartition("://")[2].removeprefix("www.").rstrip("/")


def _forget_watched(session: Session, who: Listed, named: set[str]) -> None:
    """Take the account off the watch lists of its own platform's sources and of feeds."""
    names = {form for name in named for form in (name.casefold(), _name_in(name))}
    w = watched_account.c
    watched = sa.select(w.source, w.handle, source_state.c.kind).join(source_state, source_state.c.name == w.source)
    for source, handle, kind in session.execute(watched).all():
        is_own = handle.casefold() in names if kind == "feed" else kind == who.platform and _name_in(handle) in names
        if is_own:
            session.execute(sa.delete(watched_account).where(w.source == source, w.handle == handle))


def _name_in(handle: str) -> str:
    """The name in a handle, an address or Board/author, as sources read it.

    >>> _name_in("@Ann"), _name_in("https://x.example/Ann/"), _name_in("Japan_Travel/ann")
    ('ann', 'ann', 'ann')
    """
    return handle.strip().rstrip("/").rpartition("/")[2].lstrip("@").casefold()


# ---- hiding and correcting ----


def hide(session: Session, author_id: int, now: datetime) -> None:
    """Show an author nowhere from now on; it is still counted."""
    answers_changed(session, removed=True)
    session.execute(sa.update(author).where(author.c.id == author_id).values(hidden_at=now))
    forget_measures(session, [author_id])


def show(session: Session, author_id: int, now: datetime) -> None:
    """Show an author again that was hidden; it is measured anew."""
    answers_changed(session)
    session.execute(sa.update(author).where(author.c.id == author_id).values(hidden_at=None))
    mark_authors(session, [author_id], now)


def correct(session: Session, author_id: int, values: dict[str, Any], now: datetime) -> None:
    """Set what an author says of itself; no source changes it afterwards."""
    answers_changed(session, removed=True)
    before = session.scalar(sa.select(author.c.corrected).where(author.c.id == author_id)) or ""
    names = sorted({*before.split(), *values})
    session.execute(sa.update(author).where(author.c.id == author_id).values(values | {"corrected": " ".join(names)}))
    mark_authors(session, [author_id], now)
