"""Asking servers over HTTP: politely, bounded in time and size, and again where that makes sense.

One request at a time goes to a host. What a server says of when to come back is heeded (`radar.sources.waiting`); what
it does not say is waited for with full jitter. A wait that is longer than `longest_wait` is not slept through: it ends
the call with Busy, so that the source is asked at a later run.

Where a URL of the operator's leads is followed to any public address, never into a private network: only to what the
operator's own URL names, which may be there.
"""

import ipaddress
import json
import random
import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from radar import __version__
from radar.sources.trouble import Busy, Malformed, NotFound, Refused, Trouble, Unreachable, Unsafe
from radar.sources.waiting import told_wait, usage_wait

ATTEMPTS = 4
HOPS = 5
SLOWEST = 20.0
"""Seconds that a first retry waits at most, times two with each more, up to thrice."""


_HARMLESS = frozenset({"if-none-match", "if-modified-since", "accept", "content-type"})
"""Headers that another host than the first may see."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Clock(Protocol):
    """What time it is, and how time passes."""

    def now(self) -> datetime:
        """The present instant, aware."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let that time pass."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said. body is empty for 304."""

    url: str
    status: int
    headers: httpx.Headers
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises Malformed."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Malformed(f"{_shown(self.url)} answered what is not JSON: {error}", self.body) from error


@dataclass(slots=True)
class _Host:
    """One host: a request at a time, not before `next_at`."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    next_at: datetime = _LONG_AGO
    socket: Any = None
    is_cut: bool = False

    def note(self, event: str, about: Mapping[str, Any]) -> None:
        """Remember the connection, as the client tells of it."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self.socket = about["return_value"].get_extra_info("socket")

    @contextmanager
    def cut_off_after(self, seconds: float) -> Iterator[None]:
        """End the connection after that time, whatever it does: the client's timeouts begin anew with each byte."""
        self.is_cut = False
        timer = threading.Timer(seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _cut(self) -> None:
        self.is_cut = True
        with suppress(OSError, AttributeError):
            self.socket.shutdown(socket.SHUT_RDWR)


class Web:
    """A client for all sources of a run. Use it as a context, or close() it.

    contact       an address (mail or URL) that goes into the User-Agent, for whoever runs a server
    most_bytes    of an unpacked body       most_seconds  for an answer to arrive whole
    longest_wait  seconds a call may sleep at once
    """

    def __init__(
        self,
        contact: str = "",
        *,
        clock: Clock | None = None,
        most_bytes: int = 8 << 20,
        most_seconds: float = 40.0,
        longest_wait: float = 60.0,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self._most_bytes, self._most_seconds, self._longest = most_bytes, most_seconds, longest_wait
        self._hosts: defaultdict[str, _Host] = defaultdict(_Host)
        self._random = random.Random()
        self._is_direct = not getproxies()
        agent = f"kol-trend-radar/{__version__}" + (f" (+{contact})" if contact else "")
        self._client = httpx.Client(
            headers={"User-Agent": agent},
            verify=_tls(),
            timeout=httpx.Timeout(15.0, connect=10.0),
            follow_redirects=False,
        )

    def __enter__(self) -> "Web":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        spacing: float = 0.0,
        home: str | None = None,
    ) -> Answer:
        """The answer to GET: 200, or 304 where `headers` ask for that.

        spacing  seconds between two requests to the host
        home     the operator's URL that led to this one, where that is another

        Raises Busy, Refused, NotFound, Unreachable, Unsafe.
        """
        return self._persist(_with(url, params), headers or {}, spacing, _origin(home or url))

    def post(
        self,
        url: str,
        *,
        params: Mapping[str, str | list[str]] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        form: Mapping[str, str] | None = None,
        home: str | None = None,
    ) -> Answer:
        """The answer to POST of a JSON body, or of a form: of questions that may be asked twice. Never redirected.

        home  the operator's URL that led to this one, where that is another

        Raises what get() raises.
        """
        kind = "application/json" if form is None else "application/x-www-form-urlencoded"
        content = json.dumps(body) if form is None else urlencode(form)
        said = {**(headers or {}), "Content-Type": kind}
        return self._persist(_with(url, params), said, 0.0, _origin(home or url), content.encode(), "POST")

    def put(self, url: str, text: str, *, home: str) -> Answer:
        """The answer to PUT of a plain text, which may be sent twice. Never redirected. Raises what get() raises."""
        said = {"Content-Type": "text/plain"}
        return self._persist(url, said, 0.0, _origin(home), text.encode(), "PUT")

    # ---- again ----

    def _persist(
        self, url: str, headers: Mapping[str, str], spacing: float, allowed: str,
        content: bytes | None = None, method: str = "GET",
    ) -> Answer:  # fmt: skip
        retrying = Retrying(
            stop=stop_after_attempt(ATTEMPTS), wait=self._wait, sleep=self.clock.sleep, reraise=True,
            retry=retry_if_exception(self._is_worth_a_retry),
        )  # fmt: skip
        return retrying(self._follow, url, headers, spacing, allowed, content, method)

    def _is_worth_a_retry(self, error: BaseException) -> bool:
        if isinstance(error, Busy):
            return error.resume_at is None or self._seconds_to(error.resume_at) <= self._longest
        return isinstance(error, Unreachable)

    def _wait(self, state: RetryCallState) -> float:
        """What the server asks for; else anything up to a bound that doubles (full jitter)."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Busy) and error.resume_at is not None:
            return max(0.0, self._seconds_to(error.resume_at)) + self._random.random()
        return self._random.uniform(0, SLOWEST * 2 ** min(state.attempt_number - 1, 2) / 4)

    def _seconds_to(self, at: datetime) -> float:
        return (at - self.clock.now()).total_seconds()

    # ---- once ----

    def _follow(
        self, url: str, headers: Mapping[str, str], spacing: float, allowed: str, content: bytes | None, method: str
    ) -> Answer:
        """One request and the redirects it leads to; what is secret in the headers stays with the first host."""
        first = _origin(url)
        for _ in range(HOPS + 1):
            if _origin(url) != first:
                headers = {name: value for name, value in headers.items() if name.lower() in _HARMLESS}
            answer = self._ask(url, headers, spacing, allowed, content, method)
            if answer.status not in (301, 302, 303, 307, 308):
                return answer
            if content is not None:
                raise Unsafe(f"{_shown(url)} redirects what is sent: not followed.")
            try:
                url = str(httpx.URL(url).join(answer.headers.get("location", "")))
            except (httpx.InvalidURL, ValueError) as error:
                raise Unsafe(f"{_shown(url)} redirects to no address.") from error
        raise Unsafe(f"{_shown(url)}: more than {HOPS} redirects.")

    def _ask(
        self, url: str, headers: Mapping[str, str], spacing: float, allowed: str, content: bytes | None, method: str
    ) -> Answer:
        try:
            parts = urlsplit(url)
            is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            is_web = False
        if not is_web:
            raise Unsafe(f"'{_shown(url)}' is no web address.")
        is_own = _origin(url) == allowed
        if not is_own:
            _check_public(str(parts.hostname))
        with self._turn(str(parts.netloc.rpartition("@")[2]), spacing) as host:
            told: dict[str, Any] = {"trace": host.note}
            try:
                with (
                    host.cut_off_after(2 * self._most_seconds),
                    self._client.stream(
                        method, url, headers=dict(headers), content=content, extensions=told
                    ) as response,
                ):
                    if not is_own and self._is_direct:
                        _check_peer(response)
                    self._heed(host, response)
                    answer = Answer(url, response.status_code, response.headers, self._body(response))
                    if host.is_cut:  # a body without a length looks as if it had ended there
                        raise httpx.ReadError("cut off")
                    return answer
            except (httpx.TransportError, httpx.InvalidURL, httpx.DecodingError) as error:
                if host.is_cut:
                    raise Unsafe(f"{_shown(url)}: not done after {2 * self._most_seconds:.0f} seconds.") from error
                raise Unreachable(f"{_shown(url)}: {type(error).__name__} {error}".strip()) from error

    @contextmanager
    def _turn(self, name: str, spacing: float) -> Iterator[_Host]:
        """Wait for the host to be free and ready. Raises Busy where that takes too long."""
        host = self._hosts[name]
        with host.lock:
            seconds = self._seconds_to(host.next_at)
            if seconds > self._longest:
                raise Busy(f"{name} asks us to wait until {host.next_at:%Y-%m-%d %H:%M:%S} UTC.", host.next_at)
            if seconds > 0:
                self.clock.sleep(seconds)
            try:
                yield host
            finally:
                host.next_at = max(host.next_at, self.clock.now() + timedelta(seconds=spacing))

    def _heed(self, host: _Host, response: httpx.Response) -> None:
        """Turn a status into what is to be done. Raises Busy, Refused, NotFound, Unreachable."""
        status, now = response.status_code, self.clock.now()
        url, said = _shown(str(response.url)), f"answered {response.status_code} {response.reason_phrase}".strip()
        resume_at = told_wait(response.headers, now, is_busy=status in (429, 503))
        resume_at = resume_at or usage_wait(response.headers, now)
        if resume_at is not None:
            host.next_at = max(host.next_at, resume_at)
        if status < 400:
            return
        if status in (429, 503):
            raise Busy(f"{url} {said}.", resume_at)
        kind = {401: Refused, 402: Refused, 403: Refused, 404: NotFound, 410: NotFound, 408: Unreachable}.get(status)
        error = (kind or (Unreachable if status >= 500 else Trouble))(f"{url} {said}.")
        error.detail = next(response.iter_bytes(4_000), b"").decode("utf-8", "replace")
        raise error

    def _body(self, response: httpx.Response) -> bytes:
        """The body, unpacked. Raises Unsafe for one that is too long or comes too slowly."""
        if response.status_code not in (200, 201):
            return b""
        where, until = _shown(str(response.url)), time.monotonic() + self._most_seconds
        blocks, size = [], 0
        for block in response.iter_bytes():
            blocks.append(block)
            size += len(block)
            if size > self._most_bytes:
                raise Unsafe(f"{where}: more than {self._most_bytes:,} bytes.")
            if time.monotonic() > until:
                raise Unsafe(f"{where}: not done after {self._most_seconds:.0f} seconds.")
        return b"".join(blocks)


def _with(url: str, params: Mapping[str, str | list[str]] | None) -> str:
    return str(httpx.URL(url, params=params)) if params else url


@cache
def _tls() -> ssl.SSLContext:
    """Whom we trust, read once a process."""
    return httpx.create_ssl_context()


def _origin(url: str) -> str:
    """Scheme-less origin: who is asked. An address that cannot be read is nobody's."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return ""
    return f"{parts.hostname}:{port}"


def _check_public(host: str) -> None:
    """Raises Unsafe where a name stands for an address of a private network, Unreachable where for none."""
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"There is no host '{host[:100]}'.") from error
    if not all(is_public(str(address)) for address in found):
        raise Unsafe(f"'{host[:100]}' is in a private network: not followed.")


def _check_peer(response: httpx.Response) -> None:
    """The same of the address that was really connected to: a name may stand for another one by now."""
    stream = response.extensions.get("network_stream")
    peer = stream.get_extra_info("server_addr") if stream is not None else None
    if peer and not is_public(str(peer[0])):
        raise Unsafe("The address led into a private network: not read.")


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open Internet's.

    >>> [is_public(a) for a in ("93.184.215.14", "10.0.0.1", "127.0.0.1", "169.254.1.1", "::1", "::ffff:127.0.0.1")]
    [True, False, False, False, False, False]
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(ip, "ipv4_mapped", None)
    return bool((mapped or ip).is_global) and not ip.is_multicast


def _shown(url: str) -> str:
    """An address as messages show it: without query, which may hold a key, and without a password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url[:100]
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:200]
