"""Numbers that are others once answers that were made do not hold any more."""

import threading
import weakref
from contextlib import suppress
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.engine import upsert
from radar.store.tables import meta

NAME = "answers version"
REMOVALS = "removals version"
_READ = (
    "SELECT (SELECT value FROM meta WHERE name = 'answers version'), "
    "(SELECT value FROM meta WHERE name = 'removals version')"
)
_value = sa.cast(meta.c.value, sa.BigInteger) + 1


class Versions(NamedTuple):
    """What the store is at.

    trends    another one when trends, or what is shown of them, were changed
    removals  another one when something was taken away that must be shown nowhere: erased, hidden, deleted, forgotten
    store     another one after every write, whatever it wrote
    """

    trends: int
    removals: int
    store: tuple[int, str]


def answers_changed(session: Session, *, removed: bool = False) -> None:
    """Say, in the transaction that changes it, that something which answers were made of is another now.

    removed  it is gone: not even an answer of a moment ago may show it
    """
    for name in (NAME, REMOVALS) if removed else (NAME,):
        changed = sa.update(meta).where(meta.c.name == name).values(value=sa.cast(_value, sa.Text))
        if not session.connection().execute(changed).rowcount:
            first = [{"name": name, "value": "1"}]
            upsert(session, meta, first, on=["name"], update={"value": sa.cast(_value, sa.Text)})


class StoreVersions:
    """The numbers as they are now, asked with every answer: by a connection of its own, so that nobody waits for one.

    A wait in the event loop for a connection that others hold would keep those from giving theirs back.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._lock = threading.Lock()
        self._connection: Any = None
        self._shut: weakref.finalize[Any, Any] | None = None
        self._opened = 0
        self._last: Versions | None = None

    def read(self) -> Versions | None:
        """The numbers in some microseconds; None where the store does not answer: nothing that was kept holds."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._open()
                    self._opened, self._last = self._opened + 1, None
                return self._read()
            except (sa.exc.SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error):
                self._close()
                return None

    def _read(self) -> Versions:
        # SQLite numbers what others committed, PostgreSQL tells which transactions are over
        asked = "PRAGMA data_version" if self._is_sqlite else f"{_READ}, pg_current_snapshot()::text"
        row = self._row(asked)
        store = (self._opened, str(row[-1]))
        if self._is_sqlite:
            if self._last is not None and self._last.store == store:
                return self._last
            row = self._row(_READ)
        self._last = Versions(int(row[0] or 0), int(row[1] or 0), store)
        return self._last

    def _row(self, statement: str) -> Any:
        cursor = self._connection.cursor()
        cursor.execute(statement)
        rows = cursor.fetchall()  # all of them, so that no snapshot stays open
        cursor.close()
        return rows[0]

    def _open(self) -> Any:
        raw = self._engine.raw_connection()
        driver: Any = raw.driver_connection
        if not self._is_sqlite:
            driver.autocommit = True
        raw.detach()
        # a finalizer holds the connection, so that garbage collection cannot take it first and find it open
        self._shut = weakref.finalize(self, _shut, raw, self._engine.dialect.loaded_dbapi.Error)
        return raw

    def _close(self) -> None:
        if self._shut is not None:
            self._shut()
        self._connection = None


def _shut(connection: Any, error: type[Exception]) -> None:
    with suppress(error):
        connection.close()
