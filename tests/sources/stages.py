"""Platforms to test sources against: real HTTP servers on the loopback address that answer in each platform's shape.

A stage holds posts that a test publishes, edits and takes back, and can be told to fail in the ways platforms fail. The
answers are written here after the platforms' documentation; all of it is synthetic.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

import sqlalchemy as sa

from radar.store import runs, watching
from radar.store.engine import writing

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


class FakeClock:
    """Time that passes only by sleeping."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at, self.slept = at, list[float]()

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


@dataclass(slots=True)
class Reply:
    """What a server says. pieces are sent one after another; an endless generator is an endless body."""

    body: bytes | Iterator[bytes] = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Published:
    """A post as its platform holds it."""

    id: str
    text: str
    at: datetime
    likes: int | None = 3
    edited_at: datetime | None = None
    written_at: str | None = None  # the time as the platform writes it, where a test says how


class Stage:
    """A platform with one account."""

    kind = ""
    handle = "ann"
    page = 5
    broken_items: ClassVar[list[Any]] = []  # that join a page and cannot be read, each of them a fault

    def __init__(self) -> None:
        self.posts: dict[str, Published] = {}
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.ever: dict[str, Published] = {}  # also what is gone
        self.replies: list[Reply] = []  # said before anything else, one a request
        self.repeats_its_page = False
        self.broken: list[Any] = []  # raw items that join the first page
        self.account: dict[str, Any] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def publish(self, id: str, text: str = "ramen in Osaka", at: datetime | None = None, **more: Any) -> Published:
        at = at or NOW - timedelta(hours=2)
        self.posts[id] = self.ever[id] = Published(id, text, at, **more)
        return self.posts[id]

    def newest_first(self) -> list[Published]:
        return sorted(self.posts.values(), key=lambda p: (p.at, p.id), reverse=True)

    def configure(self, engine: sa.Engine, name: str = "stage") -> None:
        """Add the platform as a source and watch its account."""
        with writing(engine) as session, session.begin():
            runs.add_source(session, name, self.kind, self.config(), is_simulated=False)
            watching.watch(session, [self.watched(name)])

    def watched(self, name: str, **more: Any) -> dict[str, Any]:
        row = {"source": name, "handle": self.handle, "audience_market": "TW", "person": None, "consented": False}
        return row | more

    def config(self) -> dict[str, Any]:
        return {"url": self.url}

    def native_id(self, id: str) -> str:
        """What the radar calls the post."""
        raise NotImplementedError

    def answer(self, path: str, query: dict[str, list[str]], headers: Any) -> Reply:
        raise NotImplementedError

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stage = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                stage.asked.append(self.path)
                stage.headers.append(dict(self.headers))
                parts = urlsplit(self.path)
                reply = (
                    stage.replies.pop(0)
                    if stage.replies and parts.path != "/robots.txt"
                    else stage.answer(parts.path, parse_qs(parts.query), self.headers)
                )
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if isinstance(reply.body, bytes):
                    if reply.status != 304:
                        self.send_header("Content-Length", str(len(reply.body)))
                    self.end_headers()
                    self.wfile.write(reply.body)
                    return
                self.send_header("Connection", "close")
                self.end_headers()
                try:
                    for piece in reply.body:
                        self.wfile.write(piece)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def as_json(found: Any, **headers: str) -> Reply:
    """A JSON answer; halves of surrogate pairs travel as escapes."""
    return Reply(json.dumps(found).encode(), headers={"Content-Type": "application/json"} | headers)


class FeedStage(Stage):
    """A blog with an Atom feed of its newest posts, an ETag, and pages that name the feed."""

    kind = "feed"
    broken_items: ClassVar = [
        "<entry><id>x</id><title>never</title><published>soon</published></entry>",
        "<entry></entry>",
    ]

    def __init__(self) -> None:
        super().__init__()
        self.handle = f"{self.url}/feed.xml"

    def config(self) -> dict[str, Any]:
        return {}

    def native_id(self, id: str) -> str:
        return f"{urlsplit(self.url).netloc}:{id}"

    def answer(self, path: str, query: dict[str, list[str]], headers: Any) -> Reply:
        if path == "/blog":
            return Reply(
                b'<html><head><link rel="alternate" type="application/rss+xml" title="Comments" href="/comments.xml">'
                b'<link rel="alternate" type="application/atom+xml" href="feed.xml"></head><body>Hi</body></html>',
                headers={"Content-Type": "text/html"},
            )
        if path != "/feed.xml":
            return Reply(b"no such page", 404)
        body = self._body().encode("utf-8", "replace")
        etag = f'"{hash(body)}"'
        if headers.get("If-None-Match") == etag:
            return Reply(b"", 304, {"ETag": etag})
        return Reply(body, headers={"Content-Type": "application/atom+xml", "ETag": etag})

    def _body(self) -> str:
        entries = "".join([*self.broken, *(self._entry(p) for p in self.newest_first())])
        return (
            '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" '
            f'xmlns:slash="http://purl.org/rss/1.0/modules/slash/"><title>Ann writes</title>{entries}</feed>'
        )

    @staticmethod
    def _entry(post: Published) -> str:
        text = escape(escape("".join(c for c in post.text if c in "\n\t" or ord(c) >= 32)).replace("\n", "<br>"))
        edited = f"<updated>{post.edited_at.isoformat()}</updated>" if post.edited_at else ""
        return (
            f"<entry><id>{escape(post.id)}</id><published>{post.written_at or post.at.isoformat()}</published>"
            f'{edited}<link rel="alternate" href="/posts/{escape(post.id)}"/>'
            f'<content type="html">&lt;p&gt;{text}&lt;/p&gt;</content></entry>'
        )


SECRET = "s3cret-Key/of+ours"
"""What stages are asked with; it must turn up nowhere else."""


@cache
def secret_file() -> dict[str, str]:
    """A file that holds SECRET, as a configuration names it."""
    path = Path(mkdtemp(prefix="radar-secret-")) / "token"
    path.touch(0o600)
    path.write_text(SECRET)
    return {"file": str(path)}


class PlatformStage(Stage):
    """A platform that asks for a secret and is asked as often as a test likes."""

    def config(self) -> dict[str, Any]:
        return {"url": self.url, "token": secret_file(), "every_minutes": 0, **self.more}

    @property
    def more(self) -> dict[str, Any]:
        return {}

    def paged(self, token: str | None, limit: int) -> tuple[list[Published], str | None]:
        """Posts of a page, newest first, and the token of the next."""
        posts = self.newest_first()
        start = int(token.removeprefix("t")) if token and not self.repeats_its_page else 0
        some = posts[start : start + limit]
        has_more = self.repeats_its_page or start + limit < len(posts)
        return some, f"t{start + limit}" if has_more else None


class YouTubeStage(PlatformStage):
    """YouTube's Data API with one channel."""

    kind = "youtube"
    handle = "UCsynthetic0channel0id01"
    broken_items: ClassVar = [
        {"id": "x", "contentDetails": {"videoId": "b"}}, None, {}, {"contentDetails": {"videoId": 7.5}},
    ]  # fmt: skip

    def native_id(self, id: str) -> str:
        return id

    def answer(self, path: str, query: dict[str, list[str]], headers: Any) -> Reply:
        if headers["X-Goog-Api-Key"] != SECRET:
            return self.error(400, "badRequest", "API key not valid")
        what = path.rpartition("/")[2]
        if what == "channels":
            is_ours = self.handle in query.get("id", []) or query.get("forHandle") == ["@ann"]
            items: list[Any] = [self._channel()] if is_ours else []
        elif what == "videos":
            wanted = query["id"][0].split(",")
            items = [self.video(p) for p in self.posts.values() if p.id in wanted]
        elif query["playlistId"] != [f"UU{self.handle[2:]}"]:
            return self.error(404, "playlistNotFound", "The playlist cannot be found.")
        else:
            some, after = self.paged(query.get("pageToken", [None])[0], min(self.page, int(query["maxResults"][0])))
            items = [*self.broken, *map(self._entry, some)]
            return as_json(self._list("playlistItem", items) | ({"nextPageToken": after} if after else {}))
        return as_json(self._list(what.removesuffix("s"), items))

    @staticmethod
    def error(status: int, reason: str, message: str) -> Reply:
        errors = [{"domain": "youtube", "reason": reason, "message": message}]
        body = {"error": {"code": status, "message": message, "errors": errors}}
        return Reply(json.dumps(body).encode(), status, {"Content-Type": "application/json"})

    @staticmethod
    def _list(kind: str, items: list[Any]) -> dict[str, Any]:
        info = {"totalResults": len(items), "resultsPerPage": 50}
        return {"kind": f"youtube#{kind}ListResponse", "etag": "e", "pageInfo": info, "items": items}

    def _entry(self, post: Published) -> dict[str, Any]:
        at = post.written_at or post.at.isoformat().replace("+00:00", "Z")
        return {
            "kind": "youtube#playlistItem", "etag": "e", "id": f"UU.{post.id}",
            "snippet": {"publishedAt": at, "channelId": self.handle, "title": post.text[:100]},
            "contentDetails": {"videoId": post.id, "videoPublishedAt": at},
        }  # fmt: skip

    def video(self, post: Published) -> dict[str, Any]:
        counts = {"viewCount": "4000", "likeCount": str(post.likes), "favoriteCount": "0", "commentCount": "2"}
        return {
            "kind": "youtube#video", "etag": "e", "id": post.id,
            "snippet": {
                "publishedAt": post.written_at or post.at.isoformat().replace("+00:00", "Z"), "title": post.text,
                "channelId": self.handle, "description": "", "channelTitle": "Ann", "categoryId": "19",
                "liveBroadcastContent": "none", "defaultAudioLanguage": "zh-TW",
            },
            "status": {"privacyStatus": "public", "uploadStatus": "processed"},
            "statistics": counts if post.likes is not None else {"favoriteCount": "0"},
        }  # fmt: skip

    def _channel(self) -> dict[str, Any]:
        return {
            "kind": "youtube#channel", "etag": "e", "id": self.handle,
            "snippet": {"title": "Ann", "description": "Eats", "customUrl": "@ann"},
            "statistics": {"viewCount": "9", "subscriberCount": "1200", "hiddenSubscriberCount": False},
        }  # fmt: skip


class MastodonStage(Stage):
    """A server of the fediverse."""

    kind = "mastodon"
    broken_items: ClassVar = [
        {"id": "2", "created_at": "soon", "content": "x", "account": {}}, None, {"id": "1"}, 7,
    ]  # fmt: skip

    def native_id(self, id: str) -> str:
        return f"{self.url}/users/ann/statuses/{id}"

    def answer(self, path: str, query: dict[str, list[str]], headers: Any) -> Reply:
        if path == "/api/v1/accounts/lookup":
            return as_json(self._account()) if query["acct"] == ["ann"] else Reply(b"{}", 404)
        if path.startswith("/api/v1/statuses/"):
            post = self.posts.get(path.rpartition("/")[2])
            return as_json(self._status(post)) if post else Reply(b'{"error": "Record not found"}', 404)
        posts = self.newest_first()
        ids = [p.id for p in posts]
        limit = min(self.page, int(query["limit"][0]))
        if self.repeats_its_page:
            return as_json([self._status(p) for p in posts])
        if "max_id" in query:
            posts = posts[ids.index(query["max_id"][0]) + 1 :][:limit]
        elif "min_id" in query:
            posts = posts[: ids.index(query["min_id"][0])] if query["min_id"][0] in ids else posts
            posts = posts[-limit:]
        else:
            posts = posts[:limit]
        items = [*self.broken, *(self._status(p) for p in posts)]
        if not posts:
            return as_json(items)
        here = f"{self.url}{path}?limit={limit}"
        link = f'<{here}&max_id={posts[-1].id}>; rel="next", <{here}&min_id={posts[0].id}>; rel="prev"'
        return as_json(items, Link=link)

    def _account(self) -> dict[str, Any]:
        return {
            "id": "77", "username": "ann", "acct": "ann", "display_name": "Ann", "url": f"{self.url}/@ann",
            "uri": f"{self.url}/users/ann", "followers_count": 1200, "note": "<p>Eats</p>", "noindex": False,
        } | self.account  # fmt: skip

    def _status(self, post: Published) -> dict[str, Any]:
        written = post.written_at or post.at.isoformat().replace("+00:00", "Z")
        return {
            "id": post.id, "created_at": written, "edited_at": post.edited_at and post.edited_at.isoformat(),
            "visibility": "public", "language": "en", "uri": self.native_id(post.id),
            "url": f"{self.url}/@ann/{post.id}",
            "content": f"<p>{escape(post.text)}</p>".replace("\n", "<br>"), "spoiler_text": "", "reblog": None,
            "replies_count": 0, "reblogs_count": 1, "favourites_count": post.likes, "media_attachments": [],
            "account": self._account(),
        }  # fmt: skip


class BlueskyStage(Stage):
    """An AppView."""

    kind = "bluesky"
    broken_items: ClassVar = [
        {"post": {"uri": "at://x"}}, None, {}, {"post": {"uri": 7, "record": {"text": []}}},
    ]  # fmt: skip
    did = "did:plc:synthetic"
    handle = "ann.example"

    def native_id(self, id: str) -> str:
        return f"at://{self.did}/app.bsky.feed.post/{id}"

    def answer(self, path: str, query: dict[str, list[str]], headers: Any) -> Reply:
        method = path.rpartition("/")[2]
        if method == "app.bsky.actor.getProfile":
            return as_json(self._author() | {"followersCount": 1200, "description": "Eats"})
        if method == "app.bsky.feed.getPosts":
            wanted = [p for p in self.posts.values() if self.native_id(p.id) in query["uris"]]
            return as_json({"posts": [self._view(p) for p in wanted]})
        if query["actor"][0] not in (self.handle, self.did):
            return Reply(b'{"error": "InvalidRequest", "message": "Profile not found"}', 400)
        posts = self.newest_first()
        start = int(query["cursor"][0].partition("__")[0]) if "cursor" in query and not self.repeats_its_page else 0
        limit = min(self.page, int(query["limit"][0]))
        some = posts[start : start + limit]
        found: dict[str, Any] = {"feed": [*self.broken, *({"post": self._view(p)} for p in some)]}
        if self.repeats_its_page or start + limit < len(posts):
            found["cursor"] = f"{start + limit}__opaque"
        return as_json(found)

    def _author(self) -> dict[str, Any]:
        return {"did": self.did, "handle": self.handle, "displayName": "Ann", "labels": []} | self.account

    def _view(self, post: Published) -> dict[str, Any]:
        record = {"$type": "app.bsky.feed.post", "text": post.text, "langs": ["en"]}
        view = {
            "uri": self.native_id(post.id), "cid": f"bafy{post.id}", "author": self._author(), "likeCount": post.likes,
            "record": record | {"createdAt": post.written_at or post.at.isoformat()},
            "replyCount": 0, "repostCount": 1, "indexedAt": (post.at + timedelta(seconds=1)).isoformat(),
        }  # fmt: skip
        return {name: value for name, value in view.items() if value is not None}


STAGES: dict[str, type[Stage]] = {stage.kind: stage for stage in (FeedStage, MastodonStage, BlueskyStage, YouTubeStage)}


@contextmanager
def on_stage(kind: str) -> Iterator[Stage]:
    """A platform that is up, and down again after the test."""
    stage = STAGES[kind]()
    try:
        yield stage
    finally:
        stage.close()
