"""Locks of PostgreSQL that a connection of their own holds, so that they end with it, whatever becomes of the process.

No clock is asked and nothing has to be given back: where a process is killed, its connection is closed and the lock is
free at once; where a whole host is gone, the server notices after KEEPALIVE. It takes a connection straight to the
server: behind a pooler that shares connections between transactions, a lock of a session means nothing.
"""

import os
import socket
from contextlib import suppress
from typing import Any

import sqlalchemy as sa

KEEPALIVE = {"tcp_keepalives_idle": 10, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 4}
"""Seconds until a silent connection is asked, between two questions, and how many are asked: 30 s in all."""


_NAME = "radar lock "


def _named() -> str:
    """What the server calls this process's locks: a name is cut at 63 characters, the process number comes first."""
    return f"{_NAME}{os.getpid()} {socket.gethostname()}"[:63]


class SessionLock:
    """One lock by name within a database. A lost connection is no error: the lock is not held then."""

    def __init__(self, engine: sa.Engine, name: str) -> None:
        self._engine = engine
        self._number = sa.func.hashtextextended(f"radar lock {name}", 0)
        self._connection: sa.Connection | None = None
        self._is_mine = False

    def take(self) -> bool:
        """Hold it, if nobody else does. Raises what the store raises where it cannot be asked."""
        if self.holds():
            return True
        if self._connection is None:
            self._connection = self._open()
        try:
            self._is_mine = bool(self._connection.scalar(sa.select(sa.func.pg_try_advisory_lock(self._number))))
        except BaseException:
            self.release()
            raise
        return self._is_mine

    def holds(self) -> bool:
        """Whether the connection that holds it is still there: asked over that very connection."""
        if self._connection is None or not self._is_mine:
            return False
        try:
            self._connection.scalar(sa.select(sa.literal(1)))
        except sa.exc.DBAPIError:
            self.release()
            return False
        return True

    def take_away(self) -> None:
        """End the connection that holds it, and all others by which that process holds locks: it finds out when it asks
        next."""
        held = sa.table("pg_locks", *map(sa.column, ("pid", "locktype", "classid", "objid", "database", "granted")))
        number = (
            sa.cast(held.c.classid, sa.BigInteger)
            .op("<<")(sa.cast(32, sa.Integer))
            .op("|")(sa.cast(held.c.objid, sa.BigInteger))
        )
        here: sa.Select[Any] = sa.select(sa.column("oid")).select_from(sa.table("pg_database", sa.column("datname")))
        here = here.where(sa.column("datname") == sa.func.current_database())
        holder = sa.select(held.c.pid).where(
            held.c.locktype == "advisory", held.c.granted, held.c.database == here.scalar_subquery(),
            number == self._number,
        )  # fmt: skip
        names = ("pid", "application_name")
        his = sa.table("pg_stat_activity", *map(sa.column, names)).alias("his")
        each = sa.table("pg_stat_activity", *map(sa.column, names)).alias("each_one")
        name = sa.select(his.c.application_name).where(his.c.pid.in_(holder), his.c.application_name.startswith(_NAME))
        found = sa.select(sa.func.pg_terminate_backend(each.c.pid)).where(each.c.application_name.in_(name))
        with self._engine.connect() as connection:
            connection.execute(found)

    def release(self) -> None:
        """Let others have it."""
        connection, self._connection, self._is_mine = self._connection, None, False
        if connection is not None:
            with suppress(sa.exc.DBAPIError):
                connection.close()  # it was taken out of the pool: the server ends the session, and the lock with it

    def _open(self) -> sa.Connection:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()
        settings: dict[str, Any] = KEEPALIVE | {"idle_session_timeout": 0, "application_name": _named()}
        for name, value in settings.items():
            connection.execute(sa.select(sa.func.set_config(name, str(value), False)))
        return connection


def has_locks(engine: sa.Engine) -> bool:
    """Whether the database has such locks; SQLite has none, and one machine alone."""
    return engine.dialect.name == "postgresql"
