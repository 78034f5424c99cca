"""What is YouTube's own: its schemas, its quota, what may be kept and for how long, and what may be made of it."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from radar.answers import coverage
from radar.collect import collect
from radar.config import Settings
from radar.prune import prune
from radar.refresh import refresh
from radar.sources.base import Account
from radar.sources.budget import PassingLedger
from radar.sources.trouble import Busy, NotFound, Refused
from radar.sources.web import Web
from radar.sources.youtube import YouTubeSource
from radar.store import posts as store
from radar.store import runs, tables
from radar.store.engine import reading, writing
from tests.sources.stages import NOW, SECRET, FakeClock, Reply, YouTubeStage

SHARED = Path(__file__).parents[3] / "shared"
DAY = timedelta(days=1)


@pytest.fixture
def stage() -> Iterator[YouTubeStage]:
    up = YouTubeStage()
    yield up
    up.close()


@pytest.fixture
def filled(stage: YouTubeStage, engine: sa.Engine) -> YouTubeStage:
    for n in range(7):
        stage.publish(f"v{n}", f"video {n} in Osaka", NOW - timedelta(hours=n))
    stage.configure(engine)
    return stage


def ask(engine: sa.Engine, now: datetime = NOW) -> int:
    return collect(engine, now=now, web=Web(clock=FakeClock(now))).new


@pytest.fixture
def source(stage: YouTubeStage) -> Iterator[YouTubeSource]:
    with Web(clock=FakeClock()) as web:
        yield YouTubeSource("yt", stage.config(), web, PassingLedger())


def line(engine: sa.Engine, now: datetime = NOW) -> dict[str, Any]:
    with reading(engine) as session:
        return coverage(session, now=now)["sources"][0]  # type: ignore[no-any-return]


def discovery() -> dict[str, Any]:
    """Google's description of the interface, where a copy of it is at hand."""
    found = next(SHARED.rglob("youtube.v3.json"), None) if SHARED.is_dir() else None
    if found is None:
        documents = pytest.importorskip("googleapiclient.discovery_cache.documents", reason="no discovery document")
        found = Path(documents.__path__[0]) / "youtube.v3.json"
    return json.loads(found.read_text())  # type: ignore[no-any-return]


def problems(value: Any, schema: dict[str, Any], document: dict[str, Any], at: str = "") -> list[str]:
    """Where a value is not as a discovery document describes it."""
    if "$ref" in schema:
        schema = document["schemas"][schema["$ref"]]
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "number": (int, float)}
    if schema.get("type") in kinds and not isinstance(value, kinds[schema["type"]]):
        return [f"{at}: expected {schema['type']}"]
    if schema.get("format") in ("uint64", "int64") and not re.fullmatch(r"-?\d+", value):
        return [f"{at}: expected digits"]
    if isinstance(value, list):
        return [p for i, item in enumerate(value) for p in problems(item, schema["items"], document, f"{at}[{i}]")]
    if isinstance(value, dict) and "properties" in schema:
        unknown = [f"{at}.{name}: unknown" for name in value if name not in schema["properties"]]
        known = [(n, v) for n, v in value.items() if n in schema["properties"]]
        return unknown + [p for n, v in known for p in problems(v, schema["properties"][n], document, f"{at}.{n}")]
    return []


def test_questions_and_answers_are_those_of_the_discovery_document(filled: YouTubeStage, engine: sa.Engine) -> None:
    document = discovery()
    ask(engine)
    refresh(engine, now=NOW + DAY, web=Web(clock=FakeClock()))
    assert len(filled.asked) >= 5
    for path in filled.asked:
        parts = urlsplit(path)
        name = parts.path.rpartition("/")[2]
        method = document["resources"][name]["methods"]["list"]
        assert parts.path == f"/{method['path']}"
        for parameter, values in parse_qs(parts.query).items():
            said = method["parameters"][parameter]
            assert said["type"] != "integer" or int(said["minimum"]) <= int(values[0]) <= int(said["maximum"])
            if parameter == "part":
                shape = document["schemas"][method["response"]["$ref"]]["properties"]["items"]["items"]["$ref"]
                assert {*values[0].split(",")} <= {*document["schemas"][shape]["properties"]}
        body = json.loads(filled.answer(parts.path, parse_qs(parts.query), {"X-Goog-Api-Key": SECRET}).body)  # type: ignore[arg-type]
        assert problems(body, method["response"], document) == []


@pytest.mark.skipif(not (SHARED / "data/sources/youtube").is_dir(), reason="no recorded answers beside the project")
def test_recorded_answers_are_those_of_the_discovery_document() -> None:
    document, wrong = discovery(), []
    for path in sorted((SHARED / "data/sources/youtube").glob("*.json")):
        found = json.loads(path.read_text())
        kind = found.get("kind", "").partition("#")[2]
        schema = f"{kind[:1].upper()}{kind[1:]}"
        if schema in document["schemas"]:
            wrong += [p for p in problems(found, {"$ref": schema}, document, path.name) if "unknown" not in p]
    assert wrong == []


def test_videos_come_by_batches_of_50_and_nothing_new_costs_one_unit(stage: YouTubeStage, engine: sa.Engine) -> None:
    stage.page = 50
    for n in range(120):
        stage.publish(f"v{n:03}", at=NOW - timedelta(hours=n))
    stage.configure(engine)
    assert ask(engine) == 120
    batches = [parse_qs(urlsplit(p).query)["id"][0].split(",") for p in stage.asked if "/videos" in p]
    assert [len(b) for b in batches] == [50, 50, 20]
    assert line(engine)["budgets"][0]["used"] == len(stage.asked) == 1 + 3 + 3
    before = len(stage.asked)
    assert ask(engine, NOW + timedelta(hours=2)) == 0
    assert [urlsplit(p).path for p in stage.asked[before:]] == ["/youtube/v3/playlistItems"]


def test_a_quota_that_is_used_up_is_kept_until_the_next_day(stage: YouTubeStage, engine: sa.Engine) -> None:
    stage.publish("v1")
    with writing(engine) as session, session.begin():
        runs.add_source(session, "stage", "youtube", stage.config() | {"budget": 2}, is_simulated=False)
    stage.configure(engine)
    assert ask(engine) == 0  # the channel and its list are two units, the video a third
    assert len(stage.asked) == 2
    told = line(engine)
    assert told["state"] == "waiting"
    midnight = datetime(2026, 5, 5, 7, tzinfo=NOW.tzinfo)
    assert told["budgets"] == [{"what": "units", "period": "2026-05-04", "used": 2, "limit": 2, "ends_at": midnight}]
    assert ask(engine, NOW + timedelta(hours=18)) == 0
    assert len(stage.asked) == 2
    assert ask(engine, NOW + timedelta(hours=20)) == 1, "midnight in California has passed"


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (403, "quotaExceeded", Busy), (403, "rateLimitExceeded", Busy), (400, "keyInvalid", Refused),
        (403, "forbidden", Refused), (404, "playlistNotFound", NotFound), (403, "playlistItemsNotAccessible", NotFound),
    ],
)  # fmt: skip
def test_the_reason_of_an_error_counts_more_than_its_status(
    stage: YouTubeStage, source: YouTubeSource, status: int, reason: str, kind: type[Exception]
) -> None:
    stage.replies = [stage.error(status, reason, "no")]
    with pytest.raises(kind) as raised:
        list(source.discover(None, NOW, Account(stage.handle, "TW")))
    if reason == "quotaExceeded":
        assert raised.value.resume_at == datetime(2026, 5, 5, 7, tzinfo=NOW.tzinfo)  # type: ignore[attr-defined]


def test_a_key_is_sent_in_no_address_and_stands_in_no_message(stage: YouTubeStage, engine: sa.Engine) -> None:
    stage.configure(engine)
    stage.replies = [Reply(f"key {SECRET} is not valid".encode(), 200)] * 2
    ask(engine)
    stage.replies = [YouTubeStage.error(403, "forbidden", f"The key {SECRET} may not")]
    ask(engine, NOW + 2 * DAY)
    assert not any(SECRET in path for path in stage.asked)
    with engine.connect() as connection:
        kept = [str(connection.execute(sa.select(t)).all()) for t in tables.metadata.sorted_tables]
    assert SECRET not in "".join(kept)
    assert "[secret]" in "".join(kept)


def test_hidden_counts_are_unknown(stage: YouTubeStage, source: YouTubeSource) -> None:
    stage.publish("v1", likes=None)
    (batch,) = source.discover(None, NOW, Account(stage.handle, "TW"))
    (post,) = batch.posts
    assert (post.like_count, post.view_count, post.comment_count) == (None, None, None)


@pytest.mark.parametrize("handle", ["@ann", "https://www.youtube.com/@ann", "ann"])
def test_a_handle_leads_to_its_channel(stage: YouTubeStage, source: YouTubeSource, handle: str) -> None:
    stage.publish("v1")
    (batch,) = source.discover(None, NOW, Account(handle, "TW"))
    assert batch.cursor["channel"] == stage.handle
    assert [post.native_id for post in batch.posts] == ["v1"]


def test_what_is_not_asked_for_again_within_30_days_is_deleted(
    filled: YouTubeStage, engine: sa.Engine, tmp_path: Path
) -> None:
    ask(engine)
    settings = Settings(data_dir=tmp_path)
    at = NOW
    for _ in range(40):  # twice a day for 20 days
        at += DAY / 2
        refresh(engine, now=at, web=Web(clock=FakeClock(at)))
    assert prune(engine, settings, now=at)["expired"] == 0
    at = NOW + 32 * DAY  # seen last on the eighth day: its turn would have been on the 33rd
    refresh(engine, now=at, web=Web(clock=FakeClock(at)))
    assert prune(engine, settings, now=at)["expired"] == 0
    assert prune(engine, settings, now=at + 31 * DAY)["expired"] == 7
    with engine.connect() as connection:
        p = tables.post.c
        left = connection.execute(sa.select(p.text, p.url, p.like_count, p.view_count, p.deleted_at)).all()
        assert connection.execute(sa.select(tables.engagement_observation)).all() == []
        a = tables.author.c
        assert connection.execute(sa.select(a.name, a.bio, a.follower_count)).all() == [(None, None, None)]
    assert all(row[:4] == (None, None, None, None) and row.deleted_at for row in left)


def test_an_old_video_that_cannot_be_read_again_is_deleted_all_the_same(
    filled: YouTubeStage, engine: sa.Engine, tmp_path: Path
) -> None:
    ask(engine)
    old = NOW - 366 * DAY  # no turn follows
    with engine.begin() as connection:
        connection.execute(sa.update(tables.post).values(published_at=old))
        connection.execute(sa.update(tables.refresh_due).values(due_at=NOW))
        ids = connection.scalars(sa.select(tables.post.c.native_id)).all()
    filled.replies = [Reply(json.dumps({"items": [{"id": native, "snippet": 7} for native in ids]}).encode())] * 3
    refresh(engine, now=NOW + DAY / 24, web=Web(clock=FakeClock(NOW)))
    filled.replies = []
    assert prune(engine, Settings(data_dir=tmp_path), now=NOW + 31 * DAY)["expired"] == len(ids) == 7


def test_posts_of_a_source_that_was_removed_are_deleted_as_well(
    filled: YouTubeStage, engine: sa.Engine, tmp_path: Path
) -> None:
    from radar.store import watching

    ask(engine)
    with writing(engine) as session, session.begin():
        watching.remove_source(session, "stage")
    assert prune(engine, Settings(data_dir=tmp_path), now=NOW + 31 * DAY)["expired"] == 7


def test_nothing_is_derived_from_videos_before_the_amendment_is_accepted(
    filled: YouTubeStage, engine: sa.Engine
) -> None:
    from radar.classify import classify_posts
    from radar.kol import Tiers
    from radar.measure import measure_authors
    from radar.store import measures

    def measured(at: datetime) -> list[int]:
        measure_authors(engine, "model-1", [], Tiers(), now=at)
        with engine.connect() as connection:
            return list(connection.scalars(sa.select(tables.author_measure.c.post_count)))

    def never() -> Any:
        raise AssertionError("the model was asked")

    ask(engine)
    assert line(engine)["derives"] is False
    assert classify_posts(engine, Path("model-1"), never, now=NOW) == 0
    with engine.connect() as connection:
        assert connection.execute(sa.select(tables.post_signal)).all() == []
    assert measured(NOW) == [0]
    with writing(engine) as session, session.begin():
        (state,) = runs.source_states(session)
        runs.configure_source(session, "stage", state.config | {"amendment": True})
        assert store.read_passed_over(session, "stage") == 7
    assert line(engine)["derives"] is True
    with reading(engine) as session:
        assert store.unread_after(session, 0, 7) is not None
        (author_id,) = session.scalars(sa.select(tables.author.c.id))
    with writing(engine) as session, session.begin():
        measures.mark_authors(session, [author_id], NOW)  # as reading them does
    assert measured(NOW) == [7]
