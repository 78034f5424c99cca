"""POST /v1/posts: a batch of posts into the store, and what became of each of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.orm import Session

from radar.api.shapes import PushedPost
from radar.api.signing import KeyUsedOtherwise
from radar.errors import CallerError, UnreadableInput
from radar.ingest import ingest_posts
from radar.sources.base import OPTIONAL, RawAuthor, RawPost
from radar.store import answers as store
from radar.store import runs
from radar.store.engine import claim_world, one_writer
from radar.store.lasting import SHORT, lasting
from radar.store.posts import KnownPost, known_posts
from radar.store.pushed import note_pushed, pushed

MAX_POSTS = 1_000
SOURCE = "push"
_KEPT = 2_000
"""Characters of a rejected item that are kept for whoever looks into it."""
_SENT_AS = {"market": "author.audience_market", "author": "author.native_id"}
"""What ingest calls by a file's field is named as it was sent."""

Identity = tuple[str, str]


class TooMany(CallerError):
    """A batch that is too long."""

    status = 413
    slug = "too-large"


@dataclass(slots=True)
class _Batch:
    """Items by position: what became of them, and the posts still to be taken."""

    results: list[dict[str, Any]]
    posts: dict[int, RawPost] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)

    def refuse(self, at: int) -> None:
        """The author was erased: nothing of the item is kept."""
        self.reject(at, "author: was erased at their wish, and is not taken in again")
        self.refused.add(at)

    def reject(self, at: int, reason: str) -> None:
        """reason  "field: what was expected" """
        name, colon, said = storable(reason).partition(": ")
        self.results[at] |= {"result": "rejected", "field": name if colon else None, "reason": said or reason}


def items_of(body: Any) -> list[Any]:
    """The items of {"posts": [...]} or of a bare list. Raises UnreadableInput or TooMany.

    body  what was read from JSON, or bytes where the request did not say that it is JSON
    """
    if isinstance(body, bytes):
        raise UnreadableInput("The body was not sent as JSON.", "Send JSON with Content-Type: application/json.")
    found = body.get("posts") if isinstance(body, dict) else body
    if isinstance(body, dict) and (extra := [name for name in body if name != "posts"]):
        raise UnreadableInput(f"The body has an unknown field '{extra[0][:60]}'.", 'Send {"posts": [...]}.')
    if not isinstance(found, list):
        raise UnreadableInput("The body holds no list of posts.", 'Send {"posts": [...]} or a list.')
    if len(found) > MAX_POSTS:
        said = f"The batch holds {len(found):,} posts; at most {MAX_POSTS:,} are taken."
        raise TooMany(said, "Send smaller batches.")
    return found


def push(
    engine: sa.Engine, items: Sequence[Any], now: datetime, *, key: str | None = None, content: str = ""
) -> dict[str, Any]:
    """Take a batch in one transaction; the same batch again changes nothing.

    key, content  what the batch may be repeated under, and the hash of its body: the same again is answered as before

    Bad items are rejected with field and reason and never stop the others. Raises MixedWorlds in a simulated store,
    KeyUsedOtherwise for a key that came with another body.
    """
    read = _Batch([_named(i, item) for i, item in enumerate(items)])
    posts = {i: post for i, item in enumerate(items) if (post := _read(read, i, item)) is not None}

    def put(session: Session) -> dict[str, Any]:
        if key is not None and (before := _answered(session, key, content)) is not None:
            return before
        claim_world(session, "real")
        batch = _Batch([dict(result) for result in read.results])  # anew: it may be the second time
        _resolve(session, batch, posts)
        _take(session, batch, now)
        _keep_rejected(session, batch, items, now)
        counts = dict.fromkeys(("created", "changed", "unchanged", "deleted", "rejected"), 0)
        for result in batch.results:
            counts[result["result"]] += 1
        answer = {"items": batch.results} | counts
        if key is not None:
            note_pushed(session, key, content, now, answer)
        return answer

    return lasting(engine, put, patience=SHORT)


def _answered(session: Session, key: str, content: str) -> dict[str, Any] | None:
    """What was answered to the same batch before. Two of one key at a time wait for each other."""
    one_writer(session, f"push {key}")
    before = pushed(session, key)
    if before is not None and before.content != content:
        raise KeyUsedOtherwise("This Idempotency-Key came with another body before.", "Send another key.")
    return before.answer if before else None


def _named(index: int, item: Any) -> dict[str, Any]:
    named = item if isinstance(item, dict) else {}
    shown = {n: storable(v[:255]) if isinstance(v := named.get(n), str) else None for n in ("platform", "native_id")}
    return {"index": index, **shown, "result": "unchanged", "field": None, "reason": None}


def _read(batch: _Batch, at: int, item: Any) -> PushedPost | None:
    try:
        post = PushedPost.model_validate(item)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "post"
        batch.reject(at, f"{where}: {first['msg'].removeprefix('Value error, ')}")
        return None
    if not post.deleted:
        missing = next((n for n in ("author", "published_at") if getattr(post, n) is None), None)
        if missing:
            batch.reject(at, f"{missing}: Field required")
            return None
    return post


def _resolve(session: Session, batch: _Batch, read: dict[int, PushedPost]) -> None:
    """Make raw posts; a tombstone needs no more than its identity, the rest is known from the post it ends."""
    ended: dict[str, list[str]] = {}
    for post in read.values():
        if post.deleted:
            ended.setdefault(post.platform.lower(), []).append(post.native_id)
    owners = {
        (platform, o.native_id): o
        for platform, ids in ended.items()
        for o in store.post_owners(session, platform, ids).values()
    }
    made: dict[Identity, RawPost] = {}
    for at, post in read.items():
        platform = post.platform.lower()
        if post.deleted:
            owner = owners.get((platform, post.native_id))
            earlier = made.get((platform, post.native_id))
            if earlier is not None:  # given and taken back in one batch
                batch.posts[at] = replace(earlier, deleted=True)
            elif owner is not None:
                author = RawAuthor(owner.author_native_id, owner.audience_market, market_source="inferred")
                batch.posts[at] = RawPost(platform, post.native_id, author, "", owner.published_at, deleted=True)
            continue
        assert post.author is not None
        assert post.published_at is not None
        given = post.author.model_dump()
        given["audience_market"] = (given["audience_market"] or "").upper()
        rest = post.model_dump(exclude={"platform", "author", "published_at"})
        batch.posts[at] = made[platform, post.native_id] = RawPost(
            platform=platform, author=RawAuthor(**given), published_at=post.published_at, **rest,
            given=frozenset(post.model_fields_set & set(OPTIONAL)),
        )  # fmt: skip


def _take(session: Session, batch: _Batch, now: datetime) -> None:
    """Ingest, and tell what became of each item by comparing the store before and after."""
    before = _stored(session, batch.posts.values())
    order = list(batch.posts)
    done = ingest_posts(session, [batch.posts[at] for at in order], source=SOURCE, now=now)
    after = _stored(session, batch.posts.values())
    for position, reason in done.rejected:
        name, colon, said = reason.partition(": ")
        batch.reject(order[position], f"{_SENT_AS.get(name, name)}{colon}{said}")
    for position in done.refused:
        batch.refuse(order[position])
    told: set[Identity] = set()
    for at in reversed(order):
        item = batch.posts[at]
        identity = item.platform, item.native_id
        if batch.results[at]["result"] == "rejected":
            continue
        if identity not in told:  # of a post given twice the later one counts
            batch.results[at]["result"] = _became(before.get(identity), after.get(identity))
        told.add(identity)


def _stored(session: Session, posts: "Any") -> dict[Identity, KnownPost]:
    by_platform: dict[str, list[str]] = {}
    for item in posts:
        if 0 < len(item.platform) <= 32 and 0 < len(item.native_id) <= 255:
            by_platform.setdefault(item.platform, []).append(item.native_id)
    return {
        (platform, native_id): known
        for platform, ids in by_platform.items()
        for native_id, known in known_posts(session, platform, ids).items()
    }


def _became(before: KnownPost | None, after: KnownPost | None) -> str:
    if before is None:
        return "created" if after is not None else "unchanged"
    if after is not None and before.deleted_at is None and after.deleted_at is not None:
        return "deleted"
    return "unchanged" if before == after else "changed"


def _keep_rejected(session: Session, batch: _Batch, items: Sequence[Any], now: datetime) -> None:
    rows = [
        {
            "source": SOURCE, "seen_at": now, "native_id": result["native_id"],
            "reason": f"{result['field'] or 'post'}: {result['reason']}",
            "payload": storable(json.dumps(items[result["index"]], ensure_ascii=False, default=str)[:_KEPT]),
        }
        for result in batch.results
        if result["result"] == "rejected" and result["index"] not in batch.refused
    ]  # fmt: skip
    runs.keep_rejected(session, rows)


def storable(text: str) -> str:
    """What a database and JSON can hold: no NUL, no lone surrogate."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
