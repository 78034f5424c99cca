"""What authors are measured from: accounts, their posts as read, followers by day, and adoptions of trends."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.engine import SQL_VARIABLES, chunks
from radar.store.tables import author, day_count, follower_observation, post, post_topic, trend_adoption
from radar.store.tables import post_signal as signal


class AccountRow(NamedTuple):
    """What is stored of an account that may be shown."""

    id: int
    platform: str
    audience_market: str
    person_id: int
    handle: str | None
    name: str | None
    follower_count: int | None
    first_post_at: datetime | None


def accounts(session: Session, author_ids: Sequence[int]) -> list[AccountRow]:
    """Accounts by id; those that are hidden are left out."""
    statement = sa.select(*[author.c[name] for name in AccountRow._fields])
    return [
        AccountRow(*row)
        for some in chunks(author_ids, SQL_VARIABLES)
        for row in session.execute(
            statement.where(author.c.id.in_(some), author.c.hidden_at.is_(None)).order_by(author.c.id)
        )
    ]


class PostRow(NamedTuple):
    """A post as measuring reads it."""

    id: int
    author_id: int
    published_at: datetime
    like_count: int | None
    comment_count: int | None
    share_count: int | None
    view_count: int | None
    platform_sponsored: bool | None
    sponsored: bool | None
    places: str | None
    keys: bytes | None
    tone: int | None
    text_hash: int | None


def posts_of(
    session: Session, author_ids: Sequence[int], since: datetime, until: datetime, but: Sequence[str] = ()
) -> dict[int, list[PostRow]]:
    """Authors' own living posts published in (since, until], by author and time; no reposts.

    but  sources whose posts are left alone
    """
    read = ("sponsored", "places", "keys", "tone", "text_hash")
    columns = [(signal if name in read else post).c[name] for name in PostRow._fields]
    found: dict[int, list[PostRow]] = {}
    for some in chunks(author_ids, SQL_VARIABLES):
        statement = (
            sa.select(*columns)
            .outerjoin(signal, signal.c.post_id == post.c.id)
            .where(post.c.author_id.in_(some), post.c.published_at > since, post.c.published_at <= until)
            .where(post.c.deleted_at.is_(None), post.c.repost_of.is_(None), post.c.source.not_in(but))
            .order_by(post.c.author_id, post.c.published_at, post.c.id)
        )
        for one in map(PostRow._make, session.execute(statement).all()):
            found.setdefault(one.author_id, []).append(one)
    return found


def topics_by_post(session: Session, author_ids: Sequence[int], since: datetime) -> dict[int, list[str]]:
    """Topic ids by post id, of authors' posts published after `since`."""
    found: dict[int, list[str]] = {}
    for some in chunks(author_ids, SQL_VARIABLES):
        statement = (
            sa.select(post_topic.c.post_id, post_topic.c.topic_id)
            .join(post, post.c.id == post_topic.c.post_id)
            .where(post.c.author_id.in_(some), post.c.published_at > since)
        )
        for post_id, topic_id in session.execute(statement).all():
            found.setdefault(post_id, []).append(topic_id)
    return found


def histories(session: Session, author_ids: Sequence[int], since: date = date.min) -> dict[int, list[tuple[date, int]]]:
    """Followers by day on which they were seen, from `since` on, oldest first, by author."""
    c = follower_observation.c
    found: dict[int, list[tuple[date, int]]] = {}
    for some in chunks(author_ids, SQL_VARIABLES):
        statement = sa.select(c.author_id, c.observed_on, c.follower_count).where(
            c.author_id.in_(some), c.observed_on >= since
        )
        for author_id, day, n in session.execute(statement.order_by(c.author_id, c.observed_on)).all():
            found.setdefault(author_id, []).append((day, n))
    return found


def posts_counted(session: Session, model_id: str, market: str, first: date, last: date) -> int:
    """Posts in the counts of a market's days first..last."""
    c = day_count.c
    statement = sa.select(sa.func.sum(c.post_count)).where(
        c.model_id == model_id, c.audience_market == market, c.local_day >= first, c.local_day <= last
    )
    return int(session.scalar(statement) or 0)


class AdoptionRow(NamedTuple):
    """A person's first use of a trend's key; heard  persons of the market who posted in that hour."""

    episode_id: int
    person_id: int
    adopted_at: datetime
    heard: int


def adoptions_with(session: Session, person_ids: Sequence[int]) -> dict[int, list[AdoptionRow]]:
    """All adoptions of the trends that these persons used, by trend."""
    c = trend_adoption.c
    found: dict[int, list[AdoptionRow]] = {}
    for some in chunks(person_ids, SQL_VARIABLES):
        mine = sa.select(c.episode_id).where(c.person_id.in_(some))
        statement = sa.select(*[c[name] for name in AdoptionRow._fields]).where(c.episode_id.in_(mine))
        for row in session.execute(statement.order_by(c.episode_id, c.adopted_at, c.person_id)):
            found.setdefault(row.episode_id, []).append(AdoptionRow(*row))
    return {i: list(dict.fromkeys(rows)) for i, rows in found.items()}
