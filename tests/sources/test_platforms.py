"""What is each platform's own: prices, limits, names of fields, what is forbidden, who may be read."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from radar.answers import coverage
from radar.collect import collect
from radar.compliance import comply
from radar.errors import CallerError
from radar.refresh import refresh
from radar.sources import facts
from radar.sources.base import Account, PostRef
from radar.sources.budget import PassingLedger
from radar.sources.catalogue import KINDS, open_source
from radar.sources.facts import all_facts, ask_every
from radar.sources.graph import meant
from radar.sources.trouble import Busy, NotFound, Refused, Trouble
from radar.sources.web import Web
from radar.store import tables
from radar.store.engine import reading
from tests.builders import fresh_store
from tests.sources.stages import (
    NOW,
    SECRET,
    STAGES,
    FakeClock,
    InstagramStage,
    PttStage,
    Reply,
    Stage,
    ThreadsStage,
    TikTokStage,
    XStage,
    as_json,
)

HOUR = timedelta(hours=1)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    opened = fresh_store(tmp_path / "radar.db")
    yield opened
    opened.dispose()


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(clock=FakeClock()) as client:
        yield client


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    up = STAGES[request.param]()
    yield up
    up.close()


def on(kind: str) -> Any:
    return pytest.mark.parametrize("stage", [kind], indirect=True, ids=[kind])


def ask(engine: sa.Engine, now: datetime = NOW) -> int:
    return collect(engine, now=now, web=Web(clock=FakeClock(now))).new


def line(engine: sa.Engine, now: datetime = NOW) -> dict[str, Any]:
    with reading(engine) as session:
        return coverage(session, now=now)["sources"][0]  # type: ignore[no-any-return]


def test_facts_say_of_every_platform_when_they_were_looked_up_and_where() -> None:
    found = all_facts()
    assert set(found) == set(KINDS) - {"world"}
    for platform, said in found.items():
        assert date(2026, 1, 1) <= said["checked"] <= datetime.now(UTC).date(), platform
        assert said["origin"]
        assert said["terms"].endswith("."), platform
    assert ask_every("youtube", {}) == HOUR
    assert ask_every("youtube", {"every_minutes": 5}) == timedelta(minutes=5)


@pytest.fixture
def facts_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the file of facts, to be changed as a person would, and read anew."""
    copy = Path(shutil.copy(facts.FILE, tmp_path))
    monkeypatch.setattr(facts, "FILE", copy)
    all_facts.cache_clear()
    yield copy
    all_facts.cache_clear()


def test_what_a_person_corrects_in_the_facts_is_heeded(facts_file: Path) -> None:
    text = facts_file.read_text()
    facts_file.write_text(text.replace("limit = 10_000", "limit = 20_000").replace("keep_days = 30", "keep_days = 20"))
    (budget,) = facts.budgets_of("youtube", {}, NOW)
    assert (budget.limit, facts.keep_for("youtube")) == (20_000, timedelta(days=20))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("checked = 2026-11-27", 'checked = "lately"'), r"facts.toml: youtube.checked: expected a date"),
        (('origin = "', 'source = "'), r"facts.toml: youtube.origin: expected a str"),
        (("[youtube]", "[youtube"), r"facts.toml: .*line"),
    ],
)
def test_facts_that_say_too_little_are_named(facts_file: Path, change: tuple[str, str], named: str) -> None:
    facts_file.write_text(facts_file.read_text().replace(*change))
    with pytest.raises(CallerError, match=named):
        all_facts()


@pytest.mark.parametrize("kind", ["youtube", "instagram", "threads", "x", "tiktok"])
def test_a_source_without_its_secret_says_what_to_name(web: Web, kind: str) -> None:
    with pytest.raises(CallerError, match=r"--token|--account"):
        open_source(kind, "s", {"budget": 1}, web)


# ---- X ----


@on("x")
def test_x_is_not_asked_without_a_budget(stage: XStage, web: Web) -> None:
    with pytest.raises(CallerError, match="--budget"):
        open_source("x", "s", stage.config() | {"budget": None}, web)


@on("x")
def test_what_was_read_of_x_is_on_the_meter_and_the_month_ends_it(stage: XStage, engine: sa.Engine) -> None:
    for n in range(7):
        stage.publish(f"p{n}", at=NOW - n * HOUR)
    stage.configure(engine)
    assert ask(engine) == 7
    (budget,) = line(engine)["budgets"]
    assert (budget["what"], budget["period"], budget["used"]) == ("USD", "2026-05", pytest.approx(0.010 + 7 * 0.005))
    assert ask(engine, NOW + HOUR) == 0
    assert line(engine)["budgets"][0]["used"] == pytest.approx(0.045), "an answer without a post costs nothing"


@on("x")
def test_a_page_of_x_is_never_larger_than_what_is_left(stage: XStage, web: Web) -> None:
    for n in range(40):
        stage.publish(f"p{n:02}", at=NOW - n * HOUR)
    stage.page = 100
    ledger = PassingLedger()
    source = open_source("x", "s", stage.config() | {"budget": 10_000 + 12 * 5_000}, web, ledger)
    batches = source.discover(None, NOW, Account("ann", "TW"))
    assert len(next(batches).posts) == 12
    with pytest.raises(Busy) as raised:
        next(batches)
    assert raised.value.resume_at == datetime(2026, 6, 1, tzinfo=UTC)
    asked = [parse_qs(urlsplit(path).query) for path in stage.asked if "/tweets" in path]
    assert [query["max_results"] for query in asked] == [["12"]]
    assert ledger.left("s", "cost", "2026-05", 70_000) == 0


@on("x")
def test_a_server_that_knows_the_old_names_alone_is_asked_with_those(stage: XStage, web: Web) -> None:
    stage.names = "tweet"
    stage.publish("p1")
    (batch,) = open_source("x", "s", stage.config(), web).discover(None, NOW, Account("ann", "TW"))
    assert [(post.share_count, post.view_count) for post in batch.posts] == [(1, 4000)]
    assert [("post.fields" in path, "tweet.fields" in path) for path in stage.asked[1:]] == [
        (True, False),
        (False, True),
    ]


@on("x")
def test_what_x_says_is_withdrawn_is_gone_at_once(stage: XStage, engine: sa.Engine) -> None:
    stage.publish("p1", at=NOW)
    stage.publish("p2", at=NOW)
    stage.configure(engine)
    ask(engine)
    del stage.posts["p1"]
    assert refresh(engine, now=NOW + 2 * HOUR, web=Web(clock=FakeClock())).gone == 1
    with engine.connect() as connection:
        p = tables.post.c
        rows = connection.execute(sa.select(p.native_id, p.text, p.url).where(p.deleted_at.is_not(None))).all()
    assert rows == [("p1", None, None)]


@on("x")
def test_an_edited_post_stays_one_post_and_is_asked_for_by_its_newest_id(stage: XStage, engine: sa.Engine) -> None:
    stage.publish("p1", "first", NOW)
    stage.configure(engine)
    ask(engine)
    stage.posts["p1"].text, stage.posts["p1"].edited_at = "second", NOW + HOUR
    assert refresh(engine, now=NOW + 2 * HOUR, web=Web(clock=FakeClock())).changed == 1
    ask(engine, NOW + 3 * HOUR)
    with engine.connect() as connection:
        assert connection.execute(sa.select(tables.post.c.native_id, tables.post.c.text)).all() == [("p1", "second")]


@on("x")
def test_protected_accounts_and_depleted_credits_pause(stage: XStage, engine: sa.Engine, web: Web) -> None:
    stage.configure(engine)
    stage.replies = [as_json({"data": XStage._user() | {"protected": True}})]
    ask(engine)
    assert "followers alone" in line(engine)["paused_accounts"][0]["reason"]
    stage.replies = [Reply(b'{"title": "CreditsDepleted"}', 402)]
    with pytest.raises(Refused):
        open_source("x", "s", stage.config(), web).profile(Account("ann", "TW"), NOW)


@on("x")
def test_all_that_is_stored_of_x_is_held_against_what_was_withdrawn_once_a_day(
    stage: XStage, engine: sa.Engine
) -> None:
    def run(now: datetime) -> int:
        with Web(clock=FakeClock(now)) as client:
            return comply(engine, now=now, web=client)

    for n in range(3):
        stage.publish(f"p{n}", at=NOW - n * HOUR)
    stage.configure(engine)
    ask(engine)
    spent = line(engine)["budgets"][0]["used"]
    assert run(NOW) == 0
    assert sorted(stage.uploaded) == ["p0", "p1", "p2"]
    del stage.posts["p1"]
    assert run(NOW + HOUR) == 0, "the job is not done yet"
    stage.job_status = "complete"
    assert run(NOW + 2 * HOUR) == 1
    before = len(stage.asked)
    assert run(NOW + 3 * HOUR) == 0
    assert len(stage.asked) == before, "not again on the same day"
    assert run(NOW + 24 * HOUR) == 0
    assert sorted(stage.uploaded) == ["p0", "p2"]
    assert line(engine)["budgets"][0]["used"] == spent


# ---- Meta ----


@on("instagram")
def test_from_80_percent_of_what_meta_allows_no_more_is_asked_for_a_while(
    stage: InstagramStage, engine: sa.Engine
) -> None:
    for n in range(12):
        stage.publish(f"p{n:02}", at=NOW - n * HOUR)
    stage.configure(engine)
    used = {"type": "instagram", "call_count": 81, "total_cputime": 3, "total_time": 3}
    stage.usage = json.dumps({"17840000000000001": [used | {"estimated_time_to_regain_access": 0}]})
    ask(engine)
    assert len(stage.asked) == 1
    assert line(engine)["state"] == "waiting"
    stage.usage = json.dumps({"17840000000000001": [used | {"call_count": 79}]})
    assert ask(engine, NOW + timedelta(minutes=20)) == 12


@on("instagram")
def test_a_page_is_nested_in_the_question_and_plays_are_never_asked_for(stage: InstagramStage, web: Web) -> None:
    for n in range(12):
        stage.publish(f"p{n:02}", at=NOW - n * HOUR)
    list(open_source("instagram", "s", stage.config(), web).discover(None, NOW, Account("@ann", "TW")))
    asked = [parse_qs(urlsplit(path).query)["fields"][0] for path in stage.asked]
    assert ".after(" not in asked[0]
    assert ".after(t5)" in asked[1]
    assert all("view_count" in fields and "plays" not in fields and "media_url" not in fields for fields in asked)


@on("instagram")
def test_a_name_or_cursor_that_would_change_the_question_is_not_sent(stage: InstagramStage, web: Web) -> None:
    source = open_source("instagram", "s", stage.config(), web)
    for handle in ("ann){id},x(", "a b", "", "ann}", "a" * 31):
        with pytest.raises(Trouble, match="no account of Instagram"):
            list(source.discover(None, NOW, Account(handle, "TW")))
    cursor = {"page": "x){id}", "newest": NOW.isoformat()}
    list(source.discover(cursor, NOW, Account("ann", "TW")))
    assert all("x){id}" not in path and "x%29" not in path for path in stage.asked)


@pytest.mark.parametrize(
    ("code", "kind"), [(4, Busy), (80002, Busy), (190, Refused), (10, Refused), (110, NotFound), (100, Trouble)]
)
def test_codes_of_graph_say_what_to_do(code: int, kind: type[Trouble]) -> None:
    error = Trouble("https://graph.example/ answered 400.")
    error.detail = json.dumps({"error": {"message": "no", "type": "OAuthException", "code": code}})
    assert type(meant(error, NOW)) is kind


@on("instagram")
def test_a_token_that_a_server_repeats_is_kept_nowhere(stage: InstagramStage, engine: sa.Engine) -> None:
    stage.configure(engine)
    stage.replies = [InstagramStage.error(190, f"Malformed access token {SECRET}")]
    ask(engine)
    assert line(engine)["state"] == "paused"
    with engine.connect() as connection:
        kept = "".join(str(connection.execute(sa.select(t)).all()) for t in tables.metadata.sorted_tables)
    assert SECRET not in kept
    assert "Malformed access token" in kept


@on("threads")
def test_threads_keeps_to_its_requests_a_day(stage: ThreadsStage, web: Web) -> None:
    source = open_source("threads", "s", stage.config() | {"budget": 1, "every_minutes": None}, web)
    source.profile(Account("ann", "TW"), NOW)
    with pytest.raises(Busy):
        source.profile(Account("ann", "TW"), NOW)
    assert len(stage.asked) == 1
    other = open_source("threads", "s", stage.config() | {"every_minutes": None}, web)
    assert other.every(10) == HOUR
    assert other.every(1_000) == 48 * HOUR


@on("threads")
def test_a_topic_is_read_as_a_hashtag(stage: ThreadsStage, web: Web) -> None:
    item = {"id": "1", "timestamp": "2026-05-04T10:00:00+0000", "text": "Monday", "topic_tag": "Osaka food"}
    stage.replies = [as_json({"data": [item, item | {"id": "2", "text": "in #osaka", "topic_tag": "Osaka"}]})]
    (batch,) = open_source("threads", "s", stage.config(), web).discover(None, NOW, Account("ann", "TW"))
    assert [post.text for post in batch.posts] == ["Monday #Osaka_food", "in #osaka"]


# ---- PTT ----


@on("ptt")
def test_what_robots_may_not_have_is_not_asked_for(stage: PttStage, engine: sa.Engine) -> None:
    stage.robots = b"User-agent: *\nDisallow: /bbs/\n"
    stage.publish("1")
    stage.configure(engine)
    assert ask(engine) == 0
    assert stage.asked == ["/robots.txt"]
    assert "robots.txt forbids" in line(engine)["reason"]


@on("ptt")
def test_pages_of_ptt_are_seconds_apart(stage: PttStage) -> None:
    for n in range(12):
        stage.publish(str(n), at=NOW - n * HOUR)
    clock = FakeClock()
    with Web(clock=clock) as web:
        list(open_source("ptt", "s", stage.config(), web).discover(None, NOW, Account(stage.handle, "TW")))
    assert len(stage.asked) == 4
    assert all(seconds >= 0.99 for seconds in clock.slept)
    assert sum(clock.slept) >= 4.9


@on("ptt")
def test_recommendations_are_exact_from_the_posts_own_page(stage: PttStage, web: Web) -> None:
    stage.publish("1", likes=345)
    source = open_source("ptt", "s", stage.config(), web)
    (batch,) = source.discover(None, NOW, Account("Japan_Travel", "TW"))
    (post,) = batch.posts
    assert (post.like_count, post.author.market_source, post.author.handle) == (100, "inferred", "ann")
    asked = PostRef("ptt", post.native_id, post.ref or "", "ann", "TW", post.published_at)
    (again,) = source.refresh([asked], NOW)
    assert again.post is not None
    assert (again.post.like_count, again.post.comment_count) == (345, 345)
    (other,) = source.discover(None, NOW, Account("Japan_Travel/somebody", "TW"))
    assert other.posts == []


@on("ptt")
def test_an_article_is_read_soon_and_stays_read_while_its_board_shows_the_title(
    stage: PttStage, engine: sa.Engine
) -> None:
    def texts() -> list[str | None]:
        with engine.connect() as connection:
            return list(connection.scalars(sa.select(tables.post.c.text)))

    stage.body = (
        "※ 引述《<span>bob</span> (Bob)》之銘言：\n: 哪裡好玩?\n淺草 <b>雷門</b> &amp; 合羽橋\n"
        '<a href="https://a.example">https://a.example</a>\n<div class="richcontent"><img src="x">照片</div>\n'
        '<span class="hl f5">一蘭拉麵</span> 排隊\n\nSent from JPTT on my phone'
    )
    stage.publish("1", "[遊記] 東京五日", NOW - timedelta(minutes=5), likes=2)
    stage.configure(engine)
    ask(engine)
    assert texts() == ["[遊記] 東京五日"]
    refresh(engine, now=NOW + timedelta(minutes=6), web=Web(clock=FakeClock()))
    whole = "[遊記] 東京五日\n淺草 雷門 & 合羽橋\nhttps://a.example\n一蘭拉麵 排隊"
    assert texts() == [whole]
    ask(engine, NOW + timedelta(minutes=20))
    assert texts() == [whole]
    with engine.connect() as connection:
        assert connection.scalars(sa.select(tables.post.c.revision)).all() == [2]
    stage.body = "改了"
    refresh(engine, now=NOW + 2 * HOUR, web=Web(clock=FakeClock()))
    assert texts() == ["[遊記] 東京五日\n改了"]


# ---- TikTok ----


@on("tiktok")
def test_a_creators_token_renews_itself_and_what_is_new_of_it_is_kept_privately(
    stage: TikTokStage, tmp_path: Path
) -> None:
    file = tmp_path / "creator.json"
    file.touch(0o600)
    file.write_text(json.dumps({"client_key": "k", "client_secret": "c", "refresh_token": "old", "note": "mei"}))
    stage.publish("1")
    stage.replies = [as_json({"access_token": SECRET, "refresh_token": "new", "expires_in": 86400})]
    with Web(clock=FakeClock()) as web:
        source = open_source("tiktok", "s", stage.config() | {"token": {"file": str(file)}}, web)
        (batch,) = source.discover(None, NOW, Account("@ann", "TW"))
    assert [post.view_count for post in batch.posts] == [4000]
    assert json.loads(file.read_text())["refresh_token"] == "new"
    assert json.loads(file.read_text())["note"] == "mei"
    assert file.stat().st_mode & 0o777 == 0o600


@on("tiktok")
def test_a_token_that_is_none_any_more_pauses(stage: TikTokStage, web: Web, tmp_path: Path) -> None:
    file = tmp_path / "creator.json"
    file.touch(0o600)
    file.write_text(json.dumps({"client_key": "k", "client_secret": "c3cret", "refresh_token": "r3fresh"}))
    for said in (as_json({"error": "invalid_grant", "error_description": "r3fresh"}), Reply(b"c3cret")):
        stage.replies = [said]
        source = open_source("tiktok", "s", stage.config() | {"token": {"file": str(file)}}, web)
        with pytest.raises(Refused) as raised:
            list(source.discover(None, NOW, Account("ann", "TW")))
        assert "3" not in str(raised.value)
