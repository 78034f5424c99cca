"""A command with all processes that it starts: what it prints, and how much memory they hold together at most."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from radar.errors import RadarError

_EVERY = 0.2
_PROC = Path("/proc")


class Whole(NamedTuple):
    """What a command printed, and the most memory in MB, what processes share counted once; 0 where /proc is not."""

    printed: str
    peak_mb: int


def run_whole(command: Sequence[str], env: Mapping[str, str]) -> Whole:
    """Run a command to its end. Raises RadarError with what it said where it fails."""
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    peak, ended = 0, threading.Event()

    def look() -> None:
        nonlocal peak
        while not ended.wait(_EVERY):
            peak = max(peak, sum(map(_shared_once, _of_session(process.pid))))

    watching = threading.Thread(target=look, daemon=True)
    watching.start()
    try:
        printed, said = process.communicate()
    except BaseException:  # a session of its own hears no Ctrl-C
        os.killpg(process.pid, signal.SIGTERM)
        raise
    finally:
        ended.set()
        watching.join()
    if process.returncode:
        raise RadarError(f"{' '.join(command[1:])} failed: {said.strip()[-500:]}")
    return Whole(printed, peak // 1024)


def _of_session(session: int) -> Iterator[Path]:
    """Processes of a session, whoever of them started which."""
    for stat in _PROC.glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[3]) == session:
                yield stat.parent
        except (OSError, IndexError, ValueError):  # it has ended
            continue


def _shared_once(process: Path) -> int:
    """A process's memory in KB, its part of what it shares with others."""
    try:
        lines = (process / "smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0
