"""Work spread over processes: every piece arrives, errors come back, and nobody is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from radar.errors import RadarError, UnknownName
from radar.spread import WorkerLost, spread


def squares(n: int) -> Iterator[tuple[int, int]]:
    for i in range(n):
        yield i * i, os.getpid()


def fails(n: int) -> Iterator[int]:
    yield n
    raise UnknownName("market", str(n), ["TW"])


def dies(n: int) -> Iterator[int]:
    os.kill(os.getpid(), signal.SIGKILL)
    yield n


def slow(n: int) -> Iterator[bytes]:
    while True:
        yield b"x" * 100_000


OWN = ("resource_tracker", "forkserver")
"""Python's own processes: one tracks resources, from the other workers are forked."""


def left_behind() -> list[psutil.Process]:
    """Workers of this process."""
    own = [child for child in psutil.Process().children() if any(name in " ".join(child.cmdline()) for name in OWN)]
    others = [child for parent in (psutil.Process(), *own) for child in parent.children() if child not in own]
    return [child for child in others if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


def test_every_piece_of_every_job_arrives_in_order() -> None:
    found: dict[int, list[int]] = {}
    ended, processes = [], set()
    for job, piece in spread(squares, range(9), at_once=2):
        if piece is None:
            ended.append(job)
        else:
            found.setdefault(job, []).append(piece[0])
            processes.add(piece[1])
    assert sorted(ended) == list(range(9))
    assert found == {n: [i * i for i in range(n)] for n in range(1, 9)}
    assert 1 <= len(processes) <= 2
    assert os.getpid() not in processes
    assert not left_behind()


def test_no_jobs_start_no_process() -> None:
    assert list(spread(squares, [], at_once=2)) == []


def test_errors_come_back_and_end_the_others() -> None:
    with pytest.raises(RadarError, match="market"):
        list(spread(fails, range(5), at_once=2))
    with pytest.raises(WorkerLost, match="killed"):
        list(spread(dies, range(5), at_once=2))
    deadline = time.monotonic() + 10
    while left_behind() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left_behind()


def test_workers_end_when_their_caller_is_killed() -> None:
    code = "from radar.spread import spread; from tests.test_spread import slow\n"
    code += "if __name__ == '__main__':\n for _, p in spread(slow, range(4), at_once=2): print('piece', flush=True)"
    caller = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert caller.stdout is not None
    assert caller.stdout.readline() == "piece\n"
    workers = psutil.Process(caller.pid).children(recursive=True)
    assert workers
    caller.kill()
    caller.wait()
    caller.stdout.close()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive


def test_workers_load_what_their_caller_has_loaded_and_not_what_lies_around(tmp_path: Path) -> None:
    (tmp_path / "radar").mkdir()
    (tmp_path / "radar" / "__init__.py").write_text("raise SystemExit('the radar of this folder')")
    code = "import radar.scheduling; from radar.spread import spread; from tests.test_spread import squares\n"
    code += "if __name__ == '__main__':\n print([p[0] for _, p in spread(squares, [3], at_once=1) if p])"
    root = Path(__file__).parents[1]
    program = tmp_path / "program.py"
    program.write_text(code)
    there = os.environ | {"PYTHONPATH": str(root), "PYTHONSAFEPATH": "1"}
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, env=there, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[0, 1, 4]", "")
    there.pop("PYTHONSAFEPATH")  # as a console script is started, whose own folder is no checkout
    code = f"import sys; sys.path[:] = [p for p in sys.path if p]; exec(open({str(program)!r}).read())"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=there, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[0, 1, 4]", "")
