"""Posts as most are pushed, checked all at once: nothing is missing, nothing is wrong, nothing is taken back.

What passes here passes `shapes.PushedPost` with the same values (tests/api/test_push.py holds the two against each
other). What does not is read item by item with that shape, which says of each what is wrong.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal, Required

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError
from typing_extensions import TypedDict

_NO_MORE = ConfigDict(extra="forbid")
_Short = Annotated[str, StringConstraints(max_length=16)]
_Usually = Annotated[AwareDatetime, Field(ge=datetime(1990, 1, 1, tzinfo=UTC), lt=datetime(9000, 1, 1, tzinfo=UTC))]


class UsualAuthor(TypedDict, total=False):
    """As shapes.PushedAuthor."""

    __pydantic_config__ = _NO_MORE  # type: ignore[misc]

    native_id: Required[str]
    audience_market: str | None
    handle: str | None
    name: str | None
    url: str | None
    bio: str | None
    languages: str | None
    follower_count: Annotated[int | None, Field(ge=0, lt=2**53)]
    person: str | None


class UsualPost(TypedDict, total=False):
    """As shapes.PushedPost, with all that a post needs."""

    __pydantic_config__ = _NO_MORE  # type: ignore[misc]

    platform: Required[str]
    native_id: Required[str]
    author: Required[UsualAuthor]
    text: Required[str]
    published_at: Required[_Usually]
    day_only: bool
    language: _Short | None
    url: str | None
    media_kind: _Short | None
    repost_of: Annotated[str, StringConstraints(max_length=255)] | None
    sponsored: bool | None
    like_count: int | None
    comment_count: int | None
    share_count: int | None
    view_count: int | None
    edited_at: _Usually | None
    deleted: Literal[False]


class _Batch(TypedDict):
    __pydantic_config__ = _NO_MORE  # type: ignore[misc]

    posts: list[UsualPost]


_POSTS, _BATCH = TypeAdapter(list[UsualPost]), TypeAdapter(_Batch)
_NUL = b"\\u0000"


def usual_posts(raw: bytes) -> list[UsualPost] | None:
    """The posts of a body, read and checked in one go; None where something is the matter with any of them."""
    if _NUL in raw:  # no other way leads a NUL into a text, and none at all half a surrogate pair
        return None
    try:
        return _POSTS.validate_json(raw) if raw[:1] == b"[" else _BATCH.validate_json(raw)["posts"]
    except ValidationError:
        return None
