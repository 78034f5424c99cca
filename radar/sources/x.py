"""X's API, version 2: what accounts post, for money: nothing is asked beyond the month's budget of the operator's.

A timeline is caught up from the newest id that is known (`since_id`, which is exclusive), page by page. Each post and
account read has its price; what an answer may cost is written down before it is asked for and put right afterwards, so
that the meter never shows less than the bill, and at most what is read twice on one day too much. An edited post comes
under another id and is known by the first of its history. The names of 2026 are asked for, and those of before where a
server knows only them; either is read.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from radar.errors import CallerError
from radar.sources.api import UNREADABLE, Api, count_of, id_of, items_of, text_or_none
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
    unread,
)
from radar.sources.budget import Ledger, Meter
from radar.sources.dates import instant
from radar.sources.facts import ask_every, facts_of
from radar.sources.secrets import read_secret
from radar.sources.trouble import Busy, Malformed, NotFound, OptedOut, Refused, Trouble, Unreachable, Unsafe
from radar.sources.web import Answer, Web

PUBLIC = "https://api.x.com"
PAGES = 33
"""Pages of a timeline: the platform gives the newest 3,200 posts and no more."""
COUNTED = {
    "like_count": ("like_count",), "comment_count": ("reply_count",), "share_count": ("repost_count", "retweet_count"),
    "view_count": ("impression_count",),
}  # fmt: skip
_GIVEN = frozenset({*COUNTED, "url", "language", "media_kind", "repost_of", "sponsored"})
_FIELDS = {
    "post": "attachments,created_at,lang,note_post,paid_partnership,public_metrics",
    "tweet": "attachments,author_id,created_at,edit_history_tweet_ids,lang,note_tweet,public_metrics,referenced_tweets",
}
_USER_FIELDS = "description,protected,public_metrics"
_NAME = re.compile(r"[A-Za-z0-9_]{1,15}")
_EPOCH_MS = 1_288_834_974_657
"""When the ids of posts began to hold the time (4 November 2010), in milliseconds."""
_STRICT = (Busy, Refused, NotFound, Unreachable, Unsafe, Malformed)


class XSource(Source):
    """Accounts by name. config: token (the app's bearer token), budget (millionths of a USD a month), url."""

    kind = "x"
    is_simulated = False
    capabilities = Capabilities(
        watches=True, counts=frozenset(COUNTED), refreshes=100, edits=True, deletes=True, profiles=True,
        shares_access=True, back=timedelta(days=7), patience=timedelta(days=3),
    )  # fmt: skip

    def __init__(self, name: str, config: dict[str, Any], web: Web, ledger: Ledger) -> None:
        token = read_secret(config.get("token"))
        if not token:
            raise CallerError("X needs a bearer token of your own.", "Name where it is: --token-env or --token-file.")
        if not config.get("budget"):
            raise CallerError("X costs money for every post.", "Say how much a month, in USD: --budget 50")
        self.name, self._config, self._facts, self._web = name, config, facts_of(self.kind), web
        self._url, self._api = f"{(config.get('url') or PUBLIC).rstrip('/')}/2", Api(web, token)
        self._meter = Meter(ledger, name, self.kind, config)
        self._names = list(self._facts["names"])
        self._users: dict[str, dict[str, Any]] = {}  # that were paid for in this run

    def every(self, accounts: int) -> timedelta:
        """As the facts or the operator say: an answer without a post costs nothing."""
        return ask_every(self.kind, self._config)

    # ---- what is new ----

    def discover(self, cursor: dict[str, Any] | None, now: datetime, account: Account | None = None) -> Iterator[Batch]:
        """On from the newest id that is known, after what was interrupted."""
        assert account is not None
        known = dict(cursor or {})
        if "id" not in known:
            known["id"] = id_of(self._user(account, now)["id"])
        if "page" in known:
            try:
                for batch in self._timeline(known, now, account):
                    known = batch.cursor
                    yield replace(batch, watermark_at=None)
            except _STRICT:
                raise
            except Trouble:  # the page's token is not taken any more
                known = {k: v for k, v in known.items() if k not in ("page", "top")}
        if "page" not in known:
            yield from self._timeline(known, now, account)

    def _timeline(self, known: dict[str, Any], now: datetime, account: Account) -> Iterator[Batch]:
        seen: set[str] = set()
        back = now - (self.capabilities.back or timedelta(days=3_650))
        for _ in range(PAGES):
            place = {"since_id": known["since"]} if "since" in known else {"start_time": f"{back:%Y-%m-%dT%H:%M:%SZ}"}
            if "page" in known:
                place["pagination_token"] = known["page"]
            answer, found = self._paid_page(f"users/{known['id']}/tweets", place | {"exclude": "retweets"}, now)
            items = items_of(found, "data", answer)
            posts, faults, ids = read_posts(items, account, known["id"])
            meta = found.get("meta") if isinstance(found.get("meta"), dict) else {}
            top = known.get("top") or text_or_none((meta or {}).get("newest_id")) or next(iter(ids), None)
            after = text_or_none((meta or {}).get("next_token"))
            known = known | ({"top": top} if top else {})
            if not after or not ids or {*ids} <= seen:
                rest = {k: v for k, v in known.items() if k not in ("page", "top")}
                yield Batch(posts, rest | ({"since": top} if top else {}), now, faults)
                return
            seen |= {*ids}
            known = known | {"page": after}
            yield Batch(posts, known, None, faults)

    # ---- again, and who it is ----

    def refresh(self, posts: Sequence[PostRef], now: datetime) -> Iterator[Reread]:
        """100 at a time. What the platform says is deleted, or not for everybody any more, is gone at once."""
        posts = posts[
            : max(1, self._meter.left(now) // self._facts["price_micro_usd"]["post"])
        ]  # others keep their turn
        found: dict[str, RawPost] = {}
        faults: list[Fault] = []
        gone: set[str] = set()
        wanted = {one.ref: one for one in posts}
        self._look_up([*wanted], wanted, found, faults, gone, now)
        edited = {ref: post.ref for ref, post in found.items() if post.ref and post.ref != ref and post.edited_at}
        if edited:  # an old version was asked for: the newest is the post
            newer: dict[str, RawPost] = {}
            named = {new: wanted[ref] for ref, new in edited.items()}
            self._look_up([*named], named, newer, faults, gone, now)
            found |= {ref: newer[new] for ref, new in edited.items() if new in newer}
        yield from unread(wanted.values(), faults)
        others = {fault.native_id for fault in faults}
        for ref, asked in wanted.items():
            post = found.get(ref)
            if post is not None:
                author = replace(post.author, native_id=asked.author_id, audience_market=asked.market)
                yield Reread(asked, replace(post, native_id=asked.native_id, author=author))
            elif ref not in others:
                yield Reread(asked, None, is_final=ref in gone)

    def _look_up(
        self, ids: list[str], asked: dict[str, PostRef], found: dict[str, RawPost], faults: list[Fault],
        gone: set[str], now: datetime,
    ) -> None:  # fmt: skip
        price = self._facts["price_micro_usd"]["post"]
        answer, said = self._paid("tweets", {"ids": ",".join(ids)}, len(ids) * price, "data", price, now)
        for item in items_of(said, "data", answer):
            try:
                one = asked[id_of(item["id"])]
                found[one.ref if one.ref in ids else id_of(item["id"])] = post_of(
                    item, Account("", one.market), one.author_id
                )
            except UNREADABLE as error:
                faults.append(fault_of(error, item, item, "id"))
        gone |= withdrawn(said)

    def profile(self, account: Account, now: datetime) -> tuple[str, RawAuthor] | None:
        """Followers and the rest. Raises OptedOut for an account that shows its posts to its followers alone."""
        user = self._user(account, now)
        if user.get("protected") is True:
            raise OptedOut(f"{account.handle} shows its posts to its followers alone.")
        try:
            return "x", user_author(user, account)
        except UNREADABLE as error:
            raise Malformed(f"users: an account that cannot be read: {error}", repr(user)[:4_000]) from error

    def _user(self, account: Account, now: datetime) -> dict[str, Any]:
        name, price = _username(account.handle), self._facts["price_micro_usd"]["user"]
        if name in self._users:
            return self._users[name]
        path = f"users/by/username/{name}"
        answer, found = self._paid(path, {"user.fields": _USER_FIELDS}, price, "data", price, now)
        user = found.get("data")
        if user is None and isinstance(found.get("errors"), list):
            raise NotFound(f"X knows no account '{name}', or none that is shown.")
        try:
            self._users[name] = user | {"id": id_of(user["id"])}  # type: ignore[index, operator]
        except UNREADABLE as error:
            raise Malformed("users: expected an account", answer.body) from error
        return self._users[name]

    # ---- what was withdrawn, for all that is stored ----

    def ask_compliance(self, ids: Sequence[str]) -> str:
        """Give the platform the ids of stored posts, to hear which were withdrawn: the job's id. Costs nothing."""
        answer, found = self._api.post(f"{self._url}/compliance/jobs", {}, {"type": "tweets"})
        try:
            job, address = id_of(found["data"]["id"]), str(found["data"]["upload_url"])
        except UNREADABLE as error:
            raise Malformed("compliance/jobs: expected a job", answer.body) from error
        self._web.put(address, "\n".join(ids), home=self._url)
        return job

    def hear_compliance(self, job: str) -> set[str] | None:
        """Ids of posts that were withdrawn, by a job that is done; None while it is not. Raises NotFound."""
        _, found = self._api.get(f"{self._url}/compliance/jobs/{id_of(job)}", {})
        about = found["data"] if isinstance(found.get("data"), dict) else {}
        status = about.get("status")
        if status in ("failed", "expired"):
            raise NotFound(f"compliance/jobs: the job has {status}.")
        if status != "complete":
            return None
        return redacted(self._web.get(str(about.get("download_url")), home=self._url).body)

    # ---- for money ----

    def _paid_page(self, path: str, params: dict[str, str], now: datetime) -> tuple[Answer, dict[str, Any]]:
        """A page of posts, as large as the budget still allows. Raises Busy where it allows none."""
        price = self._facts["price_micro_usd"]["post"]
        size = max(min(self._facts["page"], self._meter.left(now) // price), self._facts["least_page"])
        return self._paid(path, params | {"max_results": str(size)}, size * price, "data", price, now)

    def _paid(
        self, path: str, params: dict[str, str], most: int, name: str, price: int, now: datetime
    ) -> tuple[Answer, dict[str, Any]]:
        """An answer and its price: the most it may cost is taken beforehand, what it did not cost comes back."""
        self._meter.take(now, most)
        try:
            answer, found = self._named(path, params)
        except (Refused, NotFound, Busy):
            self._meter.give_back(now, most)
            raise
        except Trouble as error:
            if type(error) is Trouble:  # answered, and not with what was asked for
                self._meter.give_back(now, most)
            raise
        items = found.get(name)
        number = len(items) if isinstance(items, list) else int(isinstance(items, dict))
        self._meter.give_back(now, most - number * price)
        return answer, found

    def _named(self, path: str, params: dict[str, str]) -> tuple[Answer, dict[str, Any]]:
        """With the names of fields that this server takes."""
        if "user.fields" in params:
            return self._api.get(f"{self._url}/{path}", params)
        while True:
            name = self._names[0]
            try:
                return self._api.get(f"{self._url}/{path}", params | {f"{name}.fields": _FIELDS[name]})
            except Trouble as error:
                if type(error) is not Trouble or f"{name}.fields" not in error.detail or len(self._names) == 1:
                    raise
                self._names.pop(0)


def read_posts(
    items: Sequence[Any], account: Account, user: str | None
) -> tuple[list[RawPost], list[Fault], list[str]]:
    """Posts, what could not be read, and all ids in their order."""
    posts: list[RawPost] = []
    faults: list[Fault] = []
    ids: list[str] = []
    for item in items:
        try:
            ids.append(id_of(item["id"]))
            post = post_of(item, account, user)
            if post.text and post.repost_of is None:
                posts.append(post)
        except UNREADABLE as error:
            faults.append(fault_of(error, item, item, "id"))
    return posts, faults, ids


def post_of(item: dict[str, Any], account: Account, user: str | None) -> RawPost:
    """A post as we read it, under the first id of its history. Raises what is in UNREADABLE for what is none."""
    native = id_of(item["id"])
    history = _either(item, "edit_history_post_ids", "edit_history_tweet_ids") or [native]
    if not isinstance(history, list):
        raise ValueError("edit_history: expected ids")
    history = [id_of(one) for one in history]
    at, owner = _time(item, native), item.get("author_id", user)
    long = _either(item, "note_post", "note_tweet")
    text = (long.get("text") if isinstance(long, dict) else None) or item["text"]
    if not isinstance(text, str):
        raise ValueError("text: expected a text")
    metrics = item.get("public_metrics") or {}
    referenced = _either(item, "referenced_posts", "referenced_tweets") or []
    reposted = next((r for r in referenced if r.get("type") in ("retweeted", "reposted")), None)
    language = text_or_none(item.get("lang"))
    paid = item.get("paid_partnership")
    return RawPost(
        platform="x", native_id=history[0], text=text.strip(), published_at=_first_time(history[0], at),
        author=RawAuthor(
            id_of(owner), account.market, person=account.person, url=f"https://x.com/i/user/{id_of(owner)}",
            handle=_username(account.handle) if account.handle else None,
        ),
        language=language[:16] if language and language not in ("und", "zxx", "qme", "qst", "qht", "qam") else None,
        url=f"https://x.com/i/status/{native}", media_kind="image" if item.get("attachments") else None, given=_GIVEN,
        repost_of=id_of(reposted["id"]) if reposted else None, sponsored=paid if isinstance(paid, bool) else None,
        edited_at=at if len(history) > 1 else None, ref=history[-1],
        **_counts(metrics),
    )  # fmt: skip


def user_author(user: dict[str, Any], account: Account) -> RawAuthor:
    """An account as we read it. Raises what is in UNREADABLE for what is none."""
    native, metrics = id_of(user["id"]), user.get("public_metrics") or {}
    return RawAuthor(
        native, account.market, handle=text_or_none(user.get("username")), name=text_or_none(user.get("name")),
        url=f"https://x.com/i/user/{native}", bio=text_or_none(user.get("description")), person=account.person,
        follower_count=count_of(metrics.get("followers_count")),
    )  # fmt: skip


def withdrawn(found: dict[str, Any]) -> set[str]:
    """Ids of posts that an answer says are deleted, or not shown to everybody any more."""
    errors = found.get("errors")
    signs = ("resource-not-found", "not-authorized-for-resource")
    return {
        str(one.get("resource_id") or one.get("value"))
        for one in (errors if isinstance(errors, list) else [])
        if isinstance(one, dict) and str(one.get("type", "")).rpartition("/")[2] in signs
    }


def _counts(metrics: dict[str, Any]) -> dict[str, Any]:
    return {ours: count_of(_either(metrics, *theirs)) for ours, theirs in COUNTED.items()}


def redacted(body: bytes) -> set[str]:
    """Ids of the posts that a compliance job says are to be deleted: a line of JSON each; what is none is passed over.

    >>> redacted(b'{"id": "7", "action": "delete", "reason": "deleted"}\\n{"id": "8", "reason": "scrub_geo"}\\nx')
    {'7'}
    """
    found: set[str] = set()
    for line in body.splitlines():
        try:
            one = json.loads(line)
            if one.get("action", "delete") == "delete" and one.get("reason") != "scrub_geo":
                found.add(id_of(one["id"]))
        except (*UNREADABLE, RecursionError):
            continue
    return found


def _either(item: dict[str, Any], *names: str) -> Any:
    return next((item[name] for name in names if item.get(name) is not None), None)


def _time(item: dict[str, Any], native: str) -> datetime:
    """When this version was published: as it says, or as its id does."""
    said = item.get("created_at")
    at = instant(said, UTC) if said is not None else id_time(native)
    if at is None:
        raise ValueError(f"created_at: '{str(said)[:40]}' is no time")
    return at


def id_time(native: str) -> datetime | None:
    """The time that the id of a post holds; None for ids of before November 2010, and what is none.

    >>> id_time("1577730467436138524").isoformat(timespec="seconds")
    '2022-10-05T18:40:30+00:00'
    """
    if not native.isascii() or not native.isdigit() or not 2**34 < int(native) < 2**63:
        return None
    return datetime.fromtimestamp(((int(native) >> 22) + _EPOCH_MS) / 1_000, UTC)


def _first_time(first: str, at: datetime) -> datetime:
    """When a post was first published, where its first id tells."""
    return min(id_time(first) or at, at)


def _username(handle: str) -> str:
    """The name in a handle or an address. Raises Trouble."""
    name = handle.strip().rstrip("/").rpartition("/")[2].lstrip("@")
    if not _NAME.fullmatch(name):
        raise Trouble(f"'{handle[:100]}' is no account of X: expected a name of letters, digits and _")
    return name
