"""Reading posts while they come in: a file is imported by one process, and another core would have nothing to do.

For PostgreSQL, where several write at once; SQLite has one writer: see `radar.read_ahead`.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from radar.classify import many_wait
from radar.scheduling import Context, run_job

_LOOKS = 0.2
"""Seconds between two looks whether posts wait."""


@dataclass(slots=True)
class Along:
    """How many posts were read meanwhile."""

    posts: int = 0


@contextmanager
def read_along(context: Context) -> Iterator[Along]:
    """Fit the model where it is missing, and classify posts while the caller brings in more, to the last of them.

    Posts are read when the model is fitted and so many wait that processes of their own pay; it may be none. What
    fails here is left to whoever classifies next, who fails the same way; if the caller fails, nothing is waited for.
    """
    done, ended = Along(), threading.Event()
    reader = threading.Thread(target=_read, args=(context, ended, done), name="reads along", daemon=True)
    reader.start()
    yield done
    ended.set()
    reader.join()


def _read(context: Context, ended: threading.Event, done: Along) -> None:
    own = replace(context, coming=lambda: not ended.is_set())
    with suppress(Exception):
        with context.fitting():
            pass
        while not ended.wait(_LOOKS):
            if many_wait(context.engine, coming=True):
                done.posts += run_job("classify_posts", own).rows_in
