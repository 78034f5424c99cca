"""Giving memory back: what Python freed goes to the system, so that a long-lived process is as small as its work."""

import ctypes
import gc
import os
import sys
from pathlib import Path

_GROWN = 32 << 20
_MMAP_THRESHOLD, _LARGE = -3, 1 << 20
_ARENA_MAX, _ARENAS = -8, 2
_left = 0


def give_back() -> None:
    """Collect garbage and return free pages to the system (on Linux; elsewhere the allocator does as it will).

    Does nothing where the process is hardly larger than the last call left it: collecting takes a tenth of a second.
    """
    global _left
    if 0 < _resident() < _left + _GROWN:
        return
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; musl has none
        if trim is not None:
            trim(0)
    _left = _resident()


def return_large() -> None:
    """From here on give large pieces back to the system as soon as they are freed (on Linux with glibc).

    Otherwise the allocator keeps all below 32 MiB for the next one, and what a process has at most is more by half.
    """
    _set_option(_MMAP_THRESHOLD, _LARGE)


def share_arenas() -> None:
    """Let all threads that are begun from here on allocate from the same places (on Linux with glibc).

    Otherwise each thread gets its own, which stays as large as the largest answer that was ever made in it.
    """
    _set_option(_ARENA_MAX, _ARENAS)


def _set_option(option: int, value: int) -> None:
    if sys.platform == "linux":
        set_option = getattr(ctypes.CDLL(None), "mallopt", None)
        if set_option is not None:
            set_option(option, value)


def _resident() -> int:
    """Bytes of this process in memory, from Linux's own account; elsewhere 0."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
