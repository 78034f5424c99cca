"""A number that is another one once answers made of trends no longer hold."""

import threading
from contextlib import suppress
from typing import Any

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


class AnswersVersion:
    """The number as it is now, asked with every answer: by a connection of its own, so that nobody waits for one.

    A wait in the event loop for a connection that others hold would keep those from giving theirs back.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._connection: Any = None

    def read(self) -> int:
        """The number in some microseconds, UNKNOWN where the store does not answer."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._open()
                cursor = self._connection.cursor()
                cursor.execute(_READ)
                rows = cursor.fetchall()  # all of them, so that no snapshot stays open
                cursor.close()
            except (sa.exc.SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error):
                self._close()
                return UNKNOWN
        return int(rows[0][0]) if rows else 0

    def _open(self) -> Any:
        raw = self._engine.raw_connection()
        driver: Any = raw.driver_connection
        if self._engine.dialect.name == "postgresql":
            driver.autocommit = True
        raw.detach()
        return raw

    def _close(self) -> None:
        if self._connection is not None:
            with suppress(self._engine.dialect.loaded_dbapi.Error):
                self._connection.close()
            self._connection = None

    def __del__(self) -> None:
        self._close()
