"""What a process keeps of the system's memory."""

import subprocess
import sys

import pytest

THREADS = """
import ctypes, sys, threading
from radar.memory import share_arenas

if sys.argv[1] == "shared":
    share_arenas()
begun, ended = threading.Barrier(13), threading.Event()

def answer():
    kept = [bytes(5_000) for _ in range(100)]
    begun.wait()
    ended.wait()

threads = [threading.Thread(target=answer) for _ in range(12)]
for thread in threads:
    thread.start()
begun.wait()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
out = ctypes.c_void_p(libc.fdopen(1, b"w"))
libc.malloc_info(0, out)
libc.fflush(out)
ended.set()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_threads_do_not_each_keep_a_place_of_their_own() -> None:
    places = {}
    for how in ("apart", "shared"):
        said = subprocess.run([sys.executable, "-c", THREADS, how], capture_output=True, text=True, timeout=60)
        if "malloc_info" in said.stderr:
            pytest.skip("not glibc")
        assert said.returncode == 0, said.stderr
        places[how] = said.stdout.count("<heap nr=")
    assert places["shared"] <= 2 < places["apart"]
