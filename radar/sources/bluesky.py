"""Bluesky: what accounts post, from an AppView's getAuthorFeed, which needs no key.

The feed comes newest first, in pages with an opaque cursor. A sweep goes down from the top until it meets what the last
sweep began with; the cursor of each page is kept with its posts, so that a sweep that was interrupted goes on where it
was, and what was posted meanwhile is met by the next. An hour is read twice, since posts are indexed late.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from radar.sources.api import count_of, counts_of, word_of
from radar.sources.base import (
    Account,
    Batch,
    Capabilities,
    Fault,
    PostRef,
    RawAuthor,
    RawPost,
    Reread,
    Source,
    fault_of,
)
from radar.sources.dates import instant
from radar.sources.secrets import read_secret
from radar.sources.trouble import Busy, Malformed, NotFound, OptedOut, Refused, Trouble, Unreachable, Unsafe
from radar.sources.web import Web

PUBLIC = "https://public.api.bsky.app"
PAGE = 100
PAGES = 60
OVERLAP = timedelta(hours=1)
COUNTED = {"like_count": "likeCount", "comment_count": "replyCount", "share_count": "repostCount"}
_GIVEN = frozenset({*COUNTED, "url", "language", "media_kind", "repost_of"})
_GONE = ("Profile not found", "AccountDeactivated", "AccountTakedown", "could not be found", "Unable to resolve")
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)


class BlueskySource(Source):
    """Accounts by handle or DID. config: url (of an AppView), token (see radar.sources.secrets)."""

    kind = "bluesky"
    is_simulated = False
    capabilities = Capabilities(
        watches=True, counts=frozenset(COUNTED), refreshes=25, edits=True, deletes=True, profiles=True,
        shares_access=True, patience=timedelta(days=3),
    )  # fmt: skip

    def __init__(self, name: str, config: dict[str, Any], web: Web) -> None:
        self.name, self._url, self._web = name, (config.get("url") or PUBLIC).rstrip("/"), web
        token = read_secret(config.get("token"))
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    # ---- what is new ----

    def discover(self, cursor: dict[str, Any] | None, now: datetime, account: Account | None = None) -> Iterator[Batch]:
        """Sweep down from the top, or on from where the last sweep was interrupted and then from the top."""
        assert account is not None
        known = dict(cursor or {})
        if "page" in known:
            try:
                for batch in self._sweep(known, now, account):
                    known = batch.cursor
                    yield replace(batch, watermark_at=None)
            except (Busy, Refused, NotFound, Unreachable, Unsafe, Malformed):
                raise
            except Trouble:  # the page's cursor is not taken any more: from the top again
                known = {k: v for k, v in known.items() if k not in ("page", "top")}
        if "page" not in known:
            yield from self._sweep(known, now, account)

    def _sweep(self, known: dict[str, Any], now: datetime, account: Account) -> Iterator[Batch]:
        newest = datetime.fromisoformat(known["newest"]) if "newest" in known else None
        until = newest - OVERLAP if newest else now - (self.capabilities.back or timedelta(days=36_500))
        seen: set[str] = set()
        for _ in range(PAGES):
            page = {"cursor": known["page"]} if "page" in known else {}
            asked = {"actor": known.get("did", account.handle.lstrip("@")), "limit": str(PAGE), **page}
            found = self._call("app.bsky.feed.getAuthorFeed", asked)
            items = found.get("feed") if isinstance(found, dict) else None
            if not isinstance(items, list):
                raise Malformed("getAuthorFeed: expected a list of posts", repr(found)[:4_000])
            posts, faults, times, uris = _read(items, account)
            times = [min(at, now) for at in times]  # a post of tomorrow must not hide those of today
            top = max([*times, *([datetime.fromisoformat(known["top"])] if "top" in known else [])], default=newest)
            after = found.get("cursor")
            did = {"did": posts[0].author.native_id} if posts else {}
            known = known | did | ({"top": top.isoformat()} if top else {})
            is_done = not after or not items or uris <= seen or (bool(times) and min(times) < until)
            if is_done:
                rest = {k: v for k, v in known.items() if k not in ("page", "top")}
                fresh = [p for p in posts if p.published_at >= until]
                yield Batch(fresh, rest | ({"newest": top.isoformat()} if top else {}), now, faults)
                return
            seen |= uris
            known = known | {"page": str(after)}
            yield Batch(posts, known, None, faults)

    # ---- again, and who it is ----

    def refresh(self, posts: Sequence[PostRef], now: datetime) -> Iterator[Reread]:
        """25 at a time; what is not in the answer is not there."""
        found = self._call("app.bsky.feed.getPosts", {"uris": [p.ref for p in posts]})
        views = found.get("posts") if isinstance(found, dict) else None
        if not isinstance(views, list):
            raise Malformed("getPosts: expected a list of posts", repr(found)[:4_000])
        by_uri = {v["uri"]: v for v in views if isinstance(v, dict) and isinstance(v.get("uri"), str)}
        for asked in posts:
            view = by_uri.get(asked.ref)
            try:
                yield Reread(asked, _post(view, asked.market, None) if view else None)
            except _UNREADABLE as error:
                yield Reread(asked, None, fault=fault_of(error, view, view, "uri"))

    def profile(self, account: Account, now: datetime) -> tuple[str, RawAuthor] | None:
        """Followers and the rest."""
        found = self._call("app.bsky.actor.getProfile", {"actor": account.handle.lstrip("@")})
        if not isinstance(found, dict) or not isinstance(found.get("did"), str):
            raise Malformed("getProfile: expected an account", repr(found)[:4_000])
        said = found.get("labels")
        labels = [label.get("val") for label in said if isinstance(label, dict)] if isinstance(said, list) else []
        if "!no-unauthenticated" in labels and not account.consented:
            raise OptedOut(
                f"{account.handle} asks not to be shown to everybody.",
                "If its owner agreed: radar watch add --consented.",
            )
        author = _author(found, account.market, account.person)
        followers = count_of(found.get("followersCount"))
        return "bluesky", replace(author, bio=word_of(found.get("description")), follower_count=followers)

    def _call(self, method: str, params: dict[str, str | list[str]]) -> Any:
        try:
            return self._web.get(f"{self._url}/xrpc/{method}", params=params, headers=self._headers).json()
        except Trouble as error:
            if type(error) is Trouble and any(sign in error.detail for sign in _GONE):
                raise NotFound(f"{params.get('actor', method)}: {error.detail[:200]}") from error
            raise


def _read(items: Sequence[Any], account: Account) -> tuple[list[RawPost], list[Fault], list[datetime], set[str]]:
    """Posts of the account's own, what could not be read, when each item entered the feed, and the page's ids."""
    posts: list[RawPost] = []
    faults: list[Fault] = []
    times: list[datetime] = []
    uris: set[str] = set()
    for item in items:
        try:
            view, reason = item["post"], item.get("reason") or {}
            uris.add(f"{view['uri']} {reason.get('$type', '')}")
            if "reasonRepost" in reason.get("$type", ""):
                at = instant(str(reason.get("indexedAt")), UTC)
                times += [at] if at else []
                continue
            post = _post(view, account.market, account.person)
            if "reasonPin" not in reason.get("$type", ""):
                times.append(post.published_at)
            if post.text:
                posts.append(post)
        except _UNREADABLE as error:
            faults.append(fault_of(error, item, item.get("post") if isinstance(item, dict) else None, "uri"))
    return posts, faults, times, uris


def _post(view: dict[str, Any], market: str, person: str | None) -> RawPost:
    """A post view as we read it. Raises what is in _UNREADABLE for what is none.

    When it was published is what the post says, but not later than the AppView saw it: clients may say anything.
    """
    record = view["record"]
    said = [instant(t, UTC) for t in (record.get("createdAt"), view.get("indexedAt")) if isinstance(t, str)]
    times = [at for at in said if at is not None]
    if not times:
        raise ValueError("createdAt: no time that can be read")
    uri, text = view["uri"], record.get("text") or ""
    if not isinstance(uri, str) or not isinstance(text, str):
        raise ValueError("uri, text: expected texts")
    tags = [f"#{tag}" for tag in record.get("tags") or [] if isinstance(tag, str)]
    languages = [tag for tag in record.get("langs") or [] if isinstance(tag, str)]
    author = _author(view["author"], market, person)
    return RawPost(
        platform="bluesky", native_id=uri, author=author, text=" ".join(filter(None, [text.strip(), *tags])),
        published_at=min(times), language=languages[0][:16] if languages else None,
        url=f"https://bsky.app/profile/{author.native_id}/post/{uri.rpartition('/')[2]}",
        media_kind=_media(record.get("embed")), given=_GIVEN,
        **counts_of(view, COUNTED),
    )  # fmt: skip


def _author(view: dict[str, Any], market: str, person: str | None) -> RawAuthor:
    did = view["did"]
    return RawAuthor(
        native_id=str(did), audience_market=market, handle=word_of(view.get("handle")),
        name=word_of(view.get("displayName")),
        url=f"https://bsky.app/profile/{did}", person=person,
    )  # fmt: skip


def _media(embed: Any) -> str | None:
    kind = str(embed.get("$type", "")) if isinstance(embed, dict) else ""
    return next((name for name in ("video", "image") if name in kind), None)
