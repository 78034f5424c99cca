"""Bluesky live: posts and their deletion as they happen, from a Jetstream server, which needs no key.

Everybody's posts come by; those in the languages of the configured markets are taken, and the language says the market,
since nothing else is known of their authors. All deletions come; ingest passes over those of posts we never had.

The cursor is the time of the last event in microseconds. A server keeps some 36 hours and begins a cursor that is older
silently at what it still has: such a gap is told as a fault, never passed over.
"""

import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException
from websockets.sync.client import connect

from radar import __version__
from radar.sources.base import Account, Batch, Capabilities, Fault, RawAuthor, RawPost, Source
from radar.sources.dates import instant
from radar.sources.trouble import Malformed, Unreachable
from radar.sources.web import Web

PUBLIC = "wss://jetstream2.us-east.bsky.network/subscribe"
COLLECTION = "app.bsky.feed.post"
MARKET_OF = {"ja": "JP", "ko": "KR", "th": "TH", "zh": "TW"}
"""The market that a language stands for, where the configuration does not say."""
BEGINS = timedelta(minutes=10)
"""How far back a new stream begins."""
AHEAD = timedelta(hours=1)
"""An event that claims to be later than this by our clock is none: it would carry the cursor away with it."""
GAP = timedelta(minutes=5)
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
        self._markets: Mapping[str, str] = config.get("markets") or MARKET_OF

    def discover(self, cursor: dict[str, Any] | None, now: datetime, account: Account | None = None) -> Iterator[Batch]:
        """What happened since the cursor, up to now, then the end."""
        yield from self._read(cursor, now, until=now)

    def follow(self, cursor: dict[str, Any] | None) -> Iterator[Batch]:
        """What happens, as it happens, at most a second a batch, until the connection ends."""
        yield from self._read(cursor, self._clock.now(), until=None)

    def _read(self, cursor: dict[str, Any] | None, now: datetime, until: datetime | None) -> Iterator[Batch]:
        since = int((cursor or {}).get("time_us") or _micros(now - BEGINS))
        query = urlencode({"wantedCollections": COLLECTION, "cursor": since})
        try:
            with connect(
                f"{self._url}?{query}", open_timeout=15, close_timeout=2, max_size=MOST_BYTES,
                user_agent_header=f"kol-trend-radar/{__version__}",
            ) as socket:  # fmt: skip
                yield from self._batches(socket, since, until, is_known=bool(cursor))
        except InvalidURI as error:
            raise Unreachable(f"{self._url}: no address of a stream") from error
        except InvalidHandshake as error:
            raise Unreachable(f"{self._url}: {error}") from error
        except (WebSocketException, OSError) as error:
            raise Unreachable(f"{self._url}: {type(error).__name__} {error}".strip()) from error

    def _batches(self, socket: Any, since: int, until: datetime | None, *, is_known: bool) -> Iterator[Batch]:
        posts: list[RawPost] = []
        faults: list[Fault] = []
        begun = given = time.monotonic()
        last, is_first, is_done = since, True, False
        ended: WebSocketException | None = None
        while not is_done and ended is None:
            event = None
            try:
                event = _event(socket.recv(timeout=QUIET if until else 1.0), self._clock.now())
            except TimeoutError:
                is_done = until is not None
            except WebSocketException as error:  # what came before it counts
                ended = error
            except Malformed as error:
                faults.append(Fault(error.message, error.payload))
            if event is not None:
                at = event["time_us"]
                if is_first and is_known and at - since > GAP / timedelta(microseconds=1):
                    faults.append(Fault("the stream began later than asked: events between are lost", f"{since}..{at}"))
                last, is_first = max(last, at), False
                self._take(event, posts, faults)
                is_done = until is not None and at >= _micros(until)
            is_done = is_done or (until is not None and time.monotonic() - begun > LONGEST)
            if len(posts) >= BATCH or is_done or ended or (until is None and time.monotonic() - given > 1.0):
                reached = datetime.fromtimestamp(last / 1e6, UTC)
                caught_up = until is not None and is_done and time.monotonic() - begun <= LONGEST
                yield Batch(posts, {"time_us": last}, until if caught_up else reached, faults)
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
            return RawPost("bluesky", uri, RawAuthor(did, market), "", at, deleted=True)
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
                did, named[0], market_source="language", url=f"https://bsky.app/profile/{did}",
            ),
            language=languages[0][:16], url=f"https://bsky.app/profile/{did}/post/{commit['rkey']}",
            given=frozenset({"language", "url"}),
        )  # fmt: skip


def _event(raw: str | bytes, now: datetime) -> dict[str, Any]:
    """Raises Malformed."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"an event that is not JSON: {error}", raw) from error
    if not isinstance(found, dict) or not isinstance(found.get("time_us"), int):
        raise Malformed("an event without a time", raw)
    if not 0 < found["time_us"] < _micros(now + AHEAD):
        raise Malformed("an event of another time than ours", raw)
    return found


def _micros(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)
