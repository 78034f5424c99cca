"""Rows of a file through a mapping into posts, many at once by their columns, or one by one."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from operator import attrgetter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import xxhash
from msgspec import UNSET, MsgspecError, defstruct
from msgspec.json import Decoder

from radar.column_values import distinct, fields_of, instants_of, texts_of
from radar.errors import CallerError
from radar.file_rows import LONGEST_LINE, Fault, Row
from radar.markets import MARKETS
from radar.row_values import OF_AUTHOR, READ, instant_of, text_of
from radar.sources.base import OPTIONAL, RawAuthor, RawPost
from radar.sources.columns import PostColumns, columns_of, from_columns

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


Given = Row | Fault | bytes
"""A row, a line that is none, or a line of JSON that was not looked into."""

_NOWHERE = "\0"
"""Stands for a column that is missing: none has this name, while pandas writes its index without any."""
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


class Reader:
    """Turns rows into posts. header: the columns of all rows, None where each row has its own (JSONL)."""

    def __init__(self, mapping: Mapping, header: list[str] | None, name: str) -> None:
        self._columns = {f: mapping.columns.get(f, f) for f in FIELDS}
        self._mapping = mapping
        self._zones = {code: ZoneInfo(mapping.zone) if mapping.zone else m.tz for code, m in MARKETS.items()}
        self._of_all: _Plan | None = None
        self._plans: dict[tuple[str, ...], _Plan] = {}
        self._authors: dict[tuple[Any, ...], RawAuthor] = {}
        self._decode: Callable[[bytes], Any] | None = None
        if header is None:
            self._shape_rows()
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

    def columns(self, lines: Sequence[int], rows: Sequence[Given]) -> dict[str, Sequence[Any]]:
        """Fields of a raw post, each a column of what all these rows say; those that none tells are left out.

        Raises ValueError where one of them cannot be taken, or has to be read by itself.
        """
        get, given = self._open(rows)
        mapping, plan = self._mapping, self._of_all or self._whole
        names = texts_of(get(plan.author))
        if mapping.author:
            names = [name or mapping.author for name in names]
        codes = distinct(get(plan.market), self._code)
        at, day_only = instants_of(get(plan.published_at), list(map(self._zones.__getitem__, codes)))
        text, native_ids = texts_of(get(plan.text)), texts_of(get(plan.native_id))
        if "" in names:
            raise ValueError("author: empty")
        if "" in native_ids:
            said = zip(native_ids, names, at, text, strict=True)
            native_ids = [known or _made_id(name, when, what) for known, name, when, what in said]
        told: dict[str, Any] = {
            "platform": distinct(get(plan.platform), self._platform), "native_id": native_ids, "text": text,
            "published_at": at, "day_only": day_only, "given": given, "line": lines,
        }  # fmt: skip
        for name, column, _ in plan.rest:
            if (values := fields_of(name, get(column))) is not None:
                told[name] = values
        of_author = [told.pop(name, None) or [None] * len(rows) for name in OF_AUTHOR]
        told["author"] = self._authors_of(list(zip(names, codes, *of_author, strict=True)))
        return told

    def _open(self, rows: Sequence[Given]) -> tuple[Callable[[str], list[Any]], list[frozenset[str]]]:
        """What gives the values of a column of rows, None where a row has it not; and what each row tells at all."""
        if type(rows[0]) is bytes:
            return self._decoded(rows)
        if set(map(type, rows)) != {dict}:
            raise ValueError("one is no row")
        if self._of_all is None:
            raise ValueError("each has columns of its own")
        return lambda column: [row.get(column) for row in rows], [self._of_all.given] * len(rows)  # type: ignore[union-attr]

    def _shape_rows(self) -> None:
        """Make what takes the columns out of lines of JSON; where one has a name that cannot be had, rows are read."""
        self._whole = self._plan_of(set(self._columns.values()))
        self._place = {column: f"c{n}" for n, column in enumerate(dict.fromkeys(self._columns.values()))}
        try:
            cells: list[Any] = [(place, Any, UNSET) for place in self._place.values()]
            shape = defstruct("Line", cells, rename={place: name for name, place in self._place.items()}, gc=False)
        except (ValueError, TypeError):
            return
        self._decode = Decoder(shape).decode

    def _decoded(self, rows: Sequence[Any]) -> tuple[Callable[[str], list[Any]], list[frozenset[str]]]:
        if self._decode is None or max(map(len, rows)) > LONGEST_LINE:
            raise ValueError("to be read by themselves")
        b"".join(rows).decode()  # also what is in no column of ours
        try:
            lines = list(map(self._decode, rows))
        except (MsgspecError, RecursionError) as error:
            raise ValueError(str(error)) from error
        known: dict[str, list[Any]] = {}

        def get(column: str) -> list[Any]:
            missing = known[column].count(UNSET)
            if missing == 0:
                return known[column]
            if missing == len(rows):
                return [None] * missing
            return [None if value is UNSET else value for value in known[column]]

        for column, place in self._place.items():
            known[column] = list(map(attrgetter(place), lines))
        given = [frozenset(f for f in OPTIONAL if f in FIELDS)] * len(rows)
        for f in given[0]:
            values = known[self._columns[f]]
            if UNSET in values:
                less = {said: said - {f} for said in set(given)}
                given = [less[said] if value is UNSET else said for said, value in zip(given, values, strict=True)]
        return get, given

    def _code(self, value: Any) -> str:
        code = (text_of(value) or self._mapping.market or "").upper()
        if code not in MARKETS:
            raise ValueError(f"market: '{code}' is none of {' '.join(MARKETS)}")
        return code

    def _platform(self, value: Any) -> str:
        return (text_of(value) or self._mapping.platform or "file").lower()

    def _authors_of(self, told: list[tuple[Any, ...]]) -> list[RawAuthor]:
        found = list(map(self._authors.get, told))
        return [author or self._author(*said) for author, said in zip(found, told, strict=True)]

    def post(self, line: int, row: Row) -> RawPost:
        """Raises ValueError with field and reason."""
        plan, get = self._plan(row), row.get
        text, name = text_of(get(plan.text)), text_of(get(plan.author)) or self._mapping.author or ""
        if not name:
            raise ValueError("author: empty")
        code = self._code(get(plan.market))
        published_at, day_only = instant_of(get(plan.published_at), self._zones[code])
        native_id = text_of(get(plan.native_id))
        if not native_id:
            native_id = _made_id(name, published_at, text)
        said = {f: read(f, value) for f, column, read in plan.rest if (value := get(column)) is not None}
        platform = self._platform(get(plan.platform))
        author = self._author(name, code, *[said.pop(f, None) for f in OF_AUTHOR])
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
        rest = [(f, self._columns[f], read) for f, read in READ.items() if self._columns[f] in columns]
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


def _made_id(author: str, published_at: datetime, text: str) -> str:
    """The id of a post that has none."""
    said = f"{author}\x1f{published_at.isoformat()}\x1f{text}"
    return xxhash.xxh3_128_hexdigest(said.encode("utf-8", "replace"))


class Gathered:
    """Posts that wait to be stored, by column."""

    def __init__(self) -> None:
        self._count, self._told = 0, dict[str, list[Any]]()

    def __len__(self) -> int:
        return self._count

    def add(self, count: int, told: dict[str, Sequence[Any]]) -> None:
        """Add posts; fields that are not told are as a raw post has them by itself."""
        for name in self._told.keys() | told.keys():
            column = self._told.setdefault(name, [_DEFAULTS.get(name)] * self._count)
            column.extend(told[name] if name in told else [_DEFAULTS.get(name)] * count)
        self._count += count

    def add_posts(self, posts: Sequence[RawPost]) -> None:
        """Add posts that are there one by one."""
        self.add(len(posts), {name: list(map(attrgetter(name), posts)) for name in _NAMES})

    def posts(self) -> PostColumns:
        """All of them."""
        return from_columns(self._count, self._told) if self._count else columns_of([])


_NAMES = [f.name for f in fields(RawPost)]
_DEFAULTS = {f.name: f.default for f in fields(RawPost)}
