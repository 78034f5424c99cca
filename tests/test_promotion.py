"""Promotion: another model becomes active at once, and that alone makes no trend."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import radar.promotion
from radar.answers import list_trends
from radar.classify import classify_posts
from radar.config import Settings
from radar.count import count_mentions
from radar.errors import RadarError
from radar.keys import Kind, key_number
from radar.promotion import abandon, promote, rescore, settle, swap
from radar.registry import model_id as shipped
from radar.scheduling import Context, run_job
from radar.store import promotion as store
from radar.store.engine import reading, writing
from radar.store.tables import aside_signal, day_count, episode, post_signal, post_topic
from tests.builders import NOON, a_post, put
from tests.trends.test_line_invariants import (
    BEGINS,
    DAYS,
    NEW,
    OLD,
    WordScorer,
    craze,
    detect,
    found,
    read_and_count,
    talk,
)

END = BEGINS + timedelta(days=DAYS)
DRINKS = key_number(Kind.TOPIC, "test.drinks")


def _promote(engine: sa.Engine, scorer: WordScorer, later: timedelta = timedelta(0), **more: Any) -> str | None:
    return promote(
        engine, Path(scorer.model_id), lambda: scorer, scorer.topic_ids, now=END + later, closed_at=END + later, **more
    )


def _kept(engine: sa.Engine) -> dict[str, list[tuple[Any, ...]]]:
    """What a promoted store holds, in an order of its own."""
    with engine.connect() as c:
        return {
            table.name: sorted(map(tuple, c.execute(sa.select(*[table.c[n] for n in names]))), key=repr)
            for table, names in (
                (post_signal, ("post_id", "model_id", "keys")),
                (post_topic, ("post_id", "topic_id", "model_id")),
                (day_count, ("model_id", "local_day", "counts")),
                (episode, ("id", "model_id", "key_hash", "onset_at", "stage")),
                (aside_signal, ("post_id", "model_id")),
            )
        }


def _listed(engine: sa.Engine) -> tuple[str, list[str]]:
    with reading(engine) as session:
        answer = list_trends(session, market="TW", scope="all", window="30d")
    return answer["model_id"], [item["name"] for item in answer["items"]]


@pytest.fixture
def engine_of_old(engine: sa.Engine) -> sa.Engine:
    put(engine, *talk(), *craze(), now=END)
    read_and_count(engine, OLD, END)
    detect(engine, OLD, END)
    return engine


def test_a_model_that_sees_more_is_promoted_without_a_trend(engine_of_old: sa.Engine) -> None:
    """It gives the topic to three times the posts: that is its level on every day it has read, before and after."""
    engine = engine_of_old
    model, before = _listed(engine)
    assert (model, before) == ("old", ["moonlantern"])
    assert _promote(engine, NEW) == "old"
    assert _listed(engine) == ("new", before)
    later = [p for p in talk(days=DAYS + 6, seed=4) if p.published_at >= END]
    later = [a_post(f"l{n}", p.text, p.author.native_id, published_at=p.published_at) for n, p in enumerate(later)]
    put(engine, *later, now=END + timedelta(days=6))
    read_and_count(engine, NEW, END + timedelta(days=6))
    detect(engine, NEW, END + timedelta(days=6))
    assert not any(row[0] == DRINKS for row in found(engine, "new"))
    with engine.connect() as c:
        assert set(c.scalars(sa.select(post_signal.c.model_id))) == {"new"}
        assert set(c.scalars(sa.select(post_topic.c.model_id))) == {"new"}


def test_nothing_of_the_active_model_changes_until_the_swap(engine_of_old: sa.Engine) -> None:
    before = _kept(engine_of_old)
    assert rescore(engine_of_old, "new", lambda: NEW) > 0
    radar.promotion.recount(engine_of_old, "new", NEW.topic_ids, now=END)
    detect(engine_of_old, NEW, END)
    after = _kept(engine_of_old)
    assert [row for row in after["day_count"] if row[0] == "old"] == before["day_count"]
    assert [row for row in after["episode"] if row[1] == "old"] == before["episode"]
    assert (after["post_signal"], after["post_topic"]) == (before["post_signal"], before["post_topic"])
    assert _listed(engine_of_old)[0] == "old"
    abandon(engine_of_old, "new")
    assert _kept(engine_of_old) == before


@pytest.mark.parametrize("step", ["write_aside", "activate", "settle"])
def test_a_promotion_that_was_killed_goes_on(
    engine_of_old: sa.Engine, step: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(radar.promotion, "BATCH", 300)
    real: Callable[..., Any] = getattr(store, step)
    calls = []

    def dies(*arguments: Any) -> Any:
        calls.append(step)
        if len(calls) == (1 if step == "activate" else 3):
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(store, step, dies)
    with pytest.raises(KeyboardInterrupt):
        _promote(engine_of_old, NEW)
    assert _listed(engine_of_old)[0] == ("new" if step == "settle" else "old")
    names = _listed(engine_of_old)[1]
    monkeypatch.setattr(store, step, real)
    _promote(engine_of_old, NEW)
    kept = _kept(engine_of_old)
    assert _listed(engine_of_old) == ("new", names)
    assert kept["aside_signal"] == []
    assert {row[1] for row in kept["post_signal"]} == {"new"}
    assert _promote(engine_of_old, NEW) is None
    assert _kept(engine_of_old) == kept


def test_posts_that_came_meanwhile_are_read_before_the_swap(engine_of_old: sa.Engine) -> None:
    engine, later = engine_of_old, END + timedelta(hours=1)
    rescore(engine, "new", lambda: NEW)
    put(engine, a_post("late", "a late tea", published_at=END - timedelta(days=3)), now=later)
    read_and_count(engine, OLD, later)
    assert not swap(engine, "new")
    assert _promote(engine, NEW, timedelta(hours=1)) == "old"
    with engine.connect() as c:
        assert set(c.scalars(sa.select(post_signal.c.model_id))) == {"new"}


def test_a_job_of_the_model_before_writes_nothing_any_more(engine_of_old: sa.Engine) -> None:
    engine, later = engine_of_old, END + timedelta(hours=1)
    _promote(engine, NEW)
    put(engine, a_post("late", "a late tea", published_at=END - timedelta(days=3)), now=later)
    assert classify_posts(engine, Path("old"), lambda: OLD, now=later) == 0
    assert count_mentions(engine, "old", OLD.topic_ids, now=later) == (0, 0)
    assert classify_posts(engine, Path("new"), lambda: NEW, now=later) == 1
    assert count_mentions(engine, "new", NEW.topic_ids, now=later) == (1, 0)


def test_a_day_that_two_models_read_waits_for_the_one(engine: sa.Engine) -> None:
    put(engine, a_post("1", "tea"), now=NOON)
    read_and_count(engine, OLD, NOON)
    put(engine, a_post("2", "coffee", "bob"), now=NOON)
    read_and_count(engine, NEW, NOON)
    with engine.connect() as c:
        assert set(c.scalars(sa.select(day_count.c.model_id))) == {"old"}
    read_and_count(engine, NEW, NOON)
    with engine.connect() as c:
        assert set(c.scalars(sa.select(day_count.c.model_id))) == {"old", "new"}
        assert set(c.scalars(sa.select(post_signal.c.model_id))) == {"new"}


def test_the_active_model_cannot_be_abandoned(engine_of_old: sa.Engine) -> None:
    _promote(engine_of_old, NEW)
    with pytest.raises(RadarError, match="active"):
        abandon(engine_of_old, "new")
    assert settle(engine_of_old) == 0


def test_jobs_go_on_with_the_active_model(engine: sa.Engine, tmp_path: Path) -> None:
    """After an upgrade that ships another model; and say so where its folder is missing."""
    settings = Settings(data_dir=tmp_path)
    with writing(engine) as session, session.begin():
        store.activate(session, "topics-before")
    context = Context(engine, settings, NOON)
    assert context.model_id == "topics-before"
    with pytest.raises(RadarError, match=f"topics-before.*{shipped()}"):
        run_job("classify_posts", context)
