"""Posts of a market's days by column, as counting sees them: millions are counted, and none is an object of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.engine import one_of, raw_columns
from radar.store.posts import COUNTS, DayPost, of_days, said
from radar.store.tables import author, post
from radar.store.tables import post_signal as signal

Numbers = npt.NDArray[np.int64]
Truths = npt.NDArray[np.bool_]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SKETCH = 32
"""Bytes of a sketch: `radar.text.similar`."""


def micros(at: datetime) -> int:
    """An instant as microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def instant(at: int) -> datetime:
    """The instant again."""
    return _EPOCH + timedelta(microseconds=int(at))


class Named(NamedTuple):
    """A column of few different texts. code: where each post's stands among the names."""

    code: Numbers
    names: list[str | None]


@dataclass(frozen=True, slots=True)
class DayColumns:
    """Posts in time order, each field a column of all of them.

    at, fetched_at  microseconds since 1970        keys    of all posts end to end, `lengths` of them each
    sketch          (posts, 32) bytes, zeros where there is none: `has_sketch`
    engagement      likes + comments + shares as far as they are shown
    language        as it was read; None where the post was not read yet
    is_own          read by the model that was asked for;  is_inferred  nobody declared its author's market
    """

    id: Numbers
    person: Numbers
    author: Numbers
    at: Numbers
    fetched_at: Numbers
    day_only: Truths
    lengths: Numbers
    keys: Numbers
    places: Named
    text_hash: Numbers
    sketch: npt.NDArray[np.uint8]
    has_sketch: Truths
    engagement: Numbers
    is_own: Truths
    language: Named
    source: Named
    is_inferred: Truths

    def __len__(self) -> int:
        return len(self.id)

    @property
    def is_read(self) -> Truths:
        """Which posts were read."""
        unread = [code for code, name in enumerate(self.language.names) if name is None]
        return ~np.isin(self.language.code, unread) if unread else np.ones(len(self.id), bool)

    def where(self, wanted: Truths) -> "DayColumns":
        """Some of the posts, in the same order."""
        return self if wanted.all() else self._some(wanted, self.keys[np.repeat(wanted, self.lengths)])

    def between(self, first: int, last: int) -> "DayColumns":
        """The posts from a position on, up to another one."""
        before, until = self.lengths[:first].sum(), self.lengths[:last].sum()
        return self._some(slice(first, last), self.keys[before:until])

    def _some(self, wanted: Any, keys: Numbers) -> "DayColumns":
        columns: dict[str, Any] = {name: getattr(self, name) for name in _NAMES if name != "keys"}
        some: dict[str, Any] = {
            name: Named(column.code[wanted], column.names) if isinstance(column, Named) else column[wanted]
            for name, column in columns.items()
        }
        return DayColumns(keys=keys, **some)


_NAMES = [field.name for field in fields(DayColumns)]


def living_columns(session: Session, model_id: str, market: str, days: Sequence[date]) -> DayColumns:
    """Living posts of a market's local days, in order, read or not, by time and then by identity."""
    names = ("keys", "places", "text_hash", "sketch")
    shown = [sa.func.coalesce(post.c[name], 0) for name in COUNTS[:3]]
    columns: dict[str, sa.ColumnElement[Any]] = {
        "id": post.c.id, "person": author.c.person_id, "author": post.c.author_id, "at": post.c.published_at,
        "fetched_at": post.c.fetched_at, "day_only": post.c.day_only, **dict(zip(names, said(*names), strict=True)),
        "engagement": shown[0] + shown[1] + shown[2], "is_own": said("model_id")[0] == model_id,
        "language": signal.c.language, "source": post.c.source, "is_inferred": author.c.market_source == "inferred",
    }  # fmt: skip
    statement = of_days(list(columns.values()), model_id, market, days[0], days[-1])
    statement = statement.where(one_of(session, post.c.local_day, days))
    return _together(dict(zip(columns, some, strict=True)) for some in raw_columns(session, statement))


def columns_of(items: Sequence[DayPost]) -> DayColumns:
    """Posts that are there one by one, in time order: for counts of keys, as they tell no account and no source."""
    if not items:
        return _together([])
    told: dict[str, Sequence[Any]] = dict(zip(DayPost._fields, zip(*items, strict=True), strict=True))
    counts = zip(*(told[name] for name in COUNTS[:3]), strict=True)
    untold: dict[str, Any] = {"author": 0, "source": "", "is_inferred": False}
    named = {"person": told["person_id"], "at": told["published_at"], "fetched_at": told["published_at"]}
    shown = {"engagement": [sum(n for n in some if n is not None) for some in counts]}
    return _together([{**told, **named, **shown, **{name: [value] * len(items) for name, value in untold.items()}}])


def _together(parts: Iterator[dict[str, Sequence[Any]]] | Sequence[dict[str, Sequence[Any]]]) -> DayColumns:
    """Columns from parts of them as a database's driver gives them."""
    names: dict[str, dict[str | None, int]] = {"places": {}, "language": {}, "source": {}}
    made: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in _NAMES}
    for part in parts:
        for name in ("id", "person", "author", "engagement"):
            made[name].append(np.array(part[name], np.int64))
        for name in ("at", "fetched_at"):
            made[name].append(_instants(part[name]))
        for name in ("day_only", "is_own", "is_inferred"):
            made[name].append(np.array(part[name], bool))
        for name, known in names.items():
            made[name].append(np.array([known.setdefault(value, len(known)) for value in part[name]], np.int64))
        keys = [value or b"" for value in part["keys"]]
        sketches = [value if value and len(value) == _SKETCH else None for value in part["sketch"]]
        made["keys"].append(np.frombuffer(b"".join(keys), "<i8"))
        made["lengths"].append(np.array(list(map(len, keys)), np.int64) // 8)
        made["text_hash"].append(np.array([value or 0 for value in part["text_hash"]], np.int64))
        made["has_sketch"].append(np.array([value is not None for value in sketches], bool))
        drawn = b"".join([value or _NO_SKETCH for value in sketches])
        made["sketch"].append(np.frombuffer(drawn, np.uint8).reshape(-1, _SKETCH))
    columns: dict[str, Any] = {
        name: np.concatenate([np.zeros((0, _SKETCH) if name == "sketch" else 0, _KINDS.get(name, np.int64)), *some])
        for name, some in made.items()
    }
    for name, known in names.items():
        columns[name] = Named(columns[name], list(known))
    return DayColumns(**columns)


_NO_SKETCH = bytes(_SKETCH)
_KINDS: dict[str, Any] = {
    "sketch": np.uint8, **dict.fromkeys(("day_only", "is_own", "is_inferred", "has_sketch"), np.bool_),
}  # fmt: skip


def _instants(values: Sequence[Any]) -> Numbers:
    """Microseconds since 1970 of instants: texts of UTC as SQLite has them, or aware ones."""
    if values and isinstance(values[0], str):
        return np.array(values, "datetime64[us]").astype(np.int64)
    known = {value: micros(value) for value in set(values)}
    return np.array([known[value] for value in values], np.int64)
