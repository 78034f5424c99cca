"""Clients that are slow, greedy or silent, and too many of them: the others are answered all the same."""

import asyncio
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from radar.cli import connections
from tests.builders import a_post, fresh_store, put

SERVE = """
import resource, sys
from radar.cli import connections
most, head, read = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_NOFILE, (int(most), int(most)))
connections.HEAD = connections.BODY = float(head)
connections.READ, connections._LOOKS = float(read), 0.2
from radar.cli import main
sys.argv = ["radar", "serve", "--port", "0", "--no-scheduler"]
main()
"""
HEALTH = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@contextmanager
def _served(folder: Path, *, descriptors: int, head: float, read: float = 60) -> Iterator[tuple[int, int, Path]]:
    """Port, pid and log of a server that has so many descriptors and gives clients so many seconds."""
    engine = fresh_store(folder / "radar.db")
    put(engine, a_post("1"), a_post("2", "x" * 10_000, author="bob"))
    engine.dispose()
    log = folder / "log.txt"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(descriptors), str(head), str(read)], stdout=out, stderr=out,
            env=os.environ | {"RADAR_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1", "COLUMNS": "200"},
        )  # fmt: skip
    try:
        _until(lambda: "http://" in log.read_text() or process.poll() is not None, 60, "it does not start")
        found = re.search(r"http://[\d.]+:(\d+)", log.read_text())
        assert found, log.read_text()
        _until(lambda: _answers(int(found[1])), 30, "it does not answer")
        yield int(found[1]), process.pid, log
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        process.kill()
        process.wait()


def _until(holds: Callable[[], bool], seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.05)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/live", timeout=10, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def _is_closed(one: socket.socket, seconds: float) -> bool:
    """Whether the server closes a connection within that time; what it still says is read."""
    one.settimeout(seconds)
    try:
        while one.recv(65_536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def _was_cut(one: socket.socket) -> bool:
    """Whether a connection was cut, without reading from it."""
    return one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0


def _crowd(ending: ExitStack, port: int, number: int) -> list[socket.socket]:
    return [ending.enter_context(socket.create_connection(("127.0.0.1", port), 30)) for _ in range(number)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int, Path]]:
    with _served(tmp_path_factory.mktemp("slow"), descriptors=256, head=3, read=3) as found:
        yield found


def test_more_silent_clients_than_descriptors_keep_nobody_out(served: tuple[int, int, Path]) -> None:
    port, _, log = served
    with ExitStack() as ending:
        crowd = _crowd(ending, port, 600)
        crowd[-1].sendall(HEALTH)
        assert crowd[-1].recv(200)
        assert _is_closed(crowd[0], 0.5), "the one that waited longest makes room"
        assert _answers(port)
    assert "Too many open files" not in log.read_text()


def test_a_request_that_came_with_another_is_worked_on_as_long_as_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(1.5 if scope["path"] == "/slow" else 0)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    for name, seconds in (("HEAD", 0.5), ("BODY", 0.5), ("_LOOKS", 0.1)):
        monkeypatch.setattr(connections, name, seconds)
    config = uvicorn.Config(app, http=connections.bounded(50), lifespan="off", log_level="critical")
    server, listening = uvicorn.Server(config), socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        _until(lambda: server.started, 20, "it does not start")
        with socket.create_connection(listening.getsockname(), 10) as one:
            one.sendall(b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path for path in (b"/", b"/slow")))
            said, until = b"", time.monotonic() + 6
            while said.count(b" 200 ") < 2 and time.monotonic() < until and (more := one.recv(4_096)):
                said += more
        assert said.count(b" 200 ") == 2
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()


def test_a_request_that_drips_is_ended_and_one_that_is_only_slow_is_answered(served: tuple[int, int, Path]) -> None:
    port, _, _ = served
    with ExitStack() as ending:
        drips, silent, body, deaf, slow = _crowd(ending, port, 5)
        body.sendall(b"POST /v1/posts HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9000\r\n\r\n[")
        for _ in range(400):  # asks on and on, and reads nothing
            deaf.setblocking(False)
            try:
                deaf.send(b"GET /v1/openapi.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            except BlockingIOError:
                break
        ended = threading.Event()

        def drip() -> None:
            while not ended.wait(0.3):
                try:
                    drips.send(b"X")
                except OSError:
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        slow.sendall(HEALTH[:-2])
        time.sleep(0.8)
        slow.sendall(HEALTH[-2:])
        slow.settimeout(10)
        assert b" 200 " in slow.recv(200)
        assert _is_closed(drips, 6), "a head that never ends"
        ended.set()
        thread.join()
        assert _is_closed(silent, 6), "a client that never asks"
        assert _is_closed(body, 6), "a body that never ends"
        _until(lambda: _was_cut(deaf), 10, "answers that nobody reads")
        assert _answers(port)


def test_a_huge_body_is_refused_before_it_is_there(served: tuple[int, int, Path]) -> None:
    port, pid, _ = served
    before = _memory(pid)
    for head in (b"Content-Length: 5000000000", b"Transfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", port), 30) as one:
            one.sendall(b"POST /v1/posts HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n")
            one.sendall(head + b"\r\n\r\n")
            sent, block = 0, b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
            with suppress(OSError):
                while sent < 200:
                    one.sendall(block)
                    sent += 1
            assert sent < 60, "it was read on and on"
    assert _answers(port)
    assert _memory(pid) - before < 60 << 20


def test_a_head_without_an_end_is_refused_before_its_time_is_over(served: tuple[int, int, Path]) -> None:
    port, pid, _ = served
    before = _memory(pid)
    for start in (b"GET / HTTP/1.1\r\nX-Long: ", HEALTH + b"GET /" + b"y" * 30_000 + b" HTTP/1.1\r\nX-Long: "):
        with socket.create_connection(("127.0.0.1", port), 30) as one:
            one.sendall(start)
            sent = 0
            with suppress(OSError):
                while sent < 64:
                    one.sendall(b"x" * (1 << 20))
                    sent += 1
            assert sent < 30, "it was read on and on"
    with socket.create_connection(("127.0.0.1", port), 30) as one:  # a long one is none
        one.sendall(HEALTH[:-2] + b"X-Long: " + b"x" * 60_000 + b"\r\n\r\n")
        assert b" 200 " in one.recv(200)
    assert _answers(port)
    assert _memory(pid) - before < 30 << 20


def _memory(pid: int) -> int:
    """Bytes that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def test_what_silent_clients_leave_behind_is_given_back(tmp_path: Path) -> None:
    """A connection that the server ends leaves a kilobyte that refers to itself."""
    memory = []
    with _served(tmp_path, descriptors=1_024, head=0.4) as (port, pid, _):
        for _ in range(10):
            with ExitStack() as ending:
                assert all(_is_closed(one, 10) for one in _crowd(ending, port, 800))
            memory.append(_memory(pid))
    assert memory[9] - memory[4] < 2 << 20, memory


@pytest.mark.long
def test_ten_thousand_idle_connections_stop_nobody(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 12_000:
        pytest.skip("this system lets nobody have so many descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with _served(tmp_path, descriptors=hard, head=120) as (port, pid, _), ExitStack() as ending:
            before = _memory(pid)
            crowd = _crowd(ending, port, 10_000)
            took = []
            for _ in range(50):
                began = time.monotonic()
                assert _answers(port)
                took.append(time.monotonic() - began)
            assert not _is_closed(crowd[0], 0.2)
            print(f"{(_memory(pid) - before) / 1e4:.0f} bytes a connection; slowest answer {max(took):.3f} s")
            assert sorted(took)[45] < 1
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
