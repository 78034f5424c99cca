"""Decisions of editors: they change what is listed, never what was found, hold for the same talk, and can be undone."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from radar import answers, curating
from radar.answers import trend_id
from radar.answers.curation import muted_keys
from radar.errors import CallerError, UnknownName
from radar.keys import Kind, key_number
from radar.store import tables as t
from radar.store.engine import reading
from tests.api.small_store import JP, SmallStore, post


@pytest.fixture
def store(engine: sa.Engine) -> SmallStore:
    """Forty quiet days of TW, counted, and trends of it."""
    store = SmallStore(engine)
    posts = [
        post(6 * back + who, f"kol{who}", f"quiet talk {back} {who}", store.now - timedelta(days=back, hours=who))
        for back in range(40)
        for who in range(6)
    ]
    store.ingest(posts)
    store.work()
    store.trend("term", Kind.HASHTAG, "大阪必買", score=9.0, own_place=JP)
    store.trend("by_day", Kind.HASHTAG, "大阪必買", score=6.0, own_place=JP, bucket="1d", is_daily=True)
    store.trend("film", Kind.TERM, "電影", score=30.0, place=0)
    store.trend("home", Kind.TOPIC, "travel.air", score=20.0)
    store.trend("kr", Kind.HASHTAG, "首爾", score=5.0, market="KR")
    return store


def _id(store: SmallStore, name: str) -> str:
    return trend_id(store.ids[name])


def _listed(store: SmallStore, **more: object) -> list[str]:
    """Names of the listed trends of TW."""
    with reading(store.engine) as session:
        found = answers.list_trends(session, market="TW", scope="all", **more)  # type: ignore[arg-type]
    names = {trend_id(number): name for name, number in store.ids.items()}
    return [names[item["id"]] for item in found["items"]]


def _decide(store: SmallStore, trend: str, action: str, **more: object) -> int:
    asked = {"reason": "because", "who": "ann", "now": store.now} | more
    return curating.decide(store.engine, _id(store, trend), action, **asked)[0].id  # type: ignore[arg-type]


def _facts(store: SmallStore) -> list[object]:
    with store.engine.connect() as c:
        return [sorted(map(repr, c.execute(sa.select(table)))) for table in (t.episode, t.snapshot, t.stage_change)]


def test_a_muted_or_held_trend_is_left_out_says_why_and_comes_back(store: SmallStore) -> None:
    before, facts = _listed(store), _facts(store)
    assert before == ["film", "home", "term"]
    _decide(store, "film", "mute", reason="a bot\nrepeats  it")
    _decide(store, "home", "hold")
    assert _listed(store) == ["term"]
    assert _listed(store, curated="all") == before
    with reading(store.engine) as session:
        page = answers.list_trends(session, market="TW", scope="all")
        assert (page["total"], page["left_out"]) == (1, 2)
        told = answers.trend_working(session, _id(store, "film"))["curation"]
        assert [(one["action"], one["reason"], one["who"]) for one in told] == [("mute", "a bot repeats it", "ann")]
        assert next(m for m in answers.markets(session) if m["code"] == "TW")["trends"] == 1
    curating.undo(store.engine, who="bob", now=store.now, trend=_id(store, "film"))
    assert _listed(store) == ["film", "term"]
    with reading(store.engine) as session:
        log = answers.curation_log(session)["items"]
    assert [(one["action"], one["who"], one["stands"]) for one in log] == [
        ("undo", "bob", False), ("hold", "ann", True), ("mute", "ann", False)
    ]  # fmt: skip
    assert log[0]["undoes"] == log[2]["id"]
    assert log[2]["undone_by"] == "bob"
    assert _facts(store) == facts


def test_a_decision_holds_for_the_same_talk_found_by_the_day(store: SmallStore) -> None:
    assert _listed(store, bucket="1d") == ["by_day"]
    _decide(store, "term", "mute")
    assert _listed(store, bucket="1d") == []


def test_the_next_craze_of_a_key_is_another_trend_unless_the_key_is_muted(store: SmallStore) -> None:
    first = _decide(store, "film", "mute")
    store.trend("again", Kind.TERM, "電影", score=40.0, place=0, at=store.now + timedelta(days=3))
    assert "again" in _listed(store)
    _decide(store, "again", "mute", scope="key", now=store.now + timedelta(days=3))
    store.trend("thrice", Kind.TERM, "電影", score=50.0, place=0, at=store.now + timedelta(days=6))
    assert not {"film", "again", "thrice"} & set(_listed(store))
    with reading(store.engine) as session:
        assert muted_keys(session, "TW", [key_number(Kind.TERM, "電影")]) == {key_number(Kind.TERM, "電影")}
        assert muted_keys(session, "KR", [key_number(Kind.TERM, "電影")]) == set()
    undone = curating.undo(store.engine, who="ann", now=store.now, trend=_id(store, "thrice"))
    assert [one.episode_id for one in undone] == [None]
    assert "thrice" in _listed(store)
    with pytest.raises(UnknownName):
        curating.undo(store.engine, who="ann", now=store.now, number=10**9)
    curating.undo(store.engine, who="ann", now=store.now, number=first)
    with pytest.raises(CallerError, match="undone already"):
        curating.undo(store.engine, who="ann", now=store.now, number=first)


def test_a_renamed_trend_shows_both_names_and_a_merged_one_is_a_variant(store: SmallStore) -> None:
    _decide(store, "film", "rename", name="Night films")
    _decide(store, "film", "rename", name="Moonlight films")
    _decide(store, "term", "merge", into=_id(store, "film"))
    assert _listed(store) == ["film", "home"]
    assert _listed(store, curated="all") == ["film", "home", "term"]
    with reading(store.engine) as session:
        for item in (
            answers.list_trends(session, market="TW", scope="all")["items"][0],
            answers.trend_working(session, _id(store, "film")),
        ):
            assert (item["name"], item["key"]["text"]) == ("Moonlight films", "")
            assert item["name_before"] == "(name not kept)"
            assert [(v["id"], v["merged"]) for v in item["variants"]] == [(_id(store, "term"), True)]
    _decide(store, "film", "mute")
    assert _listed(store) == ["home"], "what was merged into a muted trend goes with it"


def test_decisions_that_cannot_be_are_refused(store: SmallStore) -> None:
    _decide(store, "term", "merge", into=_id(store, "film"))
    film, kr = _id(store, "film"), _id(store, "kr")
    for name, action, more in [
        ("film", "merge", {"into": film}), ("film", "merge", {"into": _id(store, "term")}),
        ("film", "merge", {"into": kr}), ("film", "merge", {"into": "nothing"}), ("film", "merge", {}),
        ("film", "rename", {}), ("film", "rename", {"name": "a\x00b"}), ("film", "mute", {"reason": "  "}),
        ("film", "mute", {"reason": "x" * 501}), ("film", "hold", {"scope": "key"}), ("film", "delete", {}),
        ("film", "mute", {"name": "x"}),
    ]:  # fmt: skip
        with pytest.raises(CallerError):
            _decide(store, name, action, **more)
    with pytest.raises(CallerError, match="No decision"):
        curating.undo(store.engine, who="ann", now=store.now, trend=film)
