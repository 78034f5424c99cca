"""radar db check: a sound store is found sound, each kind of fault is found and named, and nothing is written."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from radar.classify import classify_posts
from radar.cli import cli
from radar.config import Settings
from radar.count import count_mentions
from radar.errors import CallerError
from radar.integrity import check_store
from radar.registry import TopicScorer, model_folder
from radar.store.engine import open_store, writing
from radar.store.posts import mark_dirty
from radar.store.promotion import name_active
from radar.store.tables import day_count, episode, language_day, post, post_signal, snapshot, source_day, stage_change
from tests.builders import NOON, a_post, put
from tests.conftest import radar

DAY = timedelta(days=1)


def _fill(engine: sa.Engine, folder: Path, scorer: TopicScorer) -> None:
    """Three counted days of a market, and one trend with a change and a snapshot."""
    fitted = model_folder(Settings(data_dir=folder))
    texts = ("ramen in Osaka", "drugstore haul in Tokyo")
    posts = [
        a_post(f"{author}{day}", f"{texts[day % 2]} {author}", author, published_at=NOON + day * DAY)
        for author in ("ann", "bob", "cid")
        for day in range(3)
    ]
    put(engine, *posts, now=NOON + 2 * DAY)
    with writing(engine) as session, session.begin():
        name_active(session, fitted.name)
    classify_posts(engine, fitted, lambda: scorer, now=NOON)
    count_mentions(engine, fitted.name, scorer.topic_ids, now=NOON)
    with engine.begin() as connection:
        key_hash = connection.scalar(sa.text("SELECT min(hash) FROM key"))
        trend = {
            "id": 1, "model_id": fitted.name, "audience_market": "TW", "place": 0, "key_hash": key_hash, "bucket": "1d",
            "onset_at": NOON, "stage": "rising", "stage_since": NOON,
        }  # fmt: skip
        seen = {
            "episode_id": 1, "as_of": NOON, "audience_market": "TW", "bucket": "1d", "place": 0, "kind": 1,
            "stage": "rising", "is_on": True, "is_daily": True, "q": 0.01, "score": 1.0, "working": {},
        }  # fmt: skip
        connection.execute(sa.insert(episode).values(trend))
        connection.execute(sa.insert(stage_change).values(episode_id=1, changed_at=NOON, stage="rising"))
        connection.execute(sa.insert(snapshot).values(seen))


def _miscount(connection: sa.Connection) -> None:
    """Counts of another day under this one."""
    c = day_count.c
    first, second = connection.execute(sa.select(c.local_day, c.counts).order_by(c.local_day).limit(2)).all()
    connection.execute(sa.update(day_count).where(c.local_day == first.local_day).values(counts=second.counts))


def _orphan(connection: sa.Connection) -> None:
    """A reading of a post that is not there, as only something else than radar leaves one."""
    row = dict(connection.execute(sa.select(post_signal).limit(1)).one()._mapping) | {"post_id": 999}
    connection.rollback()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET session_replication_role = replica")
        connection.execute(sa.insert(post_signal).values(row))
        connection.commit()
        return
    with closing(sqlite3.connect(connection.engine.url.database or "")) as other:  # where keys are not looked after
        marks = ", ".join("?" * len(row))
        other.execute(f"INSERT INTO post_signal ({', '.join(row)}) VALUES ({marks})", list(row.values()))
        other.commit()


def _run(*statements: sa.Executable) -> Callable[[sa.Connection], None]:
    def run(connection: sa.Connection) -> None:
        for statement in statements:
            connection.execute(statement)
        connection.commit()

    return run


FAULTS: dict[str, tuple[str, str, Callable[[sa.Connection], None]]] = {
    "counts of another day": ("counts", "differ from a recount", _miscount),
    "a blob that is none": ("counts", "cannot be read", _run(sa.update(day_count).values(counts=b"x"))),
    "another number of persons": ("counts", "persons in its row", _run(sa.update(day_count).values(person_count=99))),
    "a post lost behind radar's back": ("counts", "posts (3 and 2)", _run(
        sa.delete(post_signal).where(post_signal.c.post_id == 1))),
    "a source with another number of posts": ("sources", "its sources differs", _run(
        sa.update(source_day).values(post_count=99))),
    "no languages": ("sources", "its languages differs", _run(sa.delete(language_day))),
    "no counts": ("uncounted", "nobody has counted", _run(sa.delete(day_count))),
    "pruned and not sealed": ("unsealed", "is not sealed", _run(
        sa.update(post).where(post.c.id == 1).values(text=None))),
    "another day": ("posts", "was published on", _run(
        sa.update(post).where(post.c.id == 1).values(published_at=NOON - 9 * DAY))),
    "another market": ("posts", "its author under TW", _run(
        sa.update(post).where(post.c.id == 1).values(audience_market="HK"))),
    "an orphan": ("orphans", "post_signal 999", _orphan),
    "another stage": ("episodes", "its last change says rising", _run(sa.update(episode).values(stage="fading"))),
    "no stage": ("episodes", "has no stage", _run(sa.delete(stage_change))),
    "a stray snapshot": ("episodes", "1 snapshots are not of it", _run(sa.update(snapshot).values(bucket="1h"))),
    "a model without counts": ("promotion", "has counted nothing", _run(
        sa.text("UPDATE meta SET value = 'other' WHERE name = 'active_model'"))),
}  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, fitted_dir: Path, scorer: TopicScorer) -> Path:
    """The file of a sound store."""
    file = tmp_path_factory.mktemp("sound") / "radar.db"
    engine = open_store(f"sqlite:///{file}")
    _fill(engine, fitted_dir, scorer)
    engine.dispose()
    return file


@pytest.fixture
def filled(url: str, sound: Path, fitted_dir: Path, scorer: TopicScorer) -> Iterator[sa.Engine]:
    """A sound store of one's own."""
    is_file = url.startswith("sqlite")
    if is_file:
        shutil.copy(sound, url.removeprefix("sqlite:///"))
    engine = open_store(url, migrate=not is_file)
    if not is_file:
        _fill(engine, fitted_dir, scorer)
    yield engine
    engine.dispose()


def test_a_sound_store_is_found_sound_and_nothing_is_written(filled: sa.Engine) -> None:
    said: list[str] = []
    sa.event.listen(filled, "before_cursor_execute", lambda *given: said.append(given[2].split()[0].upper()))
    for days in (30, None):
        report = check_store(filled, days=days)
        assert report.is_well, report.found
        assert (report.looked["days"], report.looked["posts"], report.looked["trends"]) == (3, 9, 1)
    assert set(said) <= {"SELECT", "BEGIN", "PRAGMA"}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_fault_is_found_and_named(filled: sa.Engine, fault: str) -> None:
    kind, named, make = FAULTS[fault]
    with filled.connect() as connection:
        make(connection)
        connection.commit()
    report = check_store(filled)
    assert any(named in said for said in report.found[kind]), report.found


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_faults_are_found_beside_each_other(filled: sa.Engine) -> None:
    made = ("counts of another day", "pruned and not sealed", "an orphan", "a stray snapshot")
    with filled.connect() as connection:
        for fault in made:
            FAULTS[fault][2](connection)
            connection.commit()
    filled.dispose()  # what was switched off for one connection stays with it
    report = check_store(filled)
    for fault in made:
        kind, named, _ = FAULTS[fault]
        assert any(named in said for said in report.found[kind]), report.found


def test_a_day_that_waits_for_its_recount_is_no_fault(filled: sa.Engine) -> None:
    with filled.connect() as connection:
        _miscount(connection)
        connection.commit()
    with writing(filled) as session, session.begin():
        mark_dirty(session, [("TW", NOON.date())])
    report = check_store(filled)
    assert (report.is_well, report.passed["waiting"]) == (True, 1)


def test_few_findings_are_listed_and_all_are_counted(filled: sa.Engine) -> None:
    put(filled, *[a_post(f"more{n}") for n in range(40)])
    with filled.begin() as connection:
        connection.execute(sa.update(post).values(published_at=NOON - 30 * DAY))
    report = check_store(filled)
    assert (report.counts["posts"], len(report.found["posts"])) == (49, 20)


def test_the_command_names_a_fault_and_recount_mends_it(tmp_path: Path, sound: Path, scorer: TopicScorer) -> None:
    shutil.copy(sound, tmp_path / "radar.db")
    engine = open_store(f"sqlite:///{tmp_path / 'radar.db'}", migrate=False)
    with engine.begin() as connection:
        _miscount(connection)
    done = radar("db", "check", data_dir=tmp_path)
    assert done.returncode == 1
    assert "TW 2026-05-04" in done.stdout
    assert "radar db recount" in done.stdout
    asked = CliRunner().invoke(cli, ["--data-dir", str(tmp_path), "db", "recount", "TW", "2026-05-04"])
    assert asked.exit_code == 0, asked.output
    count_mentions(engine, scorer.model_id, scorer.topic_ids, now=NOON)
    assert check_store(engine, days=None).is_well
    engine.dispose()


def test_there_is_no_store_to_check_and_none_is_made(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["--data-dir", str(tmp_path), "db", "check"])
    assert isinstance(done.exception, CallerError)
    assert "There is no store" in str(done.exception)
    assert list(tmp_path.iterdir()) == []
