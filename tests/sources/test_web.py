"""The client that all sources ask with: how long it waits, what it follows, and what it does not read."""

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from radar.sources.trouble import Busy, NotFound, Refused, Trouble, Unreachable, Unsafe
from radar.sources.web import Web
from tests.sources.stages import NOW, FakeClock, Reply, Stage


class Echo(Stage):
    """Says what it was asked with, unless it is told what to say."""

    def answer(self, path: str, query: dict[str, list[str]], headers: Any) -> Reply:
        return Reply("\n".join(f"{name.lower()}: {value}" for name, value in headers.items()).encode())


@pytest.fixture
def stage() -> Iterator[Echo]:
    up = Echo()
    yield up
    up.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def web(clock: FakeClock) -> Iterator[Web]:
    with Web("mailto:ops@example.org", clock=clock) as client:
        yield client


def test_servers_are_told_whom_to_ask(web: Web, stage: Echo) -> None:
    assert b"user-agent: kol-trend-radar/" in web.get(stage.url).body
    assert b"(+mailto:ops@example.org)" in web.get(stage.url).body


@pytest.mark.parametrize("status", [500, 502, 504, 429, 503])
def test_a_passing_failure_is_tried_again_with_jitter_and_not_for_ever(
    web: Web, stage: Echo, clock: FakeClock, status: int
) -> None:
    stage.replies = [Reply(b"", status)] * 2
    assert web.get(stage.url).status == 200
    assert len(set(clock.slept)) == 2
    stage.replies = [Reply(b"", status)] * 50
    with pytest.raises((Unreachable, Busy)):
        web.get(stage.url)
    assert len(stage.asked) == 3 + 4


def test_waits_grow_and_are_spread(clock: FakeClock) -> None:
    web = Web(clock=clock)
    web._random = random.Random(1)
    spans = []
    for _ in range(200):
        clock.slept.clear()
        with pytest.raises(Unreachable):
            web.get("http://127.0.0.1:9/")
        spans.append(list(clock.slept))
    web.close()
    means = [sum(span[n] for span in spans) / len(spans) for n in range(3)]
    assert means[0] < means[1] < means[2] < 20
    assert min(span[2] for span in spans) < 2


@pytest.mark.parametrize(("status", "error"), [(401, Refused), (403, Refused), (404, NotFound), (410, NotFound)])
def test_what_stays_so_is_not_tried_again(web: Web, stage: Echo, status: int, error: type[Trouble]) -> None:
    stage.replies = [Reply(b'{"error": "said why"}', status)]
    with pytest.raises(error) as raised:
        web.get(stage.url)
    assert "said why" in raised.value.detail
    assert len(stage.asked) == 1


def test_a_limit_that_is_used_up_is_heeded_before_the_server_has_to_say_so(
    web: Web, stage: Echo, clock: FakeClock
) -> None:
    at = (NOW + timedelta(seconds=33)).isoformat()
    stage.replies = [Reply(b"", 200, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": at})]
    web.get(stage.url)
    web.get(stage.url)
    assert sum(clock.slept) == pytest.approx(33, abs=0.1)


def test_a_wait_longer_than_a_minute_is_for_a_later_run(web: Web, stage: Echo, clock: FakeClock) -> None:
    stage.replies = [Reply(b"", 429, {"Retry-After": "600"})]
    for _ in range(2):
        with pytest.raises(Busy) as raised:
            web.get(stage.url)
        assert raised.value.resume_at == NOW + timedelta(minutes=10)
    assert (len(stage.asked), clock.slept) == (1, [])


@pytest.mark.parametrize("said", ["-5", "soon", "1e99", "nan", "99999999999999", "Mon, 99 Foo", "", "\u0661"])
def test_nonsense_about_waiting_is_no_harm(web: Web, stage: Echo, clock: FakeClock, said: str) -> None:
    stage.replies = [Reply(b"", 429, {"Retry-After": said.encode("latin-1", "replace").decode("latin-1")})]
    with suppress(Busy):  # where it says a wait of days
        assert web.get(stage.url).status == 200
    assert clock.now() <= NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:9/x", "http://localhost:9/x", "http://[::1]:9/", "http://169.254.169.254/latest", "http://10.0.0.1/",
     "http://0.0.0.0/", "http://2130706433/", "file:///etc/passwd", "ftp://example.org/", "gopher://x"],
)  # fmt: skip
def test_a_redirect_into_a_private_network_is_not_followed(web: Web, stage: Echo, target: str) -> None:
    stage.replies = [Reply(b"", 302, {"Location": target})]
    with pytest.raises(Trouble) as raised:
        web.get(stage.url)
    assert isinstance(raised.value, Unsafe | Unreachable)
    assert len([path for path in stage.asked if path != "/"]) == 0


def test_a_redirect_at_the_operators_own_server_is(web: Web, stage: Echo) -> None:
    stage.replies = [Reply(b"", 301, {"Location": "/there"})]
    assert web.get(stage.url).status == 200
    assert stage.asked == ["/", "/there"]


def test_redirects_end(web: Web, stage: Echo) -> None:
    stage.replies = [Reply(b"", 302, {"Location": "/again"})] * 20
    with pytest.raises(Unsafe):
        web.get(stage.url)
    assert len(stage.asked) < 10


def test_a_body_without_end_is_not_read_to_its_end(stage: Echo, clock: FakeClock) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65_536

    stage.replies = [Reply(endless())]
    with Web(clock=clock, most_bytes=1_000_000) as web, pytest.raises(Unsafe, match="bytes"):
        web.get(stage.url)


def test_a_small_answer_that_unpacks_to_a_giant_is_refused(stage: Echo, clock: FakeClock) -> None:
    import gzip

    stage.replies = [Reply(gzip.compress(b"\0" * 20_000_000), 200, {"Content-Encoding": "gzip"})]
    with Web(clock=clock, most_bytes=1_000_000) as web, pytest.raises(Unsafe):
        web.get(stage.url)


def test_an_answer_that_drips_is_given_up(stage: Echo, clock: FakeClock) -> None:
    def drips() -> Iterator[bytes]:
        for _ in range(100):
            time.sleep(0.05)
            yield b"x"

    stage.replies = [Reply(drips())]
    begun = time.monotonic()
    with Web(clock=clock, most_seconds=0.4) as web, pytest.raises(Unsafe, match="seconds"):
        web.get(stage.url)
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("declared", [1_000_000, 3])
def test_a_length_that_is_not_true_gives_no_half_answer_and_spoils_no_other(
    web: Web, stage: Echo, declared: int
) -> None:
    stage.replies = [Reply(iter([b"ramen"]), 200, {"Content-Length": str(declared)}) for _ in range(9)]
    if declared > 5:
        with pytest.raises(Trouble):
            web.get(stage.url)
    else:
        assert web.get(stage.url).body == b"ram"
    stage.replies = []
    assert b"user-agent" in web.get(stage.url).body


@pytest.mark.parametrize("drop", [b"HTTP/1.1 103 Early Hints\r\n\r\n", b"X-More: and more\r\n"])
def test_an_answer_that_never_begins_is_given_up(clock: FakeClock, drop: bytes) -> None:
    def drip(listening: socket.socket) -> None:
        with suppress(OSError):
            served, _ = listening.accept()
            with served:
                served.sendall(b"" if b"103" in drop else b"HTTP/1.1 200 OK\r\n")
                while True:
                    served.sendall(drop)
                    time.sleep(0.02)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=(listening,))
        thread.start()
        began = time.monotonic()
        with Web(clock=clock, most_seconds=0.2) as web, pytest.raises(Unsafe, match="not done after"):
            web.get(f"http://127.0.0.1:{listening.getsockname()[1]}/")
        assert time.monotonic() - began < 5
        thread.join(5)
        assert not thread.is_alive()


def test_messages_hold_no_key_of_a_query(web: Web, stage: Echo) -> None:
    stage.replies = [Reply(b"", 400)]
    with pytest.raises(Trouble) as raised:
        web.get(stage.url, params={"key": "hush"})
    assert "hush" not in str(raised.value)
    assert "hush" in stage.asked[0]


def test_a_token_does_not_travel_to_another_host(web: Web, stage: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("radar.sources.web.is_public", lambda address: True)  # the loopback address is the Internet
    other = Echo()
    stage.replies = [Reply(b"", 302, {"Location": other.url})]
    answer = web.get(stage.url, headers={"Authorization": "Bearer hush", "Accept": "text/plain"})
    other.close()
    assert b"text/plain" in answer.body
    assert b"hush" not in answer.body
