"""Instagram, through business_discovery: what other professional accounts publish, asked in the name of one's own.

Everything is one question to the own account with the other's name, fields and page nested in it. There is no "since":
pages come newest first. A post of somebody else is only told of in its author's list, so that it is asked for again
there. Addresses of media expire and are not taken.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from radar.errors import CallerError
from radar.sources.api import UNREADABLE, Api, count_of, counts_of, id_of, items_of, text_or_none
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
from radar.sources.budget import Ledger
from radar.sources.dates import instant
from radar.sources.facts import ask_every, facts_of
from radar.sources.graph import meant
from radar.sources.secrets import read_secret
from radar.sources.sweep import Page, reread, sweep
from radar.sources.trouble import Malformed, NotFound, Trouble
from radar.sources.web import Answer, Web

PUBLIC = "https://graph.facebook.com"
OVERLAP = timedelta(hours=1)
COUNTED = {"like_count": "like_count", "comment_count": "comments_count"}
_GIVEN = frozenset({*COUNTED, "view_count", "url", "media_kind"})
_NAME = re.compile(r"[A-Za-z0-9._]{1,30}")
_TOKEN = re.compile(r"[\w=+/.\-]{1,2000}")
_KINDS = {"IMAGE": "image", "VIDEO": "video", "CAROUSEL_ALBUM": "carousel"}


class InstagramSource(Source):
    """Professional accounts by name. config: account (the id of one's own), token, url."""

    kind = "instagram"
    is_simulated = False
    capabilities = Capabilities(
        watches=True, counts=frozenset({*COUNTED, "view_count"}), refreshes=50, edits=True, deletes=True, profiles=True,
        shares_access=True, patience=timedelta(days=3),
    )  # fmt: skip

    def __init__(self, name: str, config: dict[str, Any], web: Web, ledger: Ledger) -> None:
        token = read_secret(config.get("token"))
        own = str(config.get("account") or "")
        if not token or not own.isdigit():
            said = "Name the id of your own professional account (--account-id) and its token (--token-env)."
            raise CallerError("Instagram is asked in the name of an account of yours.", said)
        facts = facts_of(self.kind)
        self.name, self._config, self._facts = name, config, facts
        self._url = f"{(config.get('url') or PUBLIC).rstrip('/')}/{facts['version']}/{own}"
        self._api = Api(web, token)

    def every(self, accounts: int) -> timedelta:
        """As the facts or the operator say."""
        return ask_every(self.kind, self._config)

    def discover(self, cursor: dict[str, Any] | None, now: datetime, account: Account | None = None) -> Iterator[Batch]:
        """Down from the newest post, until what is known."""
        assert account is not None
        name = _username(account.handle)
        yield from sweep(
            cursor, now, lambda token: self._media(name, token, account, now),
            back=self.capabilities.back, overlap=OVERLAP,
        )  # fmt: skip

    def refresh(self, posts: Sequence[PostRef], now: datetime) -> Iterator[Reread]:
        """In the lists of their authors."""
        market = {one.ref.partition(" ")[0]: one.market for one in posts}
        yield from reread(posts, lambda name, token: self._media(name, token, Account(name, market[name]), now))

    def profile(self, account: Account, now: datetime) -> tuple[str, RawAuthor] | None:
        """Followers and the rest."""
        name = _username(account.handle)
        _, found = self._call(name, self._facts["account_fields"], now)
        try:
            return "instagram", _author(found, name, account)
        except UNREADABLE as error:
            raise Malformed(f"business_discovery: no account: {error}", repr(found)[:4_000]) from error

    def _media(self, name: str, token: str | None, account: Account, now: datetime) -> Page:
        if token is not None and not _TOKEN.fullmatch(token):
            raise Trouble("business_discovery: a page's cursor that is none.")
        place = f"media.limit({self._facts['page']})" + (f".after({token})" if token else "")
        answer, found = self._call(name, f"id,username,{place}{{{self._facts['media_fields']}}}", now)
        return media_page(found, answer, name, account)

    def _call(self, name: str, fields: str, now: datetime) -> tuple[Answer, dict[str, Any]]:
        try:
            answer, found = self._api.get(self._url, {"fields": f"business_discovery.username({name}){{{fields}}}"})
        except Trouble as error:
            raise meant(error, now) from error
        return answer, discovered(found, answer)


def discovered(found: dict[str, Any], answer: Answer) -> dict[str, Any]:
    """What an answer tells of the other account. Raises Malformed, NotFound."""
    if "business_discovery" not in found and found.get("id"):
        raise NotFound("business_discovery: there is no such professional account.")
    other = found.get("business_discovery")
    if not isinstance(other, dict):
        raise Malformed("business_discovery: expected an account", answer.body)
    return other


def media_page(found: dict[str, Any], answer: Answer, name: str, account: Account) -> Page:
    """Posts of an account's list. Raises Malformed."""
    media = found.get("media") or {}
    if not isinstance(media, dict):
        raise Malformed("media: expected a list in pages", answer.body)
    cursors = (media.get("paging") or {}).get("cursors") if isinstance(media.get("paging") or {}, dict) else None
    page = Page(after=text_or_none(cursors.get("after")) if isinstance(cursors, dict) else None)
    owner = found.get("id")
    for item in items_of(media, "data", answer):
        try:
            page.ids.add(id_of(item["id"]))
            post = media_post(item, id_of(owner) if owner is not None else name, name, account)
            page.times.append(post.published_at)
            if post.text:
                page.posts.append(post)
        except UNREADABLE as error:
            page.faults.append(fault_of(error, item, item, "id"))
    return page


def media_post(item: dict[str, Any], owner: str, name: str, account: Account) -> RawPost:
    """A post as we read it. Raises what is in UNREADABLE for what is none. Likes that an author hides are left out."""
    native, at = id_of(item["id"]), instant(item["timestamp"], UTC)
    if at is None:
        raise ValueError(f"timestamp: '{item['timestamp'][:40]}' is no time")
    caption = item.get("caption")
    if caption is not None and not isinstance(caption, str):
        raise ValueError("caption: expected a text")
    views = item["view_count"] if item.get("view_count") is not None else item.get("views")
    return RawPost(
        platform="instagram", native_id=native, text=(caption or "").strip(), published_at=at,
        author=RawAuthor(owner, account.market, handle=name, person=account.person, url=_page(name)),
        url=text_or_none(item.get("permalink")), given=_GIVEN, ref=f"{name} {native}", view_count=count_of(views),
        media_kind="video" if item.get("media_product_type") == "REELS" else _KINDS.get(str(item.get("media_type"))),
        **counts_of(item, COUNTED),
    )  # fmt: skip


def _author(found: dict[str, Any], name: str, account: Account) -> RawAuthor:
    return RawAuthor(
        id_of(found["id"]), account.market, handle=text_or_none(found.get("username")) or name,
        name=text_or_none(found.get("name")), bio=text_or_none(found.get("biography")), url=_page(name),
        person=account.person, follower_count=count_of(found.get("followers_count")),
    )  # fmt: skip


def _page(name: str) -> str:
    return f"https://www.instagram.com/{name}/"


def _username(handle: str) -> str:
    """The name in a handle or an address. Raises Trouble: whatever else stands there would change the question."""
    name = handle.strip().rstrip("/").rpartition("/")[2].lstrip("@")
    if not _NAME.fullmatch(name):
        raise Trouble(f"'{handle[:100]}' is no account of Instagram: expected a name of letters, digits, . and _")
    return name
