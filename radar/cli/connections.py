"""Connections of a server that lets no client take it from the others by waiting.

Uvicorn closes a connection that is silent after an answer; one that never asks, that sends a request byte by byte, or
that does not read its answer it keeps for ever. Here each has its time, and where all that the system lets us have are
taken, the one that has let us wait longest makes room. What a body may hold is radar.api.app's to say.
"""

import asyncio
import resource
import socket
from collections import deque
from contextlib import suppress
from typing import Any, ClassVar

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD, BODY, READ = 20.0, 20.0, 60.0
"""Seconds that a client has for the head of a request, for its body, and to read something of its answer."""
RATE = 5_000
"""Bytes of a body for which it has a second more."""
MOST, RESERVE = 16_384, 200
"""Connections at a time, and descriptors that are kept for everything else: the store, files, logs."""
_LOOKS = 5.0
QUEUE, AT_ONCE = 2_048, 16
"""Connections that the system keeps for us, and those that are accepted, or ended, before anything else is done."""


class Server(uvicorn.Server):
    """Accepts few connections at once: asyncio accepts a whole queue before it lets go of one that is too many."""

    def __init__(self, config: uvicorn.Config) -> None:
        config.backlog = AT_ONCE
        config.http = bounded(most_connections())
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for one in sockets or ():
            one.listen(QUEUE)  # asyncio made that as short as what it accepts at once


def most_connections() -> int:
    """How many connections may be open at a time; the system's soft limit is raised first, as far as it lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST + RESERVE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        higher = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (higher, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else min(MOST, max(soft - RESERVE, soft // 2))


def bounded(most: int) -> type[asyncio.Protocol]:
    """What uvicorn makes of each connection, of which there are so many at most."""

    class Bounded(H11Protocol):
        """One connection. It is in `waiting` while a client lets us wait, behind those that have done so longer.

        late  those whose time is over: a thousand that came together are not ended at one go
        """

        waiting: ClassVar[dict["Bounded", None]] = {}
        late: ClassVar[deque["Bounded"]] = deque()

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
            super().connection_made(transport)
            self._since, self._sent, self._unread = self.loop.time(), 0, 0
            self._asked: Any = None  # the request whose body is on its way
            self._waits(True)
            self._look_later(_LOOKS)
            if len(self.connections) > most:
                longest = next(iter(self.waiting), self)  # this one itself where all others are at work
                longest._waits(False)
                longest.transport.abort()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if not self._is_asked():
                return
            if not self.cycle.more_body:
                self._waits(False)
            elif self._asked is not self.cycle:  # its head is there, the time of its body begins
                self._asked, self._since, self._sent = self.cycle, self.loop.time(), 0
            self._sent += len(data)

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._since = self.loop.time()
            self._waits(not self._is_asked() or self.cycle.more_body)  # the next one may have come with this one

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._waits(False)
            self._look.cancel()
            if hasattr(self.transport, "_read_ready_cb"):
                self.transport._read_ready_cb = None  # asyncio's transport refers to itself there, and would stay

        def _is_asked(self) -> bool:
            return self.cycle is not None and not self.cycle.response_complete

        def _waits(self, yes: bool) -> None:
            self.waiting.pop(self, None)
            if yes and not self.transport.is_closing():
                self.waiting[self] = None

        def _look_later(self, seconds: float) -> None:
            self._look = self.loop.call_later(seconds, self._look_now)

        def _look_now(self) -> None:
            """Close the connection where its client's time is over."""
            now = self.loop.time()
            if self in self.waiting:
                given = BODY + self._sent / RATE if self._is_asked() else HEAD
                if now - self._since <= given:
                    self._look_later(min(_LOOKS, given))
                    return
                self.late.append(self)
                if len(self.late) == 1:
                    self.loop.call_soon(self._end_some)
                return
            unread = self.transport.get_write_buffer_size()
            if not unread or unread != self._unread:
                self._unread, self._since = unread, now
            elif now - self._since > READ:
                self.transport.abort()
                return
            self._look_later(_LOOKS)

        def _end_some(self) -> None:
            for _ in range(min(AT_ONCE, len(self.late))):
                one = self.late.popleft()
                if one in self.waiting:
                    one.transport.abort()
                elif not one.transport.is_closing():  # it has asked at last
                    one._look_later(_LOOKS)
            if self.late:
                self.loop.call_soon(self._end_some)

    return Bounded
