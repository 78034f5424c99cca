"""Answers of the real platforms that others recorded: each is read. Skipped where they are not there."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from radar.markets import MARKETS
from radar.sources import bluesky, instagram, mastodon, ptt, threads, tiktok, x, youtube
from radar.sources.api import UNREADABLE, items_of
from radar.sources.base import Account, RawAuthor, RawPost
from radar.sources.feed_reading import read_feed
from radar.sources.problems import problem
from radar.sources.sweep import Page
from radar.sources.web import Answer
from tests.sources.stages import NOW

RECORDED = Path(__file__).parents[3] / "shared" / "data" / "sources"
ANN = Account("ann", "TW")
LATER = NOW.replace(year=2027)
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded answers beside the project")


def body_of(name: str) -> bytes:
    return (RECORDED / name).read_bytes()


def answer_of(found: Any) -> Answer:
    return Answer("https://recorded.example/", 200, httpx.Headers(), json.dumps(found).encode())


def posts_of_page(page: Page) -> list[RawPost]:
    assert [fault.reason for fault in page.faults] == []
    return page.posts


def youtube_videos(found: Any) -> list[RawPost]:
    return [post for item in found["items"] if (post := youtube.video(item, "TW", None))]


def instagram_media(found: Any) -> list[RawPost]:
    other = instagram.discovered(found, answer_of(found))
    return posts_of_page(instagram.media_page(other, answer_of(found), "ann", ANN))


def x_posts(found: Any) -> list[RawPost]:
    exchanges = found if isinstance(found, list) else [{"body": found}]
    posts: list[RawPost] = []
    for one in exchanges:
        read, faults, _ = x.read_posts(items_of(one["body"], "data", answer_of(one)), ANN, "783")
        assert [fault.reason for fault in faults] == []
        posts += read
    return posts


def tiktok_videos(found: Any) -> list[RawPost]:
    return posts_of_page(tiktok.video_page(tiktok.data_of(found, answer_of(found)), answer_of(found), ANN, "ann"))


def threads_posts(found: Any) -> list[RawPost]:
    return posts_of_page(threads.posts_page(found, answer_of(found), "ann", ANN))


POSTS: list[tuple[str, Callable[[Any], list[RawPost]], int]] = [
    ("youtube/videos__videos_info_single.json", youtube_videos, 1),
    ("youtube/videos__videos_chart_paged_1.json", youtube_videos, 5),
    ("instagram/discovery__medias_p1.json", instagram_media, 2),
    ("threads/profile_posts_DOCSHAPE.json", threads_posts, 1),
    ("x/pytwitter__searches__search_tweets_query.json", x_posts, 1),
    ("x/pytwitter__timeline__timeline_mentions.json", x_posts, 5),
    ("x/pytwitter__tweet__tweets_resp.json", x_posts, 2),
    ("x/tweepy__test_client_get_tweets.json", x_posts, 2),
    ("x/tweepy__test_client_get_users_mentions.json", x_posts, 2),
    ("x/tweepy__test_client_get_users_tweets.json", x_posts, 2),
    ("tiktok/research_video_query_DOCSHAPE.json", tiktok_videos, 1),
]


@pytest.mark.parametrize(("name", "read", "at_least"), POSTS, ids=lambda value: value if isinstance(value, str) else "")
def test_recorded_posts_are_read_whole(name: str, read: Callable[[Any], list[RawPost]], at_least: int) -> None:
    posts = read(json.loads(body_of(name)))
    assert len(posts) >= at_least
    assert [reason for post in posts if (reason := problem(post, LATER))] == []
    assert all(isinstance(post.native_id, str) and post.native_id in body_of(name).decode() for post in posts)


def test_a_recorded_uploads_page_gives_the_ids_and_times_of_its_videos() -> None:
    for item in json.loads(body_of("youtube/playlist_items__playlist_items_paged_1.json"))["items"]:
        assert youtube._time(item["snippet"]["publishedAt"]).year >= 2010


@pytest.mark.parametrize("name", ["channels__info.json", "channel_info_single.json"])
def test_recorded_channels_are_read(name: str) -> None:
    for item in json.loads(body_of(f"youtube/{name}"))["items"]:
        assert isinstance(youtube.channel_author(item, "TW", None), RawAuthor)


def test_recorded_users_of_x_are_read() -> None:
    for user in json.loads(body_of("x/pytwitter__user__users_resp.json"))["data"]:
        assert (x.user_author(user, ANN).follower_count or 0) > 1_000


def test_a_recorded_board_gives_recommendations_and_leaves_out_what_is_deleted() -> None:
    page = ptt.board_page(body_of("ptt/board_list_trimmed.html"), "Stock", None, ANN, "https://ptt.example")
    assert [(post.author.handle, post.like_count) for post in posts_of_page(page)] == [
        ("PolarBearCat", 1), ("newsbot", 100),
    ]  # fmt: skip
    assert page.posts[0].native_id == "Stock/M.1790943882.A.49A"


def test_recorded_errors_say_what_is_to_be_done() -> None:
    from radar.sources.graph import meant
    from radar.sources.trouble import Refused, Trouble

    error = Trouble("answered 400.")
    error.detail = body_of("instagram/error_data.json").decode()
    assert isinstance(meant(error, NOW), Refused)
    assert youtube._reasons(body_of("youtube/error_response.json").decode()) == {"keyInvalid"}


def statuses_in(value: Any) -> Iterator[dict[str, Any]]:
    """Every status of Mastodon anywhere in what was recorded."""
    if isinstance(value, dict):
        if {"content", "account", "created_at", "visibility", "id"} <= {*value}:
            yield value
        for one in value.values():
            yield from statuses_in(one)
    elif isinstance(value, list):
        for one in value:
            yield from statuses_in(one)


@pytest.mark.parametrize("path", sorted(RECORDED.glob("mastodon/*.json")), ids=lambda path: path.stem)
def test_recorded_statuses_of_mastodon_are_read(path: Path) -> None:
    recorded = statuses_in(json.loads(path.read_text()))
    found = [mastodon._post(status, "https://server.example", "JP", None, "") for status in recorded]
    assert all(problem(post, LATER) is None for post in found if post.text)
    assert found or path.stem in ("test_account_lookup", "test_trending_statuses", "test_trending_tags")


def test_a_recorded_feed_of_bluesky_is_read_whole() -> None:
    items = json.loads(body_of("bluesky/getAuthorFeed_local_appview.json"))["feed"]
    posts, faults, _, uris = bluesky._read(items, ANN)
    assert (len(posts), len(uris), faults) == (len(items), len(items), [])


@pytest.mark.parametrize("path", sorted(p for p in RECORDED.glob("rss/*") if p.suffix != ".txt"), ids=lambda p: p.name)
def test_recorded_feeds_are_read_whole(path: Path) -> None:
    feed = read_feed(path.read_bytes(), address="https://blog.example/feed", zone=MARKETS["TW"].tz)
    assert feed.entries
    assert feed.faults == []


@pytest.mark.parametrize("name", ["users__medias_p1", "medias__children"])
def test_media_of_ones_own_account_are_read_as_those_of_others(name: str) -> None:
    found = json.loads(body_of(f"instagram/{name}.json"))
    page = instagram.media_page({"id": "1", "media": found}, answer_of(found), "ann", ANN)
    assert page.faults == []
    assert len(page.ids) == len(page.times) == len(found["data"])


def test_media_without_a_time_are_set_aside_with_that_reason() -> None:
    found = json.loads(body_of("instagram/hashtags__hashtag_recent_medias_p1.json"))
    page = instagram.media_page({"id": "1", "media": found}, answer_of(found), "ann", ANN)
    assert [fault.reason for fault in page.faults] == ["KeyError: 'timestamp'"] * len(found["data"])


def test_what_of_youtube_is_another_list_gives_reasons_and_raises_nothing() -> None:
    for name in ("search__search_by_keywords_p1", "activities__activities_by_channel_p1"):
        for item in json.loads(body_of(f"youtube/{name}.json"))["items"]:
            with suppress(*UNREADABLE):
                youtube.video(item, "TW", None)
