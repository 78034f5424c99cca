"""Giving memory back: what Python freed goes to the system, so that a long-lived process is as small as its work."""

import ctypes
import gc
import sys


def give_back() -> None:
    """Collect garbage and return free pages to the system (on Linux; elsewhere the allocator does as it will)."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; musl has none
        if trim is not None:
            trim(0)
