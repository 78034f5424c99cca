"""Answers that hold until what they were made of changes: made once, kept as bytes, and checked by a number.

The number is the store's (`radar.store.version`): it is another after every detection, promotion, erasure, deletion or
correction. Reading it costs some microseconds; a list of trends is then sent as it was made (`radar.api.repeats`).
"""

import gzip
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from radar.api.caching import tag_of
from radar.store.version import UNKNOWN, AnswersVersion

MOST_KEPT = 512
MOST_BYTES = 64_000_000
_MARK = "_radar_is_kept"
Key = tuple[str, bytes]
F = TypeVar("F", bound=Callable[..., Any])


def kept(endpoint: F) -> F:
    """Mark an endpoint whose answers come from what detection wrote."""
    setattr(endpoint, _MARK, True)
    return endpoint


def is_kept(endpoint: Callable[..., Any]) -> bool:
    """Whether an endpoint was marked."""
    return getattr(endpoint, _MARK, False)


@dataclass(slots=True)
class Kept:
    """An answer, its name, and the same compressed, made with it; and the route that made it."""

    version: int
    body: bytes
    tag: str
    packed: bytes | None = None
    packed_tag: str = ""
    route: Any = None

    @property
    def size(self) -> int:
        return len(self.body) + len(self.packed or b"")


class Answered:
    """The answers of one application, the least used leave first."""

    def __init__(self, engine: sa.Engine) -> None:
        self._version = AnswersVersion(engine)
        self._answers: OrderedDict[Key, Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self._making = threading.local()

    def may_know(self, key: Key) -> bool:
        """Whether there is an answer, which may hold no more."""
        return key in self._answers

    def known(self, key: Key) -> Kept | None:
        """The answer, if it still holds."""
        found = self._answers.get(key)
        if found is None or found.version != self._version.read():
            return None
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
        return found

    def make(self, key: Key, made_by: Callable[[], bytes], route: Any = None) -> Kept:
        """Make an answer and keep it, under the number that held before it was begun."""
        version = self._version.read()
        self._making.is_wanted = True
        body = made_by()
        packed = gzip.compress(body, 5, mtime=0) if len(body) > 1024 else None
        made = Kept(version, body, tag_of(body), packed, tag_of(packed or b""), route)
        if version != UNKNOWN and self._making.is_wanted and made.size < MOST_BYTES // 8:
            self._keep(key, made)
        return made

    def forget_next(self) -> None:
        """Do not keep the answer that this thread is making."""
        self._making.is_wanted = False

    def _keep(self, key: Key, made: Kept) -> None:
        with self._lock:
            before = self._answers.pop(key, None)
            self._bytes += made.size - (before.size if before else 0)
            self._answers[key] = made
            while len(self._answers) > MOST_KEPT or self._bytes > MOST_BYTES:
                _, gone = self._answers.popitem(last=False)
                self._bytes -= gone.size
