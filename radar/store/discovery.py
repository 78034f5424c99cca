"""Authors who are not watched and come back to a topic."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.tables import author, post, post_topic, watched_account


class Candidate(NamedTuple):
    """An author with the number of their posts, and of those on the topic."""

    id: int
    platform: str
    native_id: str
    handle: str | None
    name: str | None
    url: str | None
    audience_market: str
    follower_count: int | None
    on_topic: int
    posts: int = 0


def candidates(
    session: Session, sources: Sequence[str], *, topic: str | None, market: str | None, since: datetime, least: int,
    limit: int,
) -> list[Candidate]:  # fmt: skip
    """Authors of these sources with at least so many posts on the topic since then, most posts first.

    Posts whose text was pruned are left out.
    """
    here = [post.c.source.in_(sources), post.c.published_at >= since, post.c.deleted_at.is_(None)]
    here += [post.c.fetched_at >= since, post.c.text.is_not(None)]  # follows from the rest: what the index holds
    here += [post.c.audience_market == market] if market else []
    named = [post_topic.c.topic_id == topic] if topic and "." in topic else []
    named += [post_topic.c.topic_id.startswith(f"{topic}.", autoescape=True)] if topic and "." not in topic else []
    about = sa.exists().where(post_topic.c.post_id == post.c.id, *named)
    watched = sa.exists().where(watched_account.c.handle.in_([author.c.native_id, author.c.handle]))
    counted = (
        sa.select(post.c.author_id, sa.func.count().label("on_topic"))
        .where(*here, about)
        .group_by(post.c.author_id)
        .having(sa.func.count() >= least)
        .subquery()
    )
    columns = [author.c[name] for name in Candidate._fields[:-2]]
    statement = (
        sa.select(*columns, counted.c.on_topic)
        .join(counted, counted.c.author_id == author.c.id)
        .where(~watched)
        .order_by(counted.c.on_topic.desc(), author.c.id)
        .limit(limit)
    )
    found = [Candidate._make((*row, 0)) for row in session.execute(statement)]
    whole = sa.select(post.c.author_id, sa.func.count()).where(*here, post.c.author_id.in_([c.id for c in found]))
    posts: dict[int, int] = {row[0]: row[1] for row in session.execute(whole.group_by(post.c.author_id))}
    return [one._replace(posts=posts.get(one.id, one.on_topic)) for one in found]
