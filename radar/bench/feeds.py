"""Feeds a minute that one process asks, reads and stores, each at a host of its own; unchanged ones beside them.

The hosts are ports of the loopback address that another process serves, so the network costs nothing: this is what the
radar itself takes. All feeds are synthetic.
"""

import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from radar.collect import collect
from radar.scheduling import Progress
from radar.sources.web import Web
from radar.store import runs, watching
from radar.store.engine import open_store, writing

FEEDS = 200
ENTRIES = 20
NOW = datetime(2026, 3, 2, tzinfo=UTC)
_ETAG = b'"synthetic"'


def measure(progress: Progress) -> dict[str, object]:
    """feeds_per_minute when all are new to us, and unchanged_per_minute when none has changed (304)."""
    with tempfile.TemporaryDirectory() as folder, _served(FEEDS) as ports:
        engine = open_store(f"sqlite:///{Path(folder) / 'feeds.db'}")
        with writing(engine) as session, session.begin():
            runs.add_source(session, "feeds", "feed", {}, is_simulated=False)
            told = {"source": "feeds", "audience_market": "TW", "person": None, "consented": False}
            watching.watch(session, [told | {"handle": f"http://127.0.0.1:{port}/feed"} for port in ports])
        took = []
        for n in range(2):
            began = time.perf_counter()
            done = collect(engine, now=NOW + n * timedelta(minutes=10), web=Web(), progress=lambda _: None)
            took.append(time.perf_counter() - began)
            progress("rounds", n + 1, 2)
            if n == 0 and done.new != FEEDS * ENTRIES:
                raise RuntimeError(f"{done.new} posts came, not {FEEDS * ENTRIES}")
        engine.dispose()
    return {
        "feeds": FEEDS,
        "entries_a_feed": ENTRIES,
        "feeds_per_minute": round(60 * FEEDS / took[0]),
        "unchanged_per_minute": round(60 * FEEDS / took[1]),
    }


@contextmanager
def _served(count: int) -> Iterator[list[int]]:
    """Ports of a process that serves a feed at each."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, count), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _serve(pipe: Connection, count: int) -> None:
    asyncio.run(_serve_all(pipe, count))


async def _serve_all(pipe: Connection, count: int) -> None:
    servers = [await asyncio.start_server(_answer, "127.0.0.1", 0) for _ in range(count)]
    pipe.send([server.sockets[0].getsockname()[1] for server in servers])
    await asyncio.Event().wait()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    asked = await reader.readuntil(b"\r\n\r\n")
    if _ETAG in asked:
        writer.write(b"HTTP/1.1 304 Not Modified\r\nETag: " + _ETAG + b"\r\nConnection: close\r\n\r\n")
    else:
        port = writer.get_extra_info("sockname")[1]
        body = _feed(port)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"ETag: " + _ETAG + b"\r\nConnection: close\r\n\r\n" + body)
    await writer.drain()
    writer.close()


def _feed(port: int) -> bytes:
    items = "".join(
        f"<item><guid>{n}</guid><title>Bowl {n} of {port}</title><link>/{n}</link>"
        f"<pubDate>Sun, 01 Mar 2026 {n % 24:02}:00:00 GMT</pubDate>"
        f"<description>&lt;p&gt;{'Ramen in Osaka, slowly. ' * 20}&lt;/p&gt;</description></item>"
        for n in range(ENTRIES)
    )
    return f"<rss version='2.0'><channel><title>{port}</title>{items}</channel></rss>".encode()
