"""Whom discovery proposes: authors of a stream who come back to a topic, by reach, and nobody who does not want it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from radar.discovery import Proposal, propose
from radar.ingest import ingest_posts
from radar.sources.base import RawAuthor, RawPost
from radar.sources.catalogue import open_source
from radar.sources.web import Web
from radar.store import runs, watching
from radar.store.engine import writing
from radar.store.tables import post, post_topic
from tests.sources.stages import BlueskyStage, FakeClock, Reply, as_json

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def write(engine: sa.Engine, name: str, topics: list[str | None], *, market: str = "TW", source: str = "live") -> None:
    """Posts of an author, one a topic; None for a post about nothing."""
    author = RawAuthor(f"did:plc:{name}", market, market_source="inferred")
    posts = [
        RawPost("bluesky", f"{name}{n}", author, f"{name} {n}", NOW - timedelta(hours=n)) for n in range(len(topics))
    ]
    with writing(engine) as session, session.begin():
        runs.add_source(session, source, "jetstream", {}, is_simulated=False)
        ingest_posts(session, posts, source=source, now=NOW)
        ids = dict(session.execute(sa.select(post.c.native_id, post.c.id)).all())
        rows = [
            {"post_id": ids[f"{name}{n}"], "topic_id": topic, "probability": 0.9, "model_id": "m"}
            for n, topic in enumerate(topics)
            if topic
        ]
        if rows:
            session.execute(sa.insert(post_topic), rows)


def find(engine: sa.Engine, topic: str | None = "travel.dining", **more: Any) -> list[Proposal]:
    settings: dict[str, Any] = {"sources": ["live"], "market": None, "days": 14, "limit": 20} | more
    return propose(engine, topic=topic, now=NOW, **settings)


def names(found: list[Proposal]) -> list[str]:
    return [p.handle.removeprefix("did:plc:") for p in found]


@pytest.fixture
def appview() -> Iterator[BlueskyStage]:
    """A server that knows how many follow whom."""
    up = BlueskyStage()
    followers = {"big": 90_000, "small": 50}

    def answer(path: str, query: dict[str, list[str]], headers: Any) -> Reply:
        name = query["actor"][0].rpartition(":")[2]
        if name == "gone":
            return Reply(b'{"message": "Profile not found"}', 400)
        labels = [{"val": "!no-unauthenticated"}] if name == "shy" else []
        told = {"did": f"did:plc:{name}", "handle": f"{name}.example", "displayName": name.title(), "labels": labels}
        return as_json(told | {"followersCount": followers.get(name, 1_000)})

    up.answer = answer  # type: ignore[method-assign]
    yield up
    up.close()


def test_who_comes_back_to_the_topic_is_proposed_and_nobody_else(engine: sa.Engine) -> None:
    write(engine, "twice", ["travel.dining", "travel.dining", None, None])
    write(engine, "once", ["travel.dining", None])
    write(engine, "other", ["shop.drugstore"] * 5)
    write(engine, "elsewhere", ["travel.dining"] * 5, source="import")
    (found,) = find(engine)
    assert (found.handle, found.posts, found.on_topic, found.reach) == ("did:plc:twice", 4, 2, None)
    assert names(find(engine, "travel")) == ["twice"]
    assert names(find(engine, None)) == ["other", "twice"]
    assert find(engine, market="JP") == []
    assert find(engine, days=1, topic="foo") == []


def test_the_largest_topical_reach_comes_first_and_the_shy_and_gone_never(
    engine: sa.Engine, appview: BlueskyStage
) -> None:
    write(engine, "small", ["travel.dining"] * 9)
    write(engine, "big", ["travel.dining"] * 2 + [None] * 2)
    write(engine, "shy", ["travel.dining"] * 5)
    write(engine, "gone", ["travel.dining"] * 5)
    with Web(clock=FakeClock()) as web:
        ask = open_source("bluesky", "sky", {"url": appview.url}, web)
        found = find(engine, ask=ask)
        assert [(p.handle, p.reach) for p in found] == [("big.example", 45_000.0), ("small.example", 50.0)]
        assert [p.handle for p in find(engine, ask=ask, least_followers=100)] == ["big.example"]


def test_a_server_that_refuses_leaves_what_is_known(engine: sa.Engine, appview: BlueskyStage) -> None:
    write(engine, "a", ["travel.dining"] * 3)
    write(engine, "b", ["travel.dining"] * 2)
    appview.replies = [Reply(b"", 403)]
    with Web(clock=FakeClock()) as web:
        found = find(engine, ask=open_source("bluesky", "sky", {"url": appview.url}, web))
    assert [(p.handle, p.follower_count) for p in found] == [("did:plc:a", None), ("did:plc:b", None)]
    assert len(appview.asked) == 1


def test_who_is_watched_already_is_not_proposed(engine: sa.Engine) -> None:
    write(engine, "known", ["travel.dining"] * 3)
    with writing(engine) as session, session.begin():
        row = {"source": "live", "handle": "did:plc:known", "audience_market": "TW", "person": None, "consented": False}
        watching.watch(session, [row])
    assert find(engine) == []
