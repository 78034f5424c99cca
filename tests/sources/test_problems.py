"""What is said of posts that cannot be taken: the quick look never takes what the thorough one would refuse."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from radar.sources.base import RawAuthor, RawPost
from radar.sources.problems import problem, problems

NOW = datetime(2026, 5, 4, tzinfo=UTC)
GOOD = RawPost("web", "1", RawAuthor("ann", "TW", name="Ann"), "ramen", NOW, like_count=3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"native_id": 7}, "native_id: expected text, not int"),
        ({"text": ["ramen"]}, "text: expected text, not list"),
        ({"url": {"a": 1}}, "url: expected text, not dict"),
        ({"language": []}, "language: expected text, not list"),
        ({"like_count": "3"}, "like_count: 3 is not a count"),
        ({"like_count": 2**53}, f"like_count: {2**53} is not a count"),
        ({"language": "x" * 17}, "language: expected at most 16 characters"),
        ({"repost_of": "x" * 256}, "repost_of: expected at most 255 characters"),
        ({"native_id": "x" * 256}, "native_id: expected 1 to 255 characters"),
        ({"platform": "x" * 33}, "platform: expected 1 to 32 characters"),
        ({"url": "a\x00"}, "url: a NUL character"),
        ({"url": "\ud800"}, "url: half a surrogate pair"),
        ({"text": " "}, "text: empty"),
        ({"text": "x" * 20_001}, "text: 20001 characters, at most 20000 are taken"),
        ({"published_at": NOW.replace(tzinfo=None)}, "published_at: expected a time with its zone"),
        ({"published_at": NOW + timedelta(days=2)}, "published_at: 2026-05-06"),
        ({"author": RawAuthor("ann", "XX")}, "market: 'XX' is none of"),
        ({"author": RawAuthor("ann", "TW", name=["Ann"])}, "author_name: expected text, not list"),  # type: ignore[arg-type]
        ({"author": RawAuthor("ann", "TW", follower_count=-1)}, "follower_count: -1 is not a count"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_post_that_cannot_be_taken_says_why(change: dict[str, Any], said: str) -> None:
    assert (problem(replace(GOOD, **change), NOW) or "").startswith(said)


@pytest.mark.parametrize(
    "change",
    [
        {}, {"text": "x" * 20_000}, {"language": "x" * 16, "media_kind": "y" * 16}, {"native_id": "日本" * 100},
        {"published_at": NOW + timedelta(hours=23)}, {"url": "https://例え.jp/" + "x" * 900},
        {"text": "", "deleted": True},
    ],
    ids=str,
)  # fmt: skip
def test_a_good_post_has_no_problem(change: dict[str, Any]) -> None:
    assert problem(replace(GOOD, **change), NOW) is None


def test_of_many_posts_the_bad_ones_are_told_by_position() -> None:
    posts = [replace(GOOD, native_id=str(n)) for n in range(100)]
    posts[3], posts[50], posts[99] = (
        replace(GOOD, **change) for change in ({"text": ""}, {"url": "\0"}, {"view_count": -1})
    )
    posts[60] = replace(GOOD, text="", deleted=True)
    assert problems(posts, NOW) == {3: "text: empty", 50: "url: a NUL character", 99: "view_count: -1 is not a count"}
    assert problems([], NOW) == {}
