"""YouTube's Data API: what channels upload, with counts, through a key of the operator's own.

A channel's uploads are a playlist whose id follows from the channel's. A page of it costs one unit of the day's quota,
and one more where it holds videos that were not seen yet: their texts and counts come by batches of 50. What is stored
is asked for again within 30 days or deleted, and nothing is derived from it before the operator accepted the amendment
of the platform's policies (`radar.sources.facts`).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from radar.errors import CallerError
from radar.sources.api import UNREADABLE, Api, count_of, counts_of, id_of, items_of, text_or_none
from radar.sources.base import Account, Batch, Capabilities, Fault, PostRef, RawAuthor, RawPost, Reread, Source, unread
from radar.sources.base import fault_of as _fault
from radar.sources.budget import Ledger, Meter
from radar.sources.dates import instant
from radar.sources.facts import ask_every, budgets_of, facts_of, keep_for
from radar.sources.secrets import read_secret
from radar.sources.sweep import Page, sweep
from radar.sources.trouble import Busy, Malformed, NotFound, Refused, Trouble
from radar.sources.web import Answer, Web

PUBLIC = "https://youtube.googleapis.com"
BATCH = 50
PARTS = "snippet,statistics,status,paidProductPlacementDetails"
OVERLAP = timedelta(hours=6)
REMEMBERED = 60
"""Ids of the newest videos that a cursor remembers: a page without another costs no look at its videos."""
COUNTED = {"like_count": "likeCount", "comment_count": "commentCount", "view_count": "viewCount"}
_GIVEN = frozenset({*COUNTED, "url", "language", "media_kind", "sponsored"})
_BUSY = ("rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED")
_SPENT = ("quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg")
_BAD_KEY = ("keyInvalid", "keyExpired", "API_KEY_INVALID", "accessNotConfigured", "SERVICE_DISABLED")
_NOT_THERE = ("playlistNotFound", "channelNotFound", "playlistItemsNotAccessible", "channelClosed", "channelSuspended")


class YouTubeSource(Source):
    """Channels by id (UC...), handle (@name) or address. config: token (the key), url, budget, amendment."""

    kind = "youtube"
    is_simulated = False
    capabilities = Capabilities(
        watches=True, counts=frozenset(COUNTED), refreshes=BATCH, edits=True, deletes=True, profiles=True,
        shares_access=True, patience=timedelta(days=7), keep=keep_for("youtube"),
    )  # fmt: skip

    def __init__(self, name: str, config: dict[str, Any], web: Web, ledger: Ledger) -> None:
        key = read_secret(config.get("token"))
        if not key:
            raise CallerError("YouTube needs a key of your own.", "Name where it is: --token-env or --token-file.")
        self.name, self._config = name, config
        self._url = f"{(config.get('url') or PUBLIC).rstrip('/')}/youtube/v3"
        self._api = Api(web, key, ("X-Goog-Api-Key", "{}"))
        self._meter = Meter(ledger, name, self.kind, config)
        self._channels: dict[str, dict[str, Any]] = {}  # that were paid for in this run

    def every(self, accounts: int) -> timedelta:
        """An hour, or as much longer as the day's budget asks for: nine tenths of it go to looking for new videos."""
        (budget,) = budgets_of(self.kind, self._config, datetime.now(UTC))
        said = ask_every(self.kind, self._config)
        return said if not said else max(said, accounts * timedelta(days=1) / max(1.0, 0.9 * budget.limit))

    # ---- what is new ----

    def discover(self, cursor: dict[str, Any] | None, now: datetime, account: Account | None = None) -> Iterator[Batch]:
        """Down the uploads playlist; videos that were seen before are left to refresh()."""
        assert account is not None
        known = dict(cursor or {})
        channel = known.get("channel") or _channel_id(account.handle)
        if channel is None:
            channel = id_of(self._channel(account, now)["id"])
        known["channel"] = channel
        newest: list[str] = list(known.get("seen") or [])
        seen = set(newest)

        def ask(token: str | None) -> Page:
            page, ids = self._uploads(channel, token, now)
            fresh = [name for name in ids if name not in seen]
            if fresh:
                videos, faults, upcoming = self._videos(fresh, account, now)
                page.posts, page.faults = list(videos.values()), page.faults + faults
                fresh = [name for name in fresh if name not in upcoming]
            seen.update(fresh)
            newest[:] = (fresh + newest if token is None else newest + fresh)[:REMEMBERED]
            page.extra = {"seen": list(newest)}
            return page

        yield from sweep(known, now, ask, back=self.capabilities.back, overlap=OVERLAP)

    def _uploads(self, channel: str, token: str | None, now: datetime) -> tuple[Page, list[str]]:
        params = {"part": "contentDetails,snippet", "playlistId": f"UU{channel[2:]}", "maxResults": str(BATCH)}
        answer, found = self._call("playlistItems", params | ({"pageToken": token} if token else {}), now)
        page, ids = Page(after=text_or_none(found.get("nextPageToken"))), list[str]()
        for item in items_of(found, "items", answer):
            try:
                ids.append(id_of(item["contentDetails"]["videoId"]))
                page.times.append(
                    _time(item["contentDetails"].get("videoPublishedAt") or item["snippet"]["publishedAt"])
                )
            except UNREADABLE as error:
                page.faults.append(_fault(error, item, item, "id"))
        page.ids = set(ids)
        return page, ids

    def _videos(
        self, ids: Sequence[str], account: Account, now: datetime
    ) -> tuple[dict[str, RawPost], list[Fault], set[str]]:
        """Videos by id, where one that is private or gone is missing; what could not be read; what is still to come."""
        answer, found = self._call("videos", {"part": PARTS, "id": ",".join(ids)}, now)
        videos: dict[str, RawPost] = {}
        faults: list[Fault] = []
        upcoming: set[str] = set()
        for item in items_of(found, "items", answer):
            try:
                if item["snippet"].get("liveBroadcastContent") == "upcoming":
                    upcoming.add(id_of(item["id"]))
                elif (post := video(item, account.market, account.person)) is not None:
                    videos[post.native_id] = post
            except UNREADABLE as error:
                faults.append(_fault(error, item, item, "id"))
        return videos, faults, upcoming

    # ---- again, and who it is ----

    def refresh(self, posts: Sequence[PostRef], now: datetime) -> Iterator[Reread]:
        """50 at a time; a video that is not in the answer is private or gone."""
        videos, faults, upcoming = self._videos([p.native_id for p in posts], Account("", posts[0].market), now)
        yield from unread(posts, faults)
        others = upcoming | {fault.native_id for fault in faults}
        for asked in posts:
            post = videos.get(asked.native_id)
            if post is not None:
                post = replace(post, author=replace(post.author, audience_market=asked.market))
            if post is not None or asked.native_id not in others:
                yield Reread(asked, post)

    def profile(self, account: Account, now: datetime) -> tuple[str, RawAuthor] | None:
        """Subscribers, as the platform rounds them; None where a channel hides them."""
        found = self._channel(account, now)
        try:
            return "youtube", channel_author(found, account.market, account.person)
        except UNREADABLE as error:
            raise Malformed(f"channels: a channel that cannot be read: {error}", repr(found)[:4_000]) from error

    def _channel(self, account: Account, now: datetime) -> dict[str, Any]:
        if account.handle in self._channels:
            return self._channels[account.handle]
        channel = _channel_id(account.handle)
        named = {"id": channel} if channel else {"forHandle": _handle(account.handle)}
        answer, found = self._call("channels", {"part": "snippet,statistics", **named}, now)
        items = items_of(found, "items", answer)
        if not items:
            raise NotFound(f"YouTube knows no channel '{account.handle[:100]}'.")
        try:
            about: dict[str, Any] = items[0] | {"id": id_of(items[0]["id"])}
        except UNREADABLE as error:
            raise Malformed("channels: expected a channel", answer.body) from error
        self._channels[account.handle] = about
        return about

    def _call(self, what: str, params: dict[str, str], now: datetime) -> tuple[Answer, dict[str, Any]]:
        """One question, paid for beforehand. Raises Busy where the quota is spent, by our book or by the platform's."""
        self._meter.take(now, facts_of(self.kind)["costs"].get(f"{what}.list", 1))
        try:
            return self._api.get(f"{self._url}/{what}", params)
        except Trouble as error:
            raise self._meant(error, now) from error

    def _meant(self, error: Trouble, now: datetime) -> Trouble:
        """What an error of the platform's asks for: its reasons say more than its status."""
        reasons = _reasons(error.detail)
        said = f"{error.message.rstrip('.')}: {', '.join(sorted(reasons))[:100]}."
        if reasons & {*_SPENT}:
            return Busy(said, budgets_of(self.kind, self._config, now)[0].ends_at)
        if reasons & {*_BUSY}:
            return Busy(said, now + timedelta(minutes=10))
        if reasons & {*_BAD_KEY}:
            return Refused(said)
        if reasons & {*_NOT_THERE}:
            return NotFound(said)
        return error


def video(item: dict[str, Any], market: str, person: str | None) -> RawPost | None:
    """A video as we read it; None for one that is not public. Raises what is in UNREADABLE for what is none.

    The title and, after it, the description: tags that an uploader does not show are left out.
    """
    native, snippet = id_of(item["id"]), item["snippet"]
    if (item.get("status") or {}).get("privacyStatus") in ("private", "unlisted"):
        return None
    text = "\n".join(t.strip() for t in (text_or_none(snippet.get(n)) for n in ("title", "description")) if t)
    language = text_or_none(snippet.get("defaultAudioLanguage")) or text_or_none(snippet.get("defaultLanguage"))
    channel = id_of(snippet["channelId"])
    statistics = item.get("statistics") or {}
    placed = (item.get("paidProductPlacementDetails") or {}).get("hasPaidProductPlacement")
    return RawPost(
        platform="youtube", native_id=native, text=text[:20_000], published_at=_time(snippet["publishedAt"]),
        author=RawAuthor(
            channel, market, name=text_or_none(snippet.get("channelTitle")), person=person,
            url=f"https://www.youtube.com/channel/{channel}",
        ),
        language=language[:16] if language else None, url=f"https://www.youtube.com/watch?v={native}",
        media_kind="video", sponsored=placed if isinstance(placed, bool) else None, given=_GIVEN,
        **counts_of(statistics, COUNTED),
    )  # fmt: skip


def channel_author(item: dict[str, Any], market: str, person: str | None) -> RawAuthor:
    """A channel as we read it. Raises what is in UNREADABLE for what is none."""
    native, snippet, statistics = id_of(item["id"]), item.get("snippet") or {}, item.get("statistics") or {}
    is_hidden = statistics.get("hiddenSubscriberCount") is True
    return RawAuthor(
        native, market, handle=text_or_none(snippet.get("customUrl")), name=text_or_none(snippet.get("title")),
        url=f"https://www.youtube.com/channel/{native}", bio=text_or_none(snippet.get("description")), person=person,
        follower_count=None if is_hidden else count_of(statistics.get("subscriberCount")),
    )  # fmt: skip


def _time(text: Any) -> datetime:
    at = instant(text, UTC)
    if at is None:
        raise ValueError(f"publishedAt: '{str(text)[:40]}' is no time")
    return at


def _channel_id(handle: str) -> str | None:
    """A channel's id in a handle or an address."""
    name = handle.rstrip("/").rpartition("/")[2]
    return name if len(name) == 24 and name.startswith("UC") and name.isascii() and " " not in name else None


def _handle(handle: str) -> str:
    """The @name that a handle or an address holds. Raises Trouble."""
    name = handle.rstrip("/").rpartition("/")[2].lstrip("@")
    if not name or any(c.isspace() or not c.isprintable() for c in name):
        raise Trouble(f"'{handle[:100]}' is no channel: expected UC..., @name or the channel's address.")
    return f"@{name}"


def _reasons(detail: str) -> set[str]:
    """The reasons that an error answer names, in its older and its newer form."""
    try:
        error = json.loads(detail)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {name for name in (*_SPENT, *_BUSY, *_BAD_KEY, *_NOT_THERE) if f'"{name}"' in detail}
    lists = [error.get(name) for name in ("errors", "details")] if isinstance(error, dict) else []
    each = [one for some in lists if isinstance(some, list) for one in some if isinstance(one, dict)]
    return {one["reason"] for one in each if isinstance(one.get("reason"), str)}
