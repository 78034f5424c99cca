"""Which model is active, and what another one has read and counted aside."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.adoptions import take_back
from radar.store.counts import last_counted
from radar.store.engine import upsert
from radar.store.measures import AT_ONCE, mark_authors
from radar.store.posts import UNREAD, UnreadPost, mark_dirty, write_signals
from radar.store.tables import (
    aside_signal,
    author,
    day_count,
    detector_state,
    episode,
    meta,
    post,
    snapshot,
    stage_change,
)
from radar.store.tables import post_signal as signal
from radar.store.version import answers_changed

ACTIVE = "active_model"
PREVIOUS = "previous_model"
_BY_ASIDE = sa.and_(aside_signal.c.post_id == post.c.id, aside_signal.c.revision == post.c.revision)


def named_model(session: Session, *, hold: bool = False) -> str | None:
    """Id of the model that was named active; hold as of `active_model`."""
    statement = sa.select(meta.c.value).where(meta.c.name == ACTIVE)
    return session.scalar(statement.with_for_update() if hold else statement)


def active_model(session: Session, *, hold: bool = False) -> str | None:
    """Id of the model whose readings and counts are shown; None in a store that nothing was counted in.

    A store from before there was an active model shows the one that counted last.

    hold  keep it from changing until the transaction ends
    """
    return named_model(session, hold=hold) or last_counted(session)


def previous_model(session: Session) -> str | None:
    """Id of the model that was active before the present one; None where none was promoted."""
    return session.scalar(sa.select(meta.c.value).where(meta.c.name == PREVIOUS))


def name_active(session: Session, model_id: str) -> None:
    """Say once which model is active; a name that stands stays."""
    upsert(session, meta, [{"name": ACTIVE, "value": model_id}], on=["name"])


def is_passive(session: Session, model_id: str) -> bool:
    """Whether another model is named active; holds the name until the transaction ends."""
    statement = sa.select(meta.c.value).where(meta.c.name == ACTIVE).with_for_update(read=True)
    return session.scalar(statement) not in (None, model_id)


def first_days(session: Session, model_id: str, days: int) -> dict[str, date]:
    """By market, the first of the last so many local days that a model has counted."""
    c = day_count.c
    statement = sa.select(c.audience_market, sa.func.max(c.local_day)).where(c.model_id == model_id)
    last = session.execute(statement.group_by(c.audience_market)).all()
    return {market: date.fromordinal(day.toordinal() - days + 1) for market, day in last}


def unread_aside(
    session: Session, model_id: str, market: str, first: date, limit: int, after: int = 0
) -> list[UnreadPost]:
    """Posts since a day that have been read, but not by this model; by id. Pruned texts cannot be."""
    own = sa.select(aside_signal.c.post_id).where(aside_signal.c.model_id == model_id, _BY_ASIDE)
    statement = (
        sa.select(*UNREAD)
        .join(author, author.c.id == post.c.author_id)
        .join(signal, signal.c.post_id == post.c.id)
        .where(post.c.audience_market == market, post.c.local_day >= first, post.c.id > after)
        .where(post.c.text.is_not(None), post.c.deleted_at.is_(None), signal.c.model_id != model_id)
        .where(~sa.exists(own))
        .order_by(post.c.id)
        .limit(limit)
    )
    return [UnreadPost(*row) for row in session.execute(statement)]


def write_aside(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Keep readings by a model that is not active; rows of all columns."""
    columns = [c.name for c in aside_signal.columns if c.name not in ("model_id", "post_id")]
    upsert(session, aside_signal, rows, on=["model_id", "post_id"], update=columns)


class StaleDay(NamedTuple):
    """A day that a model has not counted since the active one did, at counted_at."""

    audience_market: str
    local_day: date
    counted_at: datetime


def stale_days(session: Session, active: str, model_id: str, market: str, first: date) -> list[StaleDay]:
    """Days since `first` that the active model has counted later than this one; sealed days stay the active one's.

    A day that holds a post which has lost its text stays so as well: it can never be read whole.
    """
    mine, c = day_count.alias("mine"), day_count.c
    textless = sa.select(post.c.id).where(
        post.c.audience_market == c.audience_market, post.c.local_day == c.local_day, post.c.deleted_at.is_(None),
        post.c.text.is_(None), post.c.classified_at.is_not(None),
    )  # fmt: skip
    later = sa.and_(
        mine.c.audience_market == c.audience_market, mine.c.local_day == c.local_day, mine.c.model_id == model_id
    )
    statement = (
        sa.select(c.audience_market, c.local_day, c.counted_at)
        .outerjoin(mine, later)
        .where(c.model_id == active, c.audience_market == market, c.local_day >= first, sa.not_(c.is_sealed))
        .where(sa.or_(mine.c.counted_at.is_(None), mine.c.counted_at < c.counted_at))
        .where(~sa.exists(textless))
        .order_by(c.local_day)
    )
    return [StaleDay(*row) for row in session.execute(statement)]


def activate(session: Session, model_id: str) -> None:
    """Make a model the active one, and remember the one before; takes hold when the transaction is committed."""
    answers_changed(session)
    rows = [{"name": ACTIVE, "value": model_id}]
    before = named_model(session)
    if before not in (None, model_id):
        rows.append({"name": PREVIOUS, "value": before})
    upsert(session, meta, rows, on=["name"], update=["value"])


def settle(session: Session, model_id: str, limit: int) -> int:
    """Move some readings of the active model from aside to their posts; returns how many were looked at."""
    columns = [c.name for c in signal.columns]
    a = aside_signal.c
    day = (post.c.audience_market, post.c.local_day, signal.c.language)
    statement = (
        sa.select(*[a[name] for name in columns], a.topics, a.revision == post.c.revision, signal.c.model_id, *day)
        .join(post, post.c.id == a.post_id)
        .outerjoin(signal, signal.c.post_id == a.post_id)
        .where(a.model_id == model_id)
        .order_by(a.post_id)
        .limit(limit)
    )
    rows = session.execute(statement).all()
    signals: dict[str, list[Any]] = {name: [] for name in columns}
    topics: dict[str, list[Any]] = {name: [] for name in ("post_id", "topic_id", "probability", "model_id")}
    respoken = set()
    for *values, found, is_newest, shown, market, local_day, language in rows:
        if is_newest and shown not in (None, model_id):  # not deleted, edited or read anew since
            for name, value in zip(columns, values, strict=True):
                signals[name].append(value)
            if signals["language"][-1] != language:
                respoken.add((market, local_day))
            for topic_id, p in found:
                for name, value in zip(topics, (signals["post_id"][-1], topic_id, p, model_id), strict=True):
                    topics[name].append(value)
    write_signals(session, signals, topics)
    mark_dirty(session, respoken)  # what is kept of a day's languages is made with its counts
    mine = post.c.id.in_(signals["post_id"])
    mark_authors(session, session.scalars(sa.select(post.c.author_id).where(mine).distinct()), AT_ONCE)
    if rows:
        session.execute(sa.delete(aside_signal).where(a.model_id == model_id, a.post_id <= rows[-1].post_id))
    return len(rows)


def drop_aside(session: Session, model_id: str) -> None:
    """Forget everything that a model read, counted and found."""
    mine = episode.c.model_id == model_id
    for table in (snapshot, stage_change):
        session.execute(sa.delete(table).where(table.c.episode_id.in_(sa.select(episode.c.id).where(mine))))
    take_back(session, mine)
    for table in (aside_signal, day_count, detector_state):
        session.execute(sa.delete(table).where(table.c.model_id == model_id))


def read_again(session: Session, market: str, days: Sequence[date], model_id: str) -> None:
    """Ask for another reading of the days' posts that another model has read, and leave the days waiting for it."""
    others = sa.select(signal.c.post_id).where(signal.c.post_id == post.c.id, signal.c.model_id != model_id)
    session.execute(
        sa.update(post)
        .where(post.c.audience_market == market, post.c.local_day.in_(days), post.c.text.is_not(None))
        .where(sa.exists(others))
        .values(classified_at=None)
    )
