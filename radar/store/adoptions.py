"""Who used the key of a trend first: trends that passed q <= 1 %, and each person's first use of them.

A collected trend names the model whose episode it is. Whoever deletes episodes takes that name away (`take_back`), so
that trends in doubt are found by it, however many were ever collected; who collects a trend anew, or finds its episode
there again, gives the name back (`confirm`).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.author_facts import AdoptionRow
from radar.store.engine import SQL_VARIABLES, chunks
from radar.store.tables import adopted_trend, day_count, episode, person, snapshot, trend_adoption
from radar.windows import RANKED


class StrongTrend(NamedTuple):
    """An episode that passed q; place 0 = all."""

    id: int
    audience_market: str
    place: int
    key_hash: int
    onset_at: datetime
    ended_at: datetime | None


def strong_trends(session: Session, model_id: str, since: datetime, q: float) -> list[StrongTrend]:
    """Episodes since then with a snapshot at or below q, the leaders of their variants, by onset."""
    e = episode.c
    passed = sa.select(snapshot.c.episode_id).where(snapshot.c.episode_id == e.id, snapshot.c.q <= q)
    statement = (
        sa.select(*[e[name] for name in StrongTrend._fields])
        .where(e.model_id == model_id, e.onset_at > since, e.leader_id.is_(None), e.bucket.in_(RANKED))
        .where(sa.exists(passed))
        .order_by(e.onset_at, e.id)
    )
    return [StrongTrend(*row) for row in session.execute(statement)]


class Collected(NamedTuple):
    """A trend whose adopters were collected, from which local days, as they were counted when."""

    episode_id: int
    audience_market: str
    first_day: date
    last_day: date
    counted_at: datetime


def collected(session: Session, ids: Sequence[int]) -> dict[int, Collected]:
    """Those of the trends whose adopters were collected."""
    found: dict[int, Collected] = {}
    for some in chunks(ids, SQL_VARIABLES):
        statement = sa.select(*[adopted_trend.c[name] for name in Collected._fields])
        for row in session.execute(statement.where(adopted_trend.c.episode_id.in_(some))):
            found[row.episode_id] = Collected(*row)
    return found


class Doubtful(NamedTuple):
    """Collected trends that do not name a model: those that are no episode of it any more, and those that are."""

    gone: list[int]
    standing: list[int]


def doubtful(session: Session, model_id: str) -> Doubtful:
    """Collected trends that do not name this model."""
    c = adopted_trend.c
    known = sa.select(episode.c.id).where(episode.c.id == c.episode_id, episode.c.model_id == model_id)
    found = Doubtful([], [])
    for other in (c.model_id < model_id, c.model_id > model_id):  # one after the other: each by the index
        for number, stands in session.execute(sa.select(c.episode_id, sa.exists(known)).where(other)):
            (found.standing if stands else found.gone).append(number)
    return found


def take_back(session: Session, which: sa.ColumnElement[bool]) -> None:
    """Delete episodes that nothing refers to any more; collected ones among them name no model from now on.

    In this order: a confirmation that is going on is waited for, and one that comes later finds no episode.
    """
    ids = list(session.scalars(sa.delete(episode).where(which).returning(episode.c.id)))
    for some in chunks(ids, SQL_VARIABLES):
        session.execute(sa.update(adopted_trend).where(adopted_trend.c.episode_id.in_(some)).values(model_id=""))


def confirm(session: Session, model_id: str, ids: Sequence[int]) -> None:
    """Let collected trends that are episodes of a model name it, but for those that another transaction deletes now.

    The last thing that a transaction does: it keeps these episodes from being deleted until it ends.
    """
    e = episode.c
    for some in chunks(sorted(ids), SQL_VARIABLES):
        there = sa.select(e.id).where(e.id.in_(some), e.model_id == model_id)
        held = session.scalars(there.with_for_update(read=True, key_share=True, skip_locked=True)).all()
        mine = adopted_trend.c.episode_id.in_(held)
        session.execute(sa.update(adopted_trend).where(mine).values(model_id=model_id))


def days_counted_at(session: Session, model_id: str, since: date) -> dict[str, dict[date, datetime]]:
    """When each day from `since` on was counted last, by market."""
    c = day_count.c
    found: dict[str, dict[date, datetime]] = {}
    statement = sa.select(c.audience_market, c.local_day, c.counted_at)
    for market, day, at in session.execute(statement.where(c.model_id == model_id, c.local_day >= since)):
        found.setdefault(market, {})[day] = at
    return found


def adopters_of(session: Session, ids: Collection[int]) -> dict[int, dict[int, AdoptionRow]]:
    """Adoptions as stored: trend -> person -> row."""
    c = trend_adoption.c
    found: dict[int, dict[int, AdoptionRow]] = {}
    for some in chunks(sorted(ids), SQL_VARIABLES):
        statement = sa.select(*[c[name] for name in AdoptionRow._fields]).where(c.episode_id.in_(some))
        for row in session.execute(statement):
            found.setdefault(row.episode_id, {})[row.person_id] = AdoptionRow(*row)
    return found


def replace_adopters(
    session: Session, model_id: str, trends: Sequence[Collected], rows: Mapping[int, Sequence[AdoptionRow]]
) -> None:
    """Put adopters of a model's trends in place of what stood there, but for persons gone since they were read.

    Ends with `confirm`: an episode that is gone since then leaves a trend in doubt.
    """
    ids = [trend.episode_id for trend in trends]
    drop_trends(session, ids)
    if trends:
        session.execute(sa.insert(adopted_trend), [trend._asdict() | {"model_id": ""} for trend in trends])
    new = [row._asdict() for trend in trends for row in rows.get(trend.episode_id, ())]
    there = set[int]()
    for some in chunks(sorted({row["person_id"] for row in new}), SQL_VARIABLES):
        there.update(session.scalars(sa.select(person.c.id).where(person.c.id.in_(some))))
    if new := [row for row in new if row["person_id"] in there]:
        session.execute(sa.insert(trend_adoption), new)
    confirm(session, model_id, ids)


def drop_trends(session: Session, ids: Sequence[int]) -> None:
    """Forget trends and their adopters."""
    for some in chunks(list(ids), SQL_VARIABLES):
        session.execute(sa.delete(trend_adoption).where(trend_adoption.c.episode_id.in_(some)))
        session.execute(sa.delete(adopted_trend).where(adopted_trend.c.episode_id.in_(some)))
