"""What was used of the quotas and budgets of sources."""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.engine import upsert
from radar.store.tables import source_usage

u = source_usage.c


def use(session: Session, source: str, bucket: str, period: str, units: int, limit: int) -> bool:
    """Add units to a period's use if they stay within the limit; whether they did."""
    upsert(session, source_usage, [{"source": source, "bucket": bucket, "period": period, "units": 0}], on=_KEY)
    statement = sa.update(source_usage).where(*_where(source, bucket, period), u.units + units <= limit)
    return bool(session.connection().execute(statement.values(units=u.units + units)).rowcount)


def unuse(session: Session, source: str, bucket: str, period: str, units: int) -> None:
    """Take units back."""
    statement = sa.update(source_usage).where(*_where(source, bucket, period))
    session.execute(statement.values(units=u.units - units))


def used(session: Session, source: str, bucket: str, period: str) -> int:
    """Units that were used in a period."""
    return session.scalar(sa.select(u.units).where(*_where(source, bucket, period))) or 0


class Used(NamedTuple):
    """What was used of one budget in one period."""

    source: str
    bucket: str
    period: str
    units: int


def used_in(session: Session, periods: Sequence[str]) -> list[Used]:
    """What was used in some periods, by source."""
    statement = sa.select(*[u[name] for name in Used._fields]).where(u.period.in_(periods))
    return [Used(*row) for row in session.execute(statement.order_by(u.source, u.bucket))]


_KEY = ("source", "bucket", "period")


def _where(source: str, bucket: str, period: str) -> tuple[sa.ColumnElement[bool], ...]:
    return u.source == source, u.bucket == bucket, u.period == period
