"""How trends pass between markets, as stored: onsets read, leads, the model of arrivals, and its forecasts."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.keys import Kind
from radar.store.engine import SQL_VARIABLES, chunks, upsert
from radar.store.tables import arrival_forecast, arrival_model, episode, kept_forecast, key, market_lead, snapshot
from radar.windows import RANKED

CROSSING = (Kind.HASHTAG, Kind.PRODUCT, Kind.TRACKED)
"""Kinds of keys that mean the same in every market, a tracked key by its forms: a word names other things elsewhere, a
topic always is there."""
_BUCKETS = tuple(bucket.value for bucket in RANKED)


class Onset(NamedTuple):
    """An episode's beginning. topic_id is that of the trend it leads or belongs to, None where no list holds it."""

    id: int
    audience_market: str
    place: int
    key_hash: int
    bucket: str
    onset_at: datetime
    ended_at: datetime | None
    stage: str
    leader_key: int | None
    text: str
    topic_id: str | None


def onsets(session: Session, model_id: str, after: datetime, upto: datetime) -> list[Onset]:
    """Onsets in (after, upto] of keys that mean the same in every market, by time."""
    e = episode.c
    mine = sa.or_(*(_of_kind(kind) for kind in CROSSING))
    statement = _onsets().where(e.model_id == model_id, e.onset_at > after, e.onset_at <= upto, mine)
    return [Onset(*row) for row in session.execute(statement.order_by(e.onset_at, e.id))]


def onsets_of(session: Session, model_id: str, keys: Sequence[int], after: datetime, upto: datetime) -> list[Onset]:
    """Onsets of some keys in all markets, in (after, upto], by time."""
    e = episode.c
    found: list[Onset] = []
    for some in chunks(keys, SQL_VARIABLES):
        statement = _onsets().where(
            e.model_id == model_id, e.key_hash.in_(some), e.onset_at > after, e.onset_at <= upto
        )
        found += [Onset(*row) for row in session.execute(statement)]
    return sorted(found, key=lambda onset: (onset.onset_at, onset.id))


def _of_kind(kind: Kind) -> sa.ColumnElement[bool]:
    return sa.and_(episode.c.key_hash >= int(kind) << 60, episode.c.key_hash < (int(kind) + 1) << 60)


def _onsets() -> sa.Select[Any]:
    e, leader, s = episode.c, episode.alias("leader"), snapshot.c
    topic = sa.select(s.topic_id).where(s.episode_id == sa.func.coalesce(e.leader_id, e.id)).limit(1).scalar_subquery()
    return (
        sa.select(
            e.id, e.audience_market, e.place, e.key_hash, e.bucket, e.onset_at, e.ended_at, e.stage,
            leader.c.key_hash, key.c.text, topic,
        )
        .join(key, key.c.hash == e.key_hash)
        .outerjoin(leader, leader.c.id == e.leader_id)
        .where(e.bucket.in_(_BUCKETS))
    )  # fmt: skip


def newest_onset(session: Session, model_id: str) -> datetime | None:
    """When the newest trend of any market began."""
    e = episode.c
    newest = [
        session.scalar(sa.select(sa.func.max(e.onset_at)).where(e.model_id == model_id, e.bucket == bucket))
        for bucket in _BUCKETS
    ]
    return max((at for at in newest if at is not None), default=None)


def write_leads(session: Session, model_id: str, rows: Sequence[dict[str, Any]]) -> None:
    """Put a lead table in the place of the last; rows of topic_group, first_market, second_market, figures."""
    session.execute(sa.delete(market_lead).where(market_lead.c.model_id == model_id))
    if rows:
        session.execute(sa.insert(market_lead), [{"model_id": model_id} | row for row in rows])


class Lead(NamedTuple):
    """A pair of markets over the trends of a topic group."""

    topic_group: str
    first_market: str
    second_market: str
    figures: dict[str, Any]


def leads(session: Session, model_id: str) -> list[Lead]:
    """The lead table."""
    c = market_lead.c
    statement = sa.select(*[c[name] for name in Lead._fields]).where(c.model_id == model_id)
    return [Lead(*row) for row in session.execute(statement)]


class KeptModel(NamedTuple):
    """The model of arrivals."""

    fitted_at: datetime
    since: datetime
    until: datetime
    working: dict[str, Any]
    parameters: bytes


def write_model(session: Session, model_id: str, kept: KeptModel) -> None:
    """Put a fitted model in the place of the last."""
    session.execute(sa.delete(arrival_model).where(arrival_model.c.model_id == model_id))
    session.execute(sa.insert(arrival_model), [{"model_id": model_id} | kept._asdict()])


def kept_model(session: Session, model_id: str) -> KeptModel | None:
    """The fitted model; None where none was fitted yet."""
    c = arrival_model.c
    row = session.execute(sa.select(*[c[n] for n in KeptModel._fields]).where(c.model_id == model_id)).first()
    return KeptModel(*row) if row else None


class Forecast(NamedTuple):
    """A trend that is expected in a market."""

    audience_market: str
    key_hash: int
    as_of: datetime
    week: float
    working: dict[str, Any]


def write_forecasts(session: Session, model_id: str, rows: Sequence[Forecast]) -> None:
    """Put forecasts in the place of the last."""
    session.execute(sa.delete(arrival_forecast).where(arrival_forecast.c.model_id == model_id))
    if rows:
        session.execute(sa.insert(arrival_forecast), [{"model_id": model_id} | row._asdict() for row in rows])


def keep_forecasts(session: Session, model_id: str, as_of: datetime, rows: Mapping[str, Sequence[Forecast]]) -> None:
    """Keep what was forecast in each market for the reports of later: a day's last forecast stays."""
    kept = [
        {
            "model_id": model_id, "audience_market": market, "day": as_of.date(), "as_of": as_of,
            "forecasts": [[row.key_hash, row.week, row.working] for row in told],
        }
        for market, told in rows.items()
    ]  # fmt: skip
    upsert(session, kept_forecast, kept, on=["model_id", "audience_market", "day"], update=["as_of", "forecasts"])


class KeptForecast(NamedTuple):
    """What was forecast in a market at a moment of the past."""

    as_of: datetime
    rows: list[Forecast]


def kept_forecasts(
    session: Session, model_id: str, market: str, first: date, last: date, *, newest: bool = True
) -> KeptForecast | None:
    """The newest (or oldest) forecast that is kept of the days from first to last, in UTC."""
    c = kept_forecast.c
    statement = (
        sa.select(c.as_of, c.forecasts)
        .where(c.model_id == model_id, c.audience_market == market, c.day >= first, c.day <= last)
        .order_by(c.day.desc() if newest else c.day)
        .limit(1)
    )
    found = session.execute(statement).first()
    if found is None:
        return None
    as_of, told = found
    return KeptForecast(as_of, [Forecast(market, key_hash, as_of, week, working) for key_hash, week, working in told])


def first_kept_forecast(session: Session, model_id: str, market: str) -> datetime | None:
    """When the oldest forecast of a market that is kept was made."""
    c = kept_forecast.c
    mine = sa.select(c.as_of).where(c.model_id == model_id, c.audience_market == market)
    found: datetime | None = session.scalar(mine.order_by(c.day).limit(1))
    return found


def prune_kept_forecasts(session: Session, before: date) -> int:
    """Drop those kept of days before one."""
    return int(session.connection().execute(sa.delete(kept_forecast).where(kept_forecast.c.day < before)).rowcount)


def forecasts(session: Session, model_id: str, market: str) -> list[Forecast]:
    """What is expected in a market, the most probable first."""
    c = arrival_forecast.c
    statement = sa.select(*[c[name] for name in Forecast._fields]).where(
        c.model_id == model_id, c.audience_market == market
    )
    return [Forecast(*row) for row in session.execute(statement.order_by(c.week.desc(), c.key_hash))]


def forecasts_of(session: Session, model_id: str, keys: Sequence[int]) -> list[Forecast]:
    """Where some keys are expected, the most probable first."""
    c = arrival_forecast.c
    statement = sa.select(*[c[name] for name in Forecast._fields]).where(
        c.model_id == model_id, c.key_hash.in_(keys[:SQL_VARIABLES])
    )
    return [Forecast(*row) for row in session.execute(statement.order_by(c.week.desc(), c.audience_market))]


def crossing_keys(session: Session, number: int, leader: int | None) -> list[int]:
    """Keys that mean the same in every market, of an episode, of the one it is a variant of, and of its variants."""
    e = episode.c
    ids = [number] if leader is None else [number, leader]
    mine = sa.or_(*(_of_kind(kind) for kind in CROSSING))
    statement = sa.select(e.key_hash).where(sa.or_(e.id.in_(ids), e.leader_id.in_(ids)), mine).distinct()
    return sorted(session.scalars(statement))
