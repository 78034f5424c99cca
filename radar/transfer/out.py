"""Writing the store out as Parquet.

A run that was killed is run again: files that are there and whose day has not changed since stay, as each says in its
own metadata what it was made of. So an export into the place of an older one writes what is new alone.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.errors import CallerError, RadarError, StoreError
from radar.markets import MARKETS
from radar.store import transfer as store
from radar.store.engine import reading_still
from radar.store.migrate import HEAD, current
from radar.store.tables import metadata
from radar.transfer.manifest import NAME, Exported, Part, manifest_of, read_manifest
from radar.transfer.places import Place
from radar.transfer.shapes import file_of, name_of, names_of, schema_of

FILE_ROWS = 100_000
"""Rows of a file, of tables that are not by market and day."""
PRINT = b"radar"
"""Name in a file's metadata of what it was made of."""
Progress = Callable[[str, int, int | None], None]


def write_out(
    engine: sa.Engine, where: str, *, now: datetime, again: bool = False, secrets: bool = False,
    progress: Progress = lambda what, done, of: None,
) -> Exported:  # fmt: skip
    """Write the whole store to a folder or URL, as of one moment, while others read and write it.

    again    whether an export that is there already is to be brought up to date
    secrets  whether users, keys and targets of alerts go with it

    Raises CallerError where something else is there, and StoreError for a store of another schema.
    """
    if current(engine) != HEAD:
        raise StoreError(f"The store's schema is {current(engine)}, this radar's {HEAD}.", "Migrate it: radar jobs.")
    place = Place(where)
    before = _made_room(place, again)
    parts: list[Part] = []
    kept = 0
    with reading_still(engine) as session:
        for table in store.told_tables(secrets=secrets):
            if table.name not in store.DAILY:
                progress(table.name, 0, None)
                parts += _write_table(session, place, table)
        for market in MARKETS:
            days = store.days_of(session, market)
            for n, day in enumerate(days):
                progress(f"days of {market}", n, len(days))
                found, is_kept = _day(session, place, (market, day), before)
                parts += found
                kept += len(found) * is_kept
    names = {part.name for part in parts}
    for name in place.names():  # of days and rows that are no more: who was erased is to be gone here, too
        if name not in names and _is_ours(name):
            place.remove(name)
    place.settle()
    left_out = [] if secrets else list(store.SECRET.values())
    with place.writing(NAME) as file:
        file.write(manifest_of(HEAD, now, parts, left_out))
    place.settle()
    made = read_manifest(place)
    return Exported(made.id, made.schema, made.made_at, made.parts, made.counts, made.left_out, kept)


def _made_room(place: Place, again: bool) -> dict[str, str]:
    """Files that are there, with the SHA-256 that a finished export told of them.

    An export that is to be brought up to date is unfinished from here on.
    """
    there = dict.fromkeys(place.names(), "")
    if NAME in there:
        if not again:
            raise CallerError(
                f"There is a finished export in {place.shown}.", "Name another place, or say --again to renew it."
            )
        there |= {part.name: part.sha256 for part in read_manifest(place).parts if part.name in there}
        place.remove(NAME)
    elif strange := [name for name in there if not _is_ours(name)]:
        raise CallerError(f"{place.shown} holds something else: {strange[0]}.", "Name a folder of its own.")
    return there


def _is_ours(name: str) -> bool:
    whole = name.removesuffix(".part").rstrip("0123456789").removesuffix(".") if name.endswith(".part") else name
    return file_of(whole) is not None


def _write_table(session: Session, place: Place, table: sa.Table) -> Iterator[Part]:
    """A table that is not by market and day, in files of so many rows; always written anew."""
    batches = (_batch(table, rows) for rows in store.rows_out(session, table, names_of(table)))
    waiting = next(batches, None)
    number = 0
    while waiting is not None:
        name, rows = name_of(table.name, None, number), 0
        with place.writing(name) as file, pq.ParquetWriter(file, schema_of(table), compression="zstd") as writer:
            while waiting is not None and rows < FILE_ROWS:
                writer.write_batch(waiting)
                rows += len(waiting)
                waiting = next(batches, None)
        yield Part(name, rows, file.digest)
        number += 1


def _day(session: Session, place: Place, of: tuple[str, date], there: Mapping[str, str]) -> tuple[list[Part], bool]:
    """A market's day of all DAILY tables, and whether it was there already as it is."""
    print_ = f"{HEAD} {store.print_of(session, *of)}".encode()
    parts = _kept(place, of, print_, there)
    if parts is not None:
        return parts, True
    parts = []
    for table_name in reversed(store.DAILY):  # that of posts last: with it the day is there
        table = metadata.tables[table_name]
        name, schema = name_of(table_name, of), schema_of(table).with_metadata({PRINT: print_})
        rows = 0
        with place.writing(name) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for some in store.rows_out(session, table, names_of(table), of):
                writer.write_batch(_batch(table, some, schema))
                rows += len(some)
        parts.append(Part(name, rows, file.digest))
    return parts[::-1], False


def _kept(place: Place, of: tuple[str, date], print_: bytes, there: Mapping[str, str]) -> list[Part] | None:
    """The files of a day that are there, if all of them were made of what it holds now."""
    names = [name_of(table, of) for table in store.DAILY]
    if not there.keys() >= set(names):
        return None
    parts = []
    with suppress(pa.ArrowException, RadarError):  # a damaged file is written anew
        for name in names:
            with place.reading(name) as file:
                about = pq.read_metadata(file)
            if (about.metadata or {}).get(PRINT) != print_:
                return None
            digest = place.digest(name)
            if there[name] not in (digest, ""):
                return None
            parts.append(Part(name, about.num_rows, digest))
        return parts
    return None


def _batch(table: sa.Table, rows: list[Any], schema: pa.Schema | None = None) -> pa.RecordBatch:
    schema = schema or schema_of(table)
    columns = zip(*rows, strict=True)
    arrays = [pa.array(cells, field.type) for cells, field in zip(columns, schema, strict=True)]
    return pa.record_batch(arrays, schema=schema)
