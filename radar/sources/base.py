"""What every source gives: raw posts, in batches with the cursor that follows them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from radar.markets import MARKETS

MAX_TEXT = 20_000
MAX_COUNT = 2**53
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RawAuthor:
    """Who published it, as the platform says.

    audience_market  ISO code of the market the author speaks to
    person           any id that accounts of one person share; None when the account stands alone
    """

    native_id: str
    audience_market: str
    handle: str | None = None
    name: str | None = None
    url: str | None = None
    bio: str | None = None
    languages: str | None = None
    follower_count: int | None = None
    market_source: str = "declared"
    person: str | None = None


@dataclass(frozen=True, slots=True)
class RawPost:
    """A published item as a source gives it. Counts are None when hidden, never 0.

    day_only   the source knows the day and not the hour: counted by day, never by hour
    deleted    a tombstone: the post is gone at its source (text and counts are ignored)
    """

    platform: str
    native_id: str
    author: RawAuthor
    text: str
    published_at: datetime
    day_only: bool = False
    language: str | None = None
    url: str | None = None
    media_kind: str | None = None
    repost_of: str | None = None
    sponsored: bool | None = None
    like_count: int | None = None
    comment_count: int | None = None
    share_count: int | None = None
    view_count: int | None = None
    edited_at: datetime | None = None
    deleted: bool = False


def problem(post: RawPost, now: datetime) -> str | None:
    """Why this post cannot be taken, naming field and expectation; None when it can."""
    if not 0 < len(post.platform) <= 32:
        return "platform: expected 1 to 32 characters"
    if not 0 < len(post.native_id) <= 255:
        return "native_id: expected 1 to 255 characters"
    if not 0 < len(post.author.native_id) <= 255:
        return "author: expected an id of 1 to 255 characters"
    if post.author.audience_market not in MARKETS:
        return f"market: '{post.author.audience_market[:40]}' is none of {' '.join(MARKETS)}"
    if post.published_at.tzinfo is None:
        return "published_at: expected a time with its zone"
    if not EARLIEST <= post.published_at <= now + timedelta(days=1):
        return f"published_at: {post.published_at.isoformat()} is not between 1990 and tomorrow"
    if post.deleted:
        return None
    if not post.text.strip():
        return "text: empty"
    if len(post.text) > MAX_TEXT:
        return f"text: {len(post.text)} characters, at most {MAX_TEXT} are taken"
    for name in ("like_count", "comment_count", "share_count", "view_count"):
        count = getattr(post, name)
        if count is not None and not 0 <= count < MAX_COUNT:
            return f"{name}: {count} is not a count"
    return None


@dataclass(frozen=True, slots=True)
class Batch:
    """Posts and the cursor to keep once they are written; both go into one transaction.

    watermark_at  everything the source published before this instant has been given
    """

    posts: list[RawPost]
    cursor: dict[str, Any]
    watermark_at: datetime


class Source(Protocol):
    """Where posts come from. The simulated world is one, a platform another."""

    name: str
    kind: str
    is_simulated: bool

    def discover(self, cursor: dict[str, Any] | None, now: datetime) -> Iterator[Batch]:
        """Batches of what is new since the cursor, up to now, oldest first."""
        ...
