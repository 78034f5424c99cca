"""A number that is another one once answers made of trends no longer hold."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.engine import upsert
from radar.store.tables import meta

NAME = "answers version"
UNKNOWN = -1
"""The store does not answer: nothing that was kept holds."""
_READ = "SELECT value FROM meta WHERE name = 'answers version'"
_value = sa.cast(meta.c.value, sa.BigInteger) + 1


def answers_changed(session: Session) -> None:
    """Say, in the transaction that changes it, that something which answers were made of is another now."""
    changed = sa.update(meta).where(meta.c.name == NAME).values(value=sa.cast(_value, sa.Text))
    if not session.connection().execute(changed).rowcount:
        upsert(session, meta, [{"name": NAME, "value": "1"}], on=["name"], update={"value": sa.cast(_value, sa.Text)})


def answers_version(engine: sa.Engine) -> int:
    """The number as it is now, UNKNOWN where the store does not answer.

    It is asked with every answer, so by the driver itself, in some microseconds.
    """
    try:
        raw = engine.raw_connection()
        try:
            cursor = raw.cursor()
            cursor.execute(_READ)
            row = cursor.fetchone()
        finally:
            raw.close()
    except (sa.exc.SQLAlchemyError, engine.dialect.loaded_dbapi.Error):
        return UNKNOWN
    return int(row[0]) if row else 0
