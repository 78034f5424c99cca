"""radar serve as people run it: it answers, its scheduler works beside it, and nothing is left when it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]
import pytest
import sqlalchemy as sa

from radar.cli.serve import take_address
from radar.config import Settings
from radar.store.engine import open_store
from radar.store.tables import lease
from tests.builders import a_post, put


class Served:
    """A running `radar serve` over two posts."""

    def __init__(self, folder: Path, port: int, *options: str) -> None:
        self.engine = open_store(f"sqlite:///{folder / 'radar.db'}")
        put(self.engine, a_post("1"), a_post("2", author="bob"))
        self.at = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "radar", "serve", "--port", str(port), *options],
            env=os.environ | {"RADAR_DATA_DIR": str(folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def get(self, path: str) -> Any:
        return httpx.get(self.at + path, timeout=10).raise_for_status().json()

    def wait(self, ready: Callable[[Any], bool]) -> Any:
        """The first answer of /v1/health that is as wanted."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            assert self.process.poll() is None, self.process.communicate()[1]
            try:
                health = self.get("/v1/health")
            except httpx.ConnectError:
                health = None
            if health and ready(health):
                return health
            time.sleep(0.1)
        raise AssertionError("the server was not ready within a minute")

    def living(self) -> list[psutil.Process]:
        """The process and all that it started, whoever their parent is by now."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, ProcessLookupError):
                if os.getsid(process.pid) == self.process.pid and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def scheduler(self) -> psutil.Process:
        [found] = [process for process in self.living() if "--multiprocessing-fork" in process.cmdline()]
        return found

    def end(self, how: signal.Signals) -> tuple[int, str]:
        """Its exit code and standard error; fails unless all its processes are gone 10 s after the signal."""
        until = time.monotonic() + 10
        self.process.send_signal(how)
        _, said = self.process.communicate(timeout=10)
        self.wait_gone(until)
        return self.process.returncode, said

    def wait_gone(self, until: float) -> None:
        while (left := self.living()) and time.monotonic() < until:
            time.sleep(0.1)
        assert left == []

    def close(self) -> None:
        for process in self.living():
            process.kill()
        self.process.communicate()
        self.engine.dispose()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start `radar serve` on a free port, or on the one given; all of it is gone after the test."""
    started: list[Served] = []

    def start(*options: str, port: int | None = None) -> Served:
        if port is None:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
        started.append(Served(tmp_path, port, *options))
        return started[-1]

    yield start
    for served in started:
        served.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda how: how.name)
def test_it_answers_beside_its_scheduler_and_leaves_no_orphan(
    serve: Callable[..., Served], how: signal.Signals
) -> None:
    served = serve()
    health = served.wait(lambda said: said["scheduler"]["active"])
    assert (health["status"], health["store"]) == ("ok", "sqlite")
    [coverage] = served.get("/v1/coverage?market=TW")["items"]
    assert (coverage["authors"], coverage["posts"]) == (2, 2)
    with served.engine.connect() as connection:
        assert connection.scalar(sa.select(lease.c.holder)) == f"{socket.gethostname()}:{served.scheduler().pid}"
    code, said = served.end(how)
    assert code in (0, -how)
    assert "Traceback" not in said


def test_without_a_scheduler_it_says_so(serve: Callable[..., Served]) -> None:
    served = serve("--no-scheduler")
    assert served.wait(lambda said: True)["scheduler"] == {"active": False, "until": None}
    assert [process.pid for process in served.living()] == [served.process.pid]
    served.end(signal.SIGTERM)


def test_a_killed_scheduler_takes_nothing_with_it_and_its_lease_runs_out(serve: Callable[..., Served]) -> None:
    served = serve()
    served.wait(lambda said: said["scheduler"]["active"])
    scheduler = served.scheduler()
    scheduler.kill()
    while scheduler in served.living():
        time.sleep(0.05)
    with served.engine.begin() as connection:  # as if the lease's 45 s had passed
        connection.execute(sa.update(lease).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    assert served.get("/v1/health")["scheduler"]["active"] is False
    assert len(served.get("/v1/markets")["items"]) == 8
    served.end(signal.SIGTERM)


def test_a_port_in_use_is_named_and_nothing_stays(serve: Callable[..., Served]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        served = serve(port=taken.getsockname()[1])
        _, said = served.process.communicate(timeout=60)
    assert served.process.returncode > 0
    assert "the port is in use" in said
    assert "Traceback" not in said
    served.wait_gone(time.monotonic() + 10)


def test_an_answer_on_a_kept_connection_is_sent_at_once() -> None:
    """asyncio turns Nagle's waiting off only where the socket names its protocol: 40 ms an answer else."""
    (address,) = take_address(Settings(host="127.0.0.1", port=0))
    with address:
        address.listen()
        with socket.create_connection(address.getsockname()), address.accept()[0] as accepted:
            assert accepted.proto == socket.IPPROTO_TCP
