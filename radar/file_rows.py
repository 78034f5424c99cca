"""Rows of CSV, JSONL, Parquet and XLSX files, also packed by gzip, one at a time: what is no row comes as a fault."""

import csv
import gzip
import io
import json
import shutil
import sys
import tempfile
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, NamedTuple, TextIO, TypeVar

import xxhash
from pydantic_core import from_json

from radar.errors import CallerError, UnreadableInput
from radar.file_encoding import SAMPLE, sniff

FORMATS = ("csv", "jsonl", "parquet", "xlsx")
_BATCH = 2_000
_LINES = 500
"""Lines of JSON that are looked into together: they stay near."""
_CHUNK = 1 << 20
LONGEST_LINE = 1_000_000
"""Bytes of a line of JSON, characters of a field of CSV, that are taken at most."""

T = TypeVar("T")
Row = dict[str, Any]


class Fault(NamedTuple):
    """A line that is no row: why, and what it holds."""

    reason: str
    raw: Any


def format_of(path: str, format_name: str | None) -> str:
    """The format that is said, or that the name tells."""
    if format_name is not None and format_name not in FORMATS:
        raise CallerError(f"--format: '{format_name}' is none of {', '.join(FORMATS)}.")
    name = path.lower().removesuffix(".gz")
    guess = format_name or next((f for f in FORMATS if name.endswith(f".{f}")), None)
    guess = guess or ("jsonl" if name.endswith((".json", ".ndjson")) else None)
    if guess is None:
        raise CallerError(f"{path}: the format is not clear from the name.", f"Say --format {', '.join(FORMATS)}.")
    return guess


@contextmanager
def opened(path: str) -> Iterator[IO[bytes]]:
    """A file to read twice; what can be read but once, as standard input ("-"), is copied aside first.

    Raises UnreadableInput.
    """
    if path == "-" and sys.stdin is None:
        raise UnreadableInput("Standard input is closed.", "Pipe the rows in, or name a file.")
    try:
        stream: IO[bytes] = sys.stdin.buffer if path == "-" else Path(path).open("rb")  # noqa: SIM115  closed by the `with` below
    except (OSError, ValueError) as error:
        raise UnreadableInput(f"Cannot read {path}: {_why(error)}.", "Check the path.") from error
    with stream:
        if path != "-" and stream.seekable():
            yield stream
            return
        with tempfile.TemporaryFile() as aside:
            shutil.copyfileobj(stream, aside, _CHUNK)
            aside.seek(0)
            yield aside


def content_of(stream: IO[bytes]) -> int:
    """64 bits, signed, that stand for the bytes of a stream, which is read and rewound."""
    digest = xxhash.xxh3_64()
    while block := stream.read(_CHUNK):
        digest.update(block)
    stream.seek(0)
    return signed(digest.intdigest())


def signed(number: int) -> int:
    """64 bits as a database holds them.

    >>> signed(2**64 - 1), signed(5)
    (-1, 5)
    """
    return number - 2**64 if number >= 2**63 else number


def _why(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def rows_of(stream: IO[bytes], format_name: str, name: str) -> Iterator[tuple[int, Row | Fault]]:
    """(line, row) of an open file, packed by gzip or not; a line that is no row comes as a fault.

    name  the file's, for messages

    Raises UnreadableInput for a file that is damaged, after the rows before the damage.
    """
    return _read({"csv": _csv, "jsonl": _jsonl, "parquet": _parquet, "xlsx": _xlsx}[format_name], stream, name)


def json_lines_of(stream: IO[bytes], name: str) -> Iterator[tuple[list[int], list[bytes]]]:
    """The numbers and the bytes of lines of JSON, some at a time, none of them empty: `row_of` tells what they hold."""
    return _read(_json_lines, stream, name)


def _read(reader: Callable[[Any], Iterator[T]], stream: IO[bytes], name: str) -> Iterator[T]:
    zipped = stream.read(2) == b"\x1f\x8b"
    stream.seek(0)
    plain: Any = gzip.GzipFile(fileobj=stream) if zipped else stream
    try:
        yield from reader(plain)
    except UnreadableInput as error:
        raise UnreadableInput(f"{name}: {error.message}", error.hint) from error
    except (EOFError, gzip.BadGzipFile, zlib.error, OSError, UnicodeError) as error:
        raise UnreadableInput(f"{name}: {error}.", "The file is damaged.") from error


class _Lines:
    """Lines of a text, remembering those of the record that is being read; some can be given back."""

    def __init__(self, text: TextIO) -> None:
        self._text, self._waiting = text, deque[str]()
        self.number, self.taken, self.ended = 0, list[str](), False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else self._text.readline(LONGEST_LINE)
        if not line:
            self.ended = True
            raise StopIteration
        self.number += 1
        self.taken.append(line)
        return line

    def begin(self) -> int:
        """Begin a record; the number of its first line."""
        self.taken.clear()
        return self.number + 1

    def give_back(self, lines: Sequence[str]) -> None:
        """Let the last lines be read anew."""
        self._waiting.extendleft(reversed(lines))
        self.number -= len(lines)
        self.ended = False


def _csv(stream: IO[bytes]) -> Iterator[tuple[int, Row | Fault]]:
    csv.field_size_limit(LONGEST_LINE)
    with io.TextIOWrapper(stream, encoding=sniff(_sample(stream)), errors="surrogateescape", newline="") as text:
        lines = _Lines(text)
        try:
            first = next(lines)
        except StopIteration:
            return
        delimiter = "," if "," in first else max(";\t", key=first.count)
        yield from _records(lines, delimiter, _header(first, delimiter))


def _sample(stream: IO[bytes]) -> bytes:
    """The beginning of a stream, which is rewound; of one that is damaged there, what comes before the damage."""
    blocks: list[bytes] = []
    with suppress(EOFError, zlib.error, OSError):
        while sum(map(len, blocks)) < SAMPLE and (block := stream.read1(8_192)):  # type: ignore[attr-defined]
            blocks.append(block)
    stream.seek(0)
    return b"".join(blocks)


def _header(first: str, delimiter: str) -> list[str]:
    if any("\udc80" <= sign <= "\udcff" for sign in first):
        raise UnreadableInput("the header is not UTF-8.", "Save the file as UTF-8.")
    try:
        header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter))]
    except csv.Error as error:
        raise UnreadableInput(f"the header cannot be read: {error}.", "Is it a CSV file? See --format.") from error
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise UnreadableInput(f"two columns are named '{twice[0]}'.", "Give each column a name of its own.")
    return header


def _records(lines: _Lines, delimiter: str, header: list[str]) -> Iterator[tuple[int, Row | Fault]]:
    """Records and their first lines. A stray quote that takes the lines after it takes its own and no more."""
    while True:
        reader = csv.reader(lines, delimiter=delimiter)
        for begins in iter(lines.begin, None):
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                fault: Row | Fault = Fault(str(error), _start(lines.taken))
            else:
                if len(record) == len(header) and not lines.ended:
                    yield begins, dict(zip(header, record, strict=True))
                    continue
                if len(lines.taken) == 1:
                    if record:
                        yield begins, _record(record, header)
                    continue
                fault = Fault("a quote is opened and not closed", _start(lines.taken))
            alone, *after = lines.taken
            lines.give_back(after)
            yield begins, _alone(alone, delimiter, header, fault) if after else fault
            break


def _alone(line: str, delimiter: str, header: list[str], fault: Row | Fault) -> Row | Fault:
    """A line read by itself."""
    try:
        return _record(next(csv.reader([line], delimiter=delimiter)), header)
    except csv.Error:
        return fault


def _start(lines: Sequence[str]) -> str:
    return "".join(lines[:20])[:2_000]


def _record(record: list[str], header: list[str]) -> Row | Fault:
    if len(record) == len(header):
        return dict(zip(header, record, strict=True))
    said = "more" if len(record) > len(header) else "fewer"
    hint = ": is a comma or a quote out of place?" if said == "more" else ""
    return Fault(f"{said} than {len(header)} fields{hint}", record)


def _jsonl(stream: IO[bytes]) -> Iterator[tuple[int, Row | Fault]]:
    for lines, raws in _json_lines(stream):
        yield from zip(lines, map(row_of, raws), strict=True)


def _json_lines(stream: IO[bytes]) -> Iterator[tuple[list[int], list[bytes]]]:
    lines, raws, size = list[int](), list[bytes](), 0
    try:
        for line, raw in enumerate(_bounded(stream), start=1):
            if raw.isspace():
                continue
            lines.append(line)
            raws.append(raw)
            size += len(raw)
            if len(lines) == _LINES or size > _CHUNK:
                yield lines, raws
                lines, raws, size = [], [], 0
    except Exception:
        if lines:
            yield lines, raws
        raise
    if lines:
        yield lines, raws


def row_of(raw: bytes) -> Row | Fault:
    """What a line of JSON holds."""
    if len(raw) > LONGEST_LINE:
        return Fault(f"longer than {LONGEST_LINE:,} bytes: is it one object a line?", _shown(raw))
    try:
        row = parsed(raw)
    except (ValueError, RecursionError) as error:
        return Fault(f"not JSON: {error}", _shown(raw))
    if not isinstance(row, dict):
        return Fault("expected an object a line, not a list or a value", str(row)[:2_000])
    return row


def parsed(raw: bytes) -> Any:
    """What JSON holds, by the faster of two parsers; the other one has the last word on what it does not take.

    Raises ValueError or RecursionError.
    """
    try:
        return from_json(raw)
    except ValueError:
        return json.loads(raw)


def _bounded(stream: IO[bytes]) -> Iterator[bytes]:
    """Lines; of one that is too long the beginning, one byte longer than what is taken."""
    for line in iter(partial(stream.readline, LONGEST_LINE + 1), b""):
        rest = line
        while not rest.endswith(b"\n") and len(rest) > LONGEST_LINE:
            rest = stream.readline(LONGEST_LINE + 1)
        yield line


def _shown(raw: bytes) -> str:
    return raw[:2_000].decode("utf-8", "backslashreplace")


def _parquet(stream: IO[bytes]) -> Iterator[tuple[int, Row | Fault]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pa.set_memory_pool(pa.system_memory_pool())  # gives back what it frees
    try:
        file = pq.ParquetFile(_unpacked(stream), buffer_size=_CHUNK, pre_buffer=False)  # never a whole column chunk
        days = [f.name for f in file.schema_arrow if pa.types.is_timestamp(f.type) and _only_days(file, f.name)]
        line = 0
        for batch in file.iter_batches(batch_size=_BATCH):
            for row in _values(batch):
                line += 1
                for name in days:
                    if isinstance(row[name], datetime):
                        row[name] = row[name].date()
                yield line, row
    except (pa.ArrowException, OSError) as error:
        said = str(error).rstrip(". ")
        raise UnreadableInput(f"not a Parquet file, or a damaged one: {said}.", "Check --format.") from error


def _xlsx(stream: IO[bytes]) -> Iterator[tuple[int, Row | Fault]]:
    """The first sheet: its first line that holds something names the columns; whole numbers come as such."""
    from openpyxl import load_workbook

    try:
        book = load_workbook(_unpacked(stream), read_only=True, data_only=True)
    except Exception as error:  # a reader of packed XML has as many faults of its own as there are ways to damage it
        raise UnreadableInput(f"not an XLSX file, or a damaged one: {error}.", "Check --format.") from error
    try:
        header: list[str] = []
        for line, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
            if not any(cell is not None for cell in cells):
                continue
            if not header:
                header = [str(cell).strip() if cell is not None else "" for cell in cells]
                continue
            yield line, {name: _cell(cell) for name, cell in zip(header, cells, strict=False) if name}
    except Exception as error:
        raise UnreadableInput(f"a damaged XLSX file: {type(error).__name__} {error}.", "Save it anew.") from error
    finally:
        book.close()


def _cell(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _unpacked(stream: IO[bytes]) -> IO[bytes]:
    """The stream, or a copy aside of one that is packed: Parquet is read from its end."""
    if not isinstance(stream, gzip.GzipFile):
        return stream
    aside = tempfile.TemporaryFile()  # noqa: SIM115  gone with its last reader
    shutil.copyfileobj(stream, aside, _CHUNK)
    return aside


def _values(batch: Any) -> Iterator[Row]:
    """Rows of a batch; a value that Python cannot hold (a time beyond the year 9999) comes as its text, and a text
    that is not UTF-8 as its bytes."""
    try:
        yield from batch.to_pylist()
    except (ValueError, OverflowError):
        for n in range(batch.num_rows):
            yield {name: _value(column[n]) for name, column in zip(batch.schema.names, batch.columns, strict=True)}


def _value(cell: Any) -> Any:
    try:
        return cell.as_py()
    except UnicodeDecodeError:
        return cell.as_buffer().to_pybytes() if hasattr(cell, "as_buffer") else f"{cell.type} that is not UTF-8"
    except (ValueError, OverflowError):
        return f"beyond the calendar: {getattr(cell, 'value', cell.type)}"


def _only_days(file: Any, name: str) -> bool:
    """Whether a time column holds nothing but midnights, in the whole file: it knows days, not hours."""
    import pyarrow.compute as pc

    known = 0
    for batch in file.iter_batches(batch_size=16 * _BATCH, columns=[name]):
        column = batch.column(0).drop_null()
        known += len(column)
        if len(column) and not pc.all(pc.equal(pc.floor_temporal(column, unit="day"), column)).as_py():
            return False
    return known > 0
