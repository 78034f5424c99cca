"""Feeds: what is read of good ones, and that nothing a feed may hold costs more than itself."""

import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from radar.sources.base import Account, RawAuthor, RawPost
from radar.sources.feed import FeedSource
from radar.sources.feed_reading import Entry, read_feed
from radar.sources.problems import problem
from radar.sources.trouble import Malformed, NotFound
from radar.sources.web import Web
from tests.sources.hostile_feeds import corpus
from tests.sources.stages import NOW, FakeClock, FeedStage, Reply

TAIPEI = ZoneInfo("Asia/Taipei")
CORPUS = dict(corpus())
YOUTUBE = b"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns:media="http://search.yahoo.com/mrss/"
 xmlns="http://www.w3.org/2005/Atom"><yt:channelId>0123456789012345678901</yt:channelId><title>Ann films</title>
 <entry><id>yt:video:abcdefghijk</id><yt:videoId>abcdefghijk</yt:videoId><title>Ramen in Osaka</title>
 <link rel="alternate" href="https://www.youtube.com/watch?v=abcdefghijk"/>
 <published>2026-05-03T01:28:21+00:00</published><updated>2026-05-04T01:00:00+00:00</updated>
 <media:group><media:title>Ramen in Osaka</media:title><media:description>Ten bowls. #ramen</media:description>
 <media:community><media:starRating count="33" average="5.00" min="1" max="5"/><media:statistics views="593"/>
 </media:community></media:group></entry></feed>"""


def read(body: bytes) -> list[Entry]:
    return read_feed(body, address="https://blog.example/feed", zone=TAIPEI).entries


@pytest.fixture
def stage() -> Iterator[FeedStage]:
    up = FeedStage()
    yield up
    up.close()


@pytest.fixture
def source() -> Iterator[FeedSource]:
    with Web(clock=FakeClock()) as web:
        yield FeedSource("blogs", {}, web)


def test_some_hundreds_of_hostile_feeds_are_there() -> None:
    assert len(CORPUS) > 400


@pytest.mark.parametrize("name", CORPUS)
def test_every_entry_of_a_hostile_feed_has_an_id_and_a_time_or_a_reason(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    begun = time.monotonic()
    try:
        feed = read_feed(CORPUS[name], address="https://blog.example/feed", zone=TAIPEI)
    except Malformed:
        return
    for entry in feed.entries:
        post = RawPost("web", entry.id, RawAuthor("a", "TW"), entry.text, entry.published_at, url=entry.url)
        assert (problem(post, NOW) or "").partition(":")[0] in ("", "published_at")
        assert entry.published_at.tzinfo is UTC
        assert "root:" not in entry.text
    assert all(fault.reason and len(fault.payload) <= 4_000 for fault in feed.faults)
    assert len({entry.id for entry in feed.entries}) == len(feed.entries)
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("Mon, 04 May 2026 10:00:00 GMT", 10), ("Mon, 04 May 2026 18:00:00 +0800", 10),
        ("Mon, 04 May 2026 19:00:00 JST", 10), ("Mon, 04 May 2026 18:00:00", 10), ("2026-05-04 18:00:00", 10),
        ("2026/05/04 18:00", 10), ("Mon, 04 May 2026 05:00:00 EST", 10), ("Mon, 04 May 2026 10:00:00 -0000", 10),
    ],
)  # fmt: skip
def test_a_time_without_a_zone_is_the_markets(written: str, hour: int) -> None:
    body = f"<rss version='2.0'><channel><item><title>x</title><pubDate>{written}</pubDate></item></channel></rss>"
    (entry,) = read(body.encode())
    assert entry.published_at == datetime(2026, 5, 4, hour, tzinfo=UTC)


def test_a_channel_of_youtube_tells_views_and_ratings_and_its_id() -> None:
    (entry,) = read(YOUTUBE)
    assert (entry.id, entry.text) == ("abcdefghijk", "Ramen in Osaka\nTen bowls. #ramen")
    assert entry.counts == {"view_count": 593, "like_count": 33}
    assert entry.edited_at == datetime(2026, 5, 4, 1, tzinfo=UTC)


def test_a_title_that_begins_the_text_is_not_said_twice() -> None:
    body = (
        "<rss version='2.0'><channel><item><title>Ramen  in ...</title><description>Ramen in &lt;b&gt;Osaka&lt;/b&gt;"
    )
    body += "</description><pubDate>Mon, 04 May 2026 10:00:00 GMT</pubDate></item></channel></rss>"
    assert [entry.text for entry in read(body.encode())] == ["Ramen in Osaka"]


def test_ids_that_are_unique_in_their_feed_alone_are_told_apart() -> None:
    item = b"<item><guid>1</guid><title>x</title><pubDate>2026-05-04</pubDate></item>"
    body = b"<rss version='2.0'><channel>" + item + b"</channel></rss>"
    found = {
        read_feed(body, address=f"https://{host}/feed", zone=TAIPEI).entries[0].id
        for host in ("a.example", "b.example")
    }
    assert len(found) == 2


def test_an_entry_that_says_it_is_a_video_and_is_none_has_an_id_that_can_be_stored() -> None:
    item = "<item><guid>1</guid><title>x</title><pubDate>2026-05-04</pubDate><yt:videoId>{}</yt:videoId></item>"
    head = "<rss version='2.0' xmlns:yt='http://www.youtube.com/xml/schemas/2015'><channel>"
    found = [read((head + item.format(said)).encode())[0].id for said in ("a b " * 200, "abcdefghijk")]
    assert found == ["blog.example:1", "abcdefghijk"]


def test_json_feed_is_read() -> None:
    body = b"""{"version": "https://jsonfeed.org/version/1.1", "title": "Ann", "items": [{"id": 7, "url": "/7",
    "content_html": "<p>Ramen</p>", "date_published": "2026-05-04T18:00:00+08:00"}]}"""
    (entry,) = read(body)
    assert (entry.id, entry.text, entry.url) == ("blog.example:7", "Ramen", "https://blog.example/7")


def test_an_unchanged_feed_is_not_read_again(stage: FeedStage, source: FeedSource) -> None:
    stage.publish("1")
    account = Account(stage.handle, "TW")
    (first,) = source.discover(None, NOW, account)
    (second,) = source.discover(first.cursor, NOW, account)
    assert ([p.native_id for p in first.posts], second.posts) == ([stage.native_id("1")], [])
    stage.posts["1"].text = "edited"
    (third,) = source.discover(second.cursor, NOW, account)
    assert [p.text for p in third.posts] == ["edited"]


def test_a_page_leads_to_its_feed_and_is_not_asked_again(stage: FeedStage, source: FeedSource) -> None:
    stage.publish("1")
    account = Account(f"{stage.url}/blog", "TW")
    (batch,) = source.discover(None, NOW, account)
    assert len(batch.posts) == 1
    list(source.discover(batch.cursor, NOW, account))
    assert stage.asked == ["/blog", "/feed.xml", "/feed.xml"]


def test_requests_to_a_feeds_host_are_a_second_apart(stage: FeedStage) -> None:
    clock = FakeClock()
    with Web(clock=clock) as web:
        source = FeedSource("blogs", {}, web)
        for _ in range(4):
            list(source.discover(None, NOW, Account(stage.handle, "TW")))
    assert sum(clock.slept) == pytest.approx(3, abs=0.01)


def test_a_feed_that_is_missing_is_told_as_such(stage: FeedStage, source: FeedSource) -> None:
    stage.replies = [Reply(b"", 404)]
    with pytest.raises(NotFound):
        list(source.discover(None, NOW, Account(stage.handle, "TW")))
    assert source.capabilities.patience == timedelta(days=7)
