"""Raw posts field by field: most of what is asked of a batch is asked of all its posts at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from functools import cached_property
from operator import attrgetter
from typing import Any

from radar.sources.base import RawPost


class PostColumns:
    """A batch of posts, each field a column of all of them; a post by itself is made where it is asked for.

    column  what gives the values of a field;  post  the post at a position
    """

    def __init__(self, count: int, column: Callable[[str], Sequence[Any]], post: Callable[[int], RawPost]) -> None:
        self._count, self._column, self.post = count, column, post
        self._known: dict[str, Sequence[Any]] = {}

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, name: str) -> Sequence[Any]:
        """The values of a field of RawPost, in the order of the posts."""
        if name not in self._known:
            self._known[name] = self._column(name)
        return self._known[name]

    def at(self, positions: Sequence[int]) -> "PostColumns":
        """The posts at these positions, in this order."""

        def column(name: str) -> Sequence[Any]:
            values = self[name]
            return [values[n] for n in positions]

        return PostColumns(len(positions), column, lambda n: self.post(positions[n]))

    def posts(self) -> list[RawPost]:
        """All of them, each by itself."""
        return list(map(self.post, range(self._count)))

    @cached_property
    def identities(self) -> list[tuple[str, str]]:
        """What they are known by."""
        return list(zip(self["platform"], self["native_id"], strict=True))

    @cached_property
    def authors(self) -> list[tuple[str, str]]:
        """What their authors are known by."""
        return list(zip(self["platform"], map(attrgetter("native_id"), self["author"]), strict=True))


def columns_of(posts: "Iterable[RawPost] | PostColumns") -> PostColumns:
    """Posts as columns; those that are columns already stay."""
    if isinstance(posts, PostColumns):
        return posts
    given = list(posts)
    return PostColumns(len(given), lambda name: list(map(attrgetter(name), given)), given.__getitem__)


def from_columns(count: int, told: Mapping[str, Sequence[Any]]) -> PostColumns:
    """As many posts, of which some fields are told by column; the others are as a raw post has them by itself."""
    names = [field.name for field in _FIELDS if field.name in told]

    def column(name: str) -> Sequence[Any]:
        return told[name] if name in told else [_DEFAULTS[name]] * count

    def post(n: int) -> RawPost:
        return RawPost(**{name: told[name][n] for name in names})

    return PostColumns(count, column, post)


_FIELDS = fields(RawPost)
_DEFAULTS = {field.name: field.default for field in _FIELDS if field.default is not MISSING}
