"""Importing files: rows of CSV, JSONL or Parquet through a mapping into posts; what cannot be read is set aside."""

import gc
import json
import tomllib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple, Self, TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
import xxhash

from radar.errors import CallerError, UnreadableInput
from radar.exports import export_of
from radar.file_rows import Fault, Row, content_of, format_of, json_lines_of, opened, row_of, rows_of, signed
from radar.ingest import Ingested, ingest_posts
from radar.markets import market
from radar.read_ahead import Ahead, Batch
from radar.row_reading import FIELDS, Gathered, Given, Mapping, Reader
from radar.sources.base import RawPost
from radar.sources.columns import PostColumns
from radar.store import runs
from radar.store.engine import claim_world, writing

BATCH = 5_000
_OBJECTS = 100_000
"""Objects after which Python looks for cycles while a file is read: there are none among posts."""


def parse_mapping(text: str | None, toml: Path | None) -> Mapping:
    """A mapping from `field=column,...` and a TOML file ([map] with fields; market, platform, timezone).

    Raises CallerError that names the field.
    """
    columns: dict[str, str] = {}
    rest: dict[str, Any] = {}
    if toml is not None:
        try:
            data = tomllib.loads(toml.read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            said = error.strerror if isinstance(error, OSError) else error
            raise UnreadableInput(
                f"{toml}: {said}.", "A mapping file holds [map] with lines like text = 'review'."
            ) from error
        columns |= _checked_toml(data, toml)
        rest = data
    for part in filter(None, (text or "").split(",")):
        name, equals, column = part.partition("=")
        if not equals or not column.strip():
            raise CallerError(f"--map: '{part}' is not field=column.", "Example: --map text=review,published_at=date")
        columns[name.strip()] = column.strip()
    for name in columns:
        if name not in FIELDS:
            raise CallerError(f"--map: there is no field '{name}'.", f"Fields: {', '.join(FIELDS)}.")
    whole = {name: rest.get(key) for key, name in _TOML_KEYS.items() if key != "map"}
    return Mapping(columns, **whole)


_TOML_KEYS = {
    "map": "columns", "market": "market", "platform": "platform", "timezone": "zone", "author": "author",
    "as": "export",
}  # fmt: skip
"""What a mapping file may hold, and what it is called here."""


def _checked_toml(data: dict[str, Any], path: Path) -> dict[str, str]:
    """The [map] of a mapping file. Raises CallerError for a key or a value of another kind."""
    for key, value in data.items():
        if key not in _TOML_KEYS:
            near = get_close_matches(key, list(_TOML_KEYS), n=1)
            hint = f"Did you mean: {near[0]}?" if near else f"It may hold {', '.join(_TOML_KEYS)}."
            raise CallerError(f"{path}: there is no setting '{key}'.", hint)
        if not isinstance(value, dict if key == "map" else str):
            said = "a table of field = 'column'" if key == "map" else "one text in quotes"
            raise CallerError(f"{path}: {key} = {value!r} is not {said}.", "As in: market = 'KR'.")
    for field_name, column in data.get("map", {}).items():
        if not isinstance(column, str):
            raise CallerError(f"{path}: [map] {field_name} = {column!r} is no column's name.", "As: text = 'review'.")
    return dict(data.get("map", {}))


@dataclass(slots=True)
class Imported:
    """What became of a file's rows."""

    rows: int = 0
    posts: Ingested = field(default_factory=Ingested)
    rejected: int = 0
    rejects_path: Path | None = None


class Rejected(NamedTuple):
    """A row that could not be taken, and the line that tells of it."""

    line: int
    reason: str
    told: str

    @classmethod
    def of(cls, line: int, reason: str, row: Any) -> Self:
        told = json.dumps({"line": line, "reason": reason, "row": row}, ensure_ascii=False, default=str)
        return cls(line, reason, told + "\n")


class Rejects:
    """Rows that could not be taken, one JSON object a line; the file is made with the first of them."""

    def __init__(self, path: Path) -> None:
        self.path, self.count, self.first = path, 0, ""
        self._file: TextIO | None = None
        try:
            path.unlink(missing_ok=True)  # what an earlier import of the file set aside
        except OSError as error:
            raise CallerError(f"--rejects: cannot write {path}: {error.strerror}.", "Name another file.") from error

    def add(self, line: int, reason: str, row: Any) -> None:
        self.put(Rejected.of(line, reason, row))

    def put(self, row: Rejected) -> None:
        if self._file is None:
            self.first = f"line {row.line}: {row.reason}"
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("w", encoding="utf-8", errors="backslashreplace")
            except OSError as error:
                raise CallerError(f"Cannot write {self.path}: {error.strerror}.", "Say --rejects FILE.") from error
        self._file.write(row.told)
        self.count += 1

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def rejects_name(name: str, content: int) -> str:
    """The file of rejects of an imported file: another file of that name, or another day's, has one of its own.

    >>> rejects_name("posts.csv", -1)
    'posts.csv.ffffffffffff.rejects.jsonl'
    """
    cut = name.encode("utf-8", "replace")[:200].decode("utf-8", "ignore")
    return f"{cut}.{f'{content % 2**64:016x}'[:12]}.rejects.jsonl"


def import_file(
    engine: sa.Engine,
    path: str,
    mapping: Mapping,
    *,
    format_name: str | None,
    rejects_folder: Path,
    rejects_path: Path | None = None,
    now: datetime,
    progress: Callable[[int], None] = lambda rows: None,
    ahead: Ahead | None = None,
) -> Imported:
    """Import a file ("-" is standard input). Importing it again changes nothing; a killed import is simply run again.

    rejects_folder  where rows that cannot be taken are set aside, in a file named by the input's name and content
    rejects_path    that file itself, where the caller names one
    ahead           reads posts before they are stored, so that they are stored as read; SQLite only

    Raises CallerError for a file, format or mapping that cannot work; single bad rows are set aside and counted.
    """
    with _seldom_collecting():
        return _import_file(
            engine, path, _checked(mapping), format_name, rejects_folder, rejects_path, now, progress, ahead
        )


_TOGETHER, _FEW = 500, 64
"""Rows that are read at once, and where one of them is odd; of fewer each is read by itself."""
_AHEAD, _WEIGHT = 3, 8_000_000
"""Batches that may wait until they are read, and signs of text in them."""
_LATE = 12
"""Batches that may be stored before they are read, because nobody reads yet; their texts weigh no more either."""


def _blocks(rows: Iterable[tuple[int, Row | Fault]]) -> Iterator[tuple[list[int], list[Row | Fault]]]:
    """Rows some at a time; those before a damage come before it."""
    lines, some = list[int](), list[Row | Fault]()
    try:
        for line, row in rows:
            lines.append(line)
            some.append(row)
            if len(lines) == _TOGETHER or (len(some) == 1 and isinstance(row, Fault)):
                yield lines, some
                lines, some = [], []
    except Exception:
        if lines:
            yield lines, some
        raise
    if lines:
        yield lines, some


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _import_file(
    engine: sa.Engine,
    path: str,
    mapping: Mapping,
    format_name: str | None,
    rejects_folder: Path,
    rejects_path: Path | None,
    now: datetime,
    progress: Callable[[int], None],
    ahead: Ahead | None,
) -> Imported:
    export = export_of(mapping.export) if mapping.export else None
    kind = mapping.export or format_of(path, format_name)
    name = "stdin" if path == "-" else Path(path).name
    with opened(path) as stream:
        content = content_of(stream)
        rejects = Rejects(rejects_path or rejects_folder / rejects_name(name, content))
        work = _Import(engine, name, content, f"{kind} {mapping}", rejects, now, progress, ahead)
        reader: Reader | None = None
        try:
            shown = name if path == "-" else path
            rows = _blocks(export.read(stream, shown) if export else rows_of(stream, kind, shown))
            for lines, some in json_lines_of(stream, shown) if kind == "jsonl" and not export else rows:
                if reader is None:
                    first = some[0]
                    header = list(first) if isinstance(first, dict) and not export else None
                    reader = Reader(mapping, header, name)
                work.take(lines, some, reader)
        except UnreadableInput as error:
            work.finish()
            done = work.result
            before = (
                f" {done.rows:,} rows before were read, {done.posts.new:,} of them are new posts." if done.rows else ""
            )
            raise UnreadableInput(f"{error.message}{before}", error.hint) from error
        else:
            work.finish()
        finally:
            rejects.close()
            if ahead is not None:
                ahead.end_readers()
    if reader is None:
        raise UnreadableInput(f"{name}: there are no rows.", "Check the file and --format.")
    result = work.result
    if rejects.count == result.rows:
        raise UnreadableInput(
            f"{name}: none of its {result.rows:,} rows could be taken. The first: {rejects.first}.",
            f"Look into {rejects.path}.",
        )
    result.rejected, result.rejects_path = rejects.count, rejects.path if rejects.count else None
    if ahead is not None:
        ahead.wait_for_model()
    return result


@dataclass(slots=True)
class _Batch:
    """Posts that wait to be stored.

    rows  of the file up to its end;  rejects  what was set aside of it
    read  what is being read in its posts, if somebody was asked to (is_given), and does
    """

    posts: PostColumns
    rows: int
    rejects: list[Rejected]
    is_given: bool = False
    read: Batch | None = None

    @property
    def is_ready(self) -> bool:
        return self.read is None or self.read.is_read

    @property
    def weight(self) -> int:
        return sum(map(len, self.posts["text"]))


class _Import:
    """A file on its way into the store, a batch a transaction.

    Where its posts are read beforehand, a few batches wait for that, and are stored one after the other as they came.
    """

    def __init__(
        self,
        engine: sa.Engine,
        name: str,
        content: int,
        way: str,
        rejects: Rejects,
        now: datetime,
        progress: Callable[[int], None],
        ahead: Ahead | None,
    ) -> None:
        self.result = Imported()
        self._engine, self._rejects, self._now, self._progress = engine, rejects, now, progress
        self._source = f"file:{name}".encode("utf-8", "replace").decode()[:64]
        self._content = content
        self._file = signed(xxhash.xxh3_64_intdigest(f"{content} {way}".encode("utf-8", "replace")))
        self._batch = Gathered()
        self._rows, self._set_aside, self._aside_weight = 0, list[Rejected](), 0
        self._ahead, self._is_long = ahead, False
        self._waiting, self._late = deque[_Batch](), deque[Batch]()

    def take(self, lines: Sequence[int], rows: Sequence[Given], reader: Reader) -> None:
        """Read some rows, or set them aside; a batch is full after the row that fills it."""
        at = 0
        while at < len(rows):
            upto = min(at + BATCH - len(self._batch), at + _TOGETHER)
            self._take(lines[at:upto], rows[at:upto], reader)
            at = upto
            if len(self._batch) >= BATCH:
                self._full()

    def _take(self, lines: Sequence[int], rows: Sequence[Given], reader: Reader) -> None:
        try:
            told = reader.columns(lines, rows)
        except ValueError:  # one of them is odd
            if len(rows) > _FEW:
                for at in range(0, len(rows), _FEW):
                    self._take(lines[at : at + _FEW], rows[at : at + _FEW], reader)
                return
            self._take_each(lines, rows, reader)
        else:
            self._rows += len(rows)
            self._batch.add(len(rows), told)

    def _take_each(self, lines: Sequence[int], rows: Sequence[Given], reader: Reader) -> None:
        taken: list[RawPost] = []
        for line, given in zip(lines, rows, strict=True):
            self._rows += 1
            row = row_of(given) if isinstance(given, bytes) else given
            if isinstance(row, Fault):
                self._set_apart(Rejected.of(line, row.reason, row.raw))
                continue
            try:
                taken.append(reader.post(line, row))
            except ValueError as error:
                self._set_apart(Rejected.of(line, str(error), row))
        self._batch.add_posts(taken)

    def _set_apart(self, row: Rejected) -> None:
        """Set a row aside after those before it: they may wait, but few, for a file may hold nothing else."""
        self._set_aside.append(row)
        self._aside_weight += len(row.told)
        if not self._waiting or self._aside_weight > _WEIGHT:
            self._store_waiting()
            self._write_aside(self._set_aside)
            self._aside_weight = 0

    def _full(self) -> None:
        """A batch is full: it waits until it is read, or is stored at once."""
        self._close()
        if self._ahead is None:
            self._store_waiting()
        elif not self._is_long and len(self._waiting) == 1:  # it may be the only one: for few posts nothing begins
            self._ahead.begin()
        else:
            self._is_long = True
            self._give(self._ahead)
            while self._waiting and (self._waiting[0].is_ready or self._are_many()):
                self._store(self._waiting.popleft())

    def _close(self) -> None:
        self._waiting.append(_Batch(self._batch.posts(), self._rows, self._set_aside))
        self._batch, self._set_aside, self._aside_weight = Gathered(), [], 0

    def _give(self, ahead: Ahead) -> None:
        """Have read what nobody was asked to read yet."""
        for batch in self._waiting:
            if not batch.is_given:
                batch.is_given, batch.read = True, ahead.give(batch.posts)

    def _are_many(self) -> bool:
        return len(self._waiting) > _AHEAD or sum(batch.weight for batch in self._waiting) > _WEIGHT

    def finish(self) -> None:
        """Store what was read since the last time, and how many rows were set aside so far."""
        self._close()
        if self._ahead is not None and self._is_long:
            self._give(self._ahead)
        self._store_waiting()
        while self._late:
            self._late.popleft().keep_late(self._engine, self._now)

    def _store_waiting(self) -> None:
        while self._waiting:
            self._store(self._waiting.popleft())

    def _write_aside(self, rows: list[Rejected]) -> None:
        for row in rows:
            self._rejects.put(row)
        rows.clear()

    def _store(self, batch: _Batch) -> None:
        result, rejects, posts = self.result, self._rejects, batch.posts
        if batch.read is not None and self._waits_for(batch.read):
            batch.read.wait()
        self._write_aside(batch.rejects)
        with writing(self._engine) as session, session.begin():
            if len(posts):
                claim_world(session, "real")
            done = ingest_posts(session, posts, source=self._source, now=self._now, file=self._file, read=batch.read)
            for position, reason in done.rejected:
                item = posts.post(position)
                rejects.add(item.line or 0, reason, {"author": item.author.native_id, "text": item.text[:500]})
            runs.note_import(session, self._content, self._source, self._now, batch.rows, rejects.count)
        done.rejected.clear()
        result.rows = batch.rows
        result.posts += done
        while self._late and self._late[0].is_read:
            self._late.popleft().keep_late(self._engine, self._now)
        self._progress(result.rows)

    def _waits_for(self, read: Batch) -> bool:
        """Whether a batch is stored after it is read: the first ones, before anybody reads, are stored meanwhile."""
        if read.is_read or self._ahead is None or not self._ahead.is_beginning:
            return True
        if len(self._late) >= _LATE or sum(late.weight for late in self._late) > _WEIGHT:
            return True
        self._late.append(read)
        return False


def _checked(mapping: Mapping) -> Mapping:
    if mapping.market:
        mapping = replace(mapping, market=market(mapping.market).code)
    if mapping.export:
        mapping = replace(mapping, platform=mapping.platform or export_of(mapping.export).platform)
    if mapping.zone:
        try:
            ZoneInfo(mapping.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise CallerError(f"There is no time zone '{mapping.zone}'.", "Use a name like Asia/Taipei.") from error
    return mapping
