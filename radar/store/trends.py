"""Trends as stored: detector states, episodes with their stages, and snapshots."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.adoptions import take_back
from radar.store.engine import SQL_VARIABLES, chunks, upsert
from radar.store.tables import day_count, detector_state, episode, snapshot, stage_change
from radar.store.version import answers_changed
from radar.windows import RANKED, Bucket

KEPT_STATES = 14
"""Newest checkpoints kept of a market and bucket length; a change further back replays from the beginning."""
ANCHOR_DAYS = 91
"""Besides, a checkpoint of hours is kept at every so many days: where the past by the hour can be settled."""


def load_state(session: Session, model_id: str, market: str, bucket: str, day: date) -> tuple[date, bytes] | None:
    """The newest checkpoint at or before the beginning of `day`: (its day, its bytes)."""
    c = detector_state.c
    row = session.execute(
        sa.select(c.local_day, c.state)
        .where(c.model_id == model_id, c.audience_market == market, c.bucket == bucket, c.local_day <= day)
        .order_by(c.local_day.desc())
        .limit(1)
    ).first()
    return (row[0], row[1]) if row else None


def save_state(session: Session, model_id: str, market: str, bucket: str, day: date, state: bytes) -> None:
    """Keep the state as it is when `day` begins; forget later ones, and earlier ones but for the newest and anchors."""
    c = detector_state.c
    mine = sa.and_(c.model_id == model_id, c.audience_market == market, c.bucket == bucket)
    session.execute(sa.delete(detector_state).where(mine, c.local_day >= day))
    row = {"model_id": model_id, "audience_market": market, "bucket": bucket, "local_day": day, "state": state}
    session.execute(sa.insert(detector_state), [row])
    days = session.scalars(sa.select(c.local_day).where(mine).order_by(c.local_day.desc()).offset(KEPT_STATES)).all()
    days = [day for day in days if bucket != Bucket.HOUR or not is_anchor(day)]
    if days:
        session.execute(sa.delete(detector_state).where(mine, c.local_day.in_(days)))


def is_anchor(day: date) -> bool:
    """Whether a checkpoint of hours at the beginning of a day is kept until a later one takes its place.

    >>> is_anchor(date(2026, 2, 1)), is_anchor(date(2026, 2, 2))
    (True, False)
    """
    return day.toordinal() % ANCHOR_DAYS == 0


def watching_models(session: Session) -> list[str]:
    """Models whose detection has checkpoints: each found by a step in their index."""
    c, found = detector_state.c, list[str]()
    while (
        name := session.scalar(sa.select(sa.func.min(c.model_id)).where(c.model_id > "".join(found[-1:])))
    ) is not None:
        found.append(name)
    return found


def hourly_states(session: Session, model_id: str, market: str) -> list[date]:
    """The days at whose beginning checkpoints of hours are kept, the newest first."""
    c = detector_state.c
    mine = sa.and_(c.model_id == model_id, c.audience_market == market, c.bucket == Bucket.HOUR)
    return list(session.scalars(sa.select(c.local_day).where(mine).order_by(c.local_day.desc())))


def drop_hourly_states(session: Session, model_id: str, market: str, before: date) -> None:
    """Forget checkpoints of hours before a day: nothing goes back to them."""
    c = detector_state.c
    mine = sa.and_(c.model_id == model_id, c.audience_market == market, c.bucket == Bucket.HOUR)
    session.execute(sa.delete(detector_state).where(mine, c.local_day < before))


def rewind(session: Session, model_id: str, market: str, bucket: str, since: datetime, active: Sequence[int]) -> None:
    """Take back everything concluded from `since` on; `active` are the episodes that were open then."""
    answers_changed(session)
    e = episode.c
    mine = sa.and_(e.model_id == model_id, e.audience_market == market, e.bucket == bucket)
    touched = sa.select(e.id).where(mine, sa.or_(e.ended_at.is_(None), e.ended_at > since, e.onset_at > since))
    s = snapshot.c
    session.execute(
        sa.delete(snapshot).where(
            s.audience_market == market, s.as_of > since, s.bucket == bucket, s.episode_id.in_(touched)
        )
    )
    changed = stage_change.c
    session.execute(sa.delete(stage_change).where(changed.changed_at > since, changed.episode_id.in_(touched)))
    take_back(session, sa.and_(mine, e.onset_at > since))
    for some in chunks(active, SQL_VARIABLES):
        session.execute(sa.update(episode).where(e.id.in_(some)).values(ended_at=None))


def forget(session: Session, model_id: str, market: str, bucket: str) -> None:
    """Take back everything that was ever concluded of a market at a bucket length."""
    answers_changed(session)
    e = episode.c
    mine = sa.and_(e.model_id == model_id, e.audience_market == market, e.bucket == bucket)
    for table in (snapshot, stage_change):
        session.execute(sa.delete(table).where(table.c.episode_id.in_(sa.select(e.id).where(mine))))
    take_back(session, mine)
    c = detector_state.c
    session.execute(
        sa.delete(detector_state).where(c.model_id == model_id, c.audience_market == market, c.bucket == bucket)
    )


def write_episodes(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Insert episodes or bring them up to date."""
    upsert(session, episode, rows, on=["id"], update=["ended_at", "stage", "stage_since", "leader_id"])


def write_changes(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Stage changes; rows of episode_id, changed_at, stage."""
    answers_changed(session)
    upsert(session, stage_change, rows, on=["episode_id", "changed_at"], update=["stage"])


class Change(NamedTuple):
    """A trend that took another stage. (episode_id, stage) names the message it is worth: one, however often read."""

    episode_id: int
    stage: str
    changed_at: datetime
    audience_market: str
    bucket: str
    key_hash: int
    place: int


def changes_between(
    session: Session,
    model_id: str,
    after: datetime,
    upto: datetime,
    *,
    market: str | None = None,
    buckets: Sequence[str],
) -> list[Change]:
    """Changes of stage in (after, upto] of trends that were shown and lead their variants, by time.

    What is told of them fires on these alone. Detection rewrites the changes of days that it goes through again, with
    the same names: whoever remembers the names of what was told asks again from some days back and misses nothing.
    """
    e, c = episode.c, stage_change.c
    shown = sa.select(snapshot.c.episode_id).where(snapshot.c.episode_id == e.id)
    statement = (
        sa.select(e.id, c.stage, c.changed_at, e.audience_market, e.bucket, e.key_hash, e.place)
        .join(episode, e.id == c.episode_id)
        .where(e.model_id == model_id, c.changed_at > after, c.changed_at <= upto, e.bucket.in_(buckets))
        .where(e.leader_id.is_(None), sa.exists(shown))
        .order_by(c.changed_at, e.id)
    )
    if market is not None:
        statement = statement.where(e.audience_market == market)
    return [Change(*row) for row in session.execute(statement)]


def write_snapshots(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Snapshots of episodes as of a moment."""
    answers_changed(session)
    columns = [c.name for c in snapshot.columns if c.name not in ("episode_id", "as_of")]
    upsert(session, snapshot, rows, on=["episode_id", "as_of"], update=columns)


def mark_detected(session: Session, model_id: str, market: str, seen: dict[date, datetime]) -> None:
    """Note that detection has taken in these days' counts, unless they were recounted meanwhile.

    seen  day -> counted_at of the counts that were read
    """
    answers_changed(session)
    c = day_count.c
    if seen:
        session.connection().execute(
            sa.update(day_count)
            .where(
                c.model_id == model_id,
                c.audience_market == market,
                c.local_day == sa.bindparam("b_day"),
                c.counted_at == sa.bindparam("b_counted_at", type_=c.counted_at.type),
                sa.not_(c.detected),
            )
            .values(detected=True),
            [{"b_day": day, "b_counted_at": at} for day, at in seen.items()],
        )


def counted_at(session: Session, model_id: str, market: str, since: date) -> dict[date, datetime]:
    """When each day from `since` on was counted, of days that detection has not seen."""
    c = day_count.c
    statement = sa.select(c.local_day, c.counted_at).where(
        c.model_id == model_id, c.audience_market == market, c.local_day >= since, sa.not_(c.detected)
    )
    return {row.local_day: row.counted_at for row in session.execute(statement)}


def prune_snapshots(session: Session, hourly_before: datetime, before: datetime) -> int:
    """Drop hourly snapshots older than `hourly_before` and daily ones older than `before`; returns how many."""
    answers_changed(session)
    s = snapshot.c
    old = (sa.and_(sa.not_(s.is_daily), s.as_of < max(hourly_before, before)), sa.and_(s.is_daily, s.as_of < before))
    return sum(int(session.connection().execute(sa.delete(snapshot).where(rows)).rowcount) for rows in old)


class Listing(NamedTuple):
    """A moment at which a trend stood in a list. place is what its series is counted for, 0 = all.

    variants  rows of episode_id, key and place: what it held besides its own key
    """

    episode_id: int
    as_of: datetime
    bucket: str
    kind: int
    key_hash: int
    place: int
    variants: list[dict[str, int]]


def listings(
    session: Session, model_id: str, market: str, after: datetime, upto: datetime, *, q: float, buckets: Sequence[str]
) -> list[Listing]:
    """Every moment in (after, upto] at which a trend of the market was sure enough to be listed, by time."""
    s, e = snapshot.c, episode.c
    statement = (
        sa.select(s.episode_id, s.as_of, s.bucket, s.kind, e.key_hash, e.place, s.working["variants"])
        .join(episode, e.id == s.episode_id)
        .where(s.audience_market == market, s.as_of > after, s.as_of <= upto, s.q <= q, e.model_id == model_id)
        .where(s.bucket.in_(buckets))
        .order_by(s.as_of, s.episode_id)
    )
    return [Listing(*row) for row in session.execute(statement)]


class DailyLine(NamedTuple):
    """A trend in the list of a whole local day."""

    as_of: datetime
    bucket: str
    key_hash: int
    place: int
    score: float
    working: dict[str, Any]


def daily_lines(session: Session, model_id: str, market: str, *, q: float = 0.05) -> list[DailyLine]:
    """The trends of a market's whole days by day and bucket length, the best first."""
    s, e = snapshot.c, episode.c
    statement = (
        sa.select(s.as_of, s.bucket, e.key_hash, e.place, s.score, s.working)
        .join(episode, e.id == s.episode_id)
        .where(s.audience_market == market, e.model_id == model_id, s.is_daily, s.q <= q)
        .where(s.bucket.in_(RANKED))
        .order_by(s.as_of, s.bucket, s.score.desc(), s.episode_id)
    )
    return [DailyLine(*row) for row in session.execute(statement)]


def oldest_snapshot(session: Session, model_id: str, market: str, buckets: Sequence[str]) -> datetime | None:
    """The first moment of which a list of trends at these bucket lengths is kept."""
    s = snapshot.c
    return session.scalar(
        sa.select(s.as_of)
        .join(episode, episode.c.id == s.episode_id)
        .where(s.audience_market == market, s.bucket.in_(buckets), episode.c.model_id == model_id)
        .order_by(s.as_of)
        .limit(1)
    )


class CountedDay(NamedTuple):
    """A counted day: when it was counted last, and whether detection took in the whole of it."""

    local_day: date
    counted_at: datetime
    detected: bool
    person_count: int


def counted_days_of(session: Session, model_id: str, market: str) -> list[CountedDay]:
    """The counted days of a market in order."""
    c = day_count.c
    statement = (
        sa.select(*[c[name] for name in CountedDay._fields])
        .where(c.model_id == model_id, c.audience_market == market)
        .order_by(c.local_day)
    )
    return [CountedDay(*row) for row in session.execute(statement)]
