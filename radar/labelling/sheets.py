"""Sheets that people fill: CSV and XLSX, written so that a text of a post never becomes a formula."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile

from radar.cells import guarded
from radar.errors import CallerError, RadarError, UnreadableInput
from radar.file_rows import Fault, Row, format_of, rows_of
from radar.topics import Taxonomy

_WIDTHS = {"text": 80, "detail": 32, "topics": 30, "suggested": 30}


def write_sheet(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], taxonomy: Taxonomy) -> None:
    """Write rows as .csv (UTF-8 with its mark, as spreadsheets expect) or .xlsx, with the topics on a second sheet.

    Raises CallerError for another ending, RadarError where the file cannot be written.
    """
    kind = path.suffix.lower()
    if kind not in (".csv", ".xlsx"):
        raise CallerError(f"{path}: '{kind}' is neither .csv nor .xlsx.", "Name a file like labels.xlsx.")
    try:
        if kind == ".csv":
            with path.open("w", encoding="utf-8-sig", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(columns)
                writer.writerows([guarded(str(row[name])) for name in columns] for row in rows)
        else:
            _write_xlsx(path, columns, rows, taxonomy)
    except OSError as error:
        raise RadarError(f"Cannot write {path}: {error.strerror}.", "Name another file.") from error


def _write_xlsx(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]], taxonomy: Taxonomy) -> None:
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Alignment, Font

    book = Workbook()
    sheet: Any = book.active
    sheet.title = "posts"
    topics: Any = book.create_sheet("topics")
    written = [[ILLEGAL_CHARACTERS_RE.sub(" ", str(row[name])) for name in columns] for row in rows]
    named = [[topic.id, topic.names.get("en", ""), topic.definition] for topic in taxonomy.topics]
    for page, table in ((sheet, [list(columns), *written]), (topics, [["id", "name", "definition"], *named])):
        for y, line in enumerate(table, start=1):
            for x, value in enumerate(line, start=1):
                cell = page.cell(y, x)
                cell.value, cell.data_type = value, "s"  # text, also where it begins like a formula
                cell.font = Font(bold=y == 1)
                cell.alignment = Alignment(wrap_text=True, vertical="top")
        page.freeze_panes = "A2"
    for x, name in enumerate(columns):
        sheet.column_dimensions[chr(ord("A") + x)].width = _WIDTHS.get(name, 14)
    topics.column_dimensions["A"].width, topics.column_dimensions["C"].width = 26, 100
    book.save(path)


def sheet_rows(stream: IO[bytes], path: str, format_name: str | None) -> Iterator[tuple[int, Row | Fault]]:
    """(line, row) of a filled sheet: CSV, XLSX (its first sheet), JSONL or Parquet. Raises UnreadableInput."""
    if format_name == "xlsx" or (format_name is None and path.lower().endswith(".xlsx")):
        yield from _xlsx_rows(stream, path)
    else:
        yield from rows_of(stream, format_of(path, format_name), path)


def _xlsx_rows(stream: IO[bytes], path: str) -> Iterator[tuple[int, Row | Fault]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(stream, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        rows = sheet.iter_rows(values_only=True)
        header = [str(name).strip() if name is not None else "" for name in next(rows, ())]
        for line, values in enumerate(rows, start=2):
            if any(value is not None for value in values):
                yield line, {name: value for name, value in zip(header, values, strict=False) if name}
        book.close()
    except (BadZipFile, InvalidFileException, KeyError, OSError, ValueError, IndexError) as error:
        raise UnreadableInput(f"{path}: not a workbook, or a damaged one: {error}.", "Save it as .xlsx.") from error
