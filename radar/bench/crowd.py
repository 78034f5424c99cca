"""Clients that take a server's time and room without asking for anything: beside them `load` asks as dashboards do.

Idle ones open a connection and say nothing. Slow ones send a push byte by byte. Huge ones send a body far over the
limit, in pieces and without saying how long it will be. Whoever is closed comes again: the crowd stays as large.
"""

import asyncio
import resource
import time
from collections import Counter
from contextlib import suppress
from typing import Any

IDLE, SLOW, HUGE = 10_000, 20, 2
"""Connections of each kind."""
_BYTES, _PIECE = 30_000_000, 64_000
"""Of a huge body."""
_EVERY = 0.5
"""Seconds from byte to byte of a slow one, and from one huge body to the next."""
_AT_ONCE = 64
"""Idle connections that are opened at a time."""
_PUSH = "POST /v1/posts HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{length}\r\n\r\n"


def crowd(host: str, port: int, idle: int, stands: Any, over: Any, told: Any) -> None:
    """Stand in the way until `over`.

    stands  the number of idle connections that are open now, shared with whoever waits for all of them
    told    a pipe that gets what the others met, as counts by what they met
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    told.send(dict(asyncio.run(_stand(host, port, idle, stands, over))))


async def _stand(host: str, port: int, idle: int, stands: Any, over: Any) -> Counter[str]:
    met: Counter[str] = Counter()
    opening = asyncio.Semaphore(_AT_ONCE)
    crowd = [_idle(host, port, stands, opening, met) for _ in range(idle)]
    crowd += [_slow(host, port, met) for _ in range(SLOW)] + [_huge(host, port, met) for _ in range(HUGE)]
    tasks = [asyncio.create_task(one) for one in crowd]
    while not over.is_set():
        await asyncio.sleep(0.2)
    met["idle_connections"] = stands.value
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return met


class _Silent(asyncio.Protocol):
    """A connection that says nothing and waits for its end."""

    def __init__(self) -> None:
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)


async def _idle(host: str, port: int, stands: Any, opening: asyncio.Semaphore, met: Counter[str]) -> None:
    while True:
        try:
            async with opening:
                _, one = await asyncio.get_running_loop().create_connection(_Silent, host, port)
        except OSError:
            met["idle_refused"] += 1
            await asyncio.sleep(_EVERY)
            continue
        stands.value += 1
        await one.lost
        stands.value -= 1
        met["idle_closed"] += 1


async def _slow(host: str, port: int, met: Counter[str]) -> None:
    while True:
        began = time.monotonic()
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(_PUSH.format(host=host, length="Content-Length: 1000000").encode())
            answer = asyncio.create_task(reader.read(100))
            while not answer.done():
                writer.write(b" ")
                await writer.drain()
                await asyncio.wait([answer], timeout=_EVERY)
            writer.close()
            answer.exception()
        met["slow_closed"] += 1
        met["slow_seconds"] += round(time.monotonic() - began)
        await asyncio.sleep(_EVERY)


async def _huge(host: str, port: int, met: Counter[str]) -> None:
    piece = f"{_PIECE:x}\r\n".encode() + b" " * _PIECE + b"\r\n"
    while True:
        status = b""
        with suppress(OSError):
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(_PUSH.format(host=host, length="Transfer-Encoding: chunked").encode())
            answer = asyncio.create_task(reader.readline())
            with suppress(OSError):
                for _ in range(_BYTES // _PIECE):
                    if answer.done():
                        break
                    writer.write(piece)
                    await writer.drain()
            status = await answer
            writer.close()
        met["huge_refused" if b" 413 " in status else "huge_cut" if not status else "huge_answered_otherwise"] += 1
        await asyncio.sleep(_EVERY)
