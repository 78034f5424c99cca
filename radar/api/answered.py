"""Answers that hold until what they were made of changes: made once, however many ask for them, and kept as bytes.

What says that an answer holds are numbers of the store (`radar.store.version`), which are read in some microseconds.
There are two kinds. Lists of trends hold until detection, promotion, erasure, deletion or correction. Whatever else is
kept holds until anything was written, and for seconds at most, because it also tells the time.

**Many at once.** While an answer is made, others who ask the same wait for that one. In a crowd, that is while others'
answers are made or a moment after, whoever asks for what no longer holds is given the previous answer, some seconds
old, and one cook makes what was asked for anew, the longest wanted first; it rests as long after each, for what works
beside the API. Somebody who asks alone always gets what the store holds now.

**Nothing that is gone.** When something is taken away (erased, hidden, deleted, muted) its transaction changes the
number of removals: then all that is kept is let go, whoever asks, and what is being made serves those alone who asked
before.
"""

import asyncio
import gzip
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from radar.api.caching import tag_of
from radar.store.version import StoreVersions, Versions

FLEETING = "is_fleeting"
"""What a route notes in `request.state` of an answer that changes with every post, where others change with trends."""
MOST_KEPT = 512
MOST_BYTES = 64_000_000
HOLDS = 5.0
"""Seconds for which an answer that tells the time is kept at most."""
LATE = 30.0
"""Seconds since an answer held after which nobody is given it any more."""
_CROWDED = 1.0
"""Seconds after which a crowd is none, once nobody had to share the kitchen."""
_BY_TRENDS = re.compile(r"/v1/markets/[^/]+/trends")
_BRIEFLY = re.compile(
    r"/|/(markets|trends)/[^/]+|/(markets|matrix|topics|coverage|kols)"
    r"|/v1/(markets|matrix|coverage|authors)|/v1/trends/[^/]+(/posts|/authors|/path|/markets)?"
)
Pairs = list[tuple[bytes, bytes]]
Make = Callable[[], Awaitable["Kept"]]


def is_by_trends(path: str) -> bool:
    """Whether the answer at an address holds until trends change."""
    return _BY_TRENDS.fullmatch(path) is not None


def is_kept(path: str) -> bool:
    """Whether the answer at an address is kept at all."""
    return is_by_trends(path) or _BRIEFLY.fullmatch(path) is not None


@dataclass(slots=True)
class Kept:
    """A whole answer, and the same compressed, once somebody asked for that.

    headers  but those of whoever asked, of the form that it is sent in, and its name
    route    what made it: the watcher counts by that
    is_own   it is for whoever asked first alone: a problem, or what nobody may keep
    is_brief it holds until the next write, and for some seconds
    """

    status: int
    headers: Pairs
    body: bytes
    route: object
    is_own: bool
    is_brief: bool
    tag: str = ""
    packed: bytes | None = None
    packed_tag: str = ""
    versions: Versions | None = None
    made_at: float = 0.0
    held_at: float = 0.0

    def __post_init__(self) -> None:
        self.tag = tag_of(self.body)

    def pack(self) -> None:
        """Compress it, where that is worth it."""
        if self.packed is None and len(self.body) > 1024:
            packed = gzip.compress(self.body, 5, mtime=0)
            self.packed_tag = tag_of(packed)  # first: others send what is packed while this goes on
            self.packed = packed

    @property
    def size(self) -> int:
        return len(self.body) * 5 // 4  # with room for the compressed form

    def holds(self, now: Versions, at: float) -> bool:
        """Whether it is what would be made now."""
        if self.versions is None or self.versions.removals != now.removals:
            return False
        if not self.is_brief:
            return self.versions.trends == now.trends
        return self.versions.store == now.store and at - self.made_at < HOLDS


@dataclass(slots=True, eq=False)
class _Making:
    """An answer that is being made, under the numbers that held before it was begun."""

    task: "asyncio.Task[Kept]"
    loop: asyncio.AbstractEventLoop
    removals: int


class Answered:
    """The answers of one application; the least used leave first. All but the making is the event loop's."""

    def __init__(self, engine: sa.Engine, *, briefly: bool = True) -> None:
        """briefly: keep also what holds until the next write; not where a standby answers, which is late itself."""
        self._versions = StoreVersions(engine)
        self._briefly = briefly
        self._answers: OrderedDict[Hashable, Kept] = OrderedDict()
        self._making: dict[Hashable, _Making] = {}
        self._bytes = 0
        self._removals: int | None = None
        self._crowded_until = 0.0
        self._waiting: OrderedDict[Hashable, Make] = OrderedDict()
        self._cooking: asyncio.Task[None] | None = None

    def keeps(self, path: str) -> bool:
        """Whether answers at an address are kept here."""
        return is_by_trends(path) or (self._briefly and is_kept(path))

    async def get(self, key: Hashable, make: Make) -> Kept | None:
        """The answer, which is made where none holds; None where each has to have its own. Raises what making does."""
        now, at = self._versions.read(), time.monotonic()
        if now is None:
            return None
        self._let_go(now)
        found = self._answers.get(key)
        if found is not None and found.holds(now, at):
            found.held_at = at
            self._answers.move_to_end(key)
            return found
        if found is not None and at - found.held_at < LATE and self._is_crowded(at):
            self._waiting.setdefault(key, make)
            self._cook()
            return found
        making = self._making.get(key)
        if making is None or making.removals != now.removals or making.loop is not asyncio.get_running_loop():
            return await asyncio.shield(self._begin(key, make, now).task)
        self._crowded_until = at + _CROWDED
        shared = await asyncio.shield(making.task)
        return None if shared.is_own else shared

    def _is_crowded(self, at: float) -> bool:
        """Whether others are at work in the kitchen, or were a moment ago."""
        if self._making or self._cooking is not None:
            self._crowded_until = at + _CROWDED
        return at < self._crowded_until

    def _cook(self) -> None:
        if self._cooking is None or self._cooking.done():
            self._cooking = asyncio.get_running_loop().create_task(self._cook_all())
            self._cooking.add_done_callback(_seen)

    async def _cook_all(self) -> None:
        """Make what was asked for in a crowd, the longest wanted first, and rest as long after each."""
        try:
            while self._waiting:
                key, make = self._waiting.popitem(last=False)
                now, began = self._versions.read(), time.monotonic()
                if now is None:
                    return
                if key not in self._making:
                    with suppress(Exception):  # whoever asks next is told
                        await asyncio.shield(self._begin(key, make, now).task)
                await asyncio.sleep(time.monotonic() - began)
        finally:
            self._cooking = None

    def forget(self) -> None:
        """Let go of everything: somebody wrote through this application, and looks at what came of it."""
        self._answers.clear()
        self._making.clear()
        self._waiting.clear()
        self._bytes = 0

    def _let_go(self, now: Versions) -> None:
        if now.removals != self._removals:
            self._removals = now.removals
            self.forget()

    def _begin(self, key: Hashable, make: Make, now: Versions) -> _Making:
        async def made() -> Kept:
            try:
                found = await make()
                found.versions, found.made_at = now, time.monotonic()
                found.held_at = found.made_at
                if self._making.get(key) is making:  # else something was taken away meanwhile
                    self._keep(key, found)
                return found
            finally:
                if self._making.get(key) is making:
                    del self._making[key]

        loop = asyncio.get_running_loop()
        task = loop.create_task(made())
        task.add_done_callback(_seen)
        making = self._making[key] = _Making(task, loop, now.removals)
        return making

    def _keep(self, key: Hashable, made: Kept) -> None:
        if made.is_own or made.size > MOST_BYTES // 8 or (made.is_brief and not self._briefly):
            return
        before = self._answers.pop(key, None)
        self._bytes += made.size - (before.size if before else 0)
        self._answers[key] = made
        while len(self._answers) > MOST_KEPT or self._bytes > MOST_BYTES:
            _, gone = self._answers.popitem(last=False)
            self._bytes -= gone.size


def _seen(task: "asyncio.Task[Any]") -> None:
    """Take note of what a task raised, that nobody may have waited for."""
    if not task.cancelled():
        task.exception()
