"""Importing files: rows of CSV, JSONL or Parquet through a mapping into posts; what cannot be read is set aside."""

import gc
import json
import tomllib
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple, TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
import xxhash

from radar.errors import CallerError, UnreadableInput
from radar.exports import export_of
from radar.file_rows import Fault, Row, content_of, format_of, opened, rows_of, signed
from radar.ingest import Ingested, ingest_posts
from radar.markets import MARKETS, day_start, market
from radar.sources.base import OPTIONAL, RawAuthor, RawPost
from radar.store import runs
from radar.store.engine import claim_world, writing

BATCH = 5_000
_OBJECTS = 100_000
"""Objects after which Python looks for cycles while a file is read: there are none among posts."""
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


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which column feeds which field, and what holds for the whole file.

    columns  field -> column name; a field of the same name as a column needs no entry
    zone     time zone of times without one; the market's where None
    author   the author of rows that name none
    export   what gave the file (radar.exports), which says what its columns mean
    """

    columns: dict[str, str] = field(default_factory=dict)
    market: str | None = None
    platform: str | None = None
    zone: str | None = None
    author: str | None = None
    export: str | None = None


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
) -> Imported:
    """Import a file ("-" is standard input). Importing it again changes nothing; a killed import is simply run again.

    rejects_folder  where rows that cannot be taken are set aside, in a file named by the input's name and content
    rejects_path    that file itself, where the caller names one

    Raises CallerError for a file, format or mapping that cannot work; single bad rows are set aside and counted.
    """
    with _seldom_collecting():
        return _import_file(engine, path, _checked(mapping), format_name, rejects_folder, rejects_path, now, progress)


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
) -> Imported:
    export = export_of(mapping.export) if mapping.export else None
    kind = mapping.export or format_of(path, format_name)
    name = "stdin" if path == "-" else Path(path).name
    with opened(path) as stream:
        content = content_of(stream)
        rejects = Rejects(rejects_path or rejects_folder / rejects_name(name, content))
        work = _Import(engine, name, content, f"{kind} {mapping}", rejects, now, progress)
        reader: _Reader | None = None
        try:
            shown = name if path == "-" else path
            for line, row in export.read(stream, shown) if export else rows_of(stream, kind, shown):
                if reader is None:
                    speaks_for_itself = export or kind == "jsonl" or isinstance(row, Fault)
                    header = None if speaks_for_itself else list(row)
                    reader = _Reader(mapping, header, name)
                work.take(line, row, reader)
        except UnreadableInput as error:
            work.flush()
            done = work.result
            before = (
                f" {done.rows:,} rows before were read, {done.posts.new:,} of them are new posts." if done.rows else ""
            )
            raise UnreadableInput(f"{error.message}{before}", error.hint) from error
        else:
            work.flush()
        finally:
            rejects.close()
    if reader is None:
        raise UnreadableInput(f"{name}: there are no rows.", "Check the file and --format.")
    result = work.result
    if rejects.count == result.rows:
        raise UnreadableInput(
            f"{name}: none of its {result.rows:,} rows could be taken. The first: {rejects.first}.",
            f"Look into {rejects.path}.",
        )
    result.rejected, result.rejects_path = rejects.count, rejects.path if rejects.count else None
    return result


class _Import:
    """A file on its way into the store, a batch a transaction."""

    def __init__(
        self,
        engine: sa.Engine,
        name: str,
        content: int,
        way: str,
        rejects: Rejects,
        now: datetime,
        progress: Callable[[int], None],
    ) -> None:
        self.result = Imported()
        self._engine, self._rejects, self._now, self._progress = engine, rejects, now, progress
        self._source = f"file:{name}".encode("utf-8", "replace").decode()[:64]
        self._content = content
        self._file = signed(xxhash.xxh3_64_intdigest(f"{content} {way}".encode("utf-8", "replace")))
        self._batch: list[RawPost] = []

    def take(self, line: int, row: Row | Fault, reader: "_Reader") -> None:
        """Read one row, or set it aside."""
        self.result.rows += 1
        if isinstance(row, Fault):
            self._rejects.add(line, row.reason, row.raw)
            return
        try:
            self._batch.append(reader.post(line, row))
        except ValueError as error:
            self._rejects.add(line, str(error), row)
        if len(self._batch) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Store what was read since the last time, and how many rows were set aside so far."""
        result, rejects, batch = self.result, self._rejects, self._batch
        with writing(self._engine) as session, session.begin():
            if batch:
                claim_world(session, "real")
            done = ingest_posts(session, batch, source=self._source, now=self._now, file=self._file)
            for position, reason in done.rejected:
                item = batch[position]
                rejects.add(item.line or 0, reason, {"author": item.author.native_id, "text": item.text[:500]})
            runs.note_import(session, self._content, self._source, self._now, result.rows, rejects.count)
        done.rejected.clear()
        result.posts += done
        batch.clear()
        self._progress(result.rows)


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


_NOWHERE = ""
_MAIN = ("text", "author", "market", "published_at", "native_id", "platform")
_KINDS, _AUTHORS = 200, 20_000
"""Kinds of rows, and authors, that are remembered at a time."""


class _Plan(NamedTuple):
    """Where rows have what: the columns of fields that each needs, and field, column and reading of the others."""

    text: str
    author: str
    market: str
    published_at: str
    native_id: str
    platform: str
    rest: list[tuple[str, str, Callable[[str, Any], Any]]]
    given: frozenset[str]


class _Reader:
    """Turns rows into posts. header: the columns of all rows, None where each row has its own (JSONL)."""

    def __init__(self, mapping: Mapping, header: list[str] | None, name: str) -> None:
        self._columns = {f: mapping.columns.get(f, f) for f in FIELDS}
        self._mapping = mapping
        self._zones = {code: ZoneInfo(mapping.zone) if mapping.zone else m.tz for code, m in MARKETS.items()}
        self._of_all: _Plan | None = None
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._authors: dict[tuple[Any, ...], RawAuthor] = {}
        if header is None:
            return
        needed = [f for f in REQUIRED if f != "author" or not mapping.author]
        for f in (*needed, *mapping.columns):
            if self._columns[f] not in header:
                raise CallerError(
                    f"{name}: there is no column '{self._columns[f]}' for the field '{f}'.",
                    f"Columns: {', '.join(map(str, header))}. Say --map {f}=COLUMN.",
                )
        if not mapping.market and self._columns["market"] not in header:
            raise CallerError(f"{name}: no market is given.", "Say --market TW, or --map market=COLUMN.")
        self._of_all = self._plan_of(header)

    def post(self, line: int, row: Row) -> RawPost:
        """Raises ValueError with field and reason."""
        plan, get = self._plan(row), row.get
        text, name = _text(get(plan.text)), _text(get(plan.author)) or self._mapping.author or ""
        if not name:
            raise ValueError("author: empty")
        code = (_text(get(plan.market)) or self._mapping.market or "").upper()
        if code not in MARKETS:
            raise ValueError(f"market: '{code}' is none of {' '.join(MARKETS)}")
        published_at, day_only = _instant(get(plan.published_at), self._zones[code])
        native_id = _text(get(plan.native_id))
        if not native_id:
            native_id = xxhash.xxh3_128_hexdigest(
                f"{name}\x1f{published_at.isoformat()}\x1f{text}".encode("utf-8", "replace")
            )
        said = {f: read(f, value) for f, column, read in plan.rest if (value := get(column)) is not None}
        platform = (_text(get(plan.platform)) or self._mapping.platform or "file").lower()
        author = self._author(name, code, *[said.pop(f, None) for f in _OF_AUTHOR])
        return RawPost(platform, native_id, author, text, published_at, day_only, given=plan.given, line=line, **said)

    def _plan(self, row: Row) -> "_Plan":
        """Where a row has what; rows with the same columns share it."""
        if self._of_all is not None:
            return self._of_all
        columns = tuple(row)
        plan = self._plans.get(columns)
        if plan is None:
            if len(self._plans) >= _KINDS:
                self._plans.clear()
            plan = self._plans[columns] = self._plan_of(row)
        return plan

    def _plan_of(self, columns: Container[str]) -> "_Plan":
        main = {f: column if (column := self._columns[f]) in columns else _NOWHERE for f in _MAIN}
        rest = [(f, self._columns[f], read) for f, read in _READ.items() if self._columns[f] in columns]
        return _Plan(
            **main, rest=rest, given=frozenset(f for f in OPTIONAL if f in FIELDS and self._columns[f] in columns)
        )

    def _author(
        self,
        native_id: str,
        market: str,
        name: str | None,
        handle: str | None,
        person: str | None,
        followers: int | None,
    ) -> RawAuthor:
        """The author of a row; where it says the same of itself as before, the same one."""
        told = native_id, market, name, handle, person, followers
        author = self._authors.get(told)
        if author is None:
            if len(self._authors) >= _AUTHORS:
                self._authors.clear()
            author = self._authors[told] = RawAuthor(
                native_id, market, market_source="import", name=name, handle=handle, person=person,
                follower_count=followers,
            )  # fmt: skip
        return author


def _text(value: Any) -> str:
    if type(value) is str and value.isascii():
        return value.strip()
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
    if type(value) is int and value >= 0:
        return value
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


def _text_or_none(name: str, value: Any) -> str | None:
    return _text(value) or None


def _deleted(name: str, value: Any) -> bool:
    return bool(_flag(name, value))


_READ: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(("author_name", "handle", "person", "url", "language", "repost_of"), _text_or_none),
    **dict.fromkeys(("like_count", "comment_count", "share_count", "view_count", "follower_count"), _count),
    "sponsored": _flag,
    "deleted": _deleted,
}
"""How fields that a file need not have are read."""
_OF_AUTHOR = ("author_name", "handle", "person", "follower_count")


def _instant(value: Any, zone: ZoneInfo) -> tuple[datetime, bool]:
    """The instant, and whether only its day is known (then it is the day's beginning)."""
    text = value.isoformat() if isinstance(value, date) else _text(value).replace("/", "-")
    if not text:
        raise ValueError("published_at: empty")
    try:
        if text[4:5] == "-" and len(text) > 10 and not isinstance(value, date):  # as most are written
            at = datetime.fromisoformat(text)
            return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC), False
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
