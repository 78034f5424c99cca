"""WebSub: a hub that tells of a feed, from the subscription to the post that is there a moment later."""

import hmac
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from radar.api import create_app
from radar.collect import collect
from radar.config import Settings
from radar.hubs import hub_key, subscribe
from radar.ingest import ingest_posts
from radar.sources.base import Account
from radar.sources.feed import FeedSource, hub_of
from radar.sources.web import Web
from radar.store import hubs, tables, watching
from radar.store.engine import reading, writing
from tests.api.small_store import SmallStore
from tests.sources.stages import FakeClock, FeedStage, Reply

PUBLIC = "https://radar.example"
DAY = timedelta(days=1)


class HubStage(FeedStage):
    """A blog with a hub of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self.answers = Reply(b"", 202)

    def answer(self, path: str, query: dict[str, list[str]], headers: Any) -> Reply:
        reply = super().answer(path, query, headers)
        reply.headers |= {"Link": f'<{self.url}/hub>; rel="hub", <{self.handle}>; rel="self"'}
        return reply

    def answer_post(self, path: str, query: dict[str, list[str]], headers: Any, body: bytes) -> Reply:
        assert path == "/hub"
        self.forms.append({name: values[0] for name, values in parse_qs(body.decode()).items()})
        return self.answers


class Setting:
    """A radar that watches the blog, and the API that the hub calls."""

    def __init__(self, store: SmallStore, blog: HubStage, data_dir: Path) -> None:
        self.engine, self.blog, self.data_dir = store.engine, blog, data_dir
        self.now = datetime.now(UTC)
        blog.publish("first", "an old bowl in Osaka", self.now - DAY)
        blog.configure(self.engine)
        collect(self.engine, now=self.now, web=Web(clock=FakeClock(self.now)))
        settings = Settings(data_dir=data_dir)
        self.client = TestClient(create_app(self.engine, settings), raise_server_exceptions=False)

    def subscribe(self, after: timedelta = timedelta(0)) -> tuple[int, int]:
        with Web(clock=FakeClock()) as web:
            key = hub_key(self.data_dir)
            return subscribe(self.engine, public_url=PUBLIC, key=key, now=self.now + after, web=web)

    @property
    def path(self) -> str:
        return urlsplit(self.blog.forms[-1]["hub.callback"]).path

    def ask_back(self, **more: str) -> Any:
        said = {"hub.mode": "subscribe", "hub.topic": self.blog.handle, "hub.challenge": "c123"} | {
            f"hub.{name}": value for name, value in more.items()
        }
        return self.client.get(self.path, params=said)

    def post(self, secret: str | None = None, method: str = "sha256") -> int:
        body = self.blog._body().encode()
        secret = self.blog.forms[-1]["hub.secret"] if secret is None else secret
        signature = f"{method}={hmac.new(secret.encode(), body, method).hexdigest()}"
        headers = {"X-Hub-Signature": signature, "Content-Type": "application/atom+xml"}
        return self.client.post(self.path, content=body, headers=headers).status_code

    def texts(self) -> list[str]:
        with self.engine.connect() as connection:
            return sorted(connection.scalars(sa.select(tables.post.c.text)))

    def held(self) -> hubs.Subscription:
        with reading(self.engine) as session:
            (one,) = hubs.subscriptions(session)
        return one


@pytest.fixture
def radar(empty: SmallStore, tmp_path: Path) -> Iterator[Setting]:
    blog = HubStage()
    yield Setting(empty, blog, tmp_path)
    blog.close()


def test_what_a_hub_brings_is_there_at_once(radar: Setting) -> None:
    assert radar.subscribe() == (1, 0)
    form = radar.blog.forms[0]
    assert (form["hub.mode"], form["hub.topic"]) == ("subscribe", radar.blog.handle)
    assert form["hub.callback"].startswith(f"{PUBLIC}/v1/hubs/")
    answer = radar.ask_back(lease_seconds="864000")
    assert (answer.status_code, answer.text) == (200, "c123")
    radar.blog.publish("second", "a new bowl in Namba", radar.now)
    assert radar.post() == 202
    assert radar.texts() == ["a new bowl in Namba", "an old bowl in Osaka"]
    assert radar.post() == 202, "the same again changes nothing"
    assert len(radar.texts()) == 2
    assert collect(radar.engine, now=radar.now + DAY, web=Web(clock=FakeClock(radar.now + DAY))).new == 0


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
def test_every_method_of_the_specification_is_taken(radar: Setting, method: str) -> None:
    radar.subscribe()
    radar.blog.publish("second", "a new bowl", radar.now)
    radar.post(method=method)
    assert len(radar.texts()) == 2


def test_what_is_signed_wrongly_is_passed_over_without_a_word(radar: Setting) -> None:
    radar.subscribe()
    radar.blog.publish("second", "forged", radar.now)
    assert radar.post(secret="guessed") == 202
    assert radar.client.post(radar.path, content=radar.blog._body().encode()).status_code == 202
    assert radar.texts() == ["an old bowl in Osaka"]
    assert "not signed rightly" in (radar.held().last_error or "")


def test_what_we_did_not_ask_for_is_not_confirmed(radar: Setting) -> None:
    radar.subscribe()
    assert radar.ask_back(topic="https://other.example/feed").status_code == 404
    assert radar.ask_back(mode="unsubscribe").status_code == 404
    assert radar.client.get("/v1/hubs/guessed", params={"hub.mode": "subscribe"}).status_code == 404
    assert radar.client.post("/v1/hubs/guessed", content=b"<feed/>").status_code == 404
    assert radar.held().confirmed_at is None


def test_a_lease_is_renewed_before_it_ends_under_the_same_address(radar: Setting) -> None:
    radar.subscribe()
    radar.ask_back(lease_seconds=str(5 * 86_400))
    first = radar.path
    for days in (1, 2):
        assert radar.subscribe(days * DAY) == (0, 0)
    assert radar.subscribe(3.5 * DAY) == (1, 0)
    assert radar.path == first
    assert radar.subscribe(3.5 * DAY + timedelta(minutes=5)) == (0, 0), "it is given time to ask back"
    assert radar.ask_back(lease_seconds=str(5 * 86_400)).status_code == 200
    assert radar.ask_back(lease_seconds="²").status_code == 200  # a digit, and no number


def test_a_hub_that_refuses_is_told_of_and_asked_again(radar: Setting) -> None:
    radar.blog.answers = Reply(b"no", 400)
    assert radar.subscribe() == (1, 1)
    assert "400" in (radar.held().last_error or "")
    radar.blog.answers = Reply(b"", 202)
    assert radar.subscribe(timedelta(hours=1)) == (1, 0)
    radar.ask_back(mode="denied", reason="too many")
    assert radar.held().last_error == "denied by the hub: too many"


def test_a_feed_that_is_not_watched_any_more_is_let_go(radar: Setting) -> None:
    radar.subscribe()
    with writing(radar.engine) as session, session.begin():
        watching.unwatch(session, "stage", radar.blog.handle)
    assert radar.post() == 404
    assert radar.subscribe(DAY) == (0, 0)
    with reading(radar.engine) as session:
        assert hubs.subscriptions(session) == []


def test_what_a_hub_says_is_gone_is_gone(radar: Setting) -> None:
    radar.subscribe()
    with radar.engine.connect() as connection:
        assert connection.scalars(sa.select(tables.post.c.deleted_at)).all() == [None]
    radar.blog.posts.clear()
    radar.blog.broken = ['<at:deleted-entry xmlns:at="x" ref="first" when="2026-05-04T10:00:00Z"/>']
    assert radar.post() == 202
    with radar.engine.connect() as connection:
        assert connection.execute(sa.select(tables.post.c.text, tables.post.c.deleted_at)).one()[1] is not None
        assert len(connection.execute(sa.select(tables.author)).all()) == 1


def test_what_a_hub_said_is_gone_does_not_come_back_from_a_feed_that_is_cached(radar: Setting) -> None:
    radar.subscribe()
    posts = dict(radar.blog.posts)
    radar.blog.posts.clear()
    radar.blog.broken = ['<at:deleted-entry xmlns:at="x" ref="first" when="2026-05-04T10:00:00Z"/>']
    radar.post()
    radar.blog.posts, radar.blog.broken = posts, []
    ended = datetime.now(UTC)
    radar.blog.publish("other", "another bowl in Osaka", ended)
    for after, there in ((timedelta(minutes=10), 1), (23 * DAY / 24, 1), (25 * DAY / 24, 2)):
        radar.blog.posts["other"].text += "."  # the feed as a whole changes
        collect(radar.engine, now=ended + after, web=Web(clock=FakeClock(ended + after)))
        with radar.engine.connect() as connection:
            ids = connection.scalars(sa.select(tables.post.c.native_id).where(tables.post.c.deleted_at.is_(None))).all()
        assert len(ids) == there, after


def test_the_title_that_youtubes_hub_tells_leaves_what_the_feed_has_said(radar: Setting) -> None:
    def held() -> list[Any]:
        with radar.engine.connect() as connection:
            p = tables.post.c
            return list(connection.execute(sa.select(p.native_id, p.text, p.revision).where(p.platform == "youtube")))

    channel = "UCsynthetic0channel0id01"
    account = Account(channel, "TW")
    entry = (
        "<entry><yt:videoId>abc</yt:videoId><title>Osaka</title>{}<published>2026-05-04T10:00:00Z</published></entry>"
    )
    head = '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:yt="http://www.youtube.com/xml/schemas/2015">'
    with Web() as web:
        source = FeedSource("stage", {}, web)
        for description in ("<summary>Ten bowls of ramen</summary>", ""):
            body = f"{head}{entry.format(description)}</feed>".encode()
            posts, _ = source.pushed(body, "application/atom+xml", account)
            given = posts if not description else [replace(post, is_start=False) for post in posts]
            with writing(radar.engine) as session, session.begin():
                ingest_posts(session, given, source="stage", now=radar.now)
    assert held() == [("abc", "Osaka\nTen bowls of ramen", 1)]


def test_a_body_that_is_no_feed_is_kept_with_its_reason(radar: Setting) -> None:
    radar.subscribe()
    body = b"\x00 no feed"
    secret = radar.blog.forms[-1]["hub.secret"]
    signature = f"sha256={hmac.new(secret.encode(), body, 'sha256').hexdigest()}"
    assert radar.client.post(radar.path, content=body, headers={"X-Hub-Signature": signature}).status_code == 202
    with radar.engine.connect() as connection:
        assert "no feed" in connection.scalars(sa.select(tables.rejected_post.c.reason)).one()


def test_no_secret_of_a_hub_is_stored(radar: Setting) -> None:
    radar.subscribe()
    with radar.engine.connect() as connection:
        kept = "".join(str(connection.execute(sa.select(t)).all()) for t in tables.metadata.sorted_tables)
    assert radar.blog.forms[0]["hub.secret"] not in kept
    assert (radar.data_dir / "hub.key").stat().st_mode & 0o777 == 0o600


def test_a_channel_of_youtube_has_youtubes_hub() -> None:
    hub, topic = hub_of("UC0123456789012345678901", {}) or ("", "")
    assert topic.endswith("channel_id=UC0123456789012345678901")
    assert hub.startswith("https://")
    assert hub_of("https://blog.example/feed", {"feed": "x"}) is None
