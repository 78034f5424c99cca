"""What a rule tells: each trend and stage once, nothing of the past, and only what it waits for."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from radar.alerts import Wanted, fire, lists, managing
from radar.alerts.rules import checked
from radar.errors import CallerError
from radar.keys import Kind, key_number
from radar.store import alert_rules, alerts
from radar.store.engine import reading, writing
from radar.store.tables import alert_event, day_count, detector_state, episode, snapshot, stage_change
from tests.alerts.receivers import NOW, Radar
from tests.api.small_store import JP, KR, TW
from tests.builders import a_post, fresh_store, put
from tests.trends.test_line_invariants import BEGINS, DAYS, OLD, craze, detect, read_and_count, talk


@pytest.fixture
def radar(engine: sa.Engine) -> Radar:
    return Radar(engine)


def told(engine: sa.Engine) -> list[tuple[str, str]]:
    """(rule, stage) of all that was told, in order."""
    with reading(engine) as session:
        return [(e.rule, f"{e.message['name']} {e.stage}") for e in reversed(alerts.events(session, limit=100))]


def test_each_trend_and_stage_is_told_once_and_the_past_is_not(radar: Radar) -> None:
    radar.trend("old", "鬼滅", at=NOW - timedelta(days=4))
    radar.rule("all")
    assert fire(radar.engine, radar.model_id, now=NOW) == 0
    radar.trend("new")
    assert fire(radar.engine, radar.model_id, now=NOW) == 2
    assert told(radar.engine) == [("all", "#大阪必買 emerging"), ("all", "#大阪必買 rising")]
    assert fire(radar.engine, radar.model_id, now=NOW + timedelta(days=1)) == 0
    with reading(radar.engine) as session:
        (rule,) = alert_rules.rules(session)
    assert rule.read_upto == NOW - timedelta(hours=3)


def test_one_talk_is_told_once_however_it_was_found(radar: Radar) -> None:
    """By the quarter hour, the hour and the day, about a place and about all, under another name or model's number."""
    radar.rule("all")
    radar.trend("hour", own_place=JP)
    child = {"episode_id": 7, "key": key_number(Kind.HASHTAG, "大阪必買"), "place": JP}
    radar.trend("day", bucket="1d", is_daily=True, at=NOW)
    radar.trend("other word", "大阪", Kind.TERM, variants=[child], at=NOW - timedelta(hours=1))
    assert fire(radar.engine, radar.model_id, now=NOW) == 2
    radar.trend("again", own_place=JP, at=NOW - timedelta(minutes=30))  # a late post moved its beginning
    assert fire(radar.engine, radar.model_id, now=NOW) == 0
    radar.trend("elsewhere", own_place=KR, place=KR)
    radar.trend("days later", at=NOW + timedelta(days=4))
    assert fire(radar.engine, radar.model_id, now=NOW + timedelta(days=4)) == 4


def test_a_rule_waits_for_what_it_was_asked_to(radar: Radar) -> None:
    radar.trend("drugstore")
    radar.trend("film", "電影", Kind.TERM, topic_id=None, place=0, at=NOW - timedelta(hours=1))
    radar.trend("weak", "弱", Kind.TERM, q=0.04, lift_floor=1.1, place=TW)
    radar.trend("seoul", "서울", Kind.HASHTAG, market="KR", place=0)
    radar.trend("early", "早", Kind.TERM, bucket="15m", place=KR, topic_id="travel.air")
    waits = {
        "all": {}, "KR": {"market": "KR"}, "Japan": {"place": "JP", "kinds": ("hashtag",)},
        "air": {"topic": "travel.air"}, "sure": {"q": 0.01, "lift_floor": 2.0, "market": "TW"},
        "word": {"key": "電影"}, "everything": {"scope": "all", "stages": ("emerging",)},
        "late": {"early": False, "place": "KR"}, "tag": {"key": "#大阪必買"}, "none": {"key": "#電影"},
    }  # fmt: skip
    with radar.engine.begin() as connection:
        connection.execute(sa.update(episode).values(onset_at=episode.c.onset_at))
    for name, wanted in waits.items():
        made = radar.rule(name, **wanted)
        with writing(radar.engine) as session, session.begin():
            alert_rules.change_rule(session, made.rule.id, begins_at=NOW - timedelta(days=1))
    fire(radar.engine, radar.model_id, now=NOW)
    found = {
        name: sorted({what.partition(" ")[0] for rule, what in told(radar.engine) if rule == name}) for name in waits
    }
    assert found == {
        "all": sorted(["#大阪必買", "弱", "#서울", "早"]), "KR": ["#서울"], "Japan": ["#大阪必買"], "air": ["早"],
        "sure": sorted(["#大阪必買", "早"]), "word": ["電影"],
        "everything": sorted(["#大阪必買", "弱", "#서울", "早", "電影"]), "late": [], "tag": ["#大阪必買"], "none": [],
    }  # fmt: skip
    assert {what for rule, what in told(radar.engine) if rule == "everything"} >= {"電影 emerging"}


def test_a_watch_list_lets_through_its_keys_and_what_its_kols_carry(radar: Radar) -> None:
    from tests.api.small_store import post

    posts = [post(n, f"kol{n}", "藥妝 日本 #大阪必買", NOW - timedelta(hours=8 - n)) for n in range(3)]
    radar.store.ingest(posts, "simulated")
    radar.store.work()
    radar.trend("tag")
    radar.trend("air", "機票", Kind.TERM)
    with reading(radar.engine) as session:
        author = int(session.scalar(sa.text("SELECT id FROM author WHERE native_id = 'kol1'")) or 0)
        key = lists.key_named("term:機票", market_code="TW")
    lists.watch(radar.engine, "words", [key], [], now=NOW)
    lists.watch(radar.engine, "people", [], [author], now=NOW)
    with pytest.raises(CallerError, match="watch list"):
        radar.rule("lost", watch_list="nobody")
    for name in ("words", "people"):
        made = radar.rule(name, watch_list=name, stages=("rising",))
        with writing(radar.engine) as session, session.begin():
            alert_rules.change_rule(session, made.rule.id, begins_at=NOW - timedelta(days=1))
    fire(radar.engine, radar.model_id, now=NOW)
    assert sorted(told(radar.engine)) == [("people", "#大阪必買 rising"), ("words", "機票 rising")]
    with reading(radar.engine) as session:
        kols = {e.rule: e.message["listed_kols"] for e in alerts.events(session, limit=9)}
    assert kols == {"people": 1, "words": 0}


def test_a_changed_rule_tells_nothing_of_the_past_and_one_that_is_off_tells_nothing(radar: Radar) -> None:
    rule = radar.rule("all", market="KR").rule
    radar.trend("new")
    changed = managing.change_rule(radar.engine, rule, now=NOW, wanted=Wanted(market="TW"))
    assert changed.begins_at == NOW - timedelta(hours=3)
    assert fire(radar.engine, radar.model_id, now=NOW) == 0
    managing.change_rule(radar.engine, changed, now=NOW, active=False)
    radar.trend("newer", "京都", at=NOW + timedelta(hours=9))
    assert fire(radar.engine, radar.model_id, now=NOW + timedelta(hours=9)) == 0


def test_a_rule_that_is_changed_while_it_fires_is_left_for_the_next_run(radar: Radar) -> None:
    rule = radar.rule("all").rule
    radar.trend("new")
    with writing(radar.engine) as session, session.begin():
        alert_rules.change_rule(session, rule.id, language="ja")
        assert not alert_rules.read_to(session, rule, NOW)
    assert fire(radar.engine, radar.model_id, now=NOW) == 2


@pytest.mark.parametrize(
    "wanted",
    [
        {"market": "XX"}, {"topic": "shop.x"}, {"place": "JP-99"}, {"stages": ("hot",)}, {"kinds": ("emoji",)},
        {"q": 0.0}, {"lift_floor": -1.0}, {"key": "x" * 300}, {"lift_floor": float("nan")},
    ],
)  # fmt: skip
def test_what_no_rule_can_wait_for_is_refused(wanted: dict[str, object]) -> None:
    with pytest.raises(CallerError):
        checked(Wanted(**wanted))  # type: ignore[arg-type]


def test_going_through_the_days_again_tells_nothing_again(tmp_path: Path) -> None:
    """Detection as scheduled, asked again, from an earlier midnight, after a late post, and rebuilt from the counts."""
    engine, end = fresh_store(tmp_path / "radar.db"), BEGINS + timedelta(days=DAYS)
    put(engine, *talk(), *craze(), now=end)
    read_and_count(engine, OLD, end)
    detect(engine, OLD, BEGINS + timedelta(days=39))
    radar = Radar(engine)
    everything = Wanted(scope="all", stages=("emerging", "rising", "peaking", "fading", "steady"), q=1.0)
    managing.make_rule(engine, radar.settings, "all", everything, now=BEGINS + timedelta(days=39))
    for hours in (24 * 40 + 8, 24 * 42, 24 * DAYS):
        at = BEGINS + timedelta(hours=hours)
        detect(engine, OLD, at)
        fire(engine, "old", now=at)
    before = Counter(told(engine))
    assert before
    assert max(before.values()) == 1
    with engine.begin() as c:
        c.execute(
            sa.update(day_count).where(day_count.c.local_day >= end.date() - timedelta(days=6)).values(detected=False)
        )
    detect(engine, OLD, end)
    assert fire(engine, "old", now=end) == 0
    put(engine, a_post("late", "window paper", "p3", published_at=end - timedelta(days=3)), now=end)
    read_and_count(engine, OLD, end)
    detect(engine, OLD, end)
    assert fire(engine, "old", now=end) == 0
    with engine.begin() as c:
        for table in (snapshot, stage_change, episode, detector_state):
            c.execute(sa.delete(table))
        c.execute(sa.update(day_count).values(detected=False))
    detect(engine, OLD, end)
    assert fire(engine, "old", now=end) == 0
    assert Counter(told(engine)) == before
    engine.dispose()


def test_a_kill_while_it_is_written_leaves_nothing_and_the_next_run_everything(radar: Radar) -> None:
    radar.rule("all", ("feed", ""), ("webhook", "http://127.0.0.1:9/hook"))
    radar.trend("new")

    class Killed(BaseException):
        pass

    def kill(connection: object, cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO alert_delivery"):
            raise Killed

    sa.event.listen(radar.engine, "before_cursor_execute", kill)
    with pytest.raises(Killed):
        fire(radar.engine, radar.model_id, now=NOW)
    sa.event.remove(radar.engine, "before_cursor_execute", kill)
    with radar.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(alert_event)) == 0
    assert fire(radar.engine, radar.model_id, now=NOW) == 2
    with reading(radar.engine) as session:
        states = Counter(d.state for some in alerts.deliveries(session, [1, 2, 3, 4]).values() for d in some)
    assert states == {"sent": 2, "pending": 2}


def test_no_statement_reads_a_whole_table(radar: Radar) -> None:
    """What runs every few minutes follows an index, on SQLite, whose plans can be read."""
    if radar.engine.dialect.name != "sqlite":
        pytest.skip("plans of PostgreSQL depend on how much is there")
    radar.rule("all", ("feed", ""))
    radar.trend("new")
    asked: list[tuple[str, object]] = []

    def note(connection: object, cursor: object, statement: str, parameters: object, *_: object) -> None:
        asked.append((statement, parameters))

    sa.event.listen(radar.engine, "before_cursor_execute", note)
    fire(radar.engine, radar.model_id, now=NOW)
    with reading(radar.engine) as session:
        alerts.due(session, NOW, limit=10)
        alerts.in_state(session, "dead", limit=10)
        alerts.count_in(session, "sent", NOW, upto=100)
    sa.event.remove(radar.engine, "before_cursor_execute", note)
    grow = ("stage_change", "snapshot", "episode", "alert_event", "alert_delivery", "post")
    with radar.engine.connect() as connection:
        for statement, parameters in asked:
            if statement.startswith("SELECT"):
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()  # type: ignore[arg-type]
                scans = [row[3] for row in plan if row[3].startswith("SCAN") and row[3].split()[1] in grow]
                assert scans == [], statement


def test_changes_come_in_pages_without_a_gap(radar: Radar, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(7):
        radar.trend(f"t{n}", f"語{n}", Kind.TERM, at=NOW - timedelta(hours=n // 3))
    with reading(radar.engine) as session:
        whole = [c for page in alerts.changes(session, radar.model_id, NOW - timedelta(days=3)) for c in page]
        monkeypatch.setattr(alerts, "PAGE", 3)
        pages = list(alerts.changes(session, radar.model_id, NOW - timedelta(days=3)))
    assert len(whole) == 14
    assert [c[:2] for c in whole] == [c[:2] for page in pages for c in page]
