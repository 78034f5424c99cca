"""Opening the store: SQLite in WAL mode or PostgreSQL, by one URL."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from radar.errors import MixedWorlds, StoreError
from radar.store.tables import Instant, meta

T = TypeVar("T")

_FEW = 4
"""Rows for which converting by columns does not pay."""

SQL_VARIABLES = 30_000
"""Bound variables in one statement: below SQLite's 32,766 and PostgreSQL's 65,535."""


def open_store(url: str, *, migrate: bool = True) -> sa.Engine:
    """An engine for that URL, its schema up to date.

    Raises StoreError when the URL is not understood or the database is out of reach.
    """
    try:
        engine = _connect(url)
        with engine.connect():
            pass
    except (sa.exc.SQLAlchemyError, OSError, ImportError) as error:
        shown = url.split("@")[-1]
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise StoreError(f"Cannot open the store at {shown}: {reason}.", "Check RADAR_DATABASE_URL.") from error
    if migrate:
        from radar.store.migrate import upgrade

        upgrade(engine)
    return engine


def _connect(url: str) -> sa.Engine:
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(url, connect_args={"timeout": 30})
        sa.event.listen(engine, "connect", _set_pragmas)
        sa.event.listen(engine, "begin", _begin)
        return engine
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return sa.create_engine(parsed, pool_pre_ping=True)


def _set_pragmas(connection: Any, _record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # we begin transactions ourselves
    for pragma in (
        "journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL", "busy_timeout=30000", "cache_size=-16384",
        "temp_store=MEMORY",
    ):  # fmt: skip
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    """A writing session takes the write lock at once, so that two never meet half-way."""
    writes = connection.get_execution_options().get("radar_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def reading(engine: sa.Engine) -> Session:
    """A session for reads."""
    return Session(engine, expire_on_commit=False)


def writing(engine: sa.Engine) -> Session:
    """A session for one short write transaction; use `with writing(engine) as session, session.begin():`."""
    return Session(engine.execution_options(radar_writes=True), expire_on_commit=False)


def reading_still(engine: sa.Engine) -> Session:
    """A session that sees the store as it is at its first read, whatever others write meanwhile; it cannot write."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Session(engine, expire_on_commit=False)


def one_writer(session: Session, name: str) -> None:
    """Let other transactions that ask for the same name wait until this one ends; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"radar {name}"))))


def upsert(
    session: Session,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    on: Iterable[str],
    update: Iterable[str] | Mapping[str, Any] = (),
    unless_same: bool = False,
) -> None:
    """Insert rows; where `on` exists already, set the `update` columns, or leave the row when there are none.

    unless_same  write nothing where they hold that already: for what is mostly told again
    """
    if not rows:
        return
    name = session.get_bind().dialect.name
    if isinstance(update, Mapping):
        statement = _upsert(name, table, tuple(on), update, unless_same)
    else:
        statement = _usual_upsert(name, table, tuple(on), tuple(update), unless_same)
    execute_each(session, statement, rows)


def _upsert(
    dialect: str, table: sa.Table, on: Sequence[str], update: Sequence[str] | Mapping[str, Any], unless_same: bool
) -> sa.Insert:
    insert: Any = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    changes = dict(update) if isinstance(update, Mapping) else {name: insert.excluded[name] for name in update}
    done: sa.Insert
    if not changes:
        done = insert.on_conflict_do_nothing(index_elements=list(on))
        return done
    differs = [table.c[name].is_distinct_from(value) for name, value in changes.items()]
    where = sa.or_(*differs) if unless_same else None
    done = insert.on_conflict_do_update(index_elements=list(on), set_=changes, where=where)
    return done


_usual_upsert = cache(_upsert)
"""Of names alone there are few, and a small batch costs less than its statement."""


def execute_each(session: Session, statement: sa.Insert | sa.Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run a statement once for each row; the rows have the same names, which are all that the statement binds.

    As `Connection.execute(statement, rows)` with less work: each column goes through its type's own conversion
    as a column, and equal instants once.
    """
    connection = session.connection()
    dialect = connection.dialect
    compiled = _compiled(statement, dialect, tuple(rows[0]))
    names = compiled.positiontup if compiled.positional else list(compiled.binds)
    if len(rows) < _FEW or set(names) != rows[0].keys():  # the statement has values of its own
        connection.execute(statement, rows)
        return
    once = dict.fromkeys(names)
    columns = {name: _converted(compiled.binds[name].type, dialect, [row[name] for row in rows]) for name in once}
    tuples = zip(*(columns[name] for name in names), strict=True)
    given = list(tuples) if compiled.positional else [dict(zip(names, values, strict=True)) for values in tuples]
    connection.exec_driver_sql(compiled.string, given)


@lru_cache(maxsize=128)
def _compiled(statement: sa.Insert | sa.Update, dialect: sa.Dialect, names: tuple[str, ...]) -> Any:
    """The statement for rows of these names, as the dialect says it; kept for statements that come again."""
    return statement.compile(dialect=dialect, column_keys=list(names))


def _converted(kind: Any, dialect: sa.Dialect, values: list[Any]) -> list[Any]:
    """A column's values as the driver takes them."""
    convert = kind.dialect_impl(dialect).bind_processor(dialect)
    if convert is None:
        return values
    return list(map(cache(convert) if isinstance(kind, Instant) else convert, values))


def upserting_from(
    dialect: str, table: sa.Table, columns: Sequence[str], rows: sa.Select[Any], *, on: Sequence[str]
) -> sa.Insert:
    """Inserts what a query selects; where `on` exists already, sets the other columns. Callers keep the statement."""
    insert = (sqlite if dialect == "sqlite" else postgresql).insert(table)
    changes = {name: insert.excluded[name] for name in columns if name not in on}
    source = insert.from_select(list(columns), rows)
    done: sa.Insert = source.on_conflict_do_update(index_elements=list(on), set_=changes)
    return done


def chunks(items: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    """Slices of at most `size` items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def claim_world(session: Session, world: str) -> None:
    """Say once whether this store holds "simulated" or "real" posts. Raises MixedWorlds if it holds the other."""
    upsert(session, meta, [{"name": "world", "value": world}], on=["name"])
    held = session.scalar(sa.select(meta.c.value).where(meta.c.name == "world"))
    if held != world:
        raise MixedWorlds(
            f"This store holds {held} posts; {world} ones cannot join them.",
            "Leave the demo with another RADAR_DATA_DIR, or delete the demo's data folder.",
        )


def world_of(session: Session) -> str | None:
    """ "simulated", "real", or None for an empty store."""
    return session.scalar(sa.select(meta.c.value).where(meta.c.name == "world"))
