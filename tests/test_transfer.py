"""The whole store out as Parquet and into another database: nothing lost, nothing doubled, nothing that is none."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from radar.errors import CallerError, UnreadableInput
from radar.store import transfer as store
from radar.store.engine import open_store
from radar.store.tables import metadata
from radar.transfer import take_in, write_out
from radar.transfer.manifest import NAME
from tests.builders import NOON, a_post, empty_store, fresh_store, put
from tests.conftest import radar
from tests.store.walking import _number_on, one_row_each

Rows = dict[str, list[Any]]
HOURS = range(0, 60, 4)


def _filled(engine: sa.Engine) -> sa.Engine:
    """A row in every table, and posts of some days in two markets, with what breaks careless formats."""
    one_row_each(engine)
    _number_on(engine)
    texts = ['"quoted", 日本\nラーメン', "tab\t\\N and \\. ends", "😀 ทดสอบ", "' ; --"]
    put(
        engine,
        *[
            a_post(
                f"p{n}", f"{texts[n % 4]} {n}", f"{code}{n % 3}", market=code, published_at=NOON + timedelta(hours=h),
                like_count=n or None,
            )
            for n, (h, code) in enumerate((h, code) for h in HOURS for code in ("TW", "JP"))
        ],
    )  # fmt: skip
    return engine


def _rows(engine: sa.Engine, *, secrets: bool = False) -> Rows:
    with engine.connect() as connection:
        found = {
            table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for table in store.told_tables(secrets=secrets)
        }
    of_a_new_store = (store.MARK, "answers version", "removals version", "tracked version")
    found["meta"] = [row for row in found["meta"] if row[0] not in of_a_new_store]
    return found


def _other(engine: sa.Engine, tmp_path: Path, make: Callable[[], sa.Engine]) -> sa.Engine:
    return make() if engine.dialect.name == "sqlite" else fresh_store(tmp_path / "other.db")


@pytest.fixture
def on_postgresql(request: pytest.FixtureRequest) -> Callable[[], sa.Engine]:
    """Makes an empty store on PostgreSQL."""

    def make() -> sa.Engine:
        server = request.getfixturevalue("postgres_url")
        template = request.getfixturevalue("postgres_template")
        at = sa.make_url(server).set(drivername="postgresql+psycopg")
        admin = sa.create_engine(at, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        name = f"taken{os.getpid()}_{time.monotonic_ns()}"
        with admin.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return open_store(at.set(database=name).render_as_string(hide_password=False))

    return make


def test_a_store_moves_to_the_other_database_whole(
    engine: sa.Engine, tmp_path: Path, on_postgresql: Callable[[], sa.Engine]
) -> None:
    """With secrets from PostgreSQL, without them from SQLite."""
    _filled(engine)
    secrets = engine.dialect.name == "postgresql"
    made = write_out(engine, str(tmp_path / "out"), now=NOON, secrets=secrets)
    other = _other(engine, tmp_path, on_postgresql)
    done = take_in(other, str(tmp_path / "out"), tmp_path / "rejects", now=NOON)
    assert (done.rows, done.rejected) == (sum(made.counts.values()), 0)
    expected, found = _rows(engine, secrets=secrets), _rows(other, secrets=secrets)
    for name in expected:
        assert found[name] == expected[name], name
    if not secrets:
        held = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file())
        assert not (tmp_path / "out" / "member").exists()
        assert b"argon2" not in held
    put(other, a_post("new", author="new"))  # numbered from behind those that came in
    again = take_in(other, str(tmp_path / "out"), tmp_path / "rejects", now=NOON)
    assert again.before is not None
    assert len(_rows(other)["post"]) == len(expected["post"]) + 1
    other.dispose()


def test_every_column_with_a_secret_is_of_a_table_that_is_left_out() -> None:
    told = [column for table in store.told_tables(secrets=False) for column in table.columns]
    assert [str(c) for c in told if c.name in ("password", "secret", "token")] == []
    assert [str(c) for c in told if c.name == "digest"] == ["erased_author.digest"]  # whom to refuse, as a keyed hash


@pytest.fixture
def filled(tmp_path: Path) -> sa.Engine:
    return _filled(fresh_store(tmp_path / "radar.db"))


def test_others_read_a_table_by_its_folder(filled: sa.Engine, tmp_path: Path) -> None:
    write_out(filled, str(tmp_path / "out"), now=NOON)
    posts = pyarrow.dataset.dataset(tmp_path / "out" / "post", partitioning="hive").to_table()
    with filled.connect() as connection:
        assert len(posts) == connection.scalar(sa.text("SELECT count(*) FROM post"))
    assert {"TW", "JP"} == set(posts.column("audience_market").to_pylist())


def test_an_object_store_is_as_good_as_a_folder(filled: sa.Engine, tmp_path: Path) -> None:
    where = f"memory://radar-{tmp_path.name}/out"
    write_out(filled, where, now=NOON)
    other = fresh_store(tmp_path / "other.db")
    assert take_in(other, where, tmp_path / "rejects", now=NOON).rejected == 0
    assert _rows(other) == _rows(filled)


def test_renewed_an_export_writes_the_days_that_changed_and_drops_those_that_are_gone(
    filled: sa.Engine, tmp_path: Path
) -> None:
    where = tmp_path / "out"
    with pytest.raises(CallerError, match="something else"):
        write_out(filled, str(tmp_path), now=NOON)
    first = write_out(filled, str(where), now=NOON)
    with pytest.raises(CallerError, match="finished export"):
        write_out(filled, str(where), now=NOON)
    put(filled, a_post("late", author="TW0"))
    gone = max(where.glob("post/audience_market=JP/*"))
    with filled.begin() as connection:
        mine = sa.text("(SELECT id FROM post WHERE audience_market = 'JP' AND local_day = :day)")
        day = {"day": gone.name.removeprefix("local_day=")}
        connection.execute(sa.text(f"DELETE FROM engagement_observation WHERE post_id IN {mine}"), day)
        connection.execute(sa.text(f"DELETE FROM post WHERE id IN {mine}"), day)
    renewed = write_out(filled, str(where), now=NOON, again=True)
    days = [part for part in first.parts if part.name.startswith("post/")]
    assert renewed.kept == len(store.DAILY) * (len(days) - 2)
    assert list(gone.glob("*")) == []
    other = fresh_store(tmp_path / "other.db")
    take_in(other, str(where), tmp_path / "rejects", now=NOON)
    assert _rows(other) == _rows(filled)


def _rewritten(where: Path, name: str, change: Callable[[pa.Table], pa.Table]) -> None:
    """Change a file, and the manifest with it: as somebody does who makes an export by other means."""
    table = change(pq.read_table(pa.BufferReader((where / name).read_bytes())))
    pq.write_table(table, where / name)
    said = json.loads((where / NAME).read_text())
    for file in said["files"]:
        if file["name"] == name:
            file |= {"rows": len(table), "sha256": hashlib.sha256((where / name).read_bytes()).hexdigest()}
    (where / NAME).write_text(json.dumps(said))


def _with(table: pa.Table, column: str, cells: dict[int, Any]) -> pa.Table:
    place = table.schema.get_field_index(column)
    values = [cells.get(n, cell) for n, cell in enumerate(table.column(column).to_pylist())]
    return table.set_column(place, pa.field(column, table.schema.field(place).type), [values])


def _with_a_year_that_python_has_not(table: pa.Table) -> pa.Table:
    place = table.schema.get_field_index("published_at")
    kind = table.schema.field(place).type
    ticks = table.column(place).cast(pa.int64()).to_pylist()
    ticks[4] = 10**18 if kind.unit == "us" else 10**15
    return table.set_column(place, table.schema.field(place), pa.array(ticks, pa.int64()).cast(kind))


@pytest.mark.parametrize("where_damaged", [40, -12])
def test_what_is_damaged_is_written_anew_when_an_export_is_renewed(
    filled: sa.Engine, tmp_path: Path, where_damaged: int
) -> None:
    where = tmp_path / "out"
    made = write_out(filled, str(where), now=NOON)
    name = next(p.name for p in made.parts if p.name.startswith("post/"))
    whole = (where / name).read_bytes()
    broken = bytearray(whole)
    broken[where_damaged] ^= 0xFF
    (where / name).write_bytes(broken)
    renewed = write_out(filled, str(where), now=NOON, again=True)
    assert (where / name).read_bytes() == whole
    assert {p.name: p.sha256 for p in renewed.parts}[name] == {p.name: p.sha256 for p in made.parts}[name]


def test_rows_that_do_not_fit_are_kept_aside_with_the_reason(
    engine: sa.Engine, tmp_path: Path, on_postgresql: Callable[[], sa.Engine]
) -> None:
    _filled(engine)
    where = tmp_path / "out"
    made = write_out(engine, str(where), now=NOON)
    name = max((p for p in made.parts if p.name.startswith("post/")), key=lambda p: p.rows).name
    wrong = {"native_id": {0: None}, "text": {1: "a\0b"}, "author_id": {2: 999_999}, "platform": {3: "x" * 33}}
    for column, cells in wrong.items():
        _rewritten(where, name, lambda table, column=column, cells=cells: _with(table, column, cells))  # type: ignore[misc]
    _rewritten(where, name, _with_a_year_that_python_has_not)
    _rewritten(where, "day_count/00000.parquet", lambda table: _with(table, "counts", {0: b"none"}))
    other = _other(engine, tmp_path, on_postgresql)
    done = take_in(other, str(where), tmp_path / "rejects", now=NOON)
    lines = [json.loads(line) for file in done.rejects.glob("*") for line in file.read_text().splitlines()]
    reasons = "; ".join(line["reason"] for line in lines)
    for said in ("native_id is missing", "text holds a NUL", "platform is too long", "counts:", "is out of range"):
        assert said in reasons
    assert "foreign key" in reasons.lower()
    assert 999_999 in {line["values"].get("author_id") for line in lines if "foreign" in line["reason"].lower()}
    assert (done.rejected, len(lines)) == (len(lines), done.rejected)
    assert len(_rows(other)["post"]) == len(_rows(engine)["post"]) - 5
    other.dispose()


def test_an_export_names_files_of_its_own_alone(filled: sa.Engine, tmp_path: Path) -> None:
    where = tmp_path / "out"
    write_out(filled, str(where), now=NOON)
    said = json.loads((where / NAME).read_text())
    other = fresh_store(tmp_path / "other.db")
    for name in ("../secrets/00000.parquet", "/etc/00000.parquet", "run/00000.parquet", "a/../b"):
        more = {"files": [*said["files"], {"name": name, "rows": 1, "sha256": ""}]}
        (where / NAME).write_text(json.dumps(said | more))
        with pytest.raises(UnreadableInput, match="it would read"):
            take_in(other, str(where), tmp_path / "rejects", now=NOON)
    other.dispose()


def test_what_leads_elsewhere_or_is_damaged_is_refused(filled: sa.Engine, tmp_path: Path) -> None:
    where, name = tmp_path / "out", "author/00000.parquet"
    write_out(filled, str(where), now=NOON)
    other = fresh_store(tmp_path / "other.db")
    content = (where / name).read_bytes()
    (where / name).write_bytes(content[:-9] + b"x" + content[-8:])
    with pytest.raises(UnreadableInput, match="damaged"):
        take_in(other, str(where), tmp_path / "rejects", now=NOON)
    (tmp_path / "elsewhere").write_bytes(content)
    (where / name).unlink()
    (where / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CallerError, match="leads out"):
        take_in(other, str(where), tmp_path / "rejects", now=NOON)
    (where / name).unlink()
    (where / name).write_bytes(content)
    assert take_in(other, str(where), tmp_path / "rejects", now=NOON).rejected == 0  # it went on where it was
    put(other, a_post("own"))
    write_out(filled, str(tmp_path / "later"), now=NOON + timedelta(hours=1))
    with pytest.raises(CallerError, match="not empty"):
        take_in(other, str(tmp_path / "later"), tmp_path / "rejects", now=NOON)


def _killed(words: list[str], data_dir: Path, begun: Callable[[], bool]) -> bool:
    """Kill a command once it has begun; whether it was at work still."""
    process = subprocess.Popen(
        [sys.executable, "-m", "radar", *words], env=os.environ | {"RADAR_DATA_DIR": str(data_dir)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None and not begun():
        time.sleep(0.002)
    at_work = process.poll() is None
    process.kill()
    process.wait()
    return at_work


def _has_begun(data_dir: Path) -> bool:
    engine = open_store(f"sqlite:///{data_dir / 'radar.db'}", migrate=False)
    with engine.connect() as connection:
        found = connection.scalar(sa.select(metadata.tables["meta"].c.value).where(sa.text(f"name = '{store.MARK}'")))
    engine.dispose()
    return found is not None


@pytest.mark.long
def test_killed_on_the_way_out_and_in_and_run_again_nothing_is_lost_or_doubled(demo_dir: Path, tmp_path: Path) -> None:
    """The demo's store: some thousands of files."""
    data_dir, where, other = demo_dir / "demo", tmp_path / "out", tmp_path / "other"
    assert _killed(["db", "export", str(where)], data_dir, lambda: any(where.glob("post/*/*/*.parquet")))
    assert not (where / NAME).exists()
    refused = radar("db", "import", str(where), data_dir=other)
    assert (refused.returncode, "no finished export" in refused.stderr) == (2, True)
    done = radar("db", "export", str(where), data_dir=data_dir)
    assert (done.returncode, "unchanged" in done.stdout) == (0, True), done.stderr
    empty_store(other / "radar.db")
    for _ in range(3):
        assert _killed(["db", "import", str(where)], other, lambda: _has_begun(other))
    assert radar("db", "import", str(where), data_dir=other).returncode == 0
    stores = [open_store(f"sqlite:///{folder / 'radar.db'}") for folder in (data_dir, other)]
    expected, found = map(_rows, stores)
    (own,) = [row for row in found["audit"] if row not in expected["audit"]]  # the import that ended wrote itself down
    assert "radar db import" in own
    found["audit"].remove(own)
    for name in expected:
        assert found[name] == expected[name], name
