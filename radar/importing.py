"""Importing files: rows of CSV, JSONL or Parquet through a mapping into posts; what cannot be read is set aside."""

import csv
import gzip
import io
import json
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any, TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
import xxhash

from radar.errors import CallerError, UnreadableInput
from radar.ingest import Ingested, ingest_posts
from radar.markets import MARKETS, day_start, market
from radar.sources.base import RawAuthor, RawPost
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
        columns |= {str(k): str(v) for k, v in data.get("map", {}).items()}
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
        self.path, self.count = path, 0
        self._file: TextIO | None = None

    def add(self, line: int, reason: str, row: Any) -> None:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("w", encoding="utf-8", errors="backslashreplace")
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

    reader: _Reader | None = None
    try:
        for line, row in _rows(path, format_name):
            if reader is None:
                reader = _Reader(mapping, row, name)
            result.rows += 1
            if isinstance(row, str):
                rejects.add(line, row, None)
                continue
            try:
                batch.append((line, reader.post(row)))
            except ValueError as error:
                rejects.add(line, str(error), row)
            if len(batch) >= BATCH:
                flush()
        if batch:
            flush()
    finally:
        rejects.close()
    if reader is None:
        raise UnreadableInput(f"{name}: there are no rows.", "Check the file and --format.")
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


class _Reader:
    """Turns rows into posts."""

    def __init__(self, mapping: Mapping, first: Row | str, name: str) -> None:
        self._columns = {f: mapping.columns.get(f, f) for f in FIELDS}
        self._mapping = mapping
        self._zones = {code: ZoneInfo(mapping.zone) if mapping.zone else m.tz for code, m in MARKETS.items()}
        self._counts = [name for name in _COUNTS if isinstance(first, str) or self._columns[name] in first]
        if isinstance(first, str):
            return
        for f in (*REQUIRED, *mapping.columns):
            if self._columns[f] not in first:
                raise CallerError(
                    f"{name}: there is no column '{self._columns[f]}' for the field '{f}'.",
                    f"Columns: {', '.join(map(str, first))}. Say --map {f}=COLUMN.",
                )
        if not mapping.market and self._columns["market"] not in first:
            raise CallerError(f"{name}: no market is given.", "Say --market TW, or --map market=COLUMN.")

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
        counts: dict[str, Any] = {name: _count(name, get(name)) for name in self._counts}
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
            **counts,
        )  # fmt: skip


def _text(value: Any) -> str:
    if value is None or value != value:  # NaN
        return ""
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
    if isinstance(value, datetime):
        at = value
    elif isinstance(value, date):
        return day_start(value, zone), True
    else:
        text = _text(value)
        if not text:
            raise ValueError("published_at: empty")
        try:
            if text.replace(".", "", 1).isdigit() and len(text.split(".")[0]) >= 9:
                seconds = float(text)
                return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC), False
            if len(text) <= 10:
                return day_start(date.fromisoformat(text.replace("/", "-")), zone), True
            at = datetime.fromisoformat(text)
        except (ValueError, OverflowError, OSError):
            raise ValueError(f"published_at: '{text[:40]}' is no time; expected as 2026-11-23T14:05:00+08:00") from None
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC), False


def _rows(path: str, format_name: str | None) -> Iterator[tuple[int, Row | str]]:
    """(line, row) of a file; a line that is no row comes as the reason why."""
    if format_name is not None and format_name not in FORMATS:
        raise CallerError(f"--format: '{format_name}' is none of {', '.join(FORMATS)}.")
    if path == "-":
        stream: IO[bytes] = sys.stdin.buffer
    else:
        try:
            stream = Path(path).open("rb")  # noqa: SIM115  closed by the `with` below
        except OSError as error:
            raise UnreadableInput(f"Cannot read {path}: {error.strerror}.", "Check the path.") from error
    with stream:
        zipped = isinstance(stream, io.BufferedReader) and stream.peek(2)[:2] == b"\x1f\x8b"
        plain: Any = gzip.GzipFile(fileobj=stream) if zipped else stream
        name = path.lower().removesuffix(".gz")
        guess = format_name or next((f for f in FORMATS if name.endswith(f".{f}")), None)
        guess = guess or ("jsonl" if name.endswith((".json", ".ndjson")) else None)
        if guess is None:
            raise CallerError(f"{path}: the format is not clear from the name.", "Say --format csv, jsonl or parquet.")
        reader = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[guess]
        try:
            yield from reader(plain)
        except (EOFError, gzip.BadGzipFile, OSError, csv.Error) as error:
            raise UnreadableInput(f"{path}: {error}.", "The file is damaged; the rows before were imported.") from error


def _csv(stream: IO[bytes]) -> Iterator[tuple[int, Row | str]]:
    csv.field_size_limit(10_000_000)
    with io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
        reader = csv.DictReader(lines, restkey="\x00rest")
        for row in reader:
            if "\x00rest" in row:
                fault = f"more than {len(reader.fieldnames or [])} fields: is a comma or a quote out of place?"
                yield reader.line_num, fault
            elif None in row.values():
                yield reader.line_num, f"fewer than {len(reader.fieldnames or [])} fields"
            else:
                yield reader.line_num, row


def _jsonl(stream: IO[bytes]) -> Iterator[tuple[int, Row | str]]:
    for line, raw in enumerate(stream, start=1):
        if not raw.strip():
            continue
        try:
            row = json.loads(raw)
        except (ValueError, RecursionError) as error:
            yield line, f"not JSON: {error}"
            continue
        yield line, row if isinstance(row, dict) else "expected an object"


def _parquet(stream: IO[bytes]) -> Iterator[tuple[int, Row | str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pa.set_memory_pool(pa.system_memory_pool())  # gives back what it frees
    seekable = stream if stream.seekable() and not isinstance(stream, gzip.GzipFile) else io.BytesIO(stream.read())
    try:
        file = pq.ParquetFile(seekable, buffer_size=1 << 20, pre_buffer=False)  # a column chunk is never held whole
    except (pa.ArrowInvalid, OSError) as error:
        raise UnreadableInput(f"not a Parquet file: {error}.", "Check --format.") from error
    line = 0
    days: set[str] | None = None
    for batch in file.iter_batches(batch_size=BATCH):
        if days is None:
            days = {f.name for f in batch.schema if pa.types.is_timestamp(f.type) and _only_days(batch.column(f.name))}
        for row in batch.to_pylist():
            line += 1
            for name in days:
                if row[name] is not None:
                    row[name] = row[name].date()
            yield line, row


def _only_days(column: Any) -> bool:
    """Whether a time column holds nothing but midnights: it knows days, not hours."""
    return all(v is None or (v.hour, v.minute, v.second) == (0, 0, 0) for v in column.to_pylist())
