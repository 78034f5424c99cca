"""A backfill, by whomever it is read and whoever dies on the way, leaves what the jobs in one process leave."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from radar.backfill import Filled, backfill
from radar.backfill.crew import in_this_process
from radar.backfill.reading import Day, DayRead, read_with
from radar.cli.backfill import _crew
from radar.config import Settings
from radar.errors import CallerError
from radar.integrity import check_store
from radar.scheduling import Context, run_job
from radar.sources.base import RawPost
from radar.store import promotion, work
from radar.store.engine import open_store, reading, writing
from radar.store.tables import day_count, post, post_signal
from radar.transfer import write_out
from tests.builders import a_post, put
from tests.facts import facts_of
from tests.test_kill import STEPS

BEGINS = datetime(2026, 3, 1, tzinfo=UTC)
WORDS = "ramen hotel metro beach museum coffee market camera garden temple rain office".split()
MARKETS = ("SG", "TW")


def _posts(count: int, days: int) -> list[RawPost]:
    """Ordinary talk of 40 persons in two markets, and a craze of 18 persons near the end."""
    rng = random.Random(7)
    posts = []
    for n in range(count):
        market, at = MARKETS[n % 2], BEGINS + timedelta(seconds=rng.uniform(0, days * 86_400))
        text = f"{' '.join(rng.sample(WORDS, 4))} Tokyo note {n}"
        more = {"market": market, "published_at": at, "like_count": rng.randrange(500)}
        posts.append(a_post(f"p{n}", text, f"{market}{rng.randrange(20)}", **more))
    for n in range(24):
        at = BEGINS + timedelta(days=days - 3, hours=rng.uniform(0, 30))
        text = f"everyone wants the moonbeam lantern in Osaka {n} #moonbeamlantern"
        posts.append(a_post(f"b{n}", text, f"TW{n % 18}", published_at=at, like_count=50))
    return posts


class Calm:
    """A store in which the jobs have done everything, and one with the same posts in which nothing was done."""

    def __init__(self, folder: Path, fitted_dir: Path, posts: int, days: int) -> None:
        self.posts = _posts(posts, days)
        self.done = self.store(folder / "done", fitted_dir)
        for step in STEPS:
            run_job(step, _context(self.done))
        self.expected = facts_of(self.done.url)
        assert self.expected["episodes"], "the planted craze was not found: this test would prove little"

    def store(self, data_dir: Path, fitted_dir: Path, url: str = "") -> Settings:
        """A data folder whose store holds the posts, unread."""
        data_dir.mkdir()
        (data_dir / "models").symlink_to(fitted_dir / "models")
        settings = Settings(data_dir=data_dir, database_url=url)
        engine = open_store(settings.url)
        put(engine, *self.posts)
        engine.dispose()
        return settings

    def compare(self, url: str) -> None:
        found = facts_of(url)
        for name in self.expected:
            assert found[name] == self.expected[name], name
        engine = open_store(url)
        assert check_store(engine, days=None).found == {}
        engine.dispose()


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory, fitted_dir: Path) -> Calm:
    return Calm(tmp_path_factory.mktemp("calm"), fitted_dir, 700, 40)


_opened: list[sa.Engine] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().dispose()


def _context(settings: Settings) -> Context:
    _opened.append(open_store(settings.url))
    return Context(_opened[-1], settings, datetime.now(UTC))


def _fill(settings: Settings, crew: Any = in_this_process, **more: Any) -> Filled:
    return backfill(_context(settings), crew, markets=MARKETS, **more)


Pairs = Iterable[tuple[Any, Day]]


def _dies_after(days: int) -> Callable[[Path, Pairs], Iterator[tuple[Any, DayRead]]]:
    def crew(folder: Path, given: Pairs) -> Iterator[tuple[Any, DayRead]]:
        for n, (what, day) in enumerate(given):
            if n == days:
                raise KeyboardInterrupt
            yield what, read_with(folder, day)

    return crew


def test_an_older_models_history_is_read_and_counted_anew_and_a_killed_run_goes_on(
    calm: Calm, url: str, tmp_path: Path, fitted_dir: Path
) -> None:
    settings = calm.store(tmp_path / "data", fitted_dir, url)
    engine = open_store(url)
    context = _context(settings)
    model = context.model_id
    with writing(engine) as session, session.begin():  # as if an older model had read it all, and seen less
        promotion.activate(session, "older")
        rows = sa.select(
            post.c.id, sa.literal("older"), sa.literal(b""), sa.literal(""), sa.literal("en"), sa.false(),
            post.c.id, sa.null(), sa.null(), sa.null(),
        )  # fmt: skip
        columns = [c.name for c in post_signal.columns]
        session.execute(sa.insert(post_signal).from_select(columns, rows))
        session.execute(sa.update(post).values(classified_at=datetime.now(UTC)))
        promotion.activate(session, model)
    with pytest.raises(KeyboardInterrupt):
        _fill(settings, _dies_after(30))
    with reading(engine) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(day_count)) == 30
    engine.dispose()
    done = _fill(settings)
    assert done.resumed == 30
    assert 0 < done.posts < 724
    calm.compare(url)


def test_what_changes_while_a_day_is_out_is_taken_in(calm: Calm, tmp_path: Path, fitted_dir: Path) -> None:
    settings = calm.store(tmp_path / "data", fitted_dir)
    engine = open_store(settings.url)

    def crew(folder: Path, given: Pairs) -> Iterator[tuple[Any, DayRead]]:
        for n, (what, day) in enumerate(given):
            if n == 3:
                at = what.posts[0].published_at
                put(engine, a_post("late", "ramen in Osaka late", "TW1", market=what.market, published_at=at))
            yield what, read_with(folder, day)

    _fill(settings, crew)
    engine.dispose()
    found = facts_of(settings.url)
    assert (found["unread"], found["dirty"]) == ([], [])
    again = settings.url
    for step in STEPS:
        run_job(step, _context(settings))
    assert facts_of(again) == found
    assert any(signal[0] == "late" for signal in found["signals"])


def test_texts_come_from_an_export_and_from_the_store_where_that_is_older(
    calm: Calm, tmp_path: Path, fitted_dir: Path
) -> None:
    settings = calm.store(tmp_path / "data", fitted_dir)
    engine = open_store(settings.url)
    write_out(engine, str(tmp_path / "out"), now=datetime.now(UTC))
    with engine.begin() as connection:  # edited since, and of no other content
        connection.execute(sa.update(post).where(post.c.native_id == "p0").values(revision=post.c.revision + 1))
    engine.dispose()
    done = _fill(settings, export=str(tmp_path / "out"))
    assert (done.days - done.from_export, done.posts) == (1, 724)
    calm.compare(settings.url)


def test_without_dask_the_command_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "radar.backfill.dask", raising=False)
    with pytest.raises(CallerError, match=r"Dask is not installed here.*\[cluster\]"), _crew("tcp://127.0.0.1:8786"):
        pass


@contextmanager
def _cluster(folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """A Dask scheduler and two workers, each a process; (its address, the workers)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address, processes, logs = f"tcp://127.0.0.1:{port}", list[subprocess.Popen[str]](), []
    here = ["--host", "127.0.0.1", "--no-dashboard"]
    worker = ["worker", address, *here, "--nthreads", "1", "--no-nanny", "--local-directory", str(folder)]
    commands = [["scheduler", *here, "--port", str(port)], worker, worker]
    try:
        for n, words in enumerate(commands):
            logs.append((folder / f"dask{n}.txt").open("w"))
            call = [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]]
            processes.append(subprocess.Popen(call, stdout=logs[n], stderr=logs[n], text=True, cwd=folder))
        yield address, processes[1:]
    finally:
        for process in processes:
            process.kill()
            process.wait()
        for log in logs:
            log.close()


def _until(look: Callable[[], Any], process: subprocess.Popen[str]) -> Any:
    """What is seen once it is there, while a process is at work."""
    until = time.monotonic() + 120
    while (seen := look()) is None:
        assert process.poll() is None, "ended before"
        assert time.monotonic() < until
        time.sleep(0.03)
    return seen


def _days_left(engine: sa.Engine) -> int:
    with reading(engine) as session:
        return len(work.left(session, "backfill"))


def _killed_on_a_cluster(calm: Calm, url: str, tmp_path: Path, fitted_dir: Path, *, kill_caller: bool) -> None:
    """Two workers, one killed on the way; the caller too, once, if asked: run again."""
    settings = calm.store(tmp_path / "data", fitted_dir, url)
    looks = open_store(url)
    _opened.append(looks)
    environment = os.environ | {"RADAR_DATA_DIR": str(settings.data_dir), "RADAR_DATABASE_URL": url}
    with _cluster(tmp_path) as (address, crew):
        words = [sys.executable, "-m", "radar", "backfill", "--cluster", address, "--market", "TW", "--market", "SG"]
        for turn in range(1 + kill_caller):
            call = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            if turn == 0:
                most = _until(lambda: _days_left(looks) or None, call)
                _until(lambda: _days_left(looks) < most - 3 or None, call)  # noqa: B023
                crew[0].kill()
            if kill_caller and turn == 0:
                _until(lambda: _days_left(looks) < most - 12 or None, call)  # noqa: B023
                call.send_signal(signal.SIGKILL)
            said, wrong = call.communicate(timeout=400)
        assert call.returncode == 0, wrong
        assert "Went on" in said or not kill_caller
        assert crew[1].poll() is None
    calm.compare(url)


def test_a_cluster_of_two_of_which_one_is_killed_leaves_what_one_process_leaves(
    calm: Calm, tmp_path: Path, fitted_dir: Path
) -> None:
    _killed_on_a_cluster(calm, f"sqlite:///{tmp_path / 'filled.db'}", tmp_path, fitted_dir, kill_caller=False)


@pytest.mark.long
def test_the_same_with_more_posts_and_the_caller_killed_too(url: str, tmp_path: Path, fitted_dir: Path) -> None:
    (tmp_path / "calm").mkdir()
    more = Calm(tmp_path / "calm", fitted_dir, 9_000, 70)
    _killed_on_a_cluster(more, url, tmp_path, fitted_dir, kill_caller=True)
