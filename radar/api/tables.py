"""Lists of any length in four more forms: a page at a time goes in, and no more than that is held.

CSV and NDJSON go out as they come. Parquet (by row groups) and XLSX (by rows, a sheet for each million of them) need
their whole to be written first: to a temporary file, which is gone once it is sent.
"""

import csv
import hashlib
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import IO, Any, cast

from radar.api.columns import Column
from radar.api.forms import Form
from radar.cells import FORMULA_SIGNS, cell_of

Rows = Iterable[list[list[Any]]]
"""Rows of values, a page at a time."""
Writer = Callable[[IO[bytes], Sequence[Column], Rows], None]
SHEET_ROWS = 1_048_576
"""Rows of a sheet, its head included."""
GROUP_ROWS = 20_000
_PIECE = 1 << 16


def csv_pieces(columns: Sequence[Column], pages: Rows) -> Iterator[bytes]:
    """UTF-8 with the mark that spreadsheets know; a cell that one would run as a formula gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    out.write("\ufeff")
    writer.writerow(column.name for column in columns)
    for rows in pages:
        writer.writerows([cell_of(value) for value in row] for row in rows)
        yield _taken(out)
    yield _taken(out)


def _taken(out: io.StringIO) -> bytes:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text.encode("utf-8", "replace")


def ndjson_pieces(pages: Iterable[list[Any]]) -> Iterator[bytes]:
    """A line of JSON each, nested as in the list itself."""
    for lines in pages:
        made = (json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in lines)
        yield "".join(f"{line}\n" for line in made).encode("utf-8", "replace")


class Made:
    """A table in a temporary file: sent in pieces, and gone after that. `tag` is a print of what it holds."""

    def __init__(self, write: Writer, columns: Sequence[Column], pages: Rows) -> None:
        self._file = cast("IO[bytes]", tempfile.TemporaryFile(prefix="radar-table-"))  # noqa: SIM115  # sent later
        digest = hashlib.blake2b(repr([c.name for c in columns]).encode(), digest_size=16)
        try:
            write(self._file, columns, _printed(pages, digest))
        except BaseException:
            self._file.close()
            raise
        self.tag, self.size = digest.hexdigest(), self._file.tell()

    def __del__(self) -> None:
        self._file.close()  # of an answer that nobody took

    def pieces(self) -> Iterator[bytes]:
        """The file's content."""
        with self._file as file:
            file.seek(0)
            while piece := file.read(_PIECE):
                yield piece


def _printed(pages: Rows, digest: "hashlib.blake2b") -> Rows:
    for rows in pages:
        digest.update(repr(rows).encode("utf-8", "replace"))
        yield rows


def write_parquet(file: IO[bytes], columns: Sequence[Column], pages: Rows) -> None:
    """Parquet with a type for each column; a row group for some pages at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        int: pa.int64(), float: pa.float64(), bool: pa.bool_(), date: pa.date32(),
        datetime: pa.timestamp("us", tz="UTC"),
    }  # fmt: skip
    schema = pa.schema([(column.name, types.get(column.kind, pa.string())) for column in columns])
    kept: list[list[Any]] = []
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for rows in pages:
            kept += rows
            if len(kept) >= GROUP_ROWS:
                writer.write_table(_arrow(kept, schema))
                kept = []
        if kept:
            writer.write_table(_arrow(kept, schema))


def _arrow(rows: list[list[Any]], schema: Any) -> Any:
    import pyarrow as pa

    columns = zip(zip(*rows, strict=True), schema, strict=True)
    arrays = [pa.array([_storable(value) for value in values], field.type) for values, field in columns]
    return pa.table(arrays, schema=schema)


def _storable(value: Any) -> Any:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def write_xlsx(file: IO[bytes], columns: Sequence[Column], pages: Rows) -> None:
    """XLSX, written as it comes; instants in UTC, texts as texts even where they begin like a formula."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    head = [column.name for column in columns]
    sheet: Any = None
    used = SHEET_ROWS
    for rows in pages:
        for row in rows:
            if used == SHEET_ROWS:
                sheet, used = _sheet(book, head), 1
            sheet.append([_xlsx_cell(sheet, value) for value in row])
            used += 1
    if sheet is None:
        _sheet(book, head)
    book.save(file)
    file.seek(0, io.SEEK_END)


def _sheet(book: Any, head: list[str]) -> Any:
    sheet = book.create_sheet(f"list {len(book.worksheets) + 1}" if book.worksheets else "list")
    sheet.freeze_panes = "A2"
    sheet.append(head)
    return sheet


_XLSX_TEXT = 32_767
"""Characters that a cell holds."""


def _xlsx_cell(sheet: Any, value: Any) -> Any:
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, WriteOnlyCell

    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    if not isinstance(value, str):
        return value
    text = ILLEGAL_CHARACTERS_RE.sub(" ", value)[:_XLSX_TEXT].encode("utf-8", "replace").decode()
    if not text.startswith(FORMULA_SIGNS):
        return text
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"
    return cell


WRITERS = {Form.PARQUET: write_parquet, Form.XLSX: write_xlsx}
