"""Threads, through profile discovery: what public profiles publish. Counts of other people's posts are not told."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from radar.errors import CallerError
from radar.sources.api import UNREADABLE, Api, count_of, id_of, items_of, text_or_none
from radar.sources.base import (
    Account,
    Batch,
    Capabilities,
    PostRef,
    RawAuthor,
    RawPost,
    Reread,
    Source,
    fault_of,
)
from radar.sources.budget import Ledger, Meter
from radar.sources.dates import instant
from radar.sources.facts import ask_every, budgets_of, facts_of
from radar.sources.graph import meant
from radar.sources.secrets import read_secret
from radar.sources.sweep import Page, reread, sweep
from radar.sources.trouble import Trouble
from radar.sources.web import Answer, Web

PUBLIC = "https://graph.threads.net/v1.0"
OVERLAP = timedelta(hours=1)
_GIVEN = frozenset({"url", "media_kind"})
_KINDS = {"IMAGE": "image", "VIDEO": "video", "CAROUSEL_ALBUM": "carousel", "AUDIO": "audio"}


class ThreadsSource(Source):
    """Public profiles by name. config: token, url, budget (requests a day)."""

    kind = "threads"
    is_simulated = False
    capabilities = Capabilities(
        watches=True, counts=frozenset(), refreshes=50, edits=True, deletes=True, profiles=True, shares_access=True,
        patience=timedelta(days=3),
    )  # fmt: skip

    def __init__(self, name: str, config: dict[str, Any], web: Web, ledger: Ledger) -> None:
        token = read_secret(config.get("token"))
        if not token:
            raise CallerError("Threads needs a token of your own.", "Name where it is: --token-env or --token-file.")
        self.name, self._config, self._facts = name, config, facts_of(self.kind)
        self._url, self._api = (config.get("url") or PUBLIC).rstrip("/"), Api(web, token)
        self._meter = Meter(ledger, name, self.kind, config)

    def every(self, accounts: int) -> timedelta:
        """An hour, or as much longer as the day's requests ask for: half of them go to looking for new posts."""
        (budget,) = budgets_of(self.kind, self._config, datetime.now(UTC))
        said = ask_every(self.kind, self._config)
        return said if not said else max(said, accounts * timedelta(days=1) / max(1.0, 0.5 * budget.limit))

    def discover(self, cursor: dict[str, Any] | None, now: datetime, account: Account | None = None) -> Iterator[Batch]:
        """Down from the newest post, until what is known."""
        assert account is not None
        name = _username(account.handle)
        yield from sweep(
            cursor, now, lambda token: self._posts(name, token, account, now),
            back=self.capabilities.back, overlap=OVERLAP,
        )  # fmt: skip

    def refresh(self, posts: Sequence[PostRef], now: datetime) -> Iterator[Reread]:
        """In the lists of their authors: whether they are there, and what they say now."""
        market = {one.ref.partition(" ")[0]: one.market for one in posts}
        yield from reread(posts, lambda name, token: self._posts(name, token, Account(name, market[name]), now))

    def profile(self, account: Account, now: datetime) -> tuple[str, RawAuthor] | None:
        """Followers and the rest."""
        name = _username(account.handle)
        _, found = self._call("profile_lookup", {"username": name}, now)
        return "threads", RawAuthor(
            name, account.market, handle=name, name=text_or_none(found.get("name")), url=_page(name),
            bio=text_or_none(found.get("biography")), person=account.person,
            follower_count=count_of(found.get("follower_count")),
        )  # fmt: skip

    def _posts(self, name: str, token: str | None, account: Account, now: datetime) -> Page:
        params = {"username": name, "fields": self._facts["post_fields"], "limit": str(self._facts["page"])}
        answer, found = self._call("profile_posts", params | ({"after": token} if token else {}), now)
        return posts_page(found, answer, name, account)

    def _call(self, what: str, params: dict[str, str], now: datetime) -> tuple[Answer, dict[str, Any]]:
        self._meter.take(now)
        try:
            return self._api.get(f"{self._url}/{what}", params)
        except Trouble as error:
            raise meant(error, now) from error


def posts_page(found: dict[str, Any], answer: Answer, name: str, account: Account) -> Page:
    """Posts of a profile's list. Raises Malformed."""
    paging = found.get("paging")
    cursors = paging.get("cursors") if isinstance(paging, dict) else None
    page = Page(after=text_or_none(cursors.get("after")) if isinstance(cursors, dict) else None)
    for item in items_of(found, "data", answer):
        try:
            page.ids.add(id_of(item["id"]))
            post = post_of(item, name, account)
            page.times.append(post.published_at)
            if post.text and item.get("media_type") != "REPOST_FACADE":
                page.posts.append(post)
        except UNREADABLE as error:
            page.faults.append(fault_of(error, item, item, "id"))
    return page


def post_of(item: dict[str, Any], name: str, account: Account) -> RawPost:
    """A post as we read it, its topic as a hashtag. Raises what is in UNREADABLE for what is none."""
    native, at, text = id_of(item["id"]), instant(item["timestamp"], UTC), item.get("text")
    if at is None:
        raise ValueError(f"timestamp: '{item['timestamp'][:40]}' is no time")
    if text is not None and not isinstance(text, str):
        raise ValueError("text: expected a text")
    said = (text or "").strip() or (text_or_none(item.get("alt_text")) or "").strip()
    tag = text_or_none(item.get("topic_tag"))
    if tag and f"#{tag.strip().lower()}" not in said.lower():
        said = f"{said} #{'_'.join(tag.split())}".strip()
    return RawPost(
        platform="threads", native_id=native, text=said, published_at=at,
        author=RawAuthor(name, account.market, handle=name, url=_page(name), person=account.person),
        url=text_or_none(item.get("permalink")), media_kind=_KINDS.get(str(item.get("media_type"))), given=_GIVEN,
        ref=f"{name} {native}",
    )  # fmt: skip


def _page(name: str) -> str:
    return f"https://www.threads.net/@{name}"


def _username(handle: str) -> str:
    """The name in a handle or an address, which does not change with case. Raises Trouble."""
    name = handle.strip().rstrip("/").rpartition("/")[2].lstrip("@").lower()
    if not 0 < len(name) <= 30 or not name.replace(".", "a").replace("_", "a").isalnum() or not name.isascii():
        raise Trouble(f"'{handle[:100]}' is no account of Threads: expected a name of letters, digits, . and _")
    return name
