"""Filling tables by the million, for measurements: columns in, rows stored as fast as the database takes them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa


def fill(engine: sa.Engine, table: sa.Table, columns: Mapping[str, Sequence[Any]]) -> None:
    """Append rows given by column, as the driver takes them: instants and JSON as text."""
    names = ", ".join(columns)
    rows = zip(*columns.values(), strict=True)
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        if engine.dialect.name == "sqlite":
            cursor.execute("PRAGMA foreign_keys=OFF")
            cursor.execute("BEGIN")
            marks = ", ".join("?" * len(columns))
            cursor.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", list(rows))
        else:
            with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        raw.driver_connection.commit()  # type: ignore[union-attr]
    finally:
        raw.close()


@contextmanager
def without_indexes(engine: sa.Engine, table: sa.Table) -> Iterator[None]:
    """Fill a table first, and make its indexes afterwards, which takes a fraction of keeping them meanwhile."""
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    with engine.begin() as connection:
        for index in indexes:
            index.drop(connection)
    yield
    with engine.begin() as connection:
        for index in indexes:
            index.create(connection)


def analyse(engine: sa.Engine) -> None:
    """Let the database count what its tables hold; PostgreSQL tidies them up as well, as it does in time by itself."""
    is_sqlite = engine.dialect.name == "sqlite"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ANALYZE" if is_sqlite else "VACUUM ANALYZE")


@contextmanager
def scratch_database(url: str, name: str) -> Iterator[str]:
    """The URL of a new, empty database on a PostgreSQL server, gone afterwards. name: letters, digits, underscores."""
    if not name.isidentifier():
        raise ValueError(f"{name} is no name for it")
    at = sa.make_url(url).set(drivername="postgresql+psycopg")
    admin = sa.create_engine(at, isolation_level="AUTOCOMMIT")
    quoted = admin.dialect.identifier_preparer.quote(name)
    with admin.connect() as connection:
        connection.execute(sa.DDL(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)"))  # type: ignore[no-untyped-call]
        connection.execute(sa.DDL(f"CREATE DATABASE {quoted}"))  # type: ignore[no-untyped-call]
    try:
        yield at.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(sa.DDL(f"DROP DATABASE {quoted} WITH (FORCE)"))  # type: ignore[no-untyped-call]
        admin.dispose()
