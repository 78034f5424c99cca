"""A file's posts are read before they are stored: the store is as it would be had they been classified afterwards."""

import json
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from radar import importing, tracked
from radar.config import Settings
from radar.importing import Imported, Mapping, import_file
from radar.read_ahead import Ahead
from radar.scheduling import Context, run_job
from radar.sources.base import RawAuthor, RawPost
from radar.store.engine import open_store
from radar.store.tables import author, engagement_observation, post, post_signal, post_topic
from radar.text.tracked import tracked_number
from tests.builders import NOON, put
from tests.facts import facts_of

TEXTS = [
    "ramen in Osaka #foodie", "東京 溫泉 泡湯 #日本旅遊", "明洞 面膜 三組 #韓國美妝", "nothing much today",
    "沖縄 そば 旅行",
]  # fmt: skip
POSTS, BATCH = 1_200, 100


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", BATCH)
    monkeypatch.setattr(importing, "_LATE", 2)
    monkeypatch.setattr("radar.read_ahead.PIECE", 40)
    monkeypatch.setattr("radar.read_ahead.workers", lambda: 2)


@pytest.fixture
def settings(fitted_dir: Path, tmp_path: Path) -> Settings:
    return Settings(data_dir=fitted_dir, database_url=f"sqlite:///{tmp_path / 'radar.db'}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Posts, some of them twice, and rows that cannot be taken: bad ones, and ones that only the store refuses."""
    lines = []
    for n in range(POSTS):
        row = {
            "platform": "test", "native_id": f"p{n if n % 50 else n // 2}", "text": f"{TEXTS[n % 5]} {n % 7}",
            "author": f"a{n % 40}", "market": "TW" if n % 40 < 30 else "JP", "like_count": n,
            "published_at": (NOON - timedelta(hours=3 * (n % 200) + 1)).isoformat(),
        }  # fmt: skip
        if n % 90 == 0:
            row["published_at"] = "one day"
        if n % 130 == 0:
            row["like_count"] = -1
        if n % 3 == 0:
            row["language"] = "ja"
        if n % 17 == 0:
            row["sponsored"] = True
        lines.append("no JSON" if n % 170 == 0 else json.dumps(row, ensure_ascii=False))
    path = tmp_path / "posts.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _imported(
    settings: Settings, file: Path, *, ahead: Ahead | None = None, progress: Callable[[int], None] = lambda rows: None
) -> Imported:
    engine = open_store(settings.database_url)
    rejects = Path(settings.database_url.removeprefix("sqlite:///")).with_suffix(".rejects")
    done = import_file(
        engine, str(file), Mapping(), format_name=None, rejects_folder=file.parent, rejects_path=rejects, now=NOON,
        progress=progress, ahead=ahead,
    )  # fmt: skip
    engine.dispose()
    return done


def _context(settings: Settings) -> Context:
    return Context(open_store(settings.database_url), settings, NOON)


def _ahead(context: Context) -> Ahead:
    return Ahead(context.engine, context.fitting, lambda: context.model_folder)


@pytest.fixture
def calm(settings: Settings, tmp_path: Path) -> Settings:
    """Another store, whose posts are classified afterwards."""
    return settings.model_copy(update={"database_url": f"sqlite:///{tmp_path / 'calm.db'}"})


def test_a_file_is_stored_as_read_and_as_if_read_afterwards(settings: Settings, calm: Settings, file: Path) -> None:
    context = _context(settings)
    for one in (settings, calm):  # authors known by another market and another language than the file says or implies
        who = [RawAuthor(f"a{n}", "KR", languages="ko ja") for n in range(3)]
        known = [RawPost("test", f"k{author.native_id}", author, "hello", NOON) for author in who]
        engine = open_store(one.database_url)
        put(engine, *known)
        engine.dispose()
    ahead = _ahead(context)
    done = _imported(settings, file, ahead=ahead)
    expected = _imported(calm, file)
    assert done.posts == expected.posts
    assert (done.rows, done.rejected) == (expected.rows, expected.rejected)
    assert done.rejected > 20
    assert done.rejects_path
    assert expected.rejects_path
    assert done.rejects_path.read_bytes() == expected.rejects_path.read_bytes()
    assert ahead.posts > 0.8 * POSTS
    left = run_job("classify_posts", context).rows_in
    assert 3 < left < 0.2 * POSTS  # those of the authors that are known otherwise
    run_job("classify_posts", _context(calm))
    assert facts_of(settings.database_url) == facts_of(calm.database_url)
    again = _ahead(context)
    once_more = _imported(settings, file, ahead=again)
    assert (once_more.posts.new, again.posts) == (0, 0)
    assert facts_of(settings.database_url) == facts_of(calm.database_url)
    context.engine.dispose()


def test_what_was_read_by_other_tracked_keys_is_not_kept(settings: Settings, file: Path) -> None:
    context = _context(settings)
    at: list[int] = []

    def tracks(rows: int) -> None:
        if not at:
            tracked.add(context.engine, name="ramen", kind="product", group=None, forms=[], who="ann", now=NOON)
            with context.engine.connect() as connection:
                at.append(connection.execute(sa.select(sa.func.max(post.c.id))).scalar_one())

    ahead = _ahead(context)
    _imported(settings, file, ahead=ahead, progress=tracks)
    mine = sa.select(post.c.text, post.c.classified_at, post_signal.c["keys"].label("said"))
    mine = mine.outerjoin(post_signal, post_signal.c.post_id == post.c.id).where(post.c.id > at[0])
    with context.engine.connect() as connection:
        rows = connection.execute(mine).all()
    key = tracked_number("ramen").to_bytes(8, "little", signed=True)
    read = [row for row in rows if row.classified_at is not None]
    assert 0 < len(read) < len(rows)
    assert {"ramen" in row.text for row in read} == {True, False}
    assert all((key in row.said) == ("ramen" in row.text) for row in read)
    context.engine.dispose()


def test_a_file_comes_in_whole_where_who_reads_is_killed(settings: Settings, calm: Settings, file: Path) -> None:
    context = _context(settings)
    ahead = _ahead(context)

    killed: list[int] = []

    def kills(rows: int) -> None:
        if rows > POSTS / 3 and ahead.posts and not killed:
            killed.append(ahead.readers[0])
            os.kill(killed[0], signal.SIGKILL)

    done = _imported(settings, file, ahead=ahead, progress=kills)
    assert done.posts == _imported(calm, file).posts
    assert killed
    assert 0 < ahead.posts < done.posts.new
    run_job("classify_posts", context)
    run_job("classify_posts", _context(calm))
    assert facts_of(settings.database_url) == facts_of(calm.database_url)
    context.engine.dispose()


def test_what_became_of_posts_before_they_are_read_is_left_as_it_is(settings: Settings, file: Path) -> None:
    """Stored while readers begin, then edited and classified, deleted, or erased by others."""
    context, ends = _context(settings), []

    def others(rows: int) -> None:
        if ends:
            return
        late = open_store(settings.database_url)
        with late.connect() as connection:
            names = dict(connection.execute(sa.select(post.c.native_id, author.c.native_id).join(author)).all()[:3])
        (edited, by), (deleted, its), (erased, _) = names.items()
        put(late, RawPost("test", edited, RawAuthor(by, "TW"), "something else in Kyoto", NOON - timedelta(hours=2)))
        run_job("classify_posts", Context(late, settings, NOON))
        gone = RawPost("test", deleted, RawAuthor(its, "TW"), "", NOON - timedelta(hours=2), deleted=True)
        put(late, gone)
        with late.begin() as connection:
            which = sa.select(post.c.id).where(post.c.native_id == erased).scalar_subquery()
            for table in (post_topic, post_signal, engagement_observation):
                connection.execute(sa.delete(table).where(table.c.post_id == which))
            connection.execute(sa.delete(post).where(post.c.native_id == erased))
        with late.connect() as connection:
            ends.append((edited, deleted, erased, _signals(connection, edited)))
        late.dispose()

    ahead = _ahead(context)
    done = _imported(settings, file, ahead=ahead, progress=others)
    ((edited, deleted, erased, signals),) = ends
    assert done.posts.new > 0.8 * POSTS
    with context.engine.connect() as connection:
        assert _signals(connection, edited) == signals
        assert len(signals) == 1
        assert _signals(connection, deleted) == _signals(connection, erased) == []
    context.engine.dispose()


def _signals(connection: sa.Connection, native_id: str) -> list[object]:
    of = sa.select(post_signal.c.text_hash).join(post, post.c.id == post_signal.c.post_id)
    return list(connection.scalars(of.where(post.c.native_id == native_id)))


def test_rows_without_end_that_cannot_be_taken_end_no_import(
    settings: Settings, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_WEIGHT", 10_000)
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([*lines[:120], *["x" * 900] * 30, *lines[120:]]), encoding="utf-8")
    context = _context(settings)
    done = _imported(settings, file, ahead=_ahead(context))
    assert (done.rows, done.rejected > 50) == (POSTS + 30, True)
    assert done.posts.new > 0.8 * POSTS
    context.engine.dispose()
