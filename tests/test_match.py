"""Matching on a real store: profiles follow measures, pages hold everybody once, whom filters leave out is said."""

import importlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.answers.partners import Asked, partners, similar_authors
from radar.config import Settings
from radar.errors import CallerError, UnknownName
from radar.kol import Tiers
from radar.measure import measure_authors
from radar.partners.brief import Brief
from radar.partners.parts import PARTS
from radar.partners.price import shipped_prices
from radar.profiles import _made, make_profiles
from radar.sources.base import RawAuthor, RawPost
from radar.store import measures, rights
from radar.store import partners as store
from radar.store import tables as t
from radar.store.engine import reading, writing
from tests.api.small_store import NOW, KeywordScorer, SmallStore

DRUGS = Brief(topics=("shop.drugstore",), from_market="JP", to_market="TW")


def posts_of(name: str, text: str, n: int = 14, market: str = "TW", **more: object) -> list[RawPost]:
    author = RawAuthor(name, market, handle=name, follower_count=more.pop("followers", 20_000))  # type: ignore[arg-type]
    return [
        RawPost("instagram", f"{name}-{i}", author, f"{text} {i}", NOW - timedelta(days=5 + i), like_count=900 + 7 * i,
                comment_count=40, share_count=3, **more)  # type: ignore[arg-type]
        for i in range(n)
    ]  # fmt: skip


@pytest.fixture
def filled(engine: sa.Engine) -> SmallStore:
    small = SmallStore(engine)
    small.ingest(
        posts_of("mei", "日本藥妝必買") + posts_of("lin", "韓國藥妝") + posts_of("ann", "機票 日本")
        + posts_of("paid", "日本藥妝 #業配", sponsored=True) + posts_of("hoshi", "日本 藥妝", market="JP")
        + posts_of("mega", "日本藥妝好買", followers=3_000_000)
    )  # fmt: skip
    small.work()
    measure(small)
    assert make_profiles(engine, now=NOW) == 6
    return small


def measure(small: SmallStore) -> None:
    scorer = KeywordScorer()
    measure_authors(small.engine, scorer.model_id, scorer.topic_ids, Tiers(), now=small.now)


def ask(small: SmallStore, brief: Brief = DRUGS, **more: object) -> dict:  # type: ignore[type-arg]
    with reading(small.engine) as session:
        return partners(session, Asked(brief, **more), now=NOW, scorer=KeywordScorer, settings=Settings())  # type: ignore[arg-type]


def handles(answer: dict) -> list[str]:  # type: ignore[type-arg]
    return [item["author"]["handle"] for item in answer["items"]]


def test_who_speaks_of_topic_and_place_comes_first_with_the_posts_that_prove_it(filled: SmallStore) -> None:
    answer = ask(filled, diversity=0.0)
    assert handles(answer)[0] in ("mei", "mega")
    assert set(handles(answer)) == {"mei", "lin", "ann", "paid", "mega"}  # never who speaks to Japan
    assert handles(answer).index("mei") < handles(answer).index("paid") < handles(answer).index("ann")
    first = answer["items"][0]
    topic = first["parts"][0]
    assert topic["numbers"]["on_topic"] == 14
    assert topic["post_ids"] == [post["id"] for post in first["posts"]]
    assert all("藥妝" in post["text"] for post in first["posts"])
    assert first["price"]["currency"] == "TWD"
    paid = next(item for item in answer["items"] if item["author"]["handle"] == "paid")
    assert any("100 %" in said for said in paid["mind"])


def test_pages_hold_everybody_once(filled: SmallStore) -> None:
    with reading(filled.engine) as session:
        pages = list(store.measured(session, "TW", page=2))
    ids = [row.author_id for page in pages for row in page]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len(set(ids)) == 5


FILTERS = [
    ({"tiers": ("mega",)}, {"mega"}, ""),
    ({"budget": 30_000.0}, {"mei", "lin", "ann", "paid"}, "budget"),
    ({"exclude_topics": ("travel.air",)}, {"mei", "lin", "paid", "mega"}, "exclude_topics"),
    ({"tiers": ("mega",), "budget": 1.0}, set(), "budget: leaves out 1"),
    ({"tiers": ("nano",)}, set(), "tiers nano: 0 by itself"),
]


def test_whom_filters_leave_out_is_said(filled: SmallStore) -> None:
    for more, left, said in FILTERS:
        answer = ask(filled, Brief(topics=("shop.drugstore",), to_market="TW", **more))  # type: ignore[arg-type]
        assert set(handles(answer)) == left
        if not left:
            assert said in answer["message"]
        elif said:
            assert answer["left_out"] == {said: 5 - len(left)}


def test_an_operators_weights_and_prices_are_used_and_a_missing_file_is_named(
    filled: SmallStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, prices = tmp_path / "weights.toml", tmp_path / "prices.yaml"
    weights.write_text("[weights]\n" + "\n".join(f"{name} = 0" for name in PARTS if name != "reach"))
    prices.write_text(shipped_prices().replace("heuristic: true", "heuristic: false").replace("TWD", "NTD"))
    monkeypatch.setenv("RADAR_PARTNER_WEIGHTS", str(weights))
    monkeypatch.setenv("RADAR_PARTNER_PRICES", str(prices))
    answer = ask(filled)
    assert handles(answer)[0] == "mega"
    assert (answer["items"][0]["price"]["currency"], answer["items"][0]["price"]["heuristic"]) == ("NTD", False)
    assert handles(ask(filled, weights={"reach": 0, "place": 1}, diversity=0.0))[-1] == "lin"  # of Korea
    monkeypatch.setenv("RADAR_PARTNER_PRICES", str(tmp_path / "none.yaml"))
    with pytest.raises(CallerError, match=r"none\.yaml"):
        ask(filled)


def test_of_very_many_only_those_are_compared_who_post_about_it(
    filled: SmallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radar.match.MANY", 2)
    answer = ask(filled)
    assert set(handles(answer)) <= {"mei", "paid", "mega"}  # of topic and place both
    assert answer["looked_at"] == 2
    assert "compared were the most engaging of those" in answer["message"]
    monkeypatch.setattr("radar.match.MANY", 4)
    assert set(handles(ask(filled))) == {"mei", "lin", "paid", "mega"}  # then of the topic alone


def test_a_hidden_or_erased_kol_is_in_no_answer(filled: SmallStore) -> None:
    mei = next(item for item in ask(filled)["items"] if item["author"]["handle"] == "mei")
    number = int(mei["author"]["id"])
    with writing(filled.engine) as session, session.begin():
        session.execute(sa.update(t.author).where(t.author.c.id == number).values(hidden_at=NOW))
    assert "mei" not in handles(ask(filled))
    with reading(filled.engine) as session, pytest.raises(UnknownName):
        similar_authors(session, str(number))
    with writing(filled.engine) as session, session.begin():
        measures.forget_measures(session, [number])
    with reading(filled.engine) as session:
        left = session.scalars(sa.select(t.author_profile.c.author_id)).all()
    assert number not in left
    assert len(left) == 5


def test_profiles_are_made_for_those_measured_anew_and_no_others(filled: SmallStore) -> None:
    assert make_profiles(filled.engine, now=NOW) == 0
    filled.now = NOW + timedelta(hours=2)
    filled.ingest(posts_of("lin", "日本藥妝 新", n=3))
    filled.work()
    measure(filled)
    assert make_profiles(filled.engine, now=filled.now) == 1


def test_who_is_hidden_while_a_profile_waits_has_none(filled: SmallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with filled.engine.begin() as connection:
        connection.execute(sa.delete(t.author_profile))
        ids = sa.select(t.author.c.handle, t.author.c.id)
        mei = dict(connection.execute(ids).all())["mei"]

    def late(*given: Any) -> Iterator[Any]:
        for rows in _made(*given):
            with writing(filled.engine) as session, session.begin():
                rights.hide(session, mei, NOW)
            yield rows

    monkeypatch.setattr("radar.profiles._made", late)
    make_profiles(filled.engine, now=NOW)
    with reading(filled.engine) as session:
        left = session.scalars(sa.select(t.author_profile.c.author_id)).all()
    assert len(left) == 5
    assert mei not in left
    assert "mei" not in handles(ask(filled))


LOST_AT = (
    "author_facts.accounts", "measures.write_measures", "measures.due_authors", "partners.latest_posts",
    "partners.write_profiles", "partners.due_profiles",
)  # fmt: skip
"""Statements in which the connection is lost: of measuring, and of making profiles."""


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.parametrize("at", LOST_AT)
def test_a_lost_connection_is_outlasted(filled: SmallStore, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    module, name = at.split(".")
    real, cut = getattr(importlib.import_module(f"radar.store.{module}"), name), list[str]()

    def fails(session: Session, *given: Any) -> Any:
        if not cut:
            cut.append(at)
            session.execute(sa.select(sa.func.pg_terminate_backend(sa.func.pg_backend_pid())))
        return real(session, *given)

    with filled.engine.begin() as connection:
        before = connection.execute(sa.select(t.author_profile.c.facts).order_by(t.author_profile.c.author_id)).all()
        connection.execute(sa.delete(t.author_profile))
        connection.execute(sa.update(t.author_due).values(due_at=NOW))
    monkeypatch.setattr(f"radar.store.{at}", fails)
    measure(filled)
    make_profiles(filled.engine, now=NOW)
    assert cut == [at]
    with filled.engine.connect() as connection:
        after = connection.execute(sa.select(t.author_profile.c.facts).order_by(t.author_profile.c.author_id)).all()
        waiting = connection.scalar(sa.select(sa.func.count()).where(t.author_due.c.due_at <= NOW))
    assert (after, waiting) == (before, 0)


def test_processes_make_the_profiles_that_one_alone_does(filled: SmallStore, monkeypatch: pytest.MonkeyPatch) -> None:
    c = t.author_profile.c
    made = sa.select(c.author_id, c.facts, c.vector, c.measured_at).order_by(c.author_id)
    with filled.engine.begin() as connection:
        alone = connection.execute(made).all()
        connection.execute(sa.delete(t.author_profile))
    for name, value in (("MANY", 2), ("BATCH", 2), ("workers", lambda: 2)):
        monkeypatch.setattr(f"radar.profiles.{name}", value)
    assert make_profiles(filled.engine, now=NOW) == len(alone) == 6
    with filled.engine.connect() as connection:
        assert connection.execute(made).all() == alone


def test_similar_kols_share_topics_and_commenters_are_not_known(filled: SmallStore) -> None:
    mei = next(item["author"]["id"] for item in ask(filled)["items"] if item["author"]["handle"] == "mei")
    with reading(filled.engine) as session:
        answer = similar_authors(session, mei)
        with pytest.raises(UnknownName) as raised:
            similar_authors(session, "hoshino")
    assert handles(answer)[0] == "paid"
    assert handles(answer)[-1] == "ann"
    assert {item["commenter_overlap"] for item in answer["items"]} == {None}
    assert "not known" in answer["commenters"]
    assert any("hoshi" in near for near in raised.value.near)
