"""Posts as most are pushed, checked all at once: nothing is missing, nothing is wrong, nothing is taken back.

What passes here passes `shapes.PushedPost` with the same values (tests/api/test_push.py holds the two against each
other). What does not is read item by item with that shape, which says of each what is wrong.
"""

from typing import Annotated, Literal, Required

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter
from typing_extensions import TypedDict

from radar.api.shapes import Instant

_NO_MORE = ConfigDict(extra="forbid")
_Name = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]  # a pattern refuses halves of surrogate pairs too
_Short = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=16)]


class UsualAuthor(TypedDict, total=False):
    """As shapes.PushedAuthor."""

    __pydantic_config__ = _NO_MORE  # type: ignore[misc]

    native_id: Required[_Name]
    audience_market: _Name | None
    handle: _Name | None
    name: _Name | None
    url: _Name | None
    bio: _Name | None
    languages: _Name | None
    follower_count: Annotated[int | None, Field(ge=0, lt=2**53)]
    person: _Name | None


class UsualPost(TypedDict, total=False):
    """As shapes.PushedPost, with all that a post needs."""

    __pydantic_config__ = _NO_MORE  # type: ignore[misc]

    platform: Required[_Name]
    native_id: Required[_Name]
    author: Required[UsualAuthor]
    text: Required[str]
    published_at: Required[Instant]
    day_only: bool
    language: _Short | None
    url: _Name | None
    media_kind: _Short | None
    repost_of: Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=255)] | None
    sponsored: bool | None
    like_count: int | None
    comment_count: int | None
    share_count: int | None
    view_count: int | None
    edited_at: Instant | None
    deleted: Literal[False]


POSTS = TypeAdapter(list[UsualPost])
