"""What every source has to hold. A new kind of source is tested by adding its stage to tests/sources/stages.py."""

import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from radar.answers import coverage
from radar.collect import closed_at, collect
from radar.ingest import Ingested
from radar.refresh import Refreshed, refresh
from radar.sources.base import Source
from radar.sources.catalogue import KINDS, open_source
from radar.sources.web import Web
from radar.store import runs, tables, watching
from radar.store.engine import open_store, reading, writing
from tests.sources.stages import NOW, STAGES, FakeClock, Reply, Stage, on_stage

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with nothing in it, to be copied: making one takes longer than most tests here."""
    path = tmp_path_factory.mktemp("empty") / "radar.db"
    open_store(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture
def engine(empty: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    opened = open_store(f"sqlite:///{shutil.copy(empty, tmp_path)}", migrate=False)
    yield opened
    opened.dispose()


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with on_stage(request.param) as up:
        yield up


@pytest.fixture
def twelve(stage: Stage, engine: sa.Engine) -> Stage:
    """Twelve posts of one account, more than two pages, configured as a source."""
    for n in range(12):
        stage.publish(f"p{n:02}", f"bowl number {n} in Osaka", NOW - timedelta(minutes=330 - 10 * n))
    stage.configure(engine)
    return stage


def ask(engine: sa.Engine, now: datetime = NOW, clock: FakeClock | None = None, **more: Any) -> Ingested:
    return collect(engine, now=now, web=Web("test@example.org", clock=clock or FakeClock(now)), **more)


def again(engine: sa.Engine, now: datetime) -> Refreshed:
    return refresh(engine, now=now, web=Web(clock=FakeClock(now)))


def stored(engine: sa.Engine, *columns: str) -> list[Any]:
    """Columns of the posts that are there, by native id."""
    p = tables.post.c
    with engine.connect() as connection:
        statement = sa.select(p.native_id, *[p[name] for name in columns]).where(p.deleted_at.is_(None))
        return [tuple(row) if columns else row[0] for row in connection.execute(statement.order_by(p.native_id))]


def ids(stage: Stage) -> list[str]:
    return sorted(stage.native_id(name) for name in stage.posts)


def source_line(engine: sa.Engine, name: str = "stage") -> dict[str, Any]:
    with reading(engine) as session:
        return next(line for line in coverage(session, now=NOW)["sources"] if line["source"] == name)


def opened(stage: Stage) -> Source:
    return open_source(stage.kind, "stage", stage.config(), Web())


STREAMS = {"world", "jetstream"}
"""Kinds that watch no accounts; each has a test of its own."""


def test_every_kind_that_watches_accounts_has_a_stage() -> None:
    assert set(STAGES) | STREAMS == set(KINDS)


@pytest.fixture(params=["world", *STAGES])
def any_source(request: pytest.FixtureRequest, engine: sa.Engine) -> Iterator[str]:
    """A configured source of each kind with something to give, the simulated world too."""
    if request.param == "world":
        config = {"seed": 7, "starts_at": (NOW - timedelta(days=3)).isoformat(), "days": 75}
        with writing(engine) as session, session.begin():
            runs.add_source(session, "stage", "world", config, is_simulated=True)
        yield request.param
        return
    with on_stage(request.param) as stage:
        for n in range(12):
            stage.publish(f"p{n:02}", at=NOW - timedelta(minutes=330 - 10 * n))
        stage.configure(engine)
        yield request.param


def test_asked_twice_or_killed_in_between_the_store_is_the_same(any_source: str, engine: sa.Engine) -> None:
    def kill(_: int) -> None:
        raise KeyboardInterrupt

    for _ in range(2):
        with suppress(KeyboardInterrupt):
            ask(engine, progress=kill)
    ask(engine)
    columns = ("text", "like_count", "published_at", "revision")
    whole = stored(engine, *columns)
    assert len({row[0] for row in whole}) == len(whole) >= 12
    assert all(isinstance(row[0], str) for row in whole)
    done = ask(engine)
    assert (done.new, done.changed, done.deleted) == (0, 0, 0)
    assert stored(engine, *columns) == whole
    assert closed_at(engine, NOW) == NOW


def test_what_an_account_published_is_stored_once_however_often_it_is_asked(twelve: Stage, engine: sa.Engine) -> None:
    first = ask(engine)
    assert (first.new, first.rejected) == (12, [])
    assert stored(engine) == ids(twelve)
    for later in (1, 2):
        done = ask(engine, NOW + later * timedelta(minutes=10))
        assert (done.new, done.changed, done.deleted) == (0, 0, 0)
    with engine.connect() as connection:
        assert len(connection.execute(sa.select(tables.engagement_observation.c.post_id)).all()) <= 12
    assert closed_at(engine, NOW + timedelta(minutes=20)) == NOW + timedelta(minutes=20)


def test_new_posts_come_and_a_change_of_counts_is_appended(twelve: Stage, engine: sa.Engine) -> None:
    ask(engine)
    twelve.publish("p90", "the newest bowl", NOW + timedelta(minutes=5))
    assert ask(engine, NOW + timedelta(minutes=10)).new == 1
    if "like_count" not in opened(twelve).capabilities.counts or not opened(twelve).capabilities.refreshes:
        return
    twelve.posts["p90"].likes = 40
    again(engine, NOW + timedelta(minutes=70))
    with engine.connect() as connection:
        seen = sa.select(tables.engagement_observation.c.like_count).join(tables.post)
        seen = seen.where(tables.post.c.native_id == twelve.native_id("p90"))
        assert connection.scalars(seen.order_by(tables.engagement_observation.c.observed_at)).all() == [3, 40]


@pytest.mark.parametrize("killed_after", [1, 2, 3])
def test_a_round_that_was_killed_goes_on_without_gap_or_double(
    twelve: Stage, engine: sa.Engine, killed_after: int
) -> None:
    calls = 0

    def kill(_: int) -> None:
        nonlocal calls
        calls += 1
        if calls == killed_after:
            raise KeyboardInterrupt

    try:
        ask(engine, progress=kill)
    except KeyboardInterrupt:
        assert 0 < len(stored(engine)) <= 12
    twelve.publish("p91", "while radar was down", NOW + timedelta(minutes=5))
    ask(engine, NOW + timedelta(minutes=10))
    ask(engine, NOW + timedelta(minutes=20))
    assert stored(engine) == ids(twelve)


def test_posts_and_cursor_are_one_a_failing_page_leaves_both(twelve: Stage, engine: sa.Engine) -> None:
    twelve.replies = [Reply(b"", 400)] * (2 if opened(twelve).capabilities.profiles else 1)
    assert ask(engine).new == 0
    with reading(engine) as session:
        (account,) = watching.watched_accounts(session)
    assert account.cursor is None
    assert "400" in (account.last_error or "")
    assert ask(engine, NOW + timedelta(minutes=10)).new == 12


def test_edits_and_deletes_arrive_where_the_source_sees_them(twelve: Stage, engine: sa.Engine) -> None:
    can = opened(twelve).capabilities
    ask(engine)
    twelve.posts["p11"].text, twelve.posts["p11"].edited_at = "a corrected bowl", NOW
    del twelve.posts["p10"]
    ask(engine, NOW + HOUR)
    again(engine, NOW + 3 * HOUR)
    texts = dict(stored(engine, "text"))
    assert (texts[twelve.native_id("p11")] == "a corrected bowl") == can.edits
    if not can.deletes:
        return
    if twelve.tells_deletions:
        assert twelve.native_id("p10") not in texts
        return
    assert twelve.native_id("p10") in texts, "missing once is not gone"
    again(engine, NOW + 3 * HOUR + timedelta(minutes=30))
    assert twelve.native_id("p10") in dict(stored(engine, "text")), "nor twice within an hour"
    again(engine, NOW + 5 * HOUR)
    assert twelve.native_id("p10") not in dict(stored(engine, "text"))


def test_a_post_that_comes_back_is_not_gone(twelve: Stage, engine: sa.Engine) -> None:
    if not opened(twelve).capabilities.deletes or twelve.tells_deletions:
        pytest.skip("deletes are not seen by this source, or told by its platform")
    ask(engine)
    away = twelve.posts.pop("p11")
    again(engine, NOW + 3 * HOUR)
    twelve.posts["p11"] = away
    again(engine, NOW + 5 * HOUR)
    del twelve.posts["p11"]
    again(engine, NOW + 26 * HOUR)
    assert twelve.native_id("p11") in stored(engine), "its first absence is forgotten"


def test_a_post_has_its_turns_at_growing_ages(twelve: Stage, engine: sa.Engine) -> None:
    if not opened(twelve).capabilities.refreshes:
        pytest.skip("posts of this source are not asked for again")
    twelve.posts = {"new": twelve.publish("new", at=NOW)}
    ask(engine)
    hours = (0, 1, 2, 5, 6, 7, 23, 24, 25, 95, 96, 97, 167, 168, 169, 500)
    at_once = [0] if twelve.kind == "ptt" else []  # its boards tell titles alone
    assert [at for at in hours if again(engine, NOW + at * HOUR).asked] == [*at_once, 1, 6, 24, 96, 168]


def test_hidden_counts_stay_unknown(stage: Stage, engine: sa.Engine) -> None:
    stage.publish("h", likes=None)
    stage.configure(engine)
    ask(engine)
    (row,) = stored(engine, "like_count")
    assert row == (stage.native_id("h"), None)


def test_a_pager_without_end_ends(twelve: Stage, engine: sa.Engine) -> None:
    twelve.page, twelve.repeats_its_page = 100, True
    assert ask(engine).new == 12
    assert len(twelve.asked) <= 4
    before = len(twelve.asked)
    assert ask(engine, NOW + timedelta(minutes=10)).new == 0
    assert len(twelve.asked) - before <= 2


def test_an_account_that_opted_out_is_left_alone_unless_its_owner_agreed(twelve: Stage, engine: sa.Engine) -> None:
    flags: dict[str, list[dict[str, Any]]] = {
        "mastodon": [{"noindex": True}, {"indexable": False}],
        "bluesky": [{"labels": [{"val": "!no-unauthenticated"}]}],
    }
    for flag in flags.get(twelve.kind, []):
        twelve.account = flag
        assert ask(engine).new == 0
        line = source_line(engine)
        assert (line["state"], len(line["paused_accounts"])) != ("paused", 0), "one account is not the source"
        assert "asks not to be" in line["paused_accounts"][0]["reason"]
        with writing(engine) as session, session.begin():
            watching.watch(session, [twelve.watched("stage")])
    with writing(engine) as session, session.begin():
        watching.watch(session, [twelve.watched("stage", consented=True)])
    assert ask(engine).new == 12


@pytest.mark.parametrize(
    ("headers", "at_least"),
    [
        ({"Retry-After": "17"}, 17),
        ({"Retry-After": "Mon, 04 May 2026 12:00:25 GMT"}, 25),
        ({"RateLimit-Reset": "9"}, 9),
        ({"RateLimit-Reset": str(int(NOW.timestamp()) + 30)}, 30),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 21)}, 21),
        ({"X-RateLimit-Reset": "2026-05-04T12:00:40.947323Z"}, 40),
        ({}, 0),
    ],
    ids=str,
)
def test_a_server_that_is_busy_is_given_the_time_it_asks_for(
    twelve: Stage, engine: sa.Engine, headers: dict[str, str], at_least: int
) -> None:
    clock = FakeClock()
    twelve.replies = [Reply(b"", 429, headers)]
    assert ask(engine, clock=clock).new == 12
    assert sum(clock.slept) >= at_least
    assert source_line(engine)["state"] == "ok"


def test_a_long_wait_is_kept_for_a_later_round(twelve: Stage, engine: sa.Engine) -> None:
    clock = FakeClock()
    twelve.replies = [Reply(b"", 503, {"Retry-After": "5400"})]
    assert ask(engine, clock=clock).new == 0
    assert sum(clock.slept) <= 2, "no more than a polite pause"
    if opened(twelve).capabilities.shares_access:
        assert source_line(engine)["state"] == "waiting"
        before = len(twelve.asked)
        ask(engine, NOW + HOUR)
        assert len(twelve.asked) == before
    assert ask(engine, NOW + 2 * HOUR).new == 12


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_pauses_until_an_operator_resumes(twelve: Stage, engine: sa.Engine, status: int) -> None:
    twelve.replies = [Reply(b"", status)]
    ask(engine)
    line = source_line(engine)
    assert line["state"] == "paused" or line["paused_accounts"]
    assert str(status) in (line["reason"] or line["paused_accounts"][0]["reason"])
    before = len(twelve.asked)
    ask(engine, NOW + HOUR)
    assert len(twelve.asked) == before
    with writing(engine) as session, session.begin():
        watching.resume(session, "stage")
    assert ask(engine, NOW + 2 * HOUR).new == 12
    assert source_line(engine)["state"] == "ok"


def test_an_account_that_is_not_found_is_given_up_after_the_platforms_patience(
    twelve: Stage, engine: sa.Engine
) -> None:
    patience = opened(twelve).capabilities.patience
    for at in (timedelta(0), patience / 2, patience - HOUR):
        twelve.replies = [Reply(b"", 404)]
        ask(engine, NOW + at)
        assert not source_line(engine)["paused_accounts"]
    twelve.replies = [Reply(b"", 404)]
    ask(engine, NOW + patience)
    assert "not found since" in source_line(engine)["paused_accounts"][0]["reason"]


def test_a_malformed_answer_is_kept_with_its_reason_and_nothing_is_lost(twelve: Stage, engine: sa.Engine) -> None:
    with reading(engine) as session:
        assert watching.watched_accounts(session)[0].cursor is None
    twelve.replies = [Reply(b"<?!\x00 no answer \xff of any kind", headers={"Content-Type": "text/plain"})]
    ask(engine)
    with engine.connect() as connection:
        kept = connection.execute(sa.select(tables.rejected_post.c.reason, tables.rejected_post.c.payload)).all()
    assert kept
    assert any("no answer" in (row.payload or "") for row in kept)
    assert source_line(engine)["rejected"] == len(kept)
    assert len(stored(engine)) in (0, 12)  # a profile that cannot be read does not cost the posts
    ask(engine, NOW + timedelta(minutes=10))
    assert stored(engine) == ids(twelve)


def test_an_answer_about_known_posts_that_is_malformed_is_kept_and_ends_none_of_them(
    twelve: Stage, engine: sa.Engine
) -> None:
    if not opened(twelve).capabilities.refreshes:
        pytest.skip("posts of this source are not asked for again")
    ask(engine)
    before = source_line(engine)["rejected"]
    twelve.replies = [Reply(b"<?! no answer of any kind") for _ in range(30)]
    again(engine, NOW + 3 * HOUR)
    assert before < source_line(engine)["rejected"] <= before + 12
    twelve.replies = []
    again(engine, NOW + 30 * HOUR)
    assert stored(engine) == ids(twelve)


def test_the_good_items_of_a_page_with_bad_ones_go_in(twelve: Stage, engine: sa.Engine) -> None:
    twelve.broken = twelve.broken_items
    done = ask(engine)
    assert done.new == 12
    assert source_line(engine)["rejected"] >= len(twelve.broken_items)


def test_a_post_that_cannot_be_taken_is_counted_once_however_often_it_comes(twelve: Stage, engine: sa.Engine) -> None:
    twelve.broken = twelve.broken_items[:1]  # the one that says its id
    for n in range(3):
        twelve.publish(f"q{n}", at=NOW + timedelta(minutes=10 * n))
        ask(engine, NOW + timedelta(minutes=10 * n))
    assert stored(engine) == ids(twelve)
    assert source_line(engine)["rejected"] == 1


def test_a_post_of_tomorrow_hides_none_of_today(twelve: Stage, engine: sa.Engine) -> None:
    if twelve.kind in ("mastodon", "x"):
        pytest.skip("its server says when a post was made, and in what order")
    twelve.publish("future", at=NOW + timedelta(days=30))
    ask(engine)
    twelve.publish("next", at=NOW + timedelta(minutes=5))
    ask(engine, NOW + timedelta(minutes=10))
    assert stored(engine) == sorted(twelve.native_id(name) for name in twelve.posts if name != "future")


HOSTILE = [
    "משפט 台北 \u202eemit\u202c ramen",
    "👩‍👩‍👧‍👦" * 50 + " family",
    "<script>alert(1)</script> & <b>bold</b> in Osaka",
    "'; DROP TABLE post; -- in Osaka",
    "a\u200bb\ufeffc zero widths",
    "x" * 19_000,
    "ภาษาไทย ไม่มีช่องว่าง",
    "{{ 7 * 7 }} %s %(x)s \\u0000",
]


def test_hostile_text_survives(stage: Stage, engine: sa.Engine) -> None:
    for n, text in enumerate(HOSTILE):
        stage.publish(f"t{n}", text)
    stage.page = 100
    stage.configure(engine)
    assert ask(engine).new == len(HOSTILE)
    held = dict(stored(engine, "text"))
    for n, text in enumerate(HOSTILE):
        found = held[stage.native_id(f"t{n}")]
        assert "".join(found.split()) == "".join(text.split())


@pytest.mark.parametrize(
    "written", ["2026-05-04T10:00:00Z", "2026-05-04T18:00:00+08:00", "2026-05-04T05:30:00.000-04:30"]
)
def test_an_instant_is_one_in_whatever_zone_it_is_written(stage: Stage, engine: sa.Engine, written: str) -> None:
    stage.publish("z", at=datetime(2026, 5, 4, 10, tzinfo=UTC), written_at=written)
    stage.configure(engine)
    ask(engine)
    assert stored(engine, "published_at") == [(stage.native_id("z"), datetime(2026, 5, 4, 10, tzinfo=UTC))]


def test_ids_stay_strings(stage: Stage, engine: sa.Engine) -> None:
    for name in ("9007199254740993", "009", "1e5"):
        stage.publish(name)
    stage.configure(engine)
    ask(engine)
    assert stored(engine) == ids(stage)


def test_who_wrote_it_is_known_with_followers_where_the_platform_tells(twelve: Stage, engine: sa.Engine) -> None:
    ask(engine)
    with engine.connect() as connection:
        a = tables.author.c
        (author,) = connection.execute(sa.select(a.audience_market, a.follower_count, a.name)).all()
    assert author.audience_market == "TW"
    assert author.follower_count == (1200 if opened(twelve).capabilities.profiles else None)


@pytest.mark.parametrize("fault", [500, 400, 401, 429, "hangs"])
def test_a_source_that_fails_delays_no_other(stage: Stage, engine: sa.Engine, fault: int | str) -> None:
    stage.publish("p1")
    stage.configure(engine)
    arrived: list[float] = []
    if fault == "hangs":
        stage.replies = [Reply(slowly(arrived)) for _ in range(8)]
    else:
        stage.replies = [Reply(b"", int(fault)) for _ in range(8)]
    with on_stage("feed") as other:
        other.publish("fine")
        other.configure(engine, "other")
        begun = time.monotonic()
        ask(engine, progress=lambda _: arrived.append(time.monotonic() - begun))
        assert other.native_id("fine") in stored(engine)
    assert arrived[0] < LONG
    assert source_line(engine, "other")["state"] == "ok"


LONG = 4.0
"""Seconds that what hangs goes on for, unless another source's posts arrive meanwhile."""


def slowly(arrived: list[float]) -> Iterator[bytes]:
    until = time.monotonic() + LONG
    while not arrived and time.monotonic() < until:
        time.sleep(0.05)
        yield b" "


def test_watched_accounts_of_one_person_are_one(stage: Stage, engine: sa.Engine) -> None:
    stage.publish("p1")
    stage.configure(engine)
    with writing(engine) as session, session.begin():
        watching.watch(session, [stage.watched("stage", person="Ann")])
    ask(engine)
    with engine.connect() as connection:
        assert connection.scalars(sa.select(tables.person.c.name).join(tables.author)).all() == ["Ann"]


@pytest.mark.parametrize(
    "handle", ["", "http://[", "@@", "\u202e", "a" * 250, "#", "../../x", "no such", "https://", "::"]
)
def test_a_handle_that_means_nothing_costs_no_other_account(twelve: Stage, engine: sa.Engine, handle: str) -> None:
    with writing(engine) as session, session.begin():
        watching.watch(session, [twelve.watched("stage", handle=handle)])
    assert ask(engine).new == 12


def test_a_server_that_is_down_is_not_asked_for_every_account(stage: Stage, engine: sa.Engine) -> None:
    if not opened(stage).capabilities.shares_access:
        pytest.skip("each account has a server of its own")
    stage.configure(engine)
    with writing(engine) as session, session.begin():
        watching.watch(session, [stage.watched("stage", handle=f"kol{n}") for n in range(50)])
    stage.replies = [Reply(b"", 500) for _ in range(500)]
    ask(engine)
    assert len(stage.asked) <= 3 * 2 * 4


def test_a_paused_source_is_not_asked(twelve: Stage, engine: sa.Engine) -> None:
    with writing(engine) as session, session.begin():
        watching.pause(session, "stage", "paused by an operator")
    assert ask(engine).new == 0
    assert twelve.asked == []
