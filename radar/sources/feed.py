"""Feeds as a source: blogs, YouTube channels, bridges of one's own; an account is the address of a feed or its page.

A feed shows its newest entries and nothing else: an edit is seen while the entry is still in it, a deletion never. It
is asked conditionally, so that an unchanged one costs its server next to nothing. A feed that is not found is tried
again for a week: YouTube's are missing for hours now and then.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

from radar.markets import MARKETS
from radar.sources.base import Account, Batch, Capabilities, Fault, PostRef, RawAuthor, RawPost, Source
from radar.sources.facts import facts_of
from radar.sources.feed_reading import Entry, Feed, deleted_entries, feeds_of_page, read_feed
from radar.sources.trouble import Malformed, Trouble
from radar.sources.web import Answer, Web

SPACING = 1.0
"""Seconds between two requests to a host."""
_CHANNEL = re.compile(r"UC[0-9A-Za-z_-]{22}")
_LINKED = re.compile(r"<([^<>\s]{1,2000})>\s*;[^,]*?\brel=\"?(hub|self)\"?")
_COUNTS = frozenset({"like_count", "comment_count", "view_count"})
CACHED = timedelta(days=1)
"""How old a feed may be that a server gives: caches stand before it, that know of no deletion."""


class FeedSource(Source):
    """Feeds by address. config: platform (of the posts; "web" or "youtube" by the address where it is missing)."""

    kind = "feed"
    is_simulated = False
    capabilities = Capabilities(
        watches=True, counts=_COUNTS, edits=True, back=None, patience=timedelta(days=7),
    )  # fmt: skip

    def __init__(self, name: str, config: dict[str, Any], web: Web) -> None:
        self.name, self._platform, self._web = name, config.get("platform"), web

    def lane(self, asked: Account | PostRef | None) -> str:
        """A host is a lane."""
        return urlsplit(_address(asked.handle)).netloc if isinstance(asked, Account) else self.name

    def discover(self, cursor: dict[str, Any] | None, now: datetime, account: Account | None = None) -> Iterator[Batch]:
        """What the feed shows now; nothing where it did not change."""
        assert account is not None
        known = cursor or {}
        home = _address(account.handle)
        address = known.get("feed", home)
        answer = self._get(address, home, known)
        if answer.status == 304:
            yield Batch([], known, now)
            return
        try:
            feed = self._read(answer, account)
        except Malformed:
            found = [a for a in feeds_of_page(answer.body, answer.url) if a != address]
            if not found:
                raise
            address = found[0]
            answer = self._get(address, home, {})
            feed = self._read(answer, account)
        after = {
            "feed": address, "etag": answer.headers.get("etag"), "modified": answer.headers.get("last-modified"),
            **_told_hub(answer, feed),
        }  # fmt: skip
        posts = [replace(post, may_lag=CACHED) for post in self._posts(feed, account)]
        yield Batch(posts, after, now, feed.faults)

    def pushed(self, body: bytes, content_type: str, account: Account) -> tuple[list[RawPost], list[Fault]]:
        """Posts of a feed that its hub gave, and what could not be read. Raises Malformed.

        YouTube's hub gives a video's title alone, and names no channel: of one that is here, the feed has said more.
        """
        address, zone = _address(account.handle), MARKETS[account.market].tz
        feed = read_feed(body, address=address, zone=zone, content_type=content_type)
        posts = self._posts(feed, account)
        is_video = "youtube." in urlsplit(address).netloc
        if is_video:
            posts = [replace(post, is_start=True, author=replace(post.author, name=None)) for post in posts]
        author = RawAuthor(_author_id(feed, account, is_video=is_video), account.market)
        platform, at = self._platform or ("youtube" if is_video else "web"), self._web.clock.now()
        gone = deleted_entries(body, address)
        return [*posts, *(RawPost(platform, name, author, "", at, deleted=True) for name in gone)], feed.faults

    def _posts(self, feed: Feed, account: Account) -> list[RawPost]:
        posts = [self._post(entry, feed, account) for entry in feed.entries]
        return sorted(posts, key=lambda p: (p.published_at, p.native_id))

    def _get(self, address: str, home: str, known: dict[str, Any]) -> Answer:
        conditions = {"If-None-Match": known.get("etag"), "If-Modified-Since": known.get("modified")}
        headers = {name: value for name, value in conditions.items() if value}
        return self._web.get(address, headers=headers, spacing=SPACING, home=home)

    def _read(self, answer: Answer, account: Account) -> Feed:
        if answer.status == 304:
            raise Trouble(f"{account.handle}: answered 304 to a question without a condition.")
        zone = MARKETS[account.market].tz
        said = answer.headers.get("content-type", "")
        return read_feed(answer.body, address=answer.url, zone=zone, content_type=said)

    def _post(self, entry: Entry, feed: Feed, account: Account) -> RawPost:
        is_video = feed.author_id is not None or "youtube." in urlsplit(_address(account.handle)).netloc
        author = RawAuthor(
            native_id=_author_id(feed, account, is_video=is_video), audience_market=account.market, name=feed.title,
            url=feed.url, person=account.person,
        )  # fmt: skip
        told = {"url"} if entry.url else set()
        return RawPost(
            platform=self._platform or ("youtube" if is_video else "web"), native_id=entry.id, author=author,
            text=entry.text, published_at=entry.published_at, url=entry.url,
            media_kind="video" if is_video else None, edited_at=entry.edited_at,
            given=frozenset({"media_kind", *told, *entry.counts}), **entry.counts,
        )  # fmt: skip


def hub_of(handle: str, cursor: dict[str, Any]) -> tuple[str, str] | None:
    """The hub that tells of a feed, and the address it knows it by: as the feed says, or for a channel as YouTube."""
    if _CHANNEL.fullmatch(handle):
        said = facts_of("feed")
        return said["youtube_hub"], f"{said['youtube_topic']}{handle}"
    hub, topic = cursor.get("hub"), cursor.get("topic")
    return (hub, topic) if isinstance(hub, str) and isinstance(topic, str) else None


def _told_hub(answer: Answer, feed: Feed) -> dict[str, str]:
    """Hub and address, as the headers of an answer say (WebSub, 4), or else the feed."""
    said = {rel: url for url, rel in _LINKED.findall(answer.headers.get("link", "")[:8_000])}
    hub, topic = said.get("hub") or feed.hub, said.get("self") or feed.topic or answer.url
    return {"hub": urljoin(answer.url, hub), "topic": urljoin(answer.url, topic)} if hub else {}


def _author_id(feed: Feed, account: Account, *, is_video: bool) -> str:
    """A channel's id, or the address that is watched: an author has one blog, whatever entries say."""
    if is_video:
        found = _CHANNEL.search(account.handle)
        if found:
            return found[0]
        if feed.author_id:
            return feed.author_id if feed.author_id.startswith("UC") else f"UC{feed.author_id}"
    return account.handle[:255]


def _address(handle: str) -> str:
    """The address that a handle stands for: a channel's id is YouTube's feed of it."""
    if _CHANNEL.fullmatch(handle):
        return f"https://www.youtube.com/feeds/videos.xml?channel_id={handle}"
    return handle if "://" in handle else f"https://{handle}"
