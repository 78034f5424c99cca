"""Bluesky live: posts and their deletion as they happen, from a Jetstream server, which needs no key.

Everybody's posts come by; those in the languages of the configured markets are taken, and the language says the market,
since nothing else is known of their authors. All deletions come; ingest passes over those of posts we never had.

Servers speak the first protocol (`/subscribe`) or the second (`.../network.bsky.jetstream.subscribeEvents`, of 2026),
as the address says. The cursor is the time of the last event in microseconds, and beside it the number that the
second protocol gives it, which means something to that server alone. A server keeps some 36 hours. One of the first
protocol begins a cursor that is older silently at what it still has, one of the second refuses it: either gap is told
as a fault, never passed over.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI, WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from radar import __version__
from radar.sources.base import GUESSED, Account, Batch, Capabilities, Fault, RawAuthor, RawPost, Source
from radar.sources.dates import instant
from radar.sources.trouble import Malformed, Unreachable
from radar.sources.web import Web

SECOND = "network.bsky.jetstream.subscribeEvents"
"""What an address of the second protocol ends with."""
PUBLIC = f"wss://jetstream.us-east.bsky.network/xrpc/{SECOND}"
COLLECTION = "app.bsky.feed.post"
KEPT = timedelta(hours=35)
"""How far back a server that refuses a cursor is asked for instead."""
MARKET_OF = {"ja": "JP", "ko": "KR", "th": "TH", "zh": "TW"}
"""The market that a language stands for, where the configuration does not say."""
BEGINS = timedelta(minutes=10)
"""How far back a new stream begins."""
AHEAD = timedelta(hours=1)
"""An event that claims to be later than this by our clock is none: it would carry the cursor away with it."""
GAP = timedelta(minutes=5)
LOST = "the stream began later than asked: events between are lost"
BATCH = 500
LONGEST = 240.0
"""Seconds of a run; the next one goes on from there."""
QUIET = 10.0
"""Seconds without any event after which there is nothing more to come."""
MOST_BYTES = 1 << 20


class JetstreamSource(Source):
    """Everybody's posts in some languages. config: url, markets (language -> market)."""

    kind = "jetstream"
    is_simulated = False
    capabilities = Capabilities(watches=False, counts=frozenset(), edits=True, deletes=True, back=timedelta(hours=36))

    def __init__(self, name: str, config: dict[str, Any], web: Web) -> None:
        self.name, self._url, self._clock = name, config.get("url") or PUBLIC, web.clock
        self._is_second = urlsplit(self._url).path.rstrip("/").endswith(SECOND)
        self._markets: Mapping[str, str] = config.get("markets") or MARKET_OF

    def discover(self, cursor: dict[str, Any] | None, now: datetime, account: Account | None = None) -> Iterator[Batch]:
        """What happened since the cursor, up to now, then the end."""
        yield from self._read(cursor, now, until=now)

    def follow(self, cursor: dict[str, Any] | None) -> Iterator[Batch]:
        """What happens, as it happens, at most a second a batch, until the connection ends."""
        yield from self._read(cursor, self._clock.now(), until=None)

    def _read(self, cursor: dict[str, Any] | None, now: datetime, until: datetime | None) -> Iterator[Batch]:
        known = dict(cursor or {})
        since = int(known.get("time_us") or _micros(now - BEGINS))
        number = known.get("seq") if known.get("at") == self._url else None
        starts = [since]
        if self._is_second:
            starts = [int(number or since), max(since, _micros(now - KEPT)), _micros(now - BEGINS)]
        try:
            with self._connect(starts) as (socket, lost):
                if lost:
                    yield Batch([], known | {"time_us": since}, None, [Fault(LOST, f"{since}..")])
                yield from self._batches(socket, since, until, number, is_known=bool(cursor) and not lost)
        except InvalidURI as error:
            raise Unreachable(f"{self._url}: no address of a stream") from error
        except InvalidHandshake as error:
            raise Unreachable(f"{self._url}: {error}") from error
        except (WebSocketException, OSError) as error:
            raise Unreachable(f"{self._url}: {type(error).__name__} {error}".strip()) from error

    @contextmanager
    def _connect(self, starts: list[int]) -> Iterator[tuple[ClientConnection, bool]]:
        """A connection from the first of several cursors that the server takes, and whether it was a later one."""
        names = {"collections": COLLECTION, "kinds": "commit"} if self._is_second else {"wantedCollections": COLLECTION}
        for n, start in enumerate(starts):
            try:
                with connect(
                    f"{self._url}?{urlencode(names | {'cursor': start})}", open_timeout=15, close_timeout=2,
                    max_size=MOST_BYTES, user_agent_header=f"kol-trend-radar/{__version__}",
                    subprotocols=[Subprotocol("xrpc.v1.json")] if self._is_second else None,
                ) as socket:  # fmt: skip
                    yield socket, n > 0
                    return
            except InvalidStatus as error:
                if b"CursorTooOld" not in (error.response.body or b"") or n + 1 == len(starts):
                    raise

    def _batches(
        self, socket: Any, since: int, until: datetime | None, number: int | None, *, is_known: bool
    ) -> Iterator[Batch]:
        posts: list[RawPost] = []
        faults: list[Fault] = []
        begun = given = time.monotonic()
        last, is_first, is_done = since, True, False
        ended: Exception | None = None
        while not is_done and ended is None:
            event = None
            try:
                event = _event(socket.recv(timeout=QUIET if until else 1.0), self._clock.now())
            except TimeoutError:
                is_done = until is not None
            except (WebSocketException, Unreachable) as error:  # what came before it counts
                ended = error
            except Malformed as error:
                faults.append(Fault(error.message, error.payload))
            if event is not None:
                at = event["time_us"]
                if is_first and is_known and at - since > GAP / timedelta(microseconds=1):
                    faults.append(Fault(LOST, f"{since}..{at}"))
                last, is_first = max(last, at), False
                number = event.get("seq", number)
                self._take(event, posts, faults)
                is_done = until is not None and at >= _micros(until)
            is_done = is_done or (until is not None and time.monotonic() - begun > LONGEST)
            if len(posts) >= BATCH or is_done or ended or (until is None and time.monotonic() - given > 1.0):
                reached = datetime.fromtimestamp(last / 1e6, UTC)
                caught_up = until is not None and is_done and time.monotonic() - begun <= LONGEST
                mine = {"seq": number, "at": self._url} if number is not None else {}
                yield Batch(posts, {"time_us": last, **mine}, until if caught_up else reached, faults)
                posts, faults, given = [], [], time.monotonic()
        if ended is not None:
            raise ended

    def _take(self, event: dict[str, Any], posts: list[RawPost], faults: list[Fault]) -> None:
        commit = event.get("commit")
        if event.get("kind") != "commit" or not isinstance(commit, dict) or commit.get("collection") != COLLECTION:
            return
        try:
            post = self._post(event["did"], commit, datetime.fromtimestamp(event["time_us"] / 1e6, UTC))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            faults.append(Fault(f"{type(error).__name__}: {error}"[:300], repr(event)[:4_000]))
            return
        if post is not None:
            posts.append(post)

    def _post(self, did: str, commit: dict[str, Any], at: datetime) -> RawPost | None:
        """A post in one of our languages, or a tombstone. Raises KeyError, TypeError, ValueError, AttributeError."""
        uri = f"at://{did}/{COLLECTION}/{commit['rkey']}"
        if commit["operation"] == "delete":
            market = next(iter(self._markets.values()))  # the stored one stands
            author = RawAuthor(did, market, market_source="inferred")
            return RawPost("bluesky", uri, author, "", at, deleted=True)
        record = commit["record"]
        languages = [tag for tag in record.get("langs") or [] if isinstance(tag, str)]
        named = [m for tag in languages if (m := self._markets.get(tag.partition("-")[0].lower()))]
        text = record["text"]
        if not named or not text.strip():
            return None
        written = instant(str(record.get("createdAt")), UTC)
        return RawPost(
            platform="bluesky", native_id=uri, text=text, published_at=min(written or at, at),
            author=RawAuthor(
                did, named[0], url=f"https://bsky.app/profile/{did}", market_source="inferred",
                market_confidence=GUESSED, market_reasons=f"the language of a post: {languages[0][:16]}",
            ),
            language=languages[0][:16], url=f"https://bsky.app/profile/{did}/post/{commit['rkey']}",
            given=frozenset({"language", "url"}),
        )  # fmt: skip


def _event(raw: str | bytes, now: datetime) -> dict[str, Any]:
    """An event as the first protocol tells it. Raises Malformed, and Unreachable where the server ends the stream."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"an event that is not JSON: {error}", raw) from error
    if isinstance(found, dict) and found.get("$type") == "error":
        raise Unreachable(f"the stream ended: {found.get('error')} {found.get('message') or ''}"[:300].strip())
    if isinstance(found, dict) and isinstance(found.get("payload"), dict):
        found = _as_first(found["payload"])
    if not isinstance(found, dict) or not isinstance(found.get("time_us"), int):
        raise Malformed("an event without a time", raw)
    if not 0 < found["time_us"] < _micros(now + AHEAD):
        raise Malformed("an event of another time than ours", raw)
    return found


def _as_first(payload: dict[str, Any]) -> dict[str, Any]:
    """An event of the second protocol as the first tells it, with its number.

    >>> _as_first({"$type": "x#commit", "seq": 7, "did": "d", "time": "2026-05-04T10:00:00Z", "rkey": "r"})["time_us"]
    1777888800000000
    """
    at = instant(str(payload.get("time") or payload.get("witnessedAt")), UTC)
    number = payload.get("seq")
    is_number = isinstance(number, int) and not isinstance(number, bool) and number >= 0
    return {
        "time_us": _micros(at) if at else None, "did": payload.get("did"), "commit": payload,
        "kind": str(payload.get("$type")).rpartition("#")[2], **({"seq": number} if is_number else {}),
    }  # fmt: skip


def _micros(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)
