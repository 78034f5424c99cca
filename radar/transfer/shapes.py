"""Columns of the store as Arrow has them, and the names of files."""

import re
from datetime import date
from typing import Any, NamedTuple

import pyarrow as pa
import sqlalchemy as sa

from radar.markets import MARKETS
from radar.store.tables import Instant
from radar.store.transfer import DAILY

PARTITION = ("audience_market", "local_day")
"""Columns of a post that are in the path of its file alone."""
_FILE = re.compile(
    r"(?P<table>[a-z_]{1,63})/(audience_market=(?P<market>[A-Z]{2})/local_day=(?P<day>\d{4}-\d\d-\d\d)/)?\d{5}\.parquet"
)


class File(NamedTuple):
    """What a file's name says: its table, and the market and day of a part of one of DAILY."""

    table: str
    of: tuple[str, date] | None


def file_of(name: str) -> File | None:
    """What a name says; None for one that no export has.

    >>> file_of("post/audience_market=TW/local_day=2026-05-01/00000.parquet").of
    ('TW', datetime.date(2026, 5, 1))
    >>> file_of("../post/00000.parquet"), file_of("post/00000.parquet"), file_of("author/00000.parquet").table
    (None, None, 'author')
    """
    found = _FILE.fullmatch(name)
    if found is None or (found["table"] in DAILY) != bool(found["day"]):
        return None
    if not found["day"]:
        return File(found["table"], None)
    try:
        day = date.fromisoformat(found["day"])
    except ValueError:
        return None
    return File(found["table"], (found["market"], day)) if found["market"] in MARKETS else None


def name_of(table: str, of: tuple[str, date] | None, number: int = 0) -> str:
    """The name of a file."""
    within = f"audience_market={of[0]}/local_day={of[1].isoformat()}/" if of else ""
    return f"{table}/{within}{number:05}.parquet"


def names_of(table: sa.Table) -> list[str]:
    """Columns that are in a table's files."""
    left_out = PARTITION if table.name == "post" else ()
    return [column.name for column in table.columns if column.name not in left_out]


def schema_of(table: sa.Table) -> pa.Schema:
    """Arrow's types of a table's files."""
    columns = [table.c[name] for name in names_of(table)]
    return pa.schema([pa.field(c.name, type_of(c), nullable=bool(c.nullable)) for c in columns])


def type_of(column: sa.Column[Any]) -> pa.DataType:
    """Arrow's type of a column."""
    kinds: list[tuple[type[Any], pa.DataType]] = [
        (Instant, pa.timestamp("us", tz="UTC")), (sa.Date, pa.date32()), (sa.Boolean, pa.bool_()),
        (sa.LargeBinary, pa.binary()), (sa.Float, pa.float64()), (sa.SmallInteger, pa.int16()),
        (sa.BigInteger, pa.int64()), (sa.Integer, pa.int32()), (sa.JSON, pa.string()), (sa.String, pa.string()),
    ]  # fmt: skip
    kind = _kind(column)
    return next(arrow for ours, arrow in kinds if isinstance(kind, ours))


def _kind(column: sa.Column[Any]) -> Any:
    """A column's type; that of what it names, where it has none of its own."""
    while isinstance(column.type, sa.types.NullType) and column.foreign_keys:
        column = next(iter(column.foreign_keys)).column
    return column.type
