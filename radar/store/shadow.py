"""Shadow runs: how many trends were found where nothing can be, beside how many were found as things are."""

from datetime import date, datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.engine import upsert
from radar.store.tables import shadow_run
from radar.store.version import answers_changed


class ShadowRow(NamedTuple):
    """One market's shadow run at one bucket length. shadow_trends is a mean over the shadows."""

    model_id: str
    audience_market: str
    bucket: str
    last_day: date
    days: int
    trends: int
    shadow_trends: float
    shadows: int
    ran_at: datetime


def write_shadow(session: Session, row: ShadowRow) -> None:
    """Store a shadow run; one of the same last day is replaced."""
    answers_changed(session)
    key = ["model_id", "audience_market", "bucket", "last_day"]
    upsert(session, shadow_run, [row._asdict()], on=key, update=[n for n in ShadowRow._fields if n not in key])


def newest_shadow(session: Session, model_id: str, market: str, upto: date) -> list[ShadowRow]:
    """The newest shadow run of a market up to a day, one row for each bucket length; empty where there was none."""
    c = shadow_run.c
    mine = [c.model_id == model_id, c.audience_market == market]
    last = sa.select(sa.func.max(c.last_day)).where(*mine, c.last_day <= upto).scalar_subquery()
    statement = sa.select(*[c[name] for name in ShadowRow._fields]).where(*mine, c.last_day == last).order_by(c.bucket)
    return [ShadowRow(*row) for row in session.execute(statement)]


def last_shadows(session: Session, model_id: str) -> dict[str, datetime]:
    """When each market had its last shadow run."""
    c = shadow_run.c
    statement = sa.select(c.audience_market, sa.func.max(c.ran_at)).where(c.model_id == model_id)
    return dict(session.execute(statement.group_by(c.audience_market)).all())
