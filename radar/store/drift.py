"""Drift by market and night, and what it is measured from."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.engine import upsert
from radar.store.tables import model_drift, post, post_topic
from radar.store.tables import post_signal as signal


class DriftRow(NamedTuple):
    """One market's measurement; figures are None where there were not enough posts."""

    model_id: str
    audience_market: str
    last_day: date
    posts: int
    score_divergence: float | None
    topic_divergence: float | None
    no_topic_share: float | None
    unknown_share: float | None
    working: dict[str, Any]
    measured_at: datetime


def write_drift(session: Session, row: DriftRow) -> None:
    """Store a measurement; one of the same last day is replaced."""
    key = ["model_id", "audience_market", "last_day"]
    upsert(session, model_drift, [row._asdict()], on=key, update=[n for n in DriftRow._fields if n not in key])


def newest_drift(session: Session, model_id: str) -> dict[str, DriftRow]:
    """Each market's newest measurement of a model."""
    c = model_drift.c
    last = (
        sa.select(c.audience_market, sa.func.max(c.last_day).label("last_day"))
        .where(c.model_id == model_id)
        .group_by(c.audience_market)
        .subquery()
    )
    statement = (
        sa.select(*[c[name] for name in DriftRow._fields])
        .join(last, sa.and_(last.c.audience_market == c.audience_market, last.c.last_day == c.last_day))
        .where(c.model_id == model_id)
    )
    return {row.audience_market: DriftRow(*row) for row in session.execute(statement)}


def topic_counts(
    session: Session, model_id: str, market: str, first: date, last: date
) -> tuple[int, int, dict[str, int]]:
    """Posts of local days first..last that a model read, those of them it gave a topic, and posts by topic."""
    mine = (
        sa.select(post.c.id)
        .join(signal, signal.c.post_id == post.c.id)
        .where(post.c.audience_market == market, post.c.local_day >= first, post.c.local_day <= last)
        .where(signal.c.model_id == model_id, post.c.deleted_at.is_(None))
        .subquery()
    )
    given = post_topic.c.post_id == mine.c.id
    read = session.scalar(sa.select(sa.func.count()).select_from(mine)) or 0
    with_topic = session.scalar(sa.select(sa.func.count(post_topic.c.post_id.distinct())).join(mine, given)) or 0
    by_topic = sa.select(post_topic.c.topic_id, sa.func.count()).join(mine, given).group_by(post_topic.c.topic_id)
    return read, with_topic, dict(session.execute(by_topic).all())


def some_texts(session: Session, model_id: str, market: str, first: date, last: date, limit: int) -> Sequence[str]:
    """Texts of posts of local days first..last that a model read, as if at random but the same each time."""
    statement = (
        sa.select(post.c.text)
        .join(signal, signal.c.post_id == post.c.id)
        .where(post.c.audience_market == market, post.c.local_day >= first, post.c.local_day <= last)
        .where(signal.c.model_id == model_id, post.c.deleted_at.is_(None), post.c.text.is_not(None))
        .order_by(signal.c.text_hash, post.c.id)
        .limit(limit)
    )
    return session.scalars(statement).all()
