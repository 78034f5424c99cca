"""Why posts cannot be taken: most have no problem, which a glance at each field of a batch tells."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from radar.markets import MARKETS
from radar.sources.base import EARLIEST, MAX_COUNT, MAX_TEXT, RawPost
from radar.sources.columns import PostColumns, columns_of

_LONGEST = {"language": 16, "media_kind": 16, "repost_of": 255}


def problem(post: RawPost, now: datetime) -> str | None:
    """Why this post cannot be taken, naming field and expectation; None when it can."""
    return problems([post], now).get(0)


def problems(posts: Iterable[RawPost] | PostColumns, now: datetime) -> dict[int, str]:
    """Why posts cannot be taken, by position: of each what `problem` says."""
    given = columns_of(posts)
    if _are_usual(given, now):
        return {}
    if len(given) <= _FEW:
        said = [_problem(post, now) for post in given.posts()]
        return {n: reason for n, reason in enumerate(said) if reason is not None}
    half = len(given) // 2
    first, second = given.at(range(half)), given.at(range(half, len(given)))
    return problems(first, now) | {half + n: reason for n, reason in problems(second, now).items()}


_FEW = 16
"""Posts that are looked at one by one where something may be the matter with one of them."""


def _are_usual(posts: PostColumns, now: datetime) -> bool:
    """Whether no post has a problem, at one glance at each field, as most have none; where in doubt it denies it."""
    if not len(posts):
        return True
    columns = {name: posts[name] for name in _GLANCED}
    authors = list({id(author): author for author in columns["author"]}.values())
    of_authors = {name: list(map(attrgetter(name), authors)) for name in _GLANCED_AUTHOR}
    texts, ats = columns["text"], columns["published_at"]
    if any(columns["deleted"]) or None in set(map(attrgetter("tzinfo"), ats)):
        return False
    if not (min(ats) >= EARLIEST and max(ats) <= now and MARKETS.keys() >= set(of_authors["audience_market"])):
        return False
    if set(map(type, texts)) != {str} or "" in texts or True in set(map(str.isspace, texts)):
        return False
    if max(map(len, texts)) > 19_000:
        return False
    if not (all(_are_counts(columns[name]) for name in _COUNTS) and _are_counts(of_authors["follower_count"])):
        return False
    return all(
        _are_names(of[name], shortest, longest) for of in (columns, of_authors)
        for name, shortest, longest in (_USUAL_NAMES if of is columns else _USUAL_AUTHOR_NAMES)
    )  # fmt: skip


_COUNTS = ("like_count", "comment_count", "share_count", "view_count")
_USUAL_NAMES = (
    ("platform", 1, 32), ("native_id", 1, 255), ("repost_of", 0, 255), ("language", 0, 16), ("media_kind", 0, 16),
    ("url", 0, None),
)  # fmt: skip
_USUAL_AUTHOR_NAMES = (
    ("native_id", 1, 255), ("handle", 0, None), ("name", 0, None), ("url", 0, None), ("bio", 0, None),
    ("languages", 0, None), ("person", 0, None),
)  # fmt: skip
_GLANCED = ("author", "text", "published_at", "deleted", *_COUNTS, *(name for name, *_ in _USUAL_NAMES))
_GLANCED_AUTHOR = ("audience_market", "follower_count", *(name for name, *_ in _USUAL_AUTHOR_NAMES))


def _are_counts(values: Sequence[Any]) -> bool:
    known = [value for value in values if value is not None]
    return not known or (set(map(type, known)) == {int} and min(known) >= 0 and max(known) < MAX_COUNT)


def _are_names(values: Sequence[Any], shortest: int, longest: int | None) -> bool:
    """Whether all are texts of such lengths that a database can hold; None is as good where they may be empty."""
    known = [value for value in values if value is not None] if shortest == 0 else values
    if not known:
        return True
    try:
        together = "".join(known)
        together.encode()
    except (TypeError, UnicodeEncodeError):  # a name that is none, half a surrogate pair
        return False
    if "\x00" in together or (shortest and "" in known):
        return False
    return longest is None or max(map(len, known)) <= longest


def _problem(post: RawPost, now: datetime) -> str | None:
    for name, value in (*_names(post).items(), ("text", post.text)):
        if value is not None and not isinstance(value, str):
            return f"{name}: expected text, not {type(value).__name__}"
    if not 0 < len(post.platform) <= 32:
        return "platform: expected 1 to 32 characters"
    if not 0 < len(post.native_id) <= 255:
        return "native_id: expected 1 to 255 characters"
    if not 0 < len(post.author.native_id) <= 255:
        return "author: expected an id of 1 to 255 characters"
    if not post.author.audience_market:
        return f"market: not declared, and not sure enough to infer{post.author.market_reasons or ''}"
    if post.author.audience_market not in MARKETS:
        return f"market: '{post.author.audience_market[:40]}' is none of {' '.join(MARKETS)}"
    if post.published_at.tzinfo is None:
        return "published_at: expected a time with its zone"
    if not EARLIEST <= post.published_at <= now + timedelta(days=1):
        return f"published_at: {post.published_at.isoformat()} is not between 1990 and tomorrow"
    followers = post.author.follower_count
    if followers is not None and not (isinstance(followers, int) and 0 <= followers < MAX_COUNT):
        return f"follower_count: {followers} is not a count"
    if post.deleted:
        return _unstorable(post)
    if not post.text.strip():
        return "text: empty"
    if len(post.text) > MAX_TEXT:
        return f"text: {len(post.text)} characters, at most {MAX_TEXT} are taken"
    for name in _COUNTS:
        count = getattr(post, name)
        if count is not None and not (isinstance(count, int) and 0 <= count < MAX_COUNT):
            return f"{name}: {count} is not a count"
    for name, longest in _LONGEST.items():
        if len(getattr(post, name) or "") > longest:
            return f"{name}: expected at most {longest} characters"
    return _unstorable(post)


def _unstorable(post: RawPost) -> str | None:
    """Names hold no NUL and no half of a surrogate pair: PostgreSQL takes neither. (Texts are cleaned instead.)"""
    for name, value in _names(post).items():
        if value is not None and not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            return f"{name}: half a surrogate pair"
        if value is not None and "\x00" in value:
            return f"{name}: a NUL character"
    return None


def _names(post: RawPost) -> dict[str, str | None]:
    """All texts of a post but its text, by the name that a reason calls them."""
    author = post.author
    return {
        "platform": post.platform, "native_id": post.native_id, "author": author.native_id, "url": post.url,
        "repost_of": post.repost_of, "handle": author.handle, "author_name": author.name, "author url": author.url,
        "bio": author.bio, "languages": author.languages, "person": author.person, "language": post.language,
        "media_kind": post.media_kind,
    }  # fmt: skip
