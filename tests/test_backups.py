"""Backups: taken while others write, whole or not at all, and back again on the same footing."""

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from radar.backups import back_up, restore
from radar.config import Settings
from radar.errors import CallerError, RadarError, StoreError, UnreadableInput
from radar.integrity import check_store
from radar.store import runs
from radar.store.engine import open_store, writing
from radar.store.migrate import HEAD, current, migrate
from radar.store.tables import alert_rule, author_list, metadata, post
from tests.builders import NOON, a_post, put
from tests.conftest import radar

Rows = dict[str, list[Any]]


@pytest.fixture
def settings(url: str, tmp_path: Path) -> Settings:
    """A data folder with a model and labels, beside an empty database."""
    for name in ("models/topics/topics-1/manifest.json", "models/topics/topics-1/scorer.npz", "labels/1.jsonl"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_text(name)
    return Settings(data_dir=tmp_path / "data", database_url=url)


@pytest.fixture
def store(settings: Settings) -> Iterator[sa.Engine]:
    engine = open_store(settings.url)
    put(engine, *[a_post(f"日本{n}", f"ラーメン\t{n}\\n\n", f"author{n % 7}", like_count=n or None) for n in range(50)])
    with engine.begin() as connection:
        connection.execute(sa.insert(author_list).values(name="tab\tand 'quote'", created_at=NOON))
        connection.execute(
            sa.insert(alert_rule).values(
                name="a rule", filters={"market": "TW"}, language="en", is_active=True, revision=1, begins_at=NOON,
                read_upto=NOON, created_at=NOON,
            )
        )  # fmt: skip
    yield engine
    engine.dispose()


def _rows(engine: sa.Engine) -> Rows:
    with engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key))]
            for table in metadata.sorted_tables
        }


def _rewrite(file: Path, change: Callable[[dict[str, bytes]], None], *, honest: bool = True) -> None:
    """Change members of a backup; an honest one has the digests of what it holds."""
    with zipfile.ZipFile(file) as packed:
        members = {name: packed.read(name) for name in packed.namelist()}
    change(members)
    manifest = json.loads(members.pop("manifest.json"))
    if honest:
        manifest["sha256"] = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
    with zipfile.ZipFile(file, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)
        packed.writestr("manifest.json", json.dumps(manifest))


def test_what_was_backed_up_comes_back_and_goes_on(store: sa.Engine, settings: Settings, tmp_path: Path) -> None:
    file, before = tmp_path / "radar.zip", _rows(store)
    made = back_up(store, settings, file, now=NOON)
    assert (made.schema, made.files, made.database) == (HEAD, 3, store.dialect.name)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    put(store, a_post("later"))
    with store.begin() as connection:
        connection.execute(sa.delete(alert_rule))
    (settings.labels_dir / "1.jsonl").write_text("another")
    store.dispose()
    restore(settings, file, now=NOON, replace=True)
    assert _rows(store) == before
    assert (settings.labels_dir / "1.jsonl").read_text() == "labels/1.jsonl"
    assert put(store, a_post("later", author="new")).new == 1  # ids go on behind those that were restored
    assert check_store(store).is_well
    assert not list(tmp_path.rglob("*.part*"))


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_a_killed_backup_left_is_cleared_away_later(store: sa.Engine, settings: Settings, tmp_path: Path) -> None:
    old, new = tmp_path / ".radar.zip.abc.part", tmp_path / ".radar.zip.def.part"
    for file in (old, new):
        file.touch()
    os.utime(old, (0, 0))
    back_up(store, settings, tmp_path / "radar.zip", now=NOON)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_backup_is_of_one_moment_while_others_write(store: sa.Engine, settings: Settings, tmp_path: Path) -> None:
    ended = threading.Event()
    written: list[int] = []

    def write() -> None:
        """Two posts a transaction: a copy of one moment never holds one of them alone."""
        while not ended.is_set():
            n = len(written)
            put(store, a_post(f"a{n}", author=f"a{n}"), a_post(f"b{n}", author=f"b{n}"))
            written.append(n)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(written) < 3:
            ended.wait(0.01)
        before = len(written)
        back_up(store, settings, tmp_path / "radar.zip", now=NOON)
        until = len(written)
        while len(written) < until + 2:  # it was not stopped by the backup
            ended.wait(0.01)
    finally:
        ended.set()
        writer.join()
    store.dispose()
    restore(settings, tmp_path / "radar.zip", now=NOON, replace=True)
    with store.connect() as connection:
        names = set(connection.scalars(sa.select(post.c.native_id).where(post.c.native_id.regexp_match("^[ab]"))))
    assert {name[1:] for name in names if name[0] == "a"} == {name[1:] for name in names if name[0] == "b"}
    assert 2 * before <= len(names) < 2 * len(written)
    assert check_store(store).is_well


def _truncated(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def _flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 0xFF
    file.write_bytes(content)


def _swapped(file: Path) -> None:
    _rewrite(file, lambda members: members.update({"files/labels/1.jsonl": b"other"}), honest=False)


def _more(file: Path) -> None:
    _rewrite(file, lambda members: members.update({"files/labels/2.jsonl": b"other"}), honest=False)


def _no_store(file: Path) -> None:
    def drop(members: dict[str, bytes]) -> None:
        for name in [n for n in members if n == "radar.db" or n == "tables/post.copy"]:
            del members[name]

    _rewrite(file, drop)


def _no_backup(file: Path) -> None:
    file.write_bytes(b"SQLite format 3\0")


def test_a_damaged_file_is_refused_and_changes_nothing(store: sa.Engine, settings: Settings, tmp_path: Path) -> None:
    file, before = tmp_path / "radar.zip", _rows(store)
    for damage in (_truncated, _flipped, _swapped, _more, _no_store, _no_backup):
        back_up(store, settings, file, now=NOON, replace=True)
        damage(file)
        with pytest.raises(UnreadableInput):
            restore(settings, file, now=NOON, replace=True)
    assert _rows(store) == before


def test_a_restore_that_fails_on_the_way_changes_nothing(store: sa.Engine, settings: Settings, tmp_path: Path) -> None:
    file, before = tmp_path / "radar.zip", _rows(store)
    back_up(store, settings, file, now=NOON)

    def spoil(members: dict[str, bytes]) -> None:
        name = "radar.db" if "radar.db" in members else "tables/post.copy"
        members[name] = members[name][: len(members[name]) // 2 - 7]

    _rewrite(file, spoil)
    with pytest.raises((RadarError, sa.exc.DBAPIError, psycopg.Error)):
        restore(settings, file, now=NOON, replace=True)
    assert _rows(store) == before


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from radar.backups import restore
from radar.config import Settings
from radar.store import copying

copying.STEP = 20
def kill(what, done, of):
    if what == "restoring" and done > of / 2:
        os.kill(os.getpid(), signal.SIGKILL)
settings = Settings(data_dir=Path(sys.argv[1]), database_url=sys.argv[2])
restore(settings, Path(sys.argv[3]), now=datetime.now(UTC), replace=True, progress=kill)
"""


def test_a_restore_that_is_killed_half_way_changes_nothing(
    store: sa.Engine, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "radar.zip"
    back_up(store, settings, file, now=NOON)
    put(store, a_post("later"))
    before = _rows(store)
    store.dispose()
    done = subprocess.run([sys.executable, "-c", KILLED, str(settings.data_dir), settings.url, str(file)])
    assert done.returncode == -signal.SIGKILL
    assert _rows(store) == before
    assert put(store, a_post("later still")).new == 1


OUTSIDE = ("../evil", "models/../../evil", "/evil", "labels", "radar.db", "labels\\..\\evil", "C:/evil", "bin/evil")


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_file_that_leads_out_of_the_folder_is_refused(store: sa.Engine, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "radar.zip"
    for name in OUTSIDE:
        back_up(store, settings, file, now=NOON, replace=True)
        _rewrite(file, lambda members, name=name: members.update({f"files/{name}": b"evil"}))  # type: ignore[misc]
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(UnreadableInput, match="would write"):
            restore(settings, file, now=NOON, replace=True)
        assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_link_in_the_data_folder_is_not_followed(store: sa.Engine, settings: Settings, tmp_path: Path) -> None:
    back_up(store, settings, tmp_path / "radar.zip", now=NOON)
    (tmp_path / "elsewhere").mkdir()
    (settings.labels_dir / "1.jsonl").unlink()
    settings.labels_dir.rmdir()
    settings.labels_dir.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RadarError, match="leads out"):
        restore(settings, tmp_path / "radar.zip", now=NOON, replace=True)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_store_that_holds_something_is_kept_unless_it_is_to_be_replaced(
    store: sa.Engine, settings: Settings, tmp_path: Path
) -> None:
    file, before = tmp_path / "radar.zip", _rows(store)
    back_up(store, settings, file, now=NOON)
    with pytest.raises(CallerError, match="not empty"):
        restore(settings, file, now=NOON)
    with pytest.raises(CallerError, match="there already"):
        back_up(store, settings, file, now=NOON)
    with writing(store) as session, session.begin():
        runs.take_lease(session, "scheduler", "host:1", NOON, timedelta(seconds=45))
    with pytest.raises(CallerError, match="scheduler is at work"):
        restore(settings, file, now=NOON, replace=True)
    with store.begin() as connection:
        connection.exec_driver_sql("DELETE FROM lease")
    assert _rows(store) == before


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_one_of_a_newer_radar_is_refused(store: sa.Engine, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "radar.zip"
    back_up(store, settings, file, now=NOON)

    def age(members: dict[str, bytes]) -> None:
        members["manifest.json"] = members["manifest.json"].replace(HEAD.encode(), b"9999")

    _rewrite(file, age)
    with pytest.raises(StoreError, match="9999"):
        restore(settings, file, now=NOON, replace=True)


def test_one_of_an_older_radar_is_migrated(settings: Settings, tmp_path: Path) -> None:
    """A backup can be taken before the store is migrated, by the radar that will."""
    engine = open_store(settings.url, migrate=False)
    with engine.execution_options(radar_writes=True).begin() as connection:
        migrate(connection, "0080")
        connection.exec_driver_sql("INSERT INTO author_list (name, created_at) VALUES ('old', '2026-05-04 12:00:00')")
    made = back_up(engine, settings, tmp_path / "old.zip", now=NOON)
    assert (made.schema, current(engine)) == ("0080", "0080")
    engine.dispose()
    restore(settings, tmp_path / "old.zip", now=NOON, replace=True)
    assert current(engine) == HEAD
    with engine.connect() as connection:
        assert connection.scalar(sa.select(author_list.c.name)) == "old"
    engine.dispose()


def test_the_commands(tmp_path: Path) -> None:
    engine = open_store(f"sqlite:///{tmp_path / 'one' / 'radar.db'}")
    put(engine, a_post("1"))
    engine.dispose()
    file = str(tmp_path / "radar.zip")
    done = radar("db", "backup", file, data_dir=tmp_path / "one")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Not in it: settings" in done.stdout
    done = radar("db", "restore", file, data_dir=tmp_path / "two")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{datetime.now(UTC):%Y-%m-%d}" in done.stdout
    done = radar("db", "restore", file, data_dir=tmp_path / "two")
    assert done.returncode == 2
    assert "--replace" in done.stderr
