"""TikTok's Display interface: the public videos of a creator who connected their account. One source is one creator."""

import json
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
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
    unread,
)
from radar.sources.budget import Ledger
from radar.sources.facts import ask_every, facts_of
from radar.sources.secrets import read_secret
from radar.sources.sweep import Page, sweep
from radar.sources.trouble import Busy, Malformed, Refused, Trouble
from radar.sources.web import Answer, Web

PUBLIC = "https://open.tiktokapis.com"
OVERLAP = timedelta(hours=1)
COUNTED = {"like_count": "like_count", "comment_count": "comment_count", "share_count": "share_count"}
_FIELDS = "id,title,video_description,create_time,share_url,like_count,comment_count,share_count,view_count"
_USER_FIELDS = "open_id,display_name,follower_count"
_GIVEN = frozenset({*COUNTED, "view_count", "url", "media_kind"})
_RENEWED = ("client_key", "client_secret", "refresh_token")


class TikTokSource(Source):
    """The creator's name is the one account to watch.

    config: url, token: an access token, which lasts a day, or better a file (mode 600) of JSON with client_key,
    client_secret and refresh_token, from which one is got for each run; a new refresh token is written into it.
    """

    kind = "tiktok"
    is_simulated = False
    capabilities = Capabilities(
        watches=True, counts=frozenset({*COUNTED, "view_count"}), refreshes=20, edits=True, deletes=True, profiles=True,
        shares_access=True, patience=timedelta(days=3),
    )  # fmt: skip

    def __init__(self, name: str, config: dict[str, Any], web: Web, ledger: Ledger) -> None:
        secret = read_secret(config.get("token"))
        if not secret:
            raise CallerError("TikTok needs the creator's token.", "Name where it is: --token-file or --token-env.")
        self.name, self._config, self._web = name, config, web
        self._url, self._secret = f"{(config.get('url') or PUBLIC).rstrip('/')}/v2", secret
        self._api: Api | None = None

    def every(self, accounts: int) -> timedelta:
        """As the facts or the operator say."""
        return ask_every(self.kind, self._config)

    def discover(self, cursor: dict[str, Any] | None, now: datetime, account: Account | None = None) -> Iterator[Batch]:
        """Down from the newest video, until what is known."""
        assert account is not None
        owner = _name(account.handle)

        def ask(token: str | None) -> Page:
            body = {"max_count": facts_of(self.kind)["page"]} | (
                {"cursor": int(token)} if token and token.isdigit() else {}
            )
            answer, data = self._call("video/list/", {"fields": _FIELDS}, body)
            return video_page(data, answer, account, owner)

        yield from sweep(cursor, now, ask, back=self.capabilities.back, overlap=OVERLAP)

    def refresh(self, posts: Sequence[PostRef], now: datetime) -> Iterator[Reread]:
        """20 at a time; what is not in the answer is private or gone."""
        body = {"filters": {"video_ids": [one.native_id for one in posts]}}
        answer, data = self._call("video/query/", {"fields": _FIELDS}, body)
        page = video_page(data, answer, Account("", posts[0].market), posts[0].author_id)
        found = {post.native_id: post for post in page.posts}
        yield from unread(posts, page.faults)
        others = page.ids | {fault.native_id for fault in page.faults}
        for asked in posts:
            if asked.native_id in found or asked.native_id not in others:
                yield Reread(asked, found.get(asked.native_id))

    def profile(self, account: Account, now: datetime) -> tuple[str, RawAuthor] | None:
        """Followers and the name shown."""
        answer, data = self._call("user/info/", {"fields": _USER_FIELDS}, None)
        user = data.get("user")
        if not isinstance(user, dict):
            raise Malformed("user/info: expected a user", answer.body)
        owner = _name(account.handle)
        return "tiktok", RawAuthor(
            owner, account.market, handle=owner, name=text_or_none(user.get("display_name")), person=account.person,
            url=f"https://www.tiktok.com/@{owner}", follower_count=count_of(user.get("follower_count")),
        )  # fmt: skip

    def _call(self, what: str, params: dict[str, str], body: Any) -> tuple[Answer, dict[str, Any]]:
        api = self._api = self._api or Api(self._web, self._access_token())
        address = f"{self._url}/{what}"
        answer, found = api.get(address, params) if body is None else api.post(address, params, body)
        return answer, data_of(found, answer)

    def _access_token(self) -> str:
        """The token to ask with; one is got where the secret is what it is got by. Raises Refused."""
        if not self._secret.startswith("{"):
            return self._secret
        try:
            held = json.loads(self._secret)
            named = {name: str(held[name]) for name in _RENEWED}
        except (ValueError, KeyError, TypeError):
            raise Refused(f"{self.name}: the token's file holds JSON without {', '.join(_RENEWED)}.") from None
        try:
            answer = self._web.post(f"{self._url}/oauth/token/", form=named | {"grant_type": "refresh_token"})
            found = json.loads(answer.body)
            access, refresh = str(found["access_token"]), str(found["refresh_token"])
        except Refused:
            raise
        except (Malformed, ValueError, KeyError, TypeError):  # what it says may hold a secret
            raise Refused(f"{self.name}: TikTok gave no access token; the creator connects once more.") from None
        path = self._config["token"].get("file")
        if path and refresh != named["refresh_token"]:
            _rewrite(Path(path), json.dumps(held | {"refresh_token": refresh}))
        return access


def _rewrite(path: Path, text: str) -> None:
    """Put a text in a private file's place, whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def data_of(found: dict[str, Any], answer: Answer) -> dict[str, Any]:
    """What an answer holds. Raises Refused, Busy, Malformed, Trouble by the code it says."""
    error = found.get("error")
    code = str(error.get("code", "ok")) if isinstance(error, dict) else "ok"
    if code in ("access_token_invalid", "scope_not_authorized", "scope_permission_missed"):
        raise Refused(f"TikTok: {code}. The creator connects once more.")
    if code == "rate_limit_exceeded":
        raise Busy(f"TikTok: {code}.")
    if code != "ok":
        raise Trouble(f"TikTok: {code[:100]}.")
    data = found.get("data")
    if not isinstance(data, dict):
        raise Malformed("TikTok: expected data", answer.body)
    return data


def video_page(data: dict[str, Any], answer: Answer, account: Account, owner: str) -> Page:
    """Videos of an answer. Raises Malformed."""
    cursor = count_of(data.get("cursor"))
    page = Page(after=str(cursor) if data.get("has_more") is True and cursor is not None else None)
    for item in items_of(data, "videos", answer):
        try:
            page.ids.add(id_of(item["id"]))
            post = video(item, account, owner)
            page.times.append(post.published_at)
            if post.text:
                page.posts.append(post)
        except UNREADABLE as error:
            page.faults.append(fault_of(error, item, item, "id"))
    return page


def video(item: dict[str, Any], account: Account, owner: str) -> RawPost:
    """A video as we read it. Raises what is in UNREADABLE for what is none."""
    made = count_of(item["create_time"])
    if made is None or not 0 < made < 2**33:
        raise ValueError("create_time: expected seconds since 1970")
    if not isinstance(item.get("video_description") or "", str):
        raise ValueError("video_description: expected a text")
    said = text_or_none(item.get("video_description")) or text_or_none(item.get("title")) or ""
    tags = item.get("hashtag_names")
    named = [f"#{tag}" for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    missing = [tag for tag in named if tag.lower() not in said.lower()]
    return RawPost(
        platform="tiktok", native_id=id_of(item["id"]), text=" ".join([said.strip(), *missing]).strip(),
        author=RawAuthor(
            owner, account.market, handle=owner, person=account.person, url=f"https://www.tiktok.com/@{owner}"
        ),
        published_at=datetime.fromtimestamp(made, UTC), url=text_or_none(item.get("share_url")), media_kind="video",
        view_count=count_of(item.get("view_count")), given=_GIVEN,
        **counts_of(item, COUNTED),
    )  # fmt: skip


def _name(handle: str) -> str:
    """The creator's name in a handle or an address. Raises Trouble."""
    name = handle.strip().rstrip("/").rpartition("/")[2].lstrip("@").lower()
    if not 0 < len(name) <= 24 or not name.isascii() or not name.replace(".", "a").replace("_", "a").isalnum():
        raise Trouble(f"'{handle[:100]}' is no account of TikTok: expected a name of letters, digits, . and _")
    return name
