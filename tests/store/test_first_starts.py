"""Processes that open the same empty database at the same time all end with a schema (fails on PostgreSQL)."""

import subprocess
import sys


def test_first_starts_at_once_all_succeed(url: str) -> None:
    code = "import sys; from radar.store.engine import open_store; open_store(sys.argv[1])"
    started = [subprocess.Popen([sys.executable, "-c", code, url], stderr=subprocess.PIPE, text=True) for _ in range(3)]
    said = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], "\n".join(said)
