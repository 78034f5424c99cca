"""Shapes of the posts that a collector pushes, and of what became of them."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from radar.api.shapes import Name, Shape


def _plausible(at: datetime) -> datetime:
    if not 1970 <= at.year < 9000:
        raise ValueError("expected a time between 1990 and tomorrow")
    return at.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_plausible)]

Count = Annotated[int | None, Field(description="Leave out or null when hidden, never 0 for that.")]


class PushedAuthor(Shape):
    native_id: Name = Field(description="The author's id at the platform.")
    audience_market: Name | None = Field(
        None,
        description="ISO code of the market the author speaks to. Left out, it is inferred from the posts of the batch"
        " and the bio where they are sure enough, else the posts are rejected.",
    )
    handle: Name | None = None
    name: Name | None = None
    url: Name | None = None
    bio: Name | None = None
    languages: Name | None = None
    follower_count: int | None = Field(None, ge=0, lt=2**53)
    person: Name | None = Field(None, description="Any id that accounts of one person share.")


class PushedPost(Shape):
    """A post as a collector pushes it; (platform, native_id) is its identity."""

    platform: Name
    native_id: Name
    author: PushedAuthor | None = Field(None, description="Required unless deleted.")
    text: str = Field("", description="Required unless deleted.")
    published_at: Instant | None = Field(None, description="ISO 8601 with its zone. Required unless deleted.")
    day_only: bool = Field(False, description="Only the day is known: counted by day, never by hour.")
    language: Name | None = Field(None, max_length=16, description="BCP 47 tag.")
    url: Name | None = None
    media_kind: Name | None = Field(None, max_length=16)
    repost_of: Name | None = Field(None, max_length=255)
    sponsored: bool | None = None
    like_count: Count = None
    comment_count: Count = None
    share_count: Count = None
    view_count: Count = None
    edited_at: Instant | None = None
    deleted: bool = Field(False, description="A tombstone: the post is gone at its source.")


class Pushed(Shape):
    index: int = Field(description="Position in the batch.")
    platform: str | None
    native_id: str | None
    result: Literal["created", "changed", "unchanged", "deleted", "rejected"]
    field: str | None = Field(None, description="The field at fault, when rejected.")
    reason: str | None = Field(None, description="What was expected, when rejected.")


class PushResult(Shape):
    """What became of each post, in the order given."""

    items: list[Pushed]
    created: int
    changed: int
    unchanged: int
    deleted: int
    rejected: int
