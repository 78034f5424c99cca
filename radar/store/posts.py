"""Posts, authors and persons: writing what sources give, and reading it back."""

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import cache
from itertools import repeat
from typing import Any, NamedTuple, TypeVar

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.markets import MARKETS, local_day
from radar.store.engine import (
    SQL_VARIABLES,
    as_bound,
    chunks,
    columns_read,
    next_ids,
    one_of,
    one_of_named,
    update_by_id,
    upsert,
    upsert_columns,
)
from radar.store.measures import AT_ONCE, mark_authors
from radar.store.tables import aside_signal as aside
from radar.store.tables import author, dirty_day, engagement_observation, follower_observation, person, post, post_topic
from radar.store.tables import post_signal as signal
from radar.store.version import answers_changed

T = TypeVar("T")
COUNTS = ("like_count", "comment_count", "share_count", "view_count")


class KnownPost(NamedTuple):
    """What ingest compares a post with."""

    id: int
    native_id: str
    author_id: int
    audience_market: str
    local_day: date
    published_at: datetime
    day_only: bool
    text: str | None
    language: str | None
    url: str | None
    media_kind: str | None
    repost_of: str | None
    platform_sponsored: bool | None
    like_count: int | None
    comment_count: int | None
    share_count: int | None
    view_count: int | None
    deleted_at: datetime | None
    revision: int
    file: int | None
    line: int | None


Identity = tuple[str, str]
"""A platform and the id that a post or an author has there."""


def known_posts(session: Session, platform: str, native_ids: Iterable[str]) -> dict[str, KnownPost]:
    """Stored posts of a platform by native id."""
    known = posts_known(session, [(platform, native_id) for native_id in native_ids])
    return {native_id: k for (_, native_id), k in known.items()}


def posts_known(session: Session, identities: Iterable[Identity]) -> dict[Identity, KnownPost]:
    """Stored posts by identity."""
    return dict(_named(session, _posts_named, KnownPost._make, identities))


@cache
def _posts_named(dialect: str) -> sa.Select[Any]:
    mine = post.c.platform == sa.bindparam("platform"), one_of_named(dialect, post.c.native_id, "names")
    return sa.select(*[post.c[name] for name in KnownPost._fields]).where(*mine)


def _named(
    session: Session,
    statement: Callable[[str], sa.Select[Any]],
    made: Callable[[tuple[Any, ...]], T],
    identities: Iterable[Identity],
) -> Iterator[tuple[Identity, T]]:
    """What is made of rows, by identity: native_id is the second of their columns.

    A platform at a time, of which there are few: that is half of the work of looking for pairs. `statement` makes one
    for a dialect and keeps it: to make one anew takes SQLAlchemy as long as reading a hundred rows.
    """
    told: dict[str, list[str]] = {}
    for platform, native_id in identities:
        told.setdefault(platform, []).append(native_id)
    dialect = session.get_bind().dialect.name
    for platform, names in told.items():
        bound = {"platform": platform, "names": as_bound(dialect, names)}
        columns = columns_read(session, statement(dialect), bound)
        rows = map(made, zip(*columns, strict=True))
        yield from zip(zip(repeat(platform), columns[1]), rows, strict=True)


class KnownAuthor(NamedTuple):
    """What ingest compares an author with. person is the name that links accounts; None for an account alone."""

    id: int
    native_id: str
    audience_market: str
    follower_count: int | None
    first_post_at: datetime | None
    handle: str | None
    name: str | None
    url: str | None
    bio: str | None
    languages: str | None
    file: int | None
    line: int | None
    market_source: str
    corrected: str | None
    person: str | None


def authors_known(session: Session, identities: Iterable[Identity]) -> dict[Identity, KnownAuthor]:
    """Stored authors by identity."""
    return dict(_named(session, _authors_named, KnownAuthor._make, identities))


@cache
def _authors_named(dialect: str) -> sa.Select[Any]:
    mine = author.c.platform == sa.bindparam("platform"), one_of_named(dialect, author.c.native_id, "names")
    columns = [*[author.c[name] for name in KnownAuthor._fields[:-1]], person.c.name.label("of")]
    joined = author.join(person, person.c.id == author.c.person_id)
    return sa.select(*columns).select_from(joined).where(*mine)


def add_authors(
    session: Session, rows: Sequence[dict[str, Any]], person_names: Sequence[str | None]
) -> dict[Identity, KnownAuthor]:
    """Insert authors. Those with the same person name become accounts of one person; without one, a person each.

    An account that another process inserted meanwhile is left as it is. Returns all of them as they are stored.
    """
    known = _persons(session, {name for name in person_names if name})
    single = iter(_single_persons(session, sum(1 for name in person_names if not name)))
    for row, name, row_id in zip(rows, person_names, next_ids(session, author, len(rows)), strict=True):
        row |= {"id": row_id, "person_id": known[name] if name else next(single)}
    if upsert(session, author, rows, on=["platform", "native_id"]) != len(rows):
        return authors_known(session, [(row["platform"], row["native_id"]) for row in rows])
    told = [name for name in KnownAuthor._fields if name not in ("corrected", "person")]
    return {
        (row["platform"], row["native_id"]): KnownAuthor(
            **{name: row[name] for name in told}, corrected=None, person=name or None
        )
        for row, name in zip(rows, person_names, strict=True)
    }


def link_authors(session: Session, person_of: dict[int, str]) -> set[tuple[str, date]]:
    """Make authors (by id) accounts of the person of that name; the (market, local day)s whose counts that changes."""
    known = _persons(session, set(person_of.values()))
    update_by_id(session, author, "author_id", [{"author_id": i, "person_id": known[n]} for i, n in person_of.items()])
    mark_authors(session, person_of, AT_ONCE)
    days: set[tuple[str, date]] = set()
    for some in chunks(list(person_of), SQL_VARIABLES):
        statement = sa.select(post.c.audience_market, post.c.local_day).where(post.c.author_id.in_(some)).distinct()
        days |= {(market, day) for market, day in session.execute(statement)}
    return days


def move_authors(session: Session, market_of: dict[int, str]) -> set[tuple[str, date]]:
    """Give authors (by id) of an inferred market, and all their posts, the one that was declared since.

    Returns the (market, local day)s whose counts that changes, before and after.
    """
    declared = {"market_source": "declared", "market_confidence": 1.0, "market_reasons": None}
    rows = [{"author_id": i, "audience_market": code} | declared for i, code in market_of.items()]
    update_by_id(session, author, "author_id", rows)
    days: set[tuple[str, date]] = set()
    for some in chunks(list(market_of), SQL_VARIABLES):
        statement = sa.select(
            post.c.id, post.c.author_id, post.c.audience_market, post.c.local_day, post.c.published_at
        ).where(post.c.author_id.in_(some))
        moved = []
        for post_id, author_id, before, day, published_at in session.execute(statement):
            code = market_of[author_id]
            moved.append(
                {"post_id": post_id, "audience_market": code, "local_day": local_day(published_at, MARKETS[code].tz)}
            )
            days |= {(before, day), (code, moved[-1]["local_day"])}
        change_posts(session, moved)
    return days


def change_authors(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Set what authors say of themselves, or which row of a file said so last. All rows have the same columns."""
    update_by_id(session, author, "author_id", rows)


def _persons(session: Session, names: set[str]) -> dict[str, int]:
    """Ids of persons by the name that links their accounts; those that are missing are added."""
    known: dict[str, int] = {}
    for some in chunks(sorted(names), SQL_VARIABLES):
        statement = sa.select(person.c.name, person.c.id).where(person.c.name.in_(some))
        known |= {row.name: row.id for row in session.execute(statement)}
    new = [{"name": name} for name in sorted(names - known.keys())]
    if new:
        added = session.execute(sa.insert(person).returning(person.c.name, person.c.id), new)
        known |= dict(added.all())
    return known


def _single_persons(session: Session, count: int) -> list[int]:
    """Ids of that many new persons whose accounts stand alone."""
    ids = next_ids(session, person, count) if count else []
    upsert(session, person, [{"id": i, "name": None} for i in ids], on=["id"])
    return ids


def see_followers(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Put follower counts into the history, a day on which they were seen unchanged too; the last of a day stands.

    rows of author_id, observed_on, follower_count
    """
    on, update = ["author_id", "observed_on"], ["follower_count"]
    upsert(session, follower_observation, rows, on=on, update=update, unless_same=True)


def set_first_posts(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """When authors' oldest posts were published; rows of author_id, first_post_at."""
    update_by_id(session, author, "author_id", rows)


def add_posts(session: Session, columns: dict[str, list[Any]]) -> list[int]:
    """Insert new posts; one that another process inserted meanwhile is left for the next reading of its source.

    columns  the values of each column, in the order of the posts

    Returns the ids of all of them, in that order.
    """
    identities = list(zip(columns["platform"], columns["native_id"], strict=True))
    if not identities:
        return []
    ids = next_ids(session, post, len(identities))
    filled = {name: values for name, values in columns.items() if values.count(None) < len(values)}
    if upsert_columns(session, post, {"id": ids, **filled}, on=["platform", "native_id"]) == len(ids):
        return ids
    known = posts_known(session, identities)
    return [known[identity].id for identity in identities]


def change_posts(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Set columns of posts by id. All rows have the same columns."""
    update_by_id(session, post, "post_id", rows)


def forget_signals(session: Session, post_ids: Sequence[int], *, removed: bool = True) -> None:
    """Take away what was read in posts that are deleted (removed), or will be read anew."""
    if post_ids:
        answers_changed(session, removed=removed)
    for some in chunks(post_ids, SQL_VARIABLES):
        session.execute(sa.delete(signal).where(signal.c.post_id.in_(some)))
        session.execute(sa.delete(aside).where(aside.c.post_id.in_(some)))
        session.execute(sa.delete(post_topic).where(post_topic.c.post_id.in_(some)))


def add_engagement(session: Session, seen: Sequence[tuple[int | None, ...]], observed_at: datetime) -> None:
    """Append observations of counts, of one moment the last; seen: a post's id and its four counts."""
    if seen:
        columns = dict(zip(("post_id", *COUNTS), map(list, zip(*seen, strict=True)), strict=True))
        columns["observed_at"] = [observed_at] * len(seen)
        upsert_columns(session, engagement_observation, columns, on=["post_id", "observed_at"], update=COUNTS)


def mark_dirty(session: Session, days: Iterable[tuple[str, date]]) -> None:
    """Ask for a recount of (market, local day) pairs, in the transaction that changed their posts."""
    mark = secrets.randbits(31)
    rows = [{"audience_market": market, "local_day": day, "mark": mark} for market, day in sorted(set(days))]
    upsert(session, dirty_day, rows, on=["audience_market", "local_day"], update=["mark"])


class UnreadPost(NamedTuple):
    """A post that waits for classification."""

    id: int
    author_id: int
    revision: int
    text: str
    language: str | None
    audience_market: str
    local_day: date
    platform_sponsored: bool | None
    repost_of: str | None
    author_languages: str | None = None


UNREAD = (*[post.c[name] for name in UnreadPost._fields[:-1]], author.c.languages)
"""Columns of an UnreadPost; the statement joins the author."""


def native_ids(session: Session, source: str) -> list[str]:
    """Ids at their platform of all posts of a source that are not deleted."""
    statement = sa.select(post.c.native_id).where(post.c.source == source, post.c.deleted_at.is_(None))
    return list(session.scalars(statement.order_by(post.c.id)))


def pass_over(session: Session, sources: Sequence[str], now: datetime) -> None:
    """Count posts of sources from which nothing may be derived as read, with nothing read in them."""
    statement = sa.update(post).where(post.c.classified_at.is_(None), post.c.source.in_(sources))
    session.execute(statement.values(classified_at=now))


def read_passed_over(session: Session, source: str) -> int:
    """Let the posts of a source that were passed over be read; how many."""
    unread = sa.select(signal.c.post_id).where(signal.c.post_id == post.c.id)
    statement = sa.update(post).where(post.c.source == source, post.c.text.is_not(None), post.c.deleted_at.is_(None))
    statement = statement.where(post.c.classified_at.is_not(None), ~sa.exists(unread)).values(classified_at=None)
    return int(session.connection().execute(statement).rowcount)


def claim_unread(
    session: Session, after: int, last: int | None, limit: int, but: Sequence[str] = ()
) -> list[UnreadPost]:
    """The same of posts that nobody else has claimed: they are this transaction's until it ends. PostgreSQL only.

    last  None: there is no last one
    """
    statement = (
        sa.select(*UNREAD)
        .join(author, author.c.id == post.c.author_id)
        .where(post.c.classified_at.is_(None), post.c.id > after, post.c.source.not_in(but))
        .order_by(post.c.id)
        .limit(limit)
        .with_for_update(of=post, skip_locked=True, key_share=True)  # rows that refer to the post may come meanwhile
    )
    if last is not None:
        statement = statement.where(post.c.id <= last)
    return list(map(UnreadPost._make, session.execute(statement).all()))


def unread_posts(session: Session, after: int, last: int | None, but: Sequence[str] = ()) -> list[UnreadPost]:
    """Posts not classified yet with ids in (after, last], by id. but: sources whose posts are left alone."""
    statement = (
        sa.select(*UNREAD)
        .join(author, author.c.id == post.c.author_id)
        .where(post.c.classified_at.is_(None), post.c.id > after)
        .order_by(post.c.id)
    )
    if but:
        statement = statement.where(post.c.source.not_in(but))
    if last is not None:
        statement = statement.where(post.c.id <= last)
    return list(map(UnreadPost._make, zip(*columns_read(session, statement), strict=True)))


def posts_of_days(session: Session, market: str, days: Sequence[date]) -> dict[date, int]:
    """How many posts some local days of a market have, deleted ones too."""
    mine = post.c.audience_market == market, one_of(session, post.c.local_day, days)
    statement = sa.select(post.c.local_day, sa.func.count().label("posts")).where(*mine).group_by(post.c.local_day)
    return {row.local_day: row.posts for row in session.execute(statement)}


def still_unread(session: Session, post_ids: Sequence[int]) -> dict[int, tuple[int, str, date]]:
    """Of some posts that were stored unread, those that still are as they were: author, market and local day by id.

    One that was changed, deleted, erased or read meanwhile is not among them.
    """
    c = post.c
    statement = sa.select(c.id, c.author_id, c.audience_market, c.local_day).where(one_of(session, c.id, post_ids))
    rows = session.execute(statement.where(c.classified_at.is_(None), c.revision == 1, c.deleted_at.is_(None)))
    return {post_id: (author_id, market, day) for post_id, author_id, market, day in rows}


def unread_after(session: Session, after: int, nth: int) -> int | None:
    """Id of the nth post above `after` that is not classified yet; None where there are fewer."""
    statement = sa.select(post.c.id).where(post.c.classified_at.is_(None), post.c.id > after).order_by(post.c.id)
    return session.scalar(statement.offset(nth - 1).limit(1))


def last_unread(session: Session, after: int) -> int | None:
    """The highest id above `after` that is not classified yet."""
    statement = sa.select(post.c.id).where(post.c.classified_at.is_(None), post.c.id > after)
    return session.scalar(statement.order_by(post.c.id.desc()).limit(1))


def write_readings(
    session: Session,
    model_id: str,
    signals: Mapping[str, list[Any]],
    topics: Mapping[str, list[Any]],
    revisions: Sequence[int],
    now: datetime,
) -> None:
    """Store what a model read in posts and mark them read, unless their text changed meanwhile.

    signals, topics  columns of what was read, without the model       revisions  of each post, as it was read
    """
    ids = signals["post_id"]
    of_topics = {**topics, "model_id": [model_id] * len(topics["post_id"])}
    write_signals(session, {**signals, "model_id": [model_id] * len(ids)}, of_topics)
    by_revision: dict[int, list[int]] = {}
    for post_id, revision in zip(ids, revisions, strict=True):
        by_revision.setdefault(revision, []).append(post_id)
    for revision, some in by_revision.items():
        same = post.c.revision == revision, one_of(session, post.c.id, some)
        session.connection().execute(sa.update(post).where(*same).values(classified_at=now))


def add_readings(session: Session, signals: Mapping[str, list[Any]], topics: Mapping[str, list[Any]]) -> None:
    """Store what was read in posts that this transaction has added, as read; both as columns of their tables."""
    upsert_columns(session, signal, signals, on=["post_id"])
    if topics["post_id"]:
        upsert_columns(session, post_topic, topics, on=["post_id", "topic_id"])


def write_signals(session: Session, signals: Mapping[str, list[Any]], topics: Mapping[str, list[Any]]) -> None:
    """Put what was read in posts in place of what had been read in them; both as columns of their tables."""
    if not signals["post_id"]:
        return
    session.execute(sa.delete(post_topic).where(one_of(session, post_topic.c.post_id, signals["post_id"])))
    columns = [c.name for c in signal.columns if c.name != "post_id"]
    upsert_columns(session, signal, signals, on=["post_id"], update=columns)
    if topics["post_id"]:
        upsert_columns(session, post_topic, topics, on=["post_id", "topic_id"], update=["probability", "model_id"])


class DayPost(NamedTuple):
    """A post of a day, as counting sees it.

    is_own  read by the model that was asked for;  language  as it was read
    """

    id: int
    person_id: int
    platform: str
    published_at: datetime
    day_only: bool
    keys: bytes
    places: str
    text_hash: int
    sketch: bytes | None
    sponsored: bool
    tone: int | None
    like_count: int | None
    comment_count: int | None
    share_count: int | None
    follower_count: int | None
    first_post_at: datetime | None
    is_own: bool
    language: str = ""


class HeardPosts(NamedTuple):
    """What a trend shows of posts, column by column: a part of `DayPost`, in its words."""

    id: Sequence[int]
    person_id: Sequence[int]
    platform: Sequence[str]
    published_at: Sequence[datetime]
    day_only: Sequence[bool]
    keys: Sequence[bytes]
    places: Sequence[str]
    sponsored: Sequence[bool]
    tone: Sequence[int | None]
    like_count: Sequence[int | None]
    comment_count: Sequence[int | None]
    share_count: Sequence[int | None]
    follower_count: Sequence[int | None]
    first_post_at: Sequence[datetime | None]

    def some(self, start: int, end: int) -> "HeardPosts":
        """Those from one to before another."""
        return HeardPosts._make(column[start:end] for column in self)


def heard_posts(session: Session, model_id: str, market: str, first: date, last: date) -> HeardPosts:
    """The posts of `day_posts`, with less of each."""
    columns = [
        post.c.id, author.c.person_id, post.c.platform, post.c.published_at, post.c.day_only,
        *said("keys", "places", "sponsored", "tone"), *(post.c[name] for name in COUNTS[:3]),
        author.c.follower_count, author.c.first_post_at,
    ]  # fmt: skip
    statement = of_days(columns, model_id, market, first, last).where(signal.c.language.is_not(None))
    return HeardPosts._make(columns_read(session, statement))


def day_posts(session: Session, model_id: str, market: str, first: date, last: date) -> list[DayPost]:
    """Classified, living posts of a market's local days first..last, by time and then by identity.

    A repost without text of its own has no key array and so is no mention.
    """
    columns = [
        post.c.id, author.c.person_id, post.c.platform, post.c.published_at, post.c.day_only,
        *said("keys", "places", "text_hash", "sketch", "sponsored", "tone"), *(post.c[name] for name in COUNTS[:3]),
        author.c.follower_count, author.c.first_post_at, said("model_id")[0] == model_id, signal.c.language,
    ]  # fmt: skip
    statement = of_days(columns, model_id, market, first, last).where(signal.c.language.is_not(None))
    return list(map(DayPost._make, session.execute(statement).all()))


def said(*names: str) -> list[sa.ColumnElement[Any]]:
    """What was read in posts, for `of_days`: what the model keeps aside comes before a post's present reading."""
    return [sa.func.coalesce(aside.c[name], signal.c[name]) for name in names]


def of_days(
    columns: Sequence[sa.ColumnElement[Any]], model_id: str, market: str, first: date, last: date
) -> sa.Select[Any]:
    """Columns of a market's living posts, read or not, of local days first..last, by time and then by identity.

    columns  of posts, their authors, and what a model read in them (`said`)
    """
    by_aside = sa.and_(aside.c.post_id == post.c.id, aside.c.model_id == model_id, aside.c.revision == post.c.revision)
    return (
        sa.select(*columns)
        .select_from(post)
        .outerjoin(signal, signal.c.post_id == post.c.id)
        .outerjoin(aside, by_aside)
        .join(author, author.c.id == post.c.author_id)
        .where(post.c.audience_market == market, post.c.local_day >= first, post.c.local_day <= last)
        .where(post.c.deleted_at.is_(None))
        .order_by(post.c.published_at, post.c.platform, post.c.native_id)
    )


def texts(session: Session, post_ids: Sequence[int]) -> dict[int, str]:
    """Texts by post id; pruned ones are left out."""
    found: dict[int, str] = {}
    for some in chunks(post_ids, SQL_VARIABLES):
        mine = one_of(session, post.c.id, some), post.c.text.is_not(None)
        statement = sa.select(post.c.id, post.c.text).where(*mine)
        found |= {row.id: row.text for row in session.execute(statement)}
    return found


def topics_of(session: Session, post_ids: Sequence[int]) -> dict[int, list[str]]:
    """Topic ids by post id, most probable first."""
    found: dict[int, list[str]] = {}
    for some in chunks(post_ids, SQL_VARIABLES):
        statement = (
            sa.select(post_topic.c.post_id, post_topic.c.topic_id)
            .where(post_topic.c.post_id.in_(some))
            .order_by(post_topic.c.post_id, post_topic.c.probability.desc(), post_topic.c.topic_id)
        )
        for post_id, topic_id in session.execute(statement):
            found.setdefault(post_id, []).append(topic_id)
    return found


def evidence(session: Session, post_ids: Sequence[int]) -> list[dict[str, Any]]:
    """What a person can look at: text, author, link and counts of posts, in the order asked for."""
    statement = (
        sa.select(
            post.c.id, post.c.platform, post.c.native_id, post.c.text, post.c.url, post.c.published_at, post.c.language,
            post.c.like_count, post.c.comment_count, post.c.share_count, post.c.view_count,
            post.c.author_id, author.c.handle, author.c.name, author.c.person_id, author.c.follower_count,
            signal.c.sponsored,
            signal.c.tone, author.c.audience_market, author.c.market_source, author.c.market_confidence,
            author.c.market_reasons,
        )
        .join(author, author.c.id == post.c.author_id)
        .join(signal, signal.c.post_id == post.c.id)
        .where(post.c.deleted_at.is_(None), author.c.hidden_at.is_(None))
    )  # fmt: skip
    rows: dict[int, dict[str, Any]] = {}
    for some in chunks(post_ids, SQL_VARIABLES):
        found = session.execute(statement.where(post.c.id.in_(some)))
        rows |= {row.id: dict(row._mapping) for row in found}
    return [rows[i] for i in post_ids if i in rows]


class Complaints(NamedTuple):
    """Posts that blame, of those whose tone was read."""

    negative: int
    posts: int


def complaints_of(session: Session, person_ids: Sequence[int]) -> dict[int, Complaints]:
    """Complaints among all stored posts of persons, by person id."""
    found: dict[int, Complaints] = {}
    for some in chunks(person_ids, SQL_VARIABLES):
        statement = (
            sa.select(author.c.person_id, sa.func.sum(sa.case((signal.c.tone < 0, 1), else_=0)), sa.func.count())
            .join(post, post.c.author_id == author.c.id)
            .join(signal, signal.c.post_id == post.c.id)
            .where(author.c.person_id.in_(some), post.c.deleted_at.is_(None), signal.c.tone.is_not(None))
            .group_by(author.c.person_id)
        )
        found |= {person_id: Complaints(int(blaming), told) for person_id, blaming, told in session.execute(statement)}
    return found


def key_array(blob: bytes) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The keys of a post, (n,) int64."""
    return np.frombuffer(blob, dtype="<i8")


def latest_time(session: Session) -> datetime | None:
    """When the newest living post was published; reads the newest local day of each market, and no other."""
    p, found = post.c, list[datetime]()
    for code in MARKETS:
        living = p.audience_market == code, p.deleted_at.is_(None)
        last = sa.select(p.local_day).where(*living).order_by(p.local_day.desc()).limit(1).scalar_subquery()
        mine = sa.select(sa.func.max(p.published_at)).where(*living, p.local_day == last)
        if (at := session.scalar(mine)) is not None:
            found.append(at)
    return max(found, default=None)
