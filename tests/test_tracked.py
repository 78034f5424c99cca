"""Keys of one's own: found in new posts and in stored ones, whatever was killed meanwhile; removed, they are gone."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from radar import tracked
from radar.answers import list_trends, path, share_of_voice
from radar.classify import classify_posts
from radar.count import _count_chunk, _write, count_mentions
from radar.detect import detect_trends
from radar.errors import CallerError, UnknownName
from radar.keys import kinds_of
from radar.store import tables as t
from radar.store import tracked as store
from radar.store.counts import counted_days, dirty_days
from radar.store.engine import reading
from radar.store.posts import key_array
from tests.api.small_store import KeywordScorer
from tests.builders import NOON, a_post, fresh_store, put
from tests.test_line import _world as craze_world

DAY = date(2026, 5, 4)
FORMS = [("ja", "ドンキ"), ("zh-Hant", "唐吉訶德"), ("en", "Don Quijote")]
SAID = (
    "週末去唐吉訶德 掃貨",
    "ドンキホーテで爆買い",
    "Don  Quijote haul #Donki",
    "nothing of the kind",
    "donkis don quijotes",
)


def _work(engine: sa.Engine) -> None:
    scorer = KeywordScorer()
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOON)
    count_mentions(engine, scorer.model_id, scorer.topic_ids, now=NOON)


def _persons(engine: sa.Engine, one: store.Tracked) -> int:
    """Persons of a key in the day's counts, about whatever place."""
    with reading(engine) as session:
        found = counted_days(session, KeywordScorer().model_id, "TW", DAY, DAY)[DAY]
    mine = (found.keys == one.key_hash) & (found.places == 0)
    return int(found.persons[mine].sum())


def _mentions(engine: sa.Engine) -> list[tuple[int, int]]:
    with engine.connect() as c:
        return sorted(
            tuple(row) for row in c.execute(sa.select(t.tracked_mention.c.person_id, t.tracked_mention.c.post_count))
        )


def _put_said(engine: sa.Engine, many: int = 1) -> None:
    put(
        engine, *[a_post(f"{k}-{n}", f"{text} {k}", author=f"a{n}") for k in range(many) for n, text in enumerate(SAID)]
    )


def _add(engine: sa.Engine, name: str = "Donki", **more: object) -> store.Tracked:
    asked = {"kind": "brand", "group": "Drugstores", "forms": FORMS} | more
    return tracked.add(engine, name=name, who="test", now=NOON, **asked)  # type: ignore[arg-type]


def test_a_late_count_leaves_who_was_counted_since(engine: sa.Engine) -> None:
    _add(engine)
    counted = []
    for name in ("first", "second"):
        put(engine, a_post(name, f"又去唐吉訶德 {name}", author=name))
        classify_posts(engine, Path(KeywordScorer().model_id), KeywordScorer, now=NOON)
        with reading(engine) as session:
            waiting = dirty_days(session)
        counted.append((waiting, _count_chunk(engine, KeywordScorer().model_id, waiting, {}, set())))
    for waiting, found in reversed(counted):
        _write(engine, KeywordScorer().model_id, waiting, found, NOON)
    assert [n for _, n in _mentions(engine)] == [1, 1]


def test_a_key_is_counted_backwards_as_if_it_had_always_been_there(engine: sa.Engine) -> None:
    _put_said(engine)
    _work(engine)
    donki = _add(engine)
    assert _persons(engine, donki) == 0
    done = tracked.sweep(engine)
    assert (done.posts, done.changed, done.keys) == (5, 3, 1)
    _work(engine)
    assert _persons(engine, donki) == 3
    assert [n for _, n in _mentions(engine)] == [1, 1, 1]
    put(engine, a_post("new", "又去唐吉訶德", author="late"))
    _work(engine)
    assert _persons(engine, donki) == 4
    assert tracked.sweep(engine).posts == 0, "only what is new is looked at"


def test_posts_read_with_the_key_are_as_those_swept_for_it(engine: sa.Engine) -> None:
    _put_said(engine)
    _work(engine)
    _add(engine)
    tracked.sweep(engine)
    with engine.connect() as c:
        swept = dict(c.execute(sa.select(t.post_signal.c.post_id, t.post_signal.c["keys"])).all())
    with engine.begin() as c:
        c.execute(sa.update(t.post).values(classified_at=None))
    _work(engine)
    with engine.connect() as c:
        assert dict(c.execute(sa.select(t.post_signal.c.post_id, t.post_signal.c["keys"])).all()) == swept


def test_a_killed_sweep_goes_on_where_it_was(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    _put_said(engine, many=4)
    _work(engine)
    donki = _add(engine)
    monkeypatch.setattr(tracked, "BATCH", 6)

    def killed(done: int) -> None:
        raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            tracked.sweep(engine, progress=killed)
    drug = _add(engine, "Sundrug", forms=[("zh-Hant", "掃貨")])  # begins at the first post, and then goes along
    done = tracked.sweep(engine)
    assert (done.posts, done.keys) == (20, 2)
    with engine.connect() as c:
        keys = [key_array(bytes(k)).tolist() for k in c.scalars(sa.select(t.post_signal.c["keys"]))]
    assert sum(donki.key_hash in k for k in keys) == 12
    assert sum(drug.key_hash in k for k in keys) == 4


def test_other_forms_are_recounted_and_a_removed_key_leaves_nothing(engine: sa.Engine) -> None:
    _put_said(engine)
    _work(engine)
    donki = _add(engine)
    tracked.sweep(engine)
    _work(engine)
    tracked.change(engine, donki.id, forms=[("zh-Hant", "唐吉訶德")], now=NOON)
    assert tracked.sweep(engine).changed == 1, "the name itself is a form: the hashtag stays"
    _work(engine)
    assert _persons(engine, donki) == 2
    tracked.change(engine, donki.id, group="Other", now=NOON)
    assert tracked.sweep(engine).posts == 0
    tracked.remove(engine, donki.id, now=NOON)
    with pytest.raises(UnknownName):
        tracked.change(engine, donki.id, group="x", now=NOON)
    tracked.sweep(engine)
    _work(engine)
    assert _persons(engine, donki) == 0
    assert _mentions(engine) == []
    with engine.connect() as c:
        assert c.scalar(sa.select(sa.func.count()).select_from(t.tracked_key)) == 0
        assert not any(
            (kinds_of(key_array(bytes(k))) == 5).any() for k in c.scalars(sa.select(t.post_signal.c["keys"]))
        )


def test_detection_ranks_a_tracked_key_by_its_name(tmp_path: Path) -> None:
    engine = fresh_store(tmp_path / "radar.db")
    scorer, ends = KeywordScorer(), datetime(2026, 4, 15, tzinfo=UTC)
    put(engine, *craze_world(), now=ends)
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=ends)
    lantern = _add(engine, "Moon Lantern", forms=[("en", "moonlantern")])
    tracked.sweep(engine)
    count_mentions(engine, scorer.model_id, scorer.topic_ids, now=ends)
    detect_trends(engine, scorer.model_id, scorer.topic_ids, closed_at=ends)
    with reading(engine) as session:
        (trend,) = list_trends(session, market="TW", scope="all", kind="tracked", window="30d")["items"]
        (row,) = share_of_voice(session, market_code="TW")["items"]
        crossing = path(session, trend["id"])
    engine.dispose()
    (line,) = row["keys"]
    assert line["trend"] is not None
    assert (line["trend"]["is_over"], line["trend"]["onset_at"] < ends) == (trend["ended_at"] is not None, True)
    assert crossing["keys"] == ["Moon Lantern"]
    assert [stop["market"] for stop in crossing["items"]] == ["TW"]
    assert (trend["name"], trend["persons"], trend["place_market"]) == (lantern.name, 14, "JP")


def test_a_post_read_while_somebody_adds_a_key_is_read_again(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put_said(engine)

    class Slow(KeywordScorer):
        def score(self, texts: list[str]) -> object:  # type: ignore[override]
            if not added:
                added.append(_add(engine))
            return super().score(texts)

    added: list[store.Tracked] = []
    scorer = Slow()
    assert classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOON) == 0
    _work(engine)
    assert _persons(engine, added[0]) == 3


def test_what_cannot_be_tracked_is_refused(engine: sa.Engine) -> None:
    cases: list[tuple[str, dict[str, object]]] = [
        ("", {}), ("x" * 61, {}), ("A", {}), ("Donki", {"kind": "shop"}), ("Donki", {"forms": [("ja", "ド")]}),
        ("Donki", {"forms": [("fr", "donki")]}), ("Donki", {"forms": [("ja", "!!")]}), ("a\x00b", {}),
        ("Donki", {"forms": [("ja", f"form {n}") for n in range(50)]}),
    ]  # fmt: skip
    for name, more in cases:
        with pytest.raises(CallerError):
            _add(engine, name, **more)


def test_a_name_is_tracked_once_and_may_come_back(engine: sa.Engine) -> None:
    _put_said(engine)
    _work(engine)
    first = _add(engine)
    with pytest.raises(CallerError, match="already"):
        _add(engine, "ＤＯＮＫＩ")
    tracked.remove(engine, first.id, now=NOON)
    again = _add(engine, "donki", kind="competitor")
    tracked.sweep(engine)
    _work(engine)
    assert _persons(engine, again) == 3
    with reading(engine) as session:
        assert tracked.find(session, "Donki").kind == "competitor"
        assert store.mentioned(session, [again.key_hash], {"TW": (DAY, DAY + timedelta(days=1))})[0, "TW"].persons == 3
