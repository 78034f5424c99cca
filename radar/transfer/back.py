"""Taking an export into an empty store of either database.

A file is one transaction, with a mark of how far the import has come: a run that was killed goes on at the file it was
at, and one that came to its end does nothing when it is run again. Rows that are not such as the store holds, or that
name a row which is not there, are kept aside with the reason, in RADAR_DATA_DIR/rejects.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.errors import CallerError, UnreadableInput
from radar.store import runs
from radar.store import transfer as store
from radar.store.copying import has_content
from radar.store.engine import reading, writing
from radar.store.tables import metadata
from radar.transfer.checks import Faults, faults_of, fitted, in_range
from radar.transfer.manifest import Exported, Part, read_manifest
from radar.transfer.places import Place
from radar.transfer.shapes import PARTITION, File, file_of

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import came to, earlier runs of it included. before: when it had come to its end already."""

    export: Exported
    rows: int
    rejected: int
    rejects: Path
    before: str | None = None


def take_in(
    engine: sa.Engine, where: str, rejects: Path, *, now: datetime,
    progress: Progress = lambda what, done, of: None,
) -> Taken:  # fmt: skip
    """Take a finished export into an empty store, or go on with one that was begun.

    rejects  the folder of rejects: rows that were not taken go to one of their own in it

    Raises UnreadableInput for a damaged file, and CallerError for a store that holds something else.
    """
    place = Place(where)
    export = read_manifest(place)
    aside = rejects / f"export-{export.id}"
    mark = _begun(engine, export, now)
    parts = sorted(export.parts, key=_turn)
    for n in range(mark["next"], len(parts)):
        progress("files", n, len(parts))
        if place.digest(parts[n].name) != parts[n].sha256:
            raise UnreadableInput(f"{parts[n].name} is damaged: it is not what was written.", "Export anew.")
        with writing(engine) as session, session.begin():
            rows, bad = _take(session, place, parts[n], aside)
            mark |= {"next": n + 1, "rows": mark["rows"] + rows, "rejected": mark["rejected"] + bad}
            store.set_mark(session, mark)
    before = mark.get("finished_at")
    if before is None:
        with writing(engine) as session, session.begin():
            store.finish(session)
            store.set_mark(session, mark | {"finished_at": now.isoformat()})
    return Taken(export, mark["rows"], mark["rejected"], aside, before)


def _turn(part: Part) -> tuple[int, str]:
    """Rows that others name come first."""
    order = [table.name for table in metadata.sorted_tables]
    return order.index(part.name.partition("/")[0]), part.name


def _begun(engine: sa.Engine, export: Exported, now: datetime) -> dict[str, Any]:
    """How far an import of this export has come. Raises CallerError where something else is stored."""
    with reading(engine) as session:
        mark = store.mark_of(session)
        holder = runs.holder_of(session, "scheduler", now)
    if mark is not None and mark["export"] == export.id:
        return mark
    if mark is not None and "finished_at" not in mark:
        hint = "Go on with that one, or begin with an empty store."
        raise CallerError("The import of another export was begun here, and not finished.", hint)
    if has_content(engine):
        hint = "Name an empty one: RADAR_DATA_DIR or RADAR_DATABASE_URL."
        raise CallerError("The store is not empty, and rows keep their numbers.", hint)
    if holder:
        raise CallerError(f"A scheduler is at work here ({holder}).", "Stop radar, wait a minute, then import again.")
    return {"export": export.id, "next": 0, "rows": 0, "rejected": 0}


def _take(session: Session, place: Place, part: Part, aside: Path) -> tuple[int, int]:
    """Take one file in; returns (rows taken, rows kept aside)."""
    about = file_of(part.name)
    assert about is not None
    table, taken, line = metadata.tables[about.table], 0, 0
    with _Rejects(aside, part.name).open() as rejects, place.reading(part.name) as file:
        try:
            for batch in pq.ParquetFile(file).iter_batches(batch_size=store.batch_of(table)):
                taken += _take_batch(session, table, fitted(table, batch, part.name), about, rejects, line)
                line += len(batch)
        except pa.ArrowException as error:
            raise UnreadableInput(f"{part.name} cannot be read: {error}.", "Export anew.") from error
    return taken, rejects.count


def _take_batch(
    session: Session, table: sa.Table, batch: pa.RecordBatch, about: File, rejects: "_Rejects", line: int
) -> int:
    faults = faults_of(table, batch, about.of)
    columns = {name: in_range(batch.column(name)).to_pylist() for name in batch.schema.names}
    if table.name == "post" and about.of is not None:
        columns |= {name: [value] * len(batch) for name, value in zip(PARTITION, about.of, strict=True)}
    rows = [n for n in range(len(batch)) if n not in faults]
    _put(session, table, columns, rows, faults)
    for n, why in sorted(faults.items()):
        rejects.keep(line + n, why, {name: cells[n] for name, cells in columns.items()})
    return len(batch) - len(faults)


def _put(session: Session, table: sa.Table, columns: dict[str, list[Any]], rows: list[int], faults: Faults) -> None:
    """Insert rows; those that the database refuses are found by halving, and noted."""
    if not rows:
        return
    whole = len(rows) == len(next(iter(columns.values())))
    try:
        store.rows_in(session, table, columns if whole else {k: [v[n] for n in rows] for k, v in columns.items()})
    except store.RowsRefused as error:
        if len(rows) == 1:
            faults[rows[0]] = error.message
            return
        half = len(rows) // 2
        _put(session, table, columns, rows[:half], faults)
        _put(session, table, columns, rows[half:], faults)


class _Rejects:
    """A file of rows that were not taken, of one file of an export; written whole each time that is taken."""

    def __init__(self, folder: Path, name: str) -> None:
        self._path = folder / (name.replace("/", ".") + ".rejects.jsonl")
        self._part = self._path.with_suffix(".part")
        self._file: IO[str] | None = None
        self.count = 0

    @contextmanager
    def open(self) -> Iterator["_Rejects"]:
        """Come to its name at the end, where there were any."""
        try:
            yield self
            if self._file is not None:
                self._file.close()
                os.replace(self._part, self._path)
        finally:
            if self._file is not None:
                self._file.close()
            self._part.unlink(missing_ok=True)

    def keep(self, row: int, why: str, cells: dict[str, Any]) -> None:
        """Keep a row, numbered from 0 in its file, with the reason."""
        if self._file is None:
            self._part.parent.mkdir(parents=True, exist_ok=True)
            for_its_owner = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._file = os.fdopen(for_its_owner, "w", encoding="utf-8")
        said = {"row": row, "reason": why, "values": cells}
        self._file.write(json.dumps(said, ensure_ascii=False, default=_plain) + "\n")
        self.count += 1


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else _day(value)


def _day(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
