"""How often a list says the same twice: told by the posts that lines rest on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from radar.bench.duplicates import measure, repeated
from radar.keys import Kind, key_number
from radar.store.engine import reading
from radar.store.posts import day_posts
from radar.support import PostsOfDay, WindowPosts
from tests.builders import NOON, a_post, fresh_store, put
from tests.trends.test_line_invariants import BEGINS, DAYS, OLD, detect, read_and_count, talk

SPAN = (NOON - timedelta(hours=1), NOON + timedelta(hours=1))


def test_a_line_that_rests_on_the_posts_of_another_is_a_duplicate(tmp_path: Path) -> None:
    engine = fresh_store(tmp_path / "radar.db")
    said = ["#one #two", "#one #two", "#one #three", "#three", "#three", "#one"]
    put(engine, *[a_post(f"{n}", f"{text} {n}", f"p{n}") for n, text in enumerate(said)])
    read_and_count(engine, OLD, NOON)
    with reading(engine) as session:
        posts = WindowPosts([PostsOfDay.of(day_posts(session, "old", "TW", NOON.date(), NOON.date()))])
    engine.dispose()
    lines = [(key_number(Kind.HASHTAG, name), 0, *SPAN) for name in ("one", "two", "three", "none")]
    assert repeated(posts, lines) == 1  # two lies in one; three shares one of its three posts
    assert repeated(posts, [*lines, lines[0]]) == 2
    assert repeated(posts, lines[2:]) == 0


def test_merging_leaves_fewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADAR_DATA_DIR", str(tmp_path))
    end = BEGINS + timedelta(days=DAYS)
    engine = fresh_store(tmp_path / "radar.db")
    assert measure(lambda what, done, of: None)["lists"] == 0
    put(engine, *talk(), now=end)
    for n in range(14):  # two names for one thing, in the same posts
        at = BEGINS + timedelta(days=40, hours=2, minutes=40 * n)
        put(engine, a_post(f"c{n}", f"{n} for the moonlantern #moonfest", f"p{n}", published_at=at), now=end)
    read_and_count(engine, OLD, end)
    detect(engine, OLD, datetime(2026, 4, 15, tzinfo=UTC))
    engine.dispose()
    found = measure(lambda what, done, of: None)
    assert found["lists"] > 0
    assert float(str(found["duplicates_after"])) < float(str(found["duplicates_before"]))
