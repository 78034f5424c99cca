"""Mastodon's API, as any server of the fediverse speaks it: watched accounts and hashtags.

A new account is filled back by `max_id`, an old one caught up by `min_id`, which leaves no gaps. Which id comes next is
what the Link header says, or else the order of the page: ids are compared with nothing. A server that knows neither
parameter gives its one page again; a page without an unseen post is the last.

An account that asks not to be indexed is refused, unless it was added as one whose owner agreed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

from radar.markets import MARKETS
from radar.sources.api import count_of, counts_of, word_of
from radar.sources.base import (
    GUESSED,
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
from radar.sources.markup import text_of
from radar.sources.secrets import read_secret
from radar.sources.trouble import Malformed, NotFound, OptedOut, Trouble
from radar.sources.web import Answer, Web

PAGE = 40
PAGES = 60
"""Pages of an account that one run asks for; the next run goes on from there."""
COUNTED = {"like_count": "favourites_count", "comment_count": "replies_count", "share_count": "reblogs_count"}
_GIVEN = frozenset({*COUNTED, "url", "language", "media_kind"})
_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)
_KINDS = {"gifv": "video", "unknown": None}
_LINK = re.compile(r"<([^>]*)>\s*;[^,]*?\brel=\"?(next|prev)\"?")
_HANDLE = re.compile(r"@?(?P<name>#?[^@\s/#]+)(?:@(?P<server>[^@\s/]+))?")
_LINKED = re.compile(r"https?://(?P<server>[^/\s]+)/(?:@|users/|tags/)?(?P<name>[^@/\s]+)/?")


class _Page(NamedTuple):
    items: list[Any]
    newer: str | None
    older: str | None
    is_last: bool


class MastodonSource(Source):
    """Accounts as user@server, hashtags as #tag@server.

    config: url (one server that is asked for all of them), token (see radar.sources.secrets)
    """

    kind = "mastodon"
    is_simulated = False
    capabilities = Capabilities(
        watches=True, counts=frozenset(COUNTED), refreshes=1, edits=True, deletes=True, profiles=True,
        patience=timedelta(days=3),
    )  # fmt: skip

    def __init__(self, name: str, config: dict[str, Any], web: Web) -> None:
        self.name, self._url, self._web = name, (config.get("url") or "").rstrip("/"), web
        token = read_secret(config.get("token"))
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.capabilities = replace(self.capabilities, shares_access=bool(self._url))

    def lane(self, asked: Account | PostRef | None) -> str:
        """A server is a lane."""
        if isinstance(asked, PostRef):
            return urlsplit(asked.ref.split(" ")[0]).netloc
        return urlsplit(self._target(asked)[0]).netloc if asked else self.name

    # ---- what is new ----

    def discover(self, cursor: dict[str, Any] | None, now: datetime, account: Account | None = None) -> Iterator[Batch]:
        """Fill back, where that is not done, and catch up."""
        assert account is not None
        base, name = self._target(account)
        known = dict(cursor or {})
        if name.startswith("#"):
            path = f"/api/v1/timelines/tag/{quote(name[1:], safe='')}"
        else:
            known["id"] = known.get("id") or self._lookup(base, name, account)["id"]
            path = f"/api/v1/accounts/{quote(str(known['id']), safe='')}/statuses"
        was_filling, is_new = "back" in known, "newest" not in known
        if was_filling or is_new:
            for batch in self._fill_back(base, path, known, now, account):
                known = batch.cursor
                yield batch
        if not is_new and "back" not in known:
            yield from self._catch_up(base, path, known, now, account)

    def _fill_back(
        self, base: str, path: str, known: dict[str, Any], now: datetime, account: Account
    ) -> Iterator[Batch]:
        until = None if self.capabilities.back is None else now - self.capabilities.back
        seen: set[str] = set()
        is_new = "newest" not in known
        for _ in range(PAGES):
            page = self._page(base, path, {"max_id": known["back"]} if "back" in known else {})
            posts, faults, ids = self._read(page.items, base, account)
            if "newest" not in known and page.newer:
                known = known | {"newest": page.newer}
            oldest = min((p.published_at for p in posts), default=None)
            if page.is_last or not page.older or ids <= seen or (until and oldest and oldest < until):
                done = {k: v for k, v in known.items() if k != "back"}
                fresh = [p for p in posts if not until or p.published_at >= until]
                yield Batch(fresh, done, now if is_new else None, faults)
                return
            seen |= ids
            known = known | {"back": page.older}
            yield Batch(posts, known, None, faults)

    def _catch_up(
        self, base: str, path: str, known: dict[str, Any], now: datetime, account: Account
    ) -> Iterator[Batch]:
        seen: set[str] = set()
        for _ in range(PAGES):
            page = self._page(base, path, {"min_id": known["newest"]})
            posts, faults, ids = self._read(page.items, base, account)
            if not page.items or ids <= seen:
                yield Batch([], known, now)
                return
            is_ignored = known["newest"] in ids
            seen |= ids
            known = known | {"newest": page.newer or known["newest"]}
            yield Batch(posts, known, now if is_ignored else None, faults)
            if is_ignored:  # the server gave what it has, whatever was asked
                return

    def _page(self, base: str, path: str, position: dict[str, str]) -> _Page:
        answer = self._get(base + path, {"limit": str(PAGE), **position})
        items = answer.json()
        if not isinstance(items, list):
            raise Malformed(f"{base}{path}: expected a list of posts", answer.body)
        ids = [str(i["id"]) for i in items if isinstance(i, dict) and i.get("id")]
        links = {rel: parse_qs(urlsplit(url).query) for url, rel in _LINK.findall(answer.headers.get("link", ""))}
        newer = links.get("prev", {}).get("min_id") or ids[:1]
        older = links.get("next", {}).get("max_id") or ids[-1:]
        is_last = not ids or (bool(links) and "next" not in links)
        return _Page(items, newer[0] if newer else None, older[0] if older else None, is_last)

    def _read(self, items: Sequence[Any], base: str, account: Account) -> tuple[list[RawPost], list[Fault], set[str]]:
        """Posts, what could not be read, and the ids of the page. What is no post of the account's own is left out."""
        posts: list[RawPost] = []
        faults: list[Fault] = []
        ids: set[str] = set()
        for item in items:
            try:
                ids.add(str(item["id"]))
                if item.get("reblog") or item.get("visibility", "public") not in ("public", "unlisted"):
                    continue
                if account.handle.startswith("#") and _asks_not_to(item.get("account") or {}):
                    continue
                post = _post(item, base, account.market, account.person, account.handle)
                if post.text:
                    posts.append(post)
            except _UNREADABLE as error:
                faults.append(fault_of(error, item, item, "id"))
        return posts, faults, ids

    # ---- again, and who it is ----

    def refresh(self, posts: Sequence[PostRef], now: datetime) -> Iterator[Reread]:
        """Each post by its id at its server."""
        for asked in posts:
            base, _, native = asked.ref.partition(" ")
            try:
                answer = self._get(f"{base}/api/v1/statuses/{quote(native, safe='')}", {})
            except NotFound:
                yield Reread(asked, None)
                continue
            found = answer.json()
            try:
                again = _post(found, base, asked.market, None, "")
            except _UNREADABLE as error:
                yield Reread(asked, None, fault=fault_of(error, found, found, "uri"))
                continue
            author = replace(again.author, native_id=asked.author_id)
            yield Reread(asked, replace(again, native_id=asked.native_id, author=author))

    def profile(self, account: Account, now: datetime) -> tuple[str, RawAuthor] | None:
        """Followers and the rest; a hashtag has none."""
        base, name = self._target(account)
        if name.startswith("#"):
            return None
        found = self._lookup(base, name, account)
        return "mastodon", _author(found, base, account.market, account.person, None)

    def _lookup(self, base: str, name: str, account: Account) -> dict[str, Any]:
        """The account of that name. Raises OptedOut where it asks not to be indexed."""
        answer = self._get(f"{base}/api/v1/accounts/lookup", {"acct": name})
        found = answer.json()
        if not isinstance(found, dict) or not found.get("id") or not str(found["id"]).isprintable():
            raise Malformed(f"{base}: expected an account", answer.body)
        if _asks_not_to(found) and not account.consented:
            raise OptedOut(
                f"{account.handle} asks not to be indexed.", "If its owner agreed: radar watch add --consented."
            )
        return found

    def _get(self, url: str, params: dict[str, str]) -> Answer:
        return self._web.get(url, params=params, headers=self._headers)

    def _target(self, account: Account) -> tuple[str, str]:
        """The server to ask, and the name there. Raises Trouble for a handle that names no server."""
        found = _LINKED.fullmatch(account.handle) or _HANDLE.fullmatch(account.handle)
        if found is None or not (self._url or found["server"]):
            raise Trouble(f"'{account.handle}' is no account: expected user@server or #tag@server.")
        name = f"#{found['name']}" if "/tags/" in account.handle else found["name"]
        if self._url:
            same = not found["server"] or urlsplit(self._url).netloc == found["server"]
            return self._url, name if same or name.startswith("#") else f"{name}@{found['server']}"
        return f"https://{found['server']}", name


def _asks_not_to(account: dict[str, Any]) -> bool:
    return account.get("noindex") is True or account.get("indexable") is False


def _post(item: dict[str, Any], base: str, market: str, person: str | None, handle: str) -> RawPost:
    """A status as we read it. Raises KeyError, TypeError, ValueError or AttributeError for what is none."""
    zone = MARKETS[market].tz
    published = instant(item["created_at"], zone)
    if published is None:
        raise ValueError(f"created_at: '{item['created_at'][:40]}' is no time")
    if not str(item["id"]).isprintable():
        raise ValueError("id: expected a printable text")
    warning = (item.get("spoiler_text") or "").strip()
    media = item.get("media_attachments") or []
    text = "\n".join(filter(None, [warning, text_of(item["content"] or "")]))
    if not text:
        text = "\n".join(m["description"].strip() for m in media if m.get("description"))
    kind = word_of(media[0].get("type")) if media else None
    by_tag = handle.startswith("#")
    return RawPost(
        platform="mastodon", native_id=str(item.get("uri") or f"{base}/{item['id']}"),
        author=_author(item["account"], base, market, None if by_tag else person, handle if by_tag else None),
        text=text, published_at=published, language=word_of(item.get("language")),
        url=word_of(item.get("url")) or word_of(item.get("uri")), media_kind=_KINDS.get(kind, kind) if kind else None,
        edited_at=instant(item["edited_at"], zone) if item.get("edited_at") else None,
        given=_GIVEN, ref=f"{base} {item['id']}", **counts_of(item, COUNTED),
    )  # fmt: skip


def _author(account: dict[str, Any], base: str, market: str, person: str | None, tag: str | None) -> RawAuthor:
    """Who it is. tag: the hashtag by which alone we know that the account speaks to that market."""
    address = account.get("uri") or account.get("url") or f"{base}/{account['id']}"
    acct = str(account.get("acct") or account.get("username") or "")
    return RawAuthor(
        native_id=str(address), audience_market=market, person=person,
        handle=acct if "@" in acct else f"{acct}@{urlsplit(base).netloc}", name=word_of(account.get("display_name")),
        url=word_of(account.get("url")), bio=text_of(word_of(account.get("note")) or "") or None,
        follower_count=count_of(account.get("followers_count")), market_source="inferred" if tag else "declared",
        market_confidence=GUESSED if tag else 1.0, market_reasons=f"wrote under {tag}" if tag else None,
    )  # fmt: skip
