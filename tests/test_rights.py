"""Rights of the listed, on both databases: erased leaves no trace, hidden is shown nowhere, corrected stays."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from radar.adoption import _adopters, collect_adopters
from radar.config import Settings
from radar.ingest import ingest_posts, ingest_profiles
from radar.kol import Tiers
from radar.labels import Label, append
from radar.measure import measure_authors
from radar.prune import prune
from radar.reports import kept_reports
from radar.reports.keeping import keep
from radar.rights import correct, erase, hide
from radar.sources.base import RawAuthor, RawPost
from radar.store import runs
from radar.store import tables as t
from radar.store.engine import reading, writing
from radar.store.measures import measures_of, measures_page
from radar.store.posts import evidence
from radar.store.tables import metadata
from tests.builders import NOON, a_post, put
from tests.store.walking import counts

NOW = NOON + timedelta(days=10)
ANN = RawAuthor(
    "ann-native", "TW", handle="ann.handle", name="Annelise Q", bio="of ann", follower_count=12_000,
    url="https://x.example/ann.handle",
)  # fmt: skip
BOB = RawAuthor("bob-native", "TW", handle="bob.handle", name="Bob", bio="with @ann.handle", follower_count=5_000)


WITH_ANN = "ramen with @Ann.Handle, see www.x.example/ann.handle/about or @ann.handler"
WITHOUT_ANN = "ramen with @erased, see https://erased.invalid or @ann.handler"


def _posts(author: RawAuthor, mark: str) -> list[RawPost]:
    return [
        replace(
            a_post(f"{mark}{n}", f"ramen {mark} {n}", like_count=10 + n, comment_count=1, share_count=0),
            author=author, published_at=NOON - timedelta(days=n), url=f"https://x.example/{mark}{n}",
        )
        for n in range(10)
    ]  # fmt: skip


def _measure(engine: sa.Engine) -> None:
    measure_authors(engine, "none", ["shop.drugstore"], Tiers(), now=NOW)


@pytest.fixture
def store(engine: sa.Engine) -> sa.Engine:
    """A store in which Ann leaves every kind of trace beside Bob."""
    put(engine, *_posts(ANN, "annpost"), *_posts(BOB, "bobpost"), now=NOW)
    put(engine, replace(a_post("re", "see this"), author=BOB, repost_of="annpost1"), now=NOW)
    put(engine, replace(a_post("at", WITH_ANN), author=BOB), now=NOW)
    ids = _ids(engine)
    with engine.begin() as c:
        posts = dict(c.execute(sa.select(t.post.c.native_id, t.post.c.id)).all())
        reading_of = {
            "model_id": "m", "keys": b"", "places": "JP", "language": "en", "sponsored": False, "text_hash": 1,
        }  # fmt: skip
        c.execute(sa.insert(t.post_signal), [{"post_id": i, **reading_of} for i in posts.values()])
        aside = {"post_id": posts["annpost1"], "revision": 1, "topics": [], **reading_of}
        c.execute(sa.insert(t.aside_signal), [aside])
        topic = {"post_id": posts["annpost1"], "topic_id": "shop.drugstore", "probability": 0.9, "model_id": "m"}
        c.execute(sa.insert(t.post_topic), [topic])
        episode = {
            "id": 1, "model_id": "m", "audience_market": "TW", "place": 0, "key_hash": 1, "bucket": "1h",
            "onset_at": NOON, "stage": "rising", "stage_since": NOON,
        }  # fmt: skip
        c.execute(sa.insert(t.episode), [episode])
        seen = {
            "episode_id": 1, "as_of": NOON, "audience_market": "TW", "bucket": "1h", "place": 0, "kind": 2,
            "stage": "rising", "is_on": True, "is_daily": False, "q": 0.01, "score": 1.0,
            "working": {"evidence": [posts["annpost1"], posts["bobpost1"]]},
        }  # fmt: skip
        c.execute(sa.insert(t.snapshot), [seen])
        trend = {"episode_id": 1, "audience_market": "TW", "first_day": NOON.date(), "last_day": NOON.date()}
        c.execute(sa.insert(t.adopted_trend), [trend | {"counted_at": NOW, "model_id": "m"}])
        person = c.scalar(sa.select(t.author.c.person_id).where(t.author.c.id == ids["ann-native"]))
        c.execute(sa.insert(t.trend_adoption), [{"episode_id": 1, "person_id": person, "adopted_at": NOON, "heard": 3}])
        c.execute(sa.insert(t.author_list), [{"id": 1, "name": "shortlist", "created_at": NOW}])
        c.execute(sa.insert(t.list_member), [{"list_id": 1, "author_id": i, "added_at": NOW} for i in ids.values()])
        note = {"author_id": ids["ann-native"], "text": "met ann.handle", "written_at": NOW}
        c.execute(sa.insert(t.author_note), [note])
        c.execute(sa.insert(t.refresh_due), [
            {"post_id": posts["annpost1"], "source": "test", "ref": "annpost1", "due_at": NOW}
        ])  # fmt: skip
    with writing(engine) as session, session.begin():
        runs.add_source(session, "sky", "test", {}, is_simulated=False)
        runs.note_source_error(session, "sky", NOW, "ann.handle: not found")
        session.execute(sa.insert(t.watched_account), [
            {"source": "sky", "handle": "@Ann.Handle", "audience_market": "TW", "consented": False}
        ])  # fmt: skip
        runs.keep_rejected(session, [
            {"source": "sky", "seen_at": NOW, "native_id": "x1", "reason": "text: empty", "payload": repr(ANN)}
        ])  # fmt: skip
    _measure(engine)
    return engine


def _ids(engine: sa.Engine) -> dict[str, int]:
    with reading(engine) as session:
        return dict(session.execute(sa.select(t.author.c.native_id, t.author.c.id)).all())


def _everything(engine: sa.Engine) -> str:
    """All that the store holds, as text."""
    with engine.connect() as c:
        return "\n".join(str(tuple(row)) for table in metadata.sorted_tables for row in c.execute(sa.select(table)))


def test_an_erased_author_leaves_no_trace_and_is_refused_by_a_keyed_hash_only(store: sa.Engine, tmp_path: Path) -> None:
    ids = _ids(store)
    label = Label("test:annpost3", "ramen annpost 3", "en", (), "eve", NOW, "week.csv")
    append(tmp_path / "labels", [label, replace(label, post="test:bobpost3", text="ramen bobpost 3")], NOW)
    rejects = tmp_path / "rejects" / "f.rejects.jsonl"
    rejects.parent.mkdir()
    lines = [
        {"line": n, "reason": "r", "row": {"author": name, "text": f"of \u2028{name[:3]}"}}
        for n, name in enumerate(["ann-native", "bob-native"])
    ]
    rejects.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    for week, who in (("2026-W18", "Annelise Q"), ("2026-W17", "Bob")):
        told = {"trends": [{"carriers": [{"name": who, "handle": None}]}]}
        keep(tmp_path, "TW", "JP", week, {"en.json": json.dumps(told).encode(), "en.md": who.encode()})
    with reading(store) as session:
        ann_posts = list(session.scalars(sa.select(t.post.c.id).where(t.post.c.author_id == ids["ann-native"])))

    done = erase(store, tmp_path, ids["ann-native"], now=NOW)

    assert (done.posts, done.lines, done.mentions) == (10, 2, 2)
    everything = _everything(store)
    assert WITHOUT_ANN in everything
    everything = everything.replace("@ann.handler", "")  # somebody else
    for trace in ("ann-native", "ann.handle", "Annelise", "annpost", "of ann"):
        assert trace not in everything, trace
    assert [report.week for report in kept_reports(tmp_path)] == ["2026-W17"]
    kept = "".join(p.read_text() for p in tmp_path.rglob("*.jsonl"))
    assert "ann" not in kept
    assert "bobpost" in kept
    with store.connect() as c:
        for table in metadata.sorted_tables:
            for column in table.columns:
                names = {key.column.table.name for key in column.foreign_keys}
                gone = ann_posts if "post" in names else [ids["ann-native"]] if "author" in names else []
                assert not gone or not c.execute(sa.select(table).where(column.in_(gone))).all(), table.name
        assert c.scalar(sa.select(t.snapshot.c.working))["evidence"] != []
        assert not set(c.scalar(sa.select(t.snapshot.c.working))["evidence"]) & set(ann_posts)
        assert len(c.execute(sa.select(t.dirty_day)).all()) == 10
        assert c.scalar(sa.select(sa.func.count()).select_from(t.person)) == 1

    # later ingest is refused, with nothing kept aside; Bob is as he was
    with writing(store) as session, session.begin():
        again = ingest_posts(session, [*_posts(ANN, "annpost"), *_posts(BOB, "bobpost")], source="test", now=NOW)
        assert ingest_profiles(session, "test", [ANN], source="test", now=NOW) == []
        later = replace(a_post("at2", "@ann.handleさんと ramen"), author=replace(BOB, bio=None))
        assert ingest_posts(session, [later], source="test", now=NOW).new == 1  # mentions nobody from the first
    assert (again.new, again.rejected, len(again.refused), again.unchanged) == (0, [], 10, 10)
    assert "ann" not in _everything(store).replace("ramen", "").replace("@ann.handler", "")
    assert erase(store, tmp_path, ids["ann-native"], now=NOW).posts == 0


def test_who_is_erased_while_adopters_wait_is_none_of_them(
    store: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trend's adopters are collected in the counts' time, and written when all of them are."""
    ids = _ids(store)
    with store.begin() as c:
        persons = dict(c.execute(sa.select(t.author.c.native_id, t.author.c.person_id)).all())
        c.execute(sa.update(t.snapshot).values(q=0.001))
        c.execute(sa.update(t.post_signal).values(keys=(1).to_bytes(8, "little")))
        day = {"model_id": "m", "audience_market": "TW", "local_day": NOON.date(), "person_count": 2, "post_count": 2}
        done = {"is_sealed": False, "detected": True, "counted_at": NOW, "counts": counts().to_bytes()}
        c.execute(sa.insert(t.day_count), [day | done])
    found = list[int]()

    def late(*given: Any) -> Any:
        adopters = _adopters(*given)
        found.extend(who for rows in adopters.values() for who in rows)
        erase(store, tmp_path, ids["ann-native"], now=NOW)
        return adopters

    monkeypatch.setattr("radar.adoption._adopters", late)
    assert collect_adopters(store, "m", now=NOW) == 1
    assert sorted(found) == sorted(persons.values())
    with store.connect() as c:
        assert c.scalars(sa.select(t.trend_adoption.c.person_id)).all() == [persons["bob-native"]]
    assert "ann-native" not in _everything(store)


def test_an_erasure_that_was_killed_goes_on(store: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = _ids(store)
    monkeypatch.setattr("radar.store.rights._POSTS", 4)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("radar.store.rights.erase_author", killed)
        with pytest.raises(KeyboardInterrupt):
            erase(store, tmp_path, ids["ann-native"], now=NOW)
    erase(store, tmp_path, ids["ann-native"], now=NOW)
    assert "ann-native" not in _everything(store)


def test_an_erasure_looks_through_all_that_was_set_aside_and_answered(
    store: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radar.store.rights.STRETCH", 7)
    monkeypatch.setattr("radar.store.rights._POSTS", 4)
    with writing(store) as session, session.begin():
        runs.keep_rejected(session, [
            {"source": "sky", "seen_at": NOW, "native_id": f"y{n}", "reason": "text: empty",
             "payload": ["of ann-native", "of ann.handle", "at https://x.example/ann.handle", "of bob"][n % 4]}
            for n in range(40)
        ])  # fmt: skip
        answered = {"content": "", "pushed_at": NOW, "answer": {"items": ["annpost1"]}}
        session.execute(sa.insert(t.pushed_batch), [answered | {"idempotency_key": str(n)} for n in range(10)])
    erase(store, tmp_path, _ids(store)["ann-native"], now=NOW)
    with store.connect() as c:
        assert c.scalars(sa.select(t.rejected_post.c.payload)).all() == ["of bob"] * 10
        assert c.scalars(sa.select(t.pushed_batch.c.idempotency_key)).all() == []


def test_a_source_may_keep_its_texts_for_less_long(store: sa.Engine) -> None:
    with writing(store) as session, session.begin():
        other = replace(a_post("kept", "ramen kept"), author=BOB, published_at=NOON)
        ingest_posts(session, [other], source="push", now=NOW)
        session.execute(sa.update(t.post).values(classified_at=NOW))
        session.execute(sa.delete(t.dirty_day))
    settings = Settings(retention_sources="test=30 sky=7")
    prune(store, settings, now=NOW + timedelta(days=40))
    with reading(store) as session:
        kept = session.execute(sa.select(t.post.c.source, t.post.c.text).where(t.post.c.text.is_not(None))).all()
    assert kept == [("push", "ramen kept")]


@pytest.mark.parametrize("said", ["test", "test=", "test=6", "=30", "test=x"])
def test_a_retention_that_cannot_be_read_is_refused(said: str) -> None:
    with pytest.raises(ValidationError):
        Settings(retention_sources=said)


def test_a_hidden_author_is_shown_nowhere_and_comes_back(store: sa.Engine) -> None:
    ann = _ids(store)["ann-native"]
    with reading(store) as session:
        posts = list(session.scalars(sa.select(t.post.c.id).where(t.post.c.author_id == ann)))
        assert len(evidence(session, posts)) == 10
        assert ann in measures_of(session, [ann])
    hide(store, ann, now=NOW)
    put(store, replace(_posts(ANN, "annpost")[0], like_count=99), now=NOW)  # new counts make it due
    _measure(store)
    with reading(store) as session:
        assert evidence(session, posts) == []
        assert measures_of(session, [ann]) == {}
        assert session.scalar(sa.select(sa.func.count()).select_from(t.post)) == 22  # still counted
    hide(store, ann, now=NOW, hidden=False)
    _measure(store)
    with reading(store) as session:
        assert measures_of(session, [ann])[ann].post_count == 10


def test_what_was_corrected_stays_when_the_source_speaks_again(store: sa.Engine) -> None:
    ann = _ids(store)["ann-native"]
    correct(store, ann, {"name": "Ann", "bio": None, "audience_market": "JP"}, now=NOW)
    put(store, replace(_posts(ANN, "annpost")[0], author=replace(ANN, handle="new.handle")), now=NOW)
    with store.connect() as c:
        row = c.execute(sa.select(t.author).where(t.author.c.id == ann)).one()
        markets = set(c.scalars(sa.select(t.post.c.audience_market).where(t.post.c.author_id == ann)))
    assert (row.name, row.bio, row.handle, row.audience_market) == ("Ann", None, "new.handle", "JP")
    assert markets == {"JP"}


def test_other_tiers_hold_for_those_that_are_silent_too(store: sa.Engine) -> None:
    later = NOW + timedelta(days=90)
    measure_authors(store, "none", [], Tiers(), now=later)
    assert measure_authors(store, "none", [], Tiers(), now=later).authors == 0
    with reading(store) as session:
        (ann, _) = sorted(measures_page(session, market="TW"), key=lambda m: m.author_id)
    assert ann.tier == "micro"
    assert measure_authors(store, "none", [], Tiers(by_market={"TW": {"mid": 11_000}}), now=later).authors == 2
    with reading(store) as session:
        (ann, _) = sorted(measures_page(session, market="TW"), key=lambda m: m.author_id)
    assert ann.tier == "mid"
