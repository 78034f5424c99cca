"""Importing files: rows of CSV, JSONL or Parquet through a mapping into posts; what cannot be read is set aside."""

import csv
import gzip
import io
import json
import sys
import tomllib
import zlib
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any, NamedTuple, TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
import xxhash

from radar.errors import CallerError, UnreadableInput
from radar.ingest import Ingested, ingest_posts
from radar.markets import MARKETS, day_start, market
from radar.sources.base import OPTIONAL, RawAuthor, RawPost
from radar.store.engine import claim_world, writing

BATCH = 4_000
FORMATS = ("csv", "jsonl", "parquet")
FIELDS = {
    "text": "what the post says (required)",
    "published_at": "when: ISO 8601, or a day alone; seconds since 1970 also do (required)",
    "author": "the author's id at the platform (required)",
    "native_id": "the post's id at the platform; made from author, time and text where missing",
    "market": "the author's audience market, as TW; or give one for the whole file",
    "platform": "where it was published; or give one for the whole file",
    "author_name": "the author's display name",
    "handle": "the author's handle",
    "person": "any id shared by the accounts of one person",
    "follower_count": "the author's followers",
    "url": "link to the post",
    "language": "BCP 47 tag, if known",
    "repost_of": "id of the post it repeats",
    "sponsored": "true or false, if the platform says",
    "deleted": "true when the post is gone at its source",
    "like_count": "likes; leave empty when hidden",
    "comment_count": "comments",
    "share_count": "shares",
    "view_count": "views",
}
REQUIRED = ("text", "published_at", "author")
_COUNTS = ("like_count", "comment_count", "share_count", "view_count", "follower_count")


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which column feeds which field, and what holds for the whole file.

    columns  field -> column name; a field of the same name as a column needs no entry
    zone     time zone of times without one; the market's where None
    """

    columns: dict[str, str] = field(default_factory=dict)
    market: str | None = None
    platform: str | None = None
    zone: str | None = None


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
            raise UnreadableInput(
                f"{toml}: {error}.", "A mapping file holds [map] with lines like text = 'review'."
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
    return Mapping(columns, rest.get("market"), rest.get("platform"), rest.get("timezone"))


_TOML_KEYS = ("map", "market", "platform", "timezone")


def _checked_toml(data: dict[str, Any], path: Path) -> dict[str, str]:
    """The [map] of a mapping file. Raises CallerError for a key or a value of another kind."""
    for key, value in data.items():
        if key not in _TOML_KEYS:
            near = get_close_matches(key, _TOML_KEYS, n=1)
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


class _Rejects:
    """Rows that could not be taken, one JSON object a line; the file is made with the first of them."""

    def __init__(self, path: Path) -> None:
        self.path, self.count, self.first = path, 0, ""
        self._file: TextIO | None = None
        try:
            path.unlink(missing_ok=True)  # what an earlier import of the file set aside
        except OSError as error:
            raise CallerError(f"--rejects: cannot write {path}: {error.strerror}.", "Name another file.") from error

    def add(self, line: int, reason: str, row: Any) -> None:
        if self._file is None:
            self.first = f"line {line}: {reason}"
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("w", encoding="utf-8", errors="backslashreplace")
            except OSError as error:
                raise CallerError(f"Cannot write {self.path}: {error.strerror}.", "Say --rejects FILE.") from error
        self._file.write(
            json.dumps({"line": line, "reason": reason, "row": row}, ensure_ascii=False, default=str) + "\n"
        )
        self.count += 1

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def import_file(
    engine: sa.Engine,
    path: str,
    mapping: Mapping,
    *,
    format_name: str | None,
    rejects_path: Path,
    now: datetime,
    progress: Callable[[int], None] = lambda rows: None,
) -> Imported:
    """Import a file ("-" is standard input). Importing it again changes nothing; a killed import is simply run again.

    Raises CallerError for a file, format or mapping that cannot work; single bad rows are set aside and counted.
    """
    mapping = _checked(mapping)
    name = "stdin" if path == "-" else Path(path).name
    result, rejects = Imported(), _Rejects(rejects_path)
    source = f"file:{name}"[:64]
    batch: list[tuple[int, RawPost]] = []

    def flush() -> None:
        with writing(engine) as session, session.begin():
            claim_world(session, "real")
            done = ingest_posts(session, [p for _, p in batch], source=source, now=now)
        for position, reason in done.rejected:
            line, item = batch[position]
            rejects.add(line, reason, {"author": item.author.native_id, "text": item.text[:500]})
        result.posts += done
        result.posts.rejected.clear()
        batch.clear()
        progress(result.rows)

    kind = _format_of(path, format_name)
    reader: _Reader | None = None
    try:
        for line, row in _rows(path, kind):
            if reader is None:
                header = None if kind == "jsonl" or isinstance(row, Fault) else list(row)
                reader = _Reader(mapping, header, name)
            result.rows += 1
            if isinstance(row, Fault):
                rejects.add(line, row.reason, row.raw)
                continue
            try:
                batch.append((line, reader.post(row)))
            except ValueError as error:
                rejects.add(line, str(error), row)
            if len(batch) >= BATCH:
                flush()
        if batch:
            flush()
    except UnreadableInput as error:
        if batch:
            flush()
        before = (
            f" {result.rows:,} rows before were read, {result.posts.new:,} of them are new posts."
            if result.rows
            else ""
        )
        raise UnreadableInput(f"{error.message}{before}", error.hint) from error
    finally:
        rejects.close()
    if reader is None:
        raise UnreadableInput(f"{name}: there are no rows.", "Check the file and --format.")
    if rejects.count == result.rows:
        raise UnreadableInput(
            f"{name}: none of its {result.rows:,} rows could be taken. The first: {rejects.first}.",
            f"Look into {rejects.path}.",
        )
    result.rejected, result.rejects_path = rejects.count, rejects.path if rejects.count else None
    progress(result.rows)
    return result


def _checked(mapping: Mapping) -> Mapping:
    if mapping.market:
        mapping = replace(mapping, market=market(mapping.market).code)
    if mapping.zone:
        try:
            ZoneInfo(mapping.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise CallerError(f"There is no time zone '{mapping.zone}'.", "Use a name like Asia/Taipei.") from error
    return mapping


Row = dict[str, Any]


class Fault(NamedTuple):
    """A line that is no row: why, and what it holds."""

    reason: str
    raw: Any


class _Reader:
    """Turns rows into posts. header: the columns of all rows, None where each row has its own (JSONL)."""

    def __init__(self, mapping: Mapping, header: list[str] | None, name: str) -> None:
        self._columns = {f: mapping.columns.get(f, f) for f in FIELDS}
        self._mapping = mapping
        self._zones = {code: ZoneInfo(mapping.zone) if mapping.zone else m.tz for code, m in MARKETS.items()}
        self._given = None if header is None else self._told(header)
        if header is None:
            return
        for f in (*REQUIRED, *mapping.columns):
            if self._columns[f] not in header:
                raise CallerError(
                    f"{name}: there is no column '{self._columns[f]}' for the field '{f}'.",
                    f"Columns: {', '.join(map(str, header))}. Say --map {f}=COLUMN.",
                )
        if not mapping.market and self._columns["market"] not in header:
            raise CallerError(f"{name}: no market is given.", "Say --market TW, or --map market=COLUMN.")

    def _told(self, columns: Container[str]) -> frozenset[str]:
        return frozenset(f for f in OPTIONAL if f in FIELDS and self._columns[f] in columns)

    def post(self, row: Row) -> RawPost:
        """Raises ValueError with field and reason."""
        get = {f: value for f, column in self._columns.items() if (value := row.get(column)) is not None}.get
        text, author = _text(get("text")), _text(get("author"))
        if not author:
            raise ValueError("author: empty")
        code = (_text(get("market")) or self._mapping.market or "").upper()
        if code not in MARKETS:
            raise ValueError(f"market: '{code}' is none of {' '.join(MARKETS)}")
        published_at, day_only = _instant(get("published_at"), self._zones[code])
        native_id = _text(get("native_id"))
        if not native_id:
            native_id = xxhash.xxh3_128_hexdigest(
                f"{author}\x1f{published_at.isoformat()}\x1f{text}".encode("utf-8", "replace")
            )
        counts: dict[str, Any] = {name: _count(name, get(name)) for name in _COUNTS}
        followers = counts.pop("follower_count", None)
        return RawPost(
            platform=(_text(get("platform")) or self._mapping.platform or "file").lower(),
            native_id=native_id,
            author=RawAuthor(
                author, code, handle=_text(get("handle")) or None, name=_text(get("author_name")) or None,
                follower_count=followers, market_source="import", person=_text(get("person")) or None,
            ),
            text=text,
            published_at=published_at,
            day_only=day_only,
            language=_text(get("language")) or None,
            url=_text(get("url")) or None,
            repost_of=_text(get("repost_of")) or None,
            sponsored=_flag("sponsored", get("sponsored")),
            deleted=bool(_flag("deleted", get("deleted"))),
            given=self._told(row) if self._given is None else self._given,
            **counts,
        )  # fmt: skip


def _text(value: Any) -> str:
    if value is None or value != value:  # NaN
        return ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    if isinstance(value, bool | dict | list):
        raise ValueError(f"expected text, not {type(value).__name__}: {str(value)[:40]}")
    text = value if isinstance(value, str) else str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("not UTF-8: save the file as UTF-8") from None
    return text.strip()


def _count(name: str, value: Any) -> int | None:
    text = _text(value).replace(",", "")
    if not text:
        return None
    try:
        return int(text) if text.isdigit() else int(float(text))
    except (ValueError, OverflowError):
        raise ValueError(f"{name}: '{text[:40]}' is not a number") from None


def _flag(name: str, value: Any) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    text = _text(value).lower()
    if text in ("", "none", "null"):
        return None
    if text in ("true", "1", "yes", "y", "t"):
        return True
    if text in ("false", "0", "no", "n", "f"):
        return False
    raise ValueError(f"{name}: '{text[:40]}' is neither true nor false")


def _instant(value: Any, zone: ZoneInfo) -> tuple[datetime, bool]:
    """The instant, and whether only its day is known (then it is the day's beginning)."""
    text = value.isoformat() if isinstance(value, date) else _text(value).replace("/", "-")
    if not text:
        raise ValueError("published_at: empty")
    try:
        if isinstance(value, datetime):
            at = value
        elif text.replace(".", "", 1).isdigit() and len(text.split(".")[0]) >= 9:
            seconds = float(text)
            return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC), False
        elif len(text) <= 10:
            return day_start(date.fromisoformat(text), zone), True
        else:
            at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC), False
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"published_at: '{text[:40]}' is no time; expected as 2026-11-23T14:05:00+08:00") from None


def _format_of(path: str, format_name: str | None) -> str:
    """The format that is said, or that the name tells."""
    if format_name is not None and format_name not in FORMATS:
        raise CallerError(f"--format: '{format_name}' is none of {', '.join(FORMATS)}.")
    name = path.lower().removesuffix(".gz")
    guess = format_name or next((f for f in FORMATS if name.endswith(f".{f}")), None)
    guess = guess or ("jsonl" if name.endswith((".json", ".ndjson")) else None)
    if guess is None:
        raise CallerError(f"{path}: the format is not clear from the name.", "Say --format csv, jsonl or parquet.")
    return guess


def _rows(path: str, format_name: str) -> Iterator[tuple[int, Row | Fault]]:
    """(line, row) of a file; a line that is no row comes as a fault."""
    if path == "-":
        if sys.stdin is None:
            raise UnreadableInput("Standard input is closed.", "Pipe the rows in, or name a file.")
        stream: IO[bytes] = sys.stdin.buffer
    else:
        try:
            stream = Path(path).open("rb")  # noqa: SIM115  closed by the `with` below
        except OSError as error:
            raise UnreadableInput(f"Cannot read {path}: {error.strerror}.", "Check the path.") from error
    with stream:
        zipped = isinstance(stream, io.BufferedReader) and stream.peek(2)[:2] == b"\x1f\x8b"
        plain: Any = gzip.GzipFile(fileobj=stream) if zipped else stream
        reader = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[format_name]
        try:
            yield from reader(plain)
        except (EOFError, gzip.BadGzipFile, zlib.error, OSError, UnicodeError) as error:
            raise UnreadableInput(f"{path}: {error}.", "The file is damaged.") from error


class _Lines:
    """Lines of a text, remembering those of the record that is being read."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines, self.number, self.taken = lines, 0, list[str]()

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        self.taken.append(line)
        return line


def _csv(stream: IO[bytes]) -> Iterator[tuple[int, Row | Fault]]:
    csv.field_size_limit(1_000_000)
    buffered: Any = stream if hasattr(stream, "peek") else io.BufferedReader(stream)
    encoding = "utf-16" if buffered.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    with io.TextIOWrapper(buffered, encoding=encoding, errors="surrogateescape", newline="") as text:
        lines = _Lines(text)
        try:
            first = next(lines)
        except StopIteration:
            return
        delimiter = "," if "," in first else max(";\t", key=first.count)
        header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter))]
        if any("\udc80" <= sign <= "\udcff" for sign in first):
            raise UnreadableInput("The header is not UTF-8.", "Save the file as UTF-8.")
        twice = sorted({name for name in header if header.count(name) > 1})
        if twice:
            raise UnreadableInput(f"Two columns are named '{twice[0]}'.", "Give each column a name of its own.")
        reader = csv.reader(lines, delimiter=delimiter)
        while True:
            lines.taken.clear()
            begins = lines.number + 1
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield begins, Fault(f"{error}", "".join(lines.taken)[:2_000])
                continue
            if len(record) == len(header):
                yield begins, dict(zip(header, record, strict=True))
            elif record and len(lines.taken) > 1:  # a stray quote took the lines after it: each for itself
                for n, line in enumerate(list(lines.taken)):
                    yield begins + n, _record(next(csv.reader([line], delimiter=delimiter)), header)
            elif record:
                yield begins, _record(record, header)


def _record(record: list[str], header: list[str]) -> Row | Fault:
    if len(record) == len(header):
        return dict(zip(header, record, strict=True))
    said = "more" if len(record) > len(header) else "fewer"
    hint = ": is a comma or a quote out of place?" if said == "more" else ""
    return Fault(f"{said} than {len(header)} fields{hint}", record)


def _jsonl(stream: IO[bytes]) -> Iterator[tuple[int, Row | Fault]]:
    for line, raw in enumerate(stream, start=1):
        if not raw.strip():
            continue
        try:
            row = json.loads(raw)
        except (ValueError, RecursionError) as error:
            yield line, Fault(f"not JSON: {error}", raw[:2_000].decode("utf-8", "backslashreplace"))
            continue
        is_row = isinstance(row, dict)
        yield line, row if is_row else Fault("expected an object a line, not a list or a value", str(row)[:2_000])


def _parquet(stream: IO[bytes]) -> Iterator[tuple[int, Row | Fault]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pa.set_memory_pool(pa.system_memory_pool())  # gives back what it frees
    seekable = stream if stream.seekable() and not isinstance(stream, gzip.GzipFile) else io.BytesIO(stream.read())
    try:
        file = pq.ParquetFile(seekable, buffer_size=1 << 20, pre_buffer=False)  # a column chunk is never held whole
        days = [f.name for f in file.schema_arrow if pa.types.is_timestamp(f.type) and _only_days(file, f.name)]
        line = 0
        for batch in file.iter_batches(batch_size=BATCH):
            for row in _values(batch):
                line += 1
                for name in days:
                    if isinstance(row[name], datetime):
                        row[name] = row[name].date()
                yield line, row
    except (pa.ArrowException, OSError) as error:
        raise UnreadableInput(f"not a Parquet file, or a damaged one: {error}.", "Check --format.") from error


def _values(batch: Any) -> Iterator[Row]:
    """Rows of a batch; a value that Python cannot hold (a time beyond the year 9999) comes as its text."""
    try:
        yield from batch.to_pylist()
    except (ValueError, OverflowError):
        for n in range(batch.num_rows):
            yield {name: _value(column[n]) for name, column in zip(batch.schema.names, batch.columns, strict=True)}


def _value(cell: Any) -> Any:
    try:
        return cell.as_py()
    except (ValueError, OverflowError):
        return f"beyond the calendar: {cell.value}"


def _only_days(file: Any, name: str) -> bool:
    """Whether a time column holds nothing but midnights, in the whole file: it knows days, not hours."""
    import pyarrow.compute as pc

    known = 0
    for batch in file.iter_batches(batch_size=16 * BATCH, columns=[name]):
        column = batch.column(0).drop_null()
        known += len(column)
        if len(column) and not pc.all(pc.equal(pc.floor_temporal(column, unit="day"), column)).as_py():
            return False
    return known > 0
