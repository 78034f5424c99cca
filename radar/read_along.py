"""Reading posts while they come in: a file is imported by one process, and another core would have nothing to do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from radar.classify import many_wait
from radar.errors import RadarError
from radar.registry import is_fitted
from radar.scheduling import Context, run_job

_LOOKS = 0.5
"""Seconds between two looks whether the model is fitted and posts wait."""


@dataclass(slots=True)
class Along:
    """How many posts were read meanwhile."""

    posts: int = 0


@contextmanager
def read_along(context: Context) -> Iterator[Along]:
    """Classify posts while the caller brings in more, as the scheduler would beside it, to the last of them.

    Begins when the model is fitted and so many posts wait that processes of their own pay; may do nothing at all. What
    fails here is left to whoever classifies next, who fails the same way.
    """
    done, ended = Along(), threading.Event()
    reader = threading.Thread(target=_read, args=(context, ended, done), name="reads along", daemon=True)
    reader.start()
    try:
        yield done
    finally:
        ended.set()
        reader.join()


def _read(context: Context, ended: threading.Event, done: Along) -> None:
    own = replace(context, coming=lambda: not ended.is_set())
    while not ended.wait(_LOOKS):
        try:
            if many_wait(context.engine) and is_fitted(context.settings.models_dir / "topics" / context.model_id):
                done.posts += run_job("classify_posts", own).rows_in
        except RadarError:
            return
