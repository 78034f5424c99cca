"""Reading RSS, Atom and JSON Feed: entries with an id, a time and a text, or the reason why not.

RSS and Atom are read by feedparser, which takes nearly anything; JSON Feed (1.0, 1.1) is read here. Nothing that a feed
may hold raises but Malformed, for what is no feed at all. What a feed says of its language is not believed: blogs in
any language carry their software's "en-US".
"""

import html
import io
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

import feedparser
import xxhash

from radar.sources.base import MAX_TEXT, Fault
from radar.sources.dates import instant
from radar.sources.markup import text_of
from radar.sources.trouble import Malformed

MOST_ENTRIES = 2_000
_LONGEST_ID = 255
_DELETED = re.compile(rb"<(?:[\w.-]{1,30}:)?deleted-entry\s[^<>]{0,500}?\bref=[\"']([^\"'<>]{1,300})[\"']")
_VIDEO = re.compile(r"[A-Za-z0-9_-]{1,64}")
_GLOBAL = re.compile(r"^(?:[a-z][a-z0-9+.-]*://|tag:|urn:)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. counts: those of the four counts that the feed tells."""

    id: str
    published_at: datetime
    edited_at: datetime | None
    text: str
    url: str | None
    counts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed as we read it.

    author_id   a channel's id where the platform names one
    hub, topic  the WebSub hub that tells of it, and the address it is known by there
    """

    title: str | None
    url: str | None
    author_id: str | None
    entries: list[Entry]
    faults: list[Fault]
    hub: str | None = None
    topic: str | None = None


def read_feed(body: bytes, *, address: str, zone: ZoneInfo, content_type: str = "") -> Feed:
    """The feed in a body. Raises Malformed for what is none.

    address  where it was fetched: ids that are unique in the feed alone are told apart by its host
    zone     of times without one
    """
    if not body.strip():
        raise Malformed("the feed is empty")
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if start == b"{" or "json" in content_type:
        return _json_feed(body, address, zone)
    try:
        headers = {"content-type": content_type} if content_type else {}
        found: Any = feedparser.parse(
            io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception as error:  # a parser of so many formats has faults of its own
        raise Malformed(f"no feed: {type(error).__name__} {error}"[:300], body) from error
    if not found.version and not found.entries:
        raise Malformed("no feed: neither RSS, Atom nor JSON Feed", body)
    entries, faults = _each(found.entries, lambda one: _entry(one, address, zone))
    about = found.feed
    hub, topic = (_related(about.get("links"), name, address) for name in ("hub", "self"))
    title, channel = _text(about.get("title")), _text(about.get("yt_channelid"))
    return Feed(title, _link(about, address), channel, entries, faults, hub, topic)


def _related(links: Any, relation: str, address: str) -> str | None:
    """The address of a feed's link of some relation."""
    for link in links or []:
        if isinstance(link, dict) and link.get("rel") == relation and isinstance(link.get("href"), str):
            return _web_address(link["href"], address)
    return None


def _web_address(href: str, address: str) -> str | None:
    try:
        url = urljoin(address, href.strip())
        is_web = urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return None
    return url if is_web and len(url) <= 2_000 and url.isprintable() else None


def deleted_entries(body: bytes, address: str) -> list[str]:
    """Ids of entries that a hub says are gone: tombstones of Atom (RFC 6721), as YouTube's hub sends them.

    >>> deleted_entries(b'<at:deleted-entry ref="yt:video:abc" when="2026-05-04T10:00:00Z">', "https://a.example/")
    ['abc']
    """
    named = [html.unescape(ref.decode("utf-8", "replace")) for ref in _DELETED.findall(body)[:MOST_ENTRIES]]
    return [
        ref.removeprefix("yt:video:") if ref.startswith("yt:video:") else entry_id(ref, None, address, "")
        for ref in named
    ]


def _each(items: Any, read: Any) -> tuple[list[Entry], list[Fault]]:
    """Entries by id (of one given twice the first: feeds begin with the newest), and those that cannot be read."""
    entries: dict[str, Entry] = {}
    faults: list[Fault] = []
    for one in items[:MOST_ENTRIES]:
        try:
            entry = read(one)
            entries.setdefault(entry.id, entry)
        except ValueError as error:
            faults.append(_fault(str(error), one))
        except Exception as error:  # an entry may hold anything: it never costs the others
            faults.append(_fault(f"{type(error).__name__}: {error}"[:300], one))
    if len(items) > MOST_ENTRIES:
        faults.append(Fault(f"{len(items):,} entries: the first {MOST_ENTRIES:,} are taken", ""))
    return list(entries.values()), faults


def _fault(reason: str, one: Any) -> Fault:
    named = one.get("id") if hasattr(one, "get") else None
    return Fault(reason, repr(one)[:4_000], named[:_LONGEST_ID] if isinstance(named, str) else None)


def _entry(one: Any, address: str, zone: ZoneInfo) -> Entry:
    """Raises ValueError with field and reason."""
    published = _when(one, ("published", "created", "updated"), zone)
    if published is None:
        raise ValueError("published: no time that can be read")
    edited = _when(one, ("updated",), zone)
    contents = [c.get("value") or "" for c in one.get("content") or [] if isinstance(c, dict)]
    body = text_of(max([*contents, one.get("summary") or "", one.get("media_description") or ""], key=len))
    text = _together(text_of(one.get("title") or ""), body)
    if not text:
        raise ValueError("text: empty")
    url = _link(one, address)
    video = _text(one.get("yt_videoid"))
    return Entry(
        id=video
        if video and _VIDEO.fullmatch(video)
        else entry_id(_text(one.get("id")), url, address, f"{published.isoformat()} {text[:500]}"),
        published_at=published,
        edited_at=edited if edited and edited > published else None,
        text=text[:MAX_TEXT],
        url=url,
        counts=_counts(one),
    )


def _when(one: Any, names: tuple[str, ...], zone: ZoneInfo) -> datetime | None:
    """The first of several times that can be read: by us, which knows the zone, or else by feedparser."""
    for name in names:
        if name not in one:  # asked for what is not there, feedparser answers with something else
            continue
        text = one.get(name)
        at = instant(text, zone) if isinstance(text, str) else None
        if at is not None:
            return at
        parsed = one.get(f"{name}_parsed")
        if parsed:
            try:
                year, month, day, hour, minute, second = parsed[:6]
                return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
            except (ValueError, TypeError):
                continue
    return None


def _together(title: str, body: str) -> str:
    """Title and body; a title that only repeats the body's beginning is left out."""
    start, whole = " ".join(title.split()).rstrip(".… "), " ".join(body.split())
    if not whole:
        return title
    return body if not start or _tight(whole).startswith(_tight(start)) else f"{title}\n{body}"


def _tight(text: str) -> str:
    return "".join(text.split()).casefold()


def entry_id(given: str | None, url: str | None, address: str, content: str) -> str:
    """A name that no entry of another feed has: the given id, or the link, or a hash of the content.

    >>> entry_id("17", None, "https://blog.example/feed", "")
    'blog.example:17'
    """
    name = given or url or f"hash:{xxhash.xxh3_128_hexdigest(content.encode('utf-8', 'replace'))}"
    if not _GLOBAL.match(name):
        name = f"{urlsplit(address).netloc.rpartition('@')[2]}:{name}"
    if len(name) > _LONGEST_ID:
        name = f"{name[:200]}#{xxhash.xxh3_128_hexdigest(name.encode('utf-8', 'replace'))}"
    return _clean(name)


def _counts(one: Any) -> dict[str, Any]:
    """What the feed tells: YouTube's views and ratings, WordPress' comments."""
    found: dict[str, Any] = {}
    for name, holder, key in (
        ("view_count", "media_statistics", "views"),
        ("like_count", "media_starrating", "count"),
    ):
        held = one.get(holder)
        if isinstance(held, dict) and key in held:
            found[name] = _number(held[key])
    if "slash_comments" in one:
        found["comment_count"] = _number(one["slash_comments"])
    return found


def _number(value: Any) -> int | None:
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _link(one: Any, address: str) -> str | None:
    link = _text(one.get("link"))
    try:
        return _clean(urljoin(address, link)) if link else None
    except ValueError:
        return None


def _text(value: Any) -> str | None:
    return _clean(value.strip()) or None if isinstance(value, str) else None


def _clean(text: str) -> str:
    """What a database can hold."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


# ---- JSON Feed ----


def _json_feed(body: bytes, address: str, zone: ZoneInfo) -> Feed:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"no feed: JSON that cannot be read, {error}"[:300], body) from error
    items = found.get("items") if isinstance(found, dict) else None
    if not isinstance(items, list):
        raise Malformed("no feed: JSON without a list of items", body)
    entries, faults = _each(items, lambda one: _item(one, address, zone))
    return Feed(_text(found.get("title")), _text(found.get("home_page_url")), None, entries, faults)


def _item(one: Any, address: str, zone: ZoneInfo) -> Entry:
    """Raises ValueError with field and reason."""
    if not isinstance(one, dict):
        raise ValueError("item: expected an object")
    times = {n: instant(v, zone) for n in ("date_published", "date_modified") if isinstance(v := one.get(n), str)}
    published = times.get("date_published") or times.get("date_modified")
    if published is None:
        raise ValueError("date_published: no time that can be read")
    edited = times.get("date_modified")
    body = _text(one.get("content_text")) or text_of(_text(one.get("content_html")) or _text(one.get("summary")) or "")
    text = _together(_text(one.get("title")) or "", body)
    if not text:
        raise ValueError("text: empty")
    given = one.get("id")
    named = str(given) if isinstance(given, int | float) and not isinstance(given, bool) else _text(given)
    url = _link({"link": one.get("url") or one.get("external_url")}, address)
    return Entry(
        id=entry_id(named, url, address, f"{published.isoformat()} {text[:500]}"),
        published_at=published,
        edited_at=edited if edited and edited > published else None,
        text=text[:MAX_TEXT],
        url=url,
    )


# ---- autodiscovery ----

_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/json")


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        is_feed = "alternate" in said.get("rel", "").lower().split() and said.get("type", "").lower() in _FEED_TYPES
        if tag == "link" and is_feed and said.get("href"):
            self.found.append((said["href"], said.get("title", "")))


def feeds_of_page(body: bytes, address: str) -> list[str]:
    """Addresses of the feeds that an HTML page names, in its order; feeds of comments last."""
    reader = _Links()
    try:
        reader.feed(body[: 1 << 20].decode("utf-8", "replace"))
    except (AssertionError, ValueError, RecursionError):
        return []
    ranked = sorted(reader.found, key=lambda link: "comment" in f"{link[0]} {link[1]}".lower())
    found = []
    for href, _ in ranked:
        try:
            found.append(urljoin(address, href.strip()))
        except ValueError:
            continue
    return list(dict.fromkeys(found))
