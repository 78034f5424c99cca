"""Platforms to test sources against: real HTTP servers on the loopback address that answer in each platform's shape.

A stage holds posts that a test publishes, edits and takes back, and can be told to fail in the ways platforms fail. The
answers are written here after the platforms' documentation; all of it is synthetic.
"""

import json
import re
import threading
import zlib
from collections.abc import Iterator, Sequence
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
    tells_deletions = False  # else a post that is gone is missing, no more
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

    def answer_post(self, path: str, query: dict[str, list[str]], headers: Any, body: bytes) -> Reply:
        raise NotImplementedError

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stage = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.do_GET()

            def do_PUT(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                stage.asked.append(self.path)
                stage.headers.append(dict(self.headers))
                parts = urlsplit(self.path)
                query = parse_qs(parts.query)
                if stage.replies and parts.path != "/robots.txt":
                    reply = stage.replies.pop(0)
                elif self.command != "GET":
                    reply = stage.answer_post(parts.path, query, self.headers, body)
                else:
                    reply = stage.answer(parts.path, query, self.headers)
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


class PttStage(PlatformStage):
    """A board of PTT; pages are numbered from the oldest."""

    kind = "ptt"
    handle = "Japan_Travel/ann"
    broken_items: ClassVar = [
        '<div class="r-ent"><div class="title"><a href="/bbs/x">never</a></div><div class="author">ann</div></div>'
    ]
    robots = b"User-agent: *\nDisallow: /man/\n"
    body = ""  # what stands in each article

    def config(self) -> dict[str, Any]:
        return {"url": self.url, "every_minutes": 0}

    def native_id(self, id: str) -> str:
        at = int(self.ever[id].at.timestamp())
        return f"Japan_Travel/M.{at}.A.{zlib.crc32(id.encode()):X}"

    def answer(self, path: str, query: dict[str, list[str]], headers: Any) -> Reply:
        if path == "/robots.txt":
            return Reply(self.robots)
        if headers["Cookie"] != "over18=1":
            return Reply(b"", 302, {"Location": "/ask/over18"})
        if path.startswith("/bbs/Japan_Travel/index"):
            return self._page(path.removeprefix("/bbs/Japan_Travel/index").removesuffix(".html"))
        wanted = path.removeprefix("/bbs/").removesuffix(".html")
        post = next((p for p in self.posts.values() if self.native_id(p.id) == wanted), None)
        return Reply(self._article(post), headers=_HTML) if post else Reply(b"404", 404)

    def _page(self, number: str) -> Reply:
        oldest_first = self.newest_first()[::-1]
        pages = [oldest_first[i : i + self.page] for i in range(0, len(oldest_first), self.page)] or [[]]
        n = min(int(number or len(pages)), len(pages))
        before = n if self.repeats_its_page else n - 1
        rows = "".join([*self.broken, *map(self._row, pages[n - 1])])
        link = f'href="/bbs/Japan_Travel/index{before}.html"' if before else ""
        html = (
            f'<div class="btn-group"><a class="btn wide" href="/bbs/Japan_Travel/index1.html">最舊</a>'
            f'<a class="btn wide" {link}>&lsaquo; 上頁</a></div>'
            f'<div class="r-list-container bbs-screen">{rows}<div class="r-ent"><div class="nrec"></div>'
            f'<div class="title">(本文已被刪除) [x]</div><div class="meta"><div class="author">-</div></div></div>'
            f'<div class="r-list-sep"></div><div class="r-ent"><div class="title"><a href="/bbs/Japan_Travel/'
            f'M.1200000000.A.123.html">[公告] 板規</a></div><div class="meta"><div class="author">ann</div></div></div>'
            "</div>"
        )  # fmt: skip
        return Reply(html.encode("utf-8", "replace"), headers=_HTML)

    def _row(self, post: Published) -> str:
        likes = "X1" if post.likes is None else "爆" if post.likes >= 100 else str(post.likes or "")
        return (
            f'<div class="r-ent"><div class="nrec"><span class="hl f2">{likes}</span></div>'
            f'<div class="title"> <a href="/bbs/{self.native_id(post.id)}.html">{escape(post.text)}</a> </div>'
            f'<div class="meta"><div class="author">ann</div><div class="date"> 5/04</div></div></div>'
        )

    def _article(self, post: Published) -> bytes:
        values = ("ann (Ann)", "Japan_Travel", escape(post.text), "Mon May  4 20:00:00 2026")
        lines = "".join(
            f'<div class="article-metaline"><span class="article-meta-tag">看板</span>'
            f'<span class="article-meta-value">{value}</span></div>'
            for value in values
        )
        tags = ["推"] * (post.likes or 0) + ["噓"] * (1 if post.likes is None else 0)
        pushes = "".join(
            f'<div class="push"><span class="hl push-tag">{tag} </span><span class="f3 hl push-userid">bob</span>'
            f'<span class="f3 push-content">: 同感</span><span class="push-ipdatetime"> 05/04 20:10\n</span></div>'
            for tag in tags
        )
        return (
            f'<html><head><script>no()</script></head><body><div id="topbar">Japan_Travel</div>'
            f'<div id="main-content" class="bbs-screen bbs-content">{lines}\n{self.body}\n--\n我的簽名檔\n--\n'
            f'<span class="f2">※ 發信站: 批踢踢實業坊(ptt.cc), 來自: 203.0.113.7 (臺灣)\n</span>'
            f'<span class="f2">※ 文章網址: <a href="https://ptt.example/x">https://ptt.example/x</a>\n</span>'
            f"{pushes}</div></body></html>"
        ).encode("utf-8", "replace")


_HTML = {"Content-Type": "text/html; charset=utf-8"}


class InstagramStage(PlatformStage):
    """Meta's Graph interface with one professional account beside the operator's."""

    kind = "instagram"
    broken_items: ClassVar = [
        {"id": "x", "timestamp": "soon"}, None, {}, {"id": "y", "timestamp": 7}, {"id": [], "timestamp": "2026-05-04"},
    ]  # fmt: skip
    usage: str | None = None

    @property
    def more(self) -> dict[str, Any]:
        return {"account": "17840000000000001"}

    def native_id(self, id: str) -> str:
        return id

    def answer(self, path: str, query: dict[str, list[str]], headers: Any) -> Reply:
        if headers["Authorization"] != f"Bearer {SECRET}":
            return self.error(190, f"Malformed access token {headers['Authorization']}")
        asked = re.fullmatch(r"business_discovery\.username\((\w+)\)\{(.*)\}", query["fields"][0])
        if path != "/v25.0/17840000000000001" or asked is None or "plays" in asked[2]:
            return self.error(100, "(#100) Tried accessing nonexisting field")
        if asked[1] != "ann":
            return self.error(110, "Invalid user id")
        found: dict[str, Any] = {"id": "17840000000000002", "username": "ann"} | self.account
        media = re.search(r"media\.limit\((\d+)\)(?:\.after\((\w+)\))?\{([^}]*)\}", asked[2])
        if "followers_count" in asked[2]:
            found |= {"followers_count": 1200, "name": "Ann", "biography": "Eats"}
        if media:
            some, after = self.paged(media[2], min(self.page, int(media[1])))
            cursors = {"cursors": {"after": after}} if after else {}
            found["media"] = {"data": [*self.broken, *map(self._media, some)], "paging": cursors}
        used = {"X-Business-Use-Case-Usage": self.usage} if self.usage else {}
        return as_json({"business_discovery": found, "id": "17840000000000001"}, **used)

    @staticmethod
    def error(code: int, message: str) -> Reply:
        error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A"}
        return Reply(json.dumps({"error": error}).encode(), 400, {"Content-Type": "application/json"})

    @staticmethod
    def _media(post: Published) -> dict[str, Any]:
        at = post.written_at or post.at.strftime("%Y-%m-%dT%H:%M:%S+0000")
        item = {
            "id": post.id, "caption": post.text, "timestamp": at, "media_type": "VIDEO", "comments_count": 2,
            "media_product_type": "REELS", "permalink": f"https://instagram.example/p/{post.id}/", "view_count": 4000,
        }  # fmt: skip
        return item | ({} if post.likes is None else {"like_count": post.likes})


class ThreadsStage(PlatformStage):
    """Threads with one public profile."""

    kind = "threads"
    broken_items: ClassVar = [{"id": "x", "timestamp": "soon"}, None, {"id": "y"}, {"id": "z", "text": 3}]

    def native_id(self, id: str) -> str:
        return id

    def answer(self, path: str, query: dict[str, list[str]], headers: Any) -> Reply:
        if headers["Authorization"] != f"Bearer {SECRET}":
            return InstagramStage.error(190, "Error validating access token")
        if query["username"] != ["ann"]:
            return InstagramStage.error(24, "The requested resource does not exist")
        if path == "/profile_lookup":
            return as_json({"username": "ann", "name": "Ann", "biography": "Eats", "follower_count": 1200})
        some, after = self.paged(query.get("after", [None])[0], min(self.page, int(query["limit"][0])))
        cursors = {"before": "b", **({"after": after} if after else {})}
        return as_json({"data": [*self.broken, *map(self._post, some)], "paging": {"cursors": cursors}})

    @staticmethod
    def _post(post: Published) -> dict[str, Any]:
        at = post.written_at or post.at.strftime("%Y-%m-%dT%H:%M:%S+0000")
        return {
            "id": post.id, "media_product_type": "THREADS", "media_type": "TEXT_POST", "text": post.text,
            "timestamp": at, "permalink": f"https://threads.example/@ann/post/{post.id}", "username": "ann",
            "is_quote_post": False,
        }  # fmt: skip


class XStage(PlatformStage):
    """X's API with one account. An edited post has another id after its first."""

    kind = "x"
    tells_deletions = True
    uploaded: Sequence[str] = ()
    job_status = "in_progress"
    names = "post"  # of the parameters and fields that it knows: "post" since 2026, "tweet" before
    broken_items: ClassVar = [{"id": "x", "text": 7}, None, {"id": "y"}, {"id": "z", "text": "", "created_at": "soon"}]

    @property
    def more(self) -> dict[str, Any]:
        return {"budget": 50_000_000}

    def native_id(self, id: str) -> str:
        return id

    def answer(self, path: str, query: dict[str, list[str]], headers: Any) -> Reply:
        if path == "/download":
            lines = [{"id": i, "action": "delete", "reason": "deleted"} for i in self.uploaded if i not in self.posts]
            return Reply("\n".join(map(json.dumps, lines)).encode())
        if headers["Authorization"] != f"Bearer {SECRET}":
            return Reply(b'{"title": "Unauthorized"}', 401)
        if path == "/2/compliance/jobs/4711":
            return self._compliance()
        if path.startswith("/2/users/by/username/"):
            return as_json({"data": self._user()}) if path.endswith("/ann") else as_json({"errors": [_absent("ann")]})
        if f"{self.names}.fields" not in query:
            other = next(name for name in query if name.endswith(".fields"))
            message = f"The query parameter [{other}] is not one of [expansions, {self.names}_fields]"
            return Reply(json.dumps({"errors": [{"message": message}]}).encode(), 400)
        versions = {v: p for p in self.posts.values() for v in self._ids(p)}
        if path == "/2/tweets":
            ids = query["ids"][0].split(",")
            gone = [_absent(i) for i in ids if i not in versions]
            data = [self._post(versions[i], i) for i in ids if i in versions]
            return as_json({"data": data} | ({"errors": gone} if gone else {}))
        return self._timeline(query)

    def answer_post(self, path: str, query: dict[str, list[str]], headers: Any, body: bytes) -> Reply:
        if path == "/upload":
            self.uploaded = body.decode().split("\n")
            assert "Authorization" not in headers
            return Reply(b"")
        assert (path, json.loads(body)) == ("/2/compliance/jobs", {"type": "tweets"})
        return as_json({"data": {"id": "4711", "type": "tweets", "upload_url": f"{self.url}/upload"}})

    def _compliance(self) -> Reply:
        done = {"id": "4711", "status": self.job_status, "download_url": f"{self.url}/download"}
        return as_json({"data": done})

    def _timeline(self, query: dict[str, list[str]]) -> Reply:
        since = query.get("since_id", [""])[0]
        order = {v: (p.edited_at or p.at, v) for p in self.ever.values() for v in self._ids(p)}
        newest = sorted(((self._ids(p)[-1], p) for p in self.posts.values()), key=lambda one: order[one[0]])[::-1]
        newest = [one for one in newest if not since or self.repeats_its_page or order[one[0]] > order[since]]
        token = query.get("pagination_token", ["t0"])[0]
        start = 0 if self.repeats_its_page else int(token.removeprefix("t"))
        some = newest[start : start + min(self.page, int(query["max_results"][0]))]
        meta: dict[str, Any] = {"result_count": len(some)}
        if some:
            meta |= {"newest_id": some[0][0], "oldest_id": some[-1][0]}
        if self.repeats_its_page or start + len(some) < len(newest):
            meta["next_token"] = f"t{start + len(some)}"
        data = [*self.broken, *(self._post(post, version) for version, post in some)]
        return as_json({"meta": meta} | ({"data": data} if data else {}))

    @staticmethod
    def _ids(post: Published) -> list[str]:
        return [post.id, f"{post.id}e"] if post.edited_at else [post.id]

    def _post(self, post: Published, version: str) -> dict[str, Any]:
        shares = "repost_count" if self.names == "post" else "retweet_count"
        counts = {"like_count": post.likes, "reply_count": 2, shares: 1, "quote_count": 0, "impression_count": 4000}
        counts |= {"bookmark_count": 0} if self.names == "post" else {}
        is_old = post.edited_at is not None and version == post.id
        return {
            "id": version, "text": "as it was first" if is_old else post.text, "lang": "en", "author_id": "783",
            f"edit_history_{self.names}_ids": self._ids(post),
            "created_at": post.written_at or post.at.isoformat().replace("+00:00", "Z"),
            **({"public_metrics": counts} if post.likes is not None else {}),
        }  # fmt: skip

    @staticmethod
    def _user() -> dict[str, Any]:
        metrics = {"followers_count": 1200, "following_count": 3, "post_count": 9, "listed_count": 0}
        return {"id": "783", "name": "Ann", "username": "ann", "protected": False, "public_metrics": metrics}


def _absent(id: str) -> dict[str, Any]:
    about = {"resource_id": id, "value": id, "parameter": "ids", "resource_type": "post"}
    where = "https://api.x.com/2/problems/resource-not-found"
    return about | {"title": "Not Found Error", "detail": f"Could not find post with ids: [{id}].", "type": where}


class TikTokStage(PlatformStage):
    """TikTok's Display interface for one creator who connected."""

    kind = "tiktok"
    broken_items: ClassVar = [{"id": "x", "create_time": "soon"}, None, {"id": "y"}, {"create_time": 1777000000}]

    def native_id(self, id: str) -> str:
        return id

    def answer(self, path: str, query: dict[str, list[str]], headers: Any) -> Reply:
        if headers["Authorization"] != f"Bearer {SECRET}":
            return Reply(b'{"error": {"code": "access_token_invalid"}}', 401)
        asked = {"open_id": "o", "display_name": "Ann", "follower_count": 1200}
        return self._ok({"user": {name: asked[name] for name in query["fields"][0].split(",")}})

    def answer_post(self, path: str, query: dict[str, list[str]], headers: Any, body: bytes) -> Reply:
        if headers["Authorization"] != f"Bearer {SECRET}":
            return Reply(b'{"error": {"code": "access_token_invalid"}}', 401)
        asked = json.loads(body)
        if path == "/v2/video/query/":
            wanted = asked["filters"]["video_ids"]
            return self._ok({"videos": [self._video(p) for p in self.posts.values() if p.id in wanted]})
        token = f"t{asked['cursor']}" if "cursor" in asked else None
        some, after = self.paged(token, min(self.page, asked["max_count"]))
        cursor = int(after.removeprefix("t")) if after else 0
        videos = [*self.broken, *map(self._video, some)]
        return self._ok({"videos": videos, "cursor": cursor, "has_more": after is not None})

    @staticmethod
    def _ok(data: dict[str, Any]) -> Reply:
        return as_json({"data": data, "error": {"code": "ok", "message": "", "log_id": "x"}})

    @staticmethod
    def _video(post: Published) -> dict[str, Any]:
        item = {
            "id": post.id, "title": "", "video_description": post.text, "create_time": int(post.at.timestamp()),
            "share_url": f"https://tiktok.example/@ann/video/{post.id}", "comment_count": 2, "share_count": 1,
            "view_count": 4000,
        }  # fmt: skip
        return item | ({} if post.likes is None else {"like_count": post.likes})


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


STAGES: dict[str, type[Stage]] = {
    stage.kind: stage
    for stage in (
        FeedStage,
        MastodonStage,
        BlueskyStage,
        YouTubeStage,
        PttStage,
        InstagramStage,
        ThreadsStage,
        XStage,
        TikTokStage,
    )
}


@contextmanager
def on_stage(kind: str) -> Iterator[Stage]:
    """A platform that is up, and down again after the test."""
    stage = STAGES[kind]()
    try:
        yield stage
    finally:
        stage.close()
