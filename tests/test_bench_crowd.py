"""The crowd that stands beside the load: it comes, is refused where it is too much, and nobody else notices."""

import multiprocessing
import time
from pathlib import Path

import httpx

from radar.bench.crowd import crowd
from radar.bench.ingest import served


def test_silent_slow_and_endless_clients_stop_nobody_else(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    stands, over, (mine, its) = context.Value("q", 0), context.Event(), context.Pipe()
    with served(tmp_path) as at, httpx.Client(base_url=at, trust_env=False, timeout=20) as client:
        port = int(at.rpartition(":")[2])
        process = context.Process(target=crowd, args=("127.0.0.1", port, 300, stands, over, its))
        process.start()
        try:
            until = time.monotonic() + 60
            while stands.value < 300 and time.monotonic() < until:
                time.sleep(0.1)
            asked_until = time.monotonic() + 4
            while time.monotonic() < asked_until:
                assert client.get("/v1/health/live").json() == {"status": "ok"}
            over.set()
            assert mine.poll(20)
            met = mine.recv()
        finally:
            process.kill()
            process.join()
    assert met["idle_connections"] == 300
    assert met.get("huge_refused", 0) + met.get("huge_cut", 0) > 0
    assert "huge_answered_otherwise" not in met
