"""POST /v1/posts: a batch of posts into the store, and what became of each of them."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from msgspec import UNSET, UnsetType
from msgspec.structs import astuple
from pydantic import ValidationError
from sqlalchemy.orm import Session

from radar.actors import Actor
from radar.api.pushed import UsualAuthor, UsualPost, usual_among, usual_posts
from radar.api.pushed_shapes import PushedPost
from radar.api.signing import KeyUsedOtherwise
from radar.errors import CallerError, UnreadableInput
from radar.file_rows import parsed
from radar.ingest import ingest_posts
from radar.sources.base import OPTIONAL, RawAuthor, RawPost
from radar.sources.columns import PostColumns, columns_of, from_columns
from radar.sources.problems import problems
from radar.store import answers as store
from radar.store import runs
from radar.store.audit import record
from radar.store.engine import claim_world, one_writer, writing
from radar.store.lasting import SHORT, patiently
from radar.store.pushed import note_pushed, pushed

MAX_POSTS = 5_000
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
    """Items by position: what became of them, the posts still to be taken, and what is found to be wrong with those.

    places  of which item each of the posts is
    """

    results: list[dict[str, Any]]
    posts: PostColumns = field(default_factory=lambda: columns_of([]))
    places: Sequence[int] = ()
    found: dict[int, str] | None = None
    refused: set[int] = field(default_factory=set)

    def refuse(self, at: int) -> None:
        """The author was erased: nothing of the item is kept."""
        self.reject(at, "author: was erased at their wish, and is not taken in again")
        self.refused.add(at)

    def reject(self, at: int, reason: str) -> None:
        """reason  "field: what was expected" """
        name, colon, said = storable(reason).partition(": ")
        self.results[at] |= {"result": "rejected", "field": name if colon else None, "reason": said or reason}


class Usual(list[UsualPost]):
    """Posts with which nothing is the matter, and none of which is taken back."""

    def __init__(self, posts: list[UsualPost], raw: bytes) -> None:
        super().__init__(posts)
        self._raw = raw

    def as_sent(self) -> list[Any]:
        """The items as JSON had them."""
        return items_of(parsed(self._raw))


class Mixed(list[Any]):
    """Items as JSON has them; usual: those with which nothing is the matter, None for each of the others."""

    def __init__(self, items: list[Any], usual: list[UsualPost | None]) -> None:
        super().__init__(items)
        self.usual = usual


def read_body(raw: bytes) -> Any:
    """What a body holds: Usual or Mixed where its posts are, else what is in the JSON.

    Raises ValueError or RecursionError.
    """
    posts = usual_posts(raw)
    if posts is not None:
        return Usual(posts, raw)
    body = parsed(raw)
    items = body.get("posts") if isinstance(body, dict) and len(body) == 1 else body
    if not isinstance(items, list) or len(items) > MAX_POSTS:
        return body
    usual = usual_among(raw)
    return Mixed(items, usual) if len(usual) == len(items) else body


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


_one_at_a_time = threading.Lock()
"""Whoever waits here goes on at once; whoever waits for the database asks again after some milliseconds."""


def push(
    engine: sa.Engine,
    items: Sequence[Any],
    now: datetime,
    *,
    key: str | None = None,
    content: str = "",
    actor: Actor | None = None,
) -> dict[str, Any]:
    """Take a batch in one transaction; the same batch again changes nothing.

    key, content  what the batch may be repeated under, and the hash of its body: the same again is answered as before
    actor         on whose behalf it is, for the audit log: that is written in the same transaction

    Bad items are rejected with field and reason and never stop the others. Raises MixedWorlds in a simulated store,
    KeyUsedOtherwise for a key that came with another body.
    """
    batch_of = _reading(items, now)

    def put(session: Session) -> dict[str, Any]:
        if key is not None and (before := _answered(session, key, content)) is not None:
            return before
        claim_world(session, "real")
        batch = batch_of(session)
        _take(session, batch, now)
        _keep_rejected(session, batch, items, now)
        became = Counter([result["result"] for result in batch.results])
        counts = {name: became[name] for name in ("created", "changed", "unchanged", "deleted", "rejected")}
        answer = {"items": batch.results, **counts}
        if key is not None:
            note_pushed(session, key, content, now, answer)
        if actor is not None:
            record(session, actor, "POST /v1/posts", "/v1/posts", {"status": 200})
        return answer

    def once() -> dict[str, Any]:
        with _one_at_a_time, writing(engine) as session, session.begin():
            return put(session)

    return patiently(once, patience=SHORT)


def _reading(items: Sequence[Any], now: datetime) -> Callable[[Session], _Batch]:
    """What makes a batch of the items: anew each time, since a transaction may be done twice."""
    if not isinstance(items, Usual):  # something is the matter with one of them, or it takes a post back
        read = _Batch([_named(i, item) for i, item in enumerate(items)])
        posts = {i: post for i, post in enumerate(_looked_at(read, items)) if post is not None}

        def resolved(session: Session) -> _Batch:
            found = _resolved(session, posts)
            return _Batch([dict(result) for result in read.results], columns_of(found.values()), list(found))

        return resolved
    named = [(post.platform[:255], post.native_id[:255]) for post in items]
    made = _made(items)
    found = problems(made, now)
    return lambda _: _Batch([_unchanged(i, *names) for i, names in enumerate(named)], made, range(len(made)), found)


def _looked_at(batch: _Batch, items: Sequence[Any]) -> Iterator[RawPost | PushedPost | None]:
    """Each item made, where it can be made at once, or read; None where it is rejected."""
    usual = items.usual if isinstance(items, Mixed) else [None] * len(items)
    made = iter(_made([post for post in usual if post is not None]).posts())
    for at, (item, post) in enumerate(zip(items, usual, strict=True)):
        yield _read(batch, at, item) if post is None else next(made)


def _made(usual: Sequence[UsualPost]) -> PostColumns:
    """Items with which nothing is the matter as raw posts; those that tell the same of their author share it."""
    if not usual:
        return columns_of([])
    columns: dict[str, Sequence[Any]] = dict(zip(_USUAL, zip(*map(astuple, usual), strict=True), strict=True))
    told: list[Sequence[bool]] = []
    for name in OPTIONAL:
        column = columns[name]
        kinds = set(map(type, column))
        if UnsetType not in kinds:
            told.append((True,) * len(column))
        elif len(kinds) == 1:
            told.append((False,) * len(column))
            columns[name] = (None,) * len(column)
        else:
            told.append([value is not UNSET for value in column])
            columns[name] = [None if value is UNSET else value for value in column]
    columns["given"] = list(map(_told, zip(*told, strict=True)))
    shared: dict[UsualAuthor, RawAuthor] = {}
    columns["author"] = [shared.get(a) or shared.setdefault(a, _usual_author(a)) for a in columns["author"]]
    lower = {platform: platform.lower() for platform in set(columns["platform"])}
    columns["platform"] = list(map(lower.__getitem__, columns["platform"]))
    columns["published_at"] = [at.astimezone(UTC) for at in columns["published_at"]]
    columns["edited_at"] = [at and at.astimezone(UTC) for at in columns["edited_at"]]
    return from_columns(len(usual), columns)


def _usual_author(a: UsualAuthor) -> RawAuthor:
    market = (a.audience_market or "").upper()
    return RawAuthor(
        a.native_id, market, a.handle, a.name, a.url, a.bio, a.languages, a.follower_count, person=a.person
    )  # fmt: skip


_USUAL = UsualPost.__struct_fields__


@cache
def _told(kind: tuple[bool, ...]) -> frozenset[str]:
    """Which of the optional fields are told."""
    return frozenset(name for name, is_told in zip(OPTIONAL, kind, strict=True) if is_told)


def _answered(session: Session, key: str, content: str) -> dict[str, Any] | None:
    """What was answered to the same batch before. Two of one key at a time wait for each other."""
    one_writer(session, f"push {key}")
    before = pushed(session, key)
    if before is not None and before.content != content:
        raise KeyUsedOtherwise("This Idempotency-Key came with another body before.", "Send another key.")
    return before.answer if before else None


def _named(index: int, item: Any) -> dict[str, Any]:
    platform, native_id = (item.get("platform"), item.get("native_id")) if isinstance(item, dict) else (None, None)
    return _unchanged(index, _shown(platform), _shown(native_id))


def _unchanged(index: int, platform: str | None, native_id: str | None) -> dict[str, Any]:
    """What is answered for an item, until more is known."""
    return {
        "index": index, "platform": platform, "native_id": native_id, "result": "unchanged", "field": None,
        "reason": None,
    }  # fmt: skip


def _shown(name: Any) -> str | None:
    return storable(name[:255]) if isinstance(name, str) else None


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


def _resolved(session: Session, read: dict[int, RawPost | PushedPost]) -> dict[int, RawPost]:
    """The raw posts; a tombstone needs no more than its identity, the rest is known from the post it ends."""
    ended: dict[str, list[str]] = {}
    for post in read.values():
        if post.deleted:
            ended.setdefault(post.platform.lower(), []).append(post.native_id)
    owners = {
        (platform, o.native_id): o
        for platform, ids in ended.items()
        for o in store.post_owners(session, platform, ids).values()
    }
    found: dict[int, RawPost] = {}
    made: dict[Identity, RawPost] = {}
    authors: dict[tuple[Any, ...], RawAuthor] = {}
    for at, post in read.items():
        if isinstance(post, RawPost):
            found[at] = made[post.platform, post.native_id] = post
            continue
        platform = post.platform.lower()
        if post.deleted:
            owner = owners.get((platform, post.native_id))
            earlier = made.get((platform, post.native_id))
            if earlier is not None:  # given and taken back in one batch
                found[at] = replace(earlier, deleted=True)
            elif owner is not None:
                author = RawAuthor(owner.author_native_id, owner.audience_market, market_source="inferred")
                found[at] = RawPost(platform, post.native_id, author, "", owner.published_at, deleted=True)
            continue
        assert post.author is not None
        assert post.published_at is not None
        said = dict(post.__dict__, platform=platform, given=post.model_fields_set & _OPTIONAL)
        told = tuple(post.author.__dict__.values())
        if told not in authors:
            authors[told] = _author(post.author.__dict__)
        said["author"] = authors[told]
        found[at] = made[platform, post.native_id] = RawPost(**said)
    return found


_OPTIONAL = frozenset(OPTIONAL)


def _author(told: Mapping[str, Any]) -> RawAuthor:
    return RawAuthor(**{**told, "audience_market": (told.get("audience_market") or "").upper()})


def _take(session: Session, batch: _Batch, now: datetime) -> None:
    """Ingest, and tell what became of each item."""
    done = ingest_posts(session, batch.posts, source=SOURCE, now=now, found=batch.found)
    for position, reason in done.rejected:
        name, colon, said = reason.partition(": ")
        batch.reject(batch.places[position], f"{_SENT_AS.get(name, name)}{colon}{said}")
    for position in done.refused:
        batch.refuse(batch.places[position])
    became, results = done.became, batch.results
    for at, identity in zip(reversed(batch.places), reversed(batch.posts.identities), strict=True):
        result = results[at]
        if result["result"] != "rejected":  # of a post given twice the later one counts
            result["result"] = became.pop(identity, "unchanged")


def _keep_rejected(session: Session, batch: _Batch, items: Sequence[Any], now: datetime) -> None:
    if all(result["result"] != "rejected" for result in batch.results):
        return
    items = items.as_sent() if isinstance(items, Usual) else items
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
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
