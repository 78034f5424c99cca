"""Reading a list that comes newest first in pages: down from the top until what is known already.

The token of each page is kept with its posts: a sweep that was interrupted goes on where it was, and what was published
meanwhile is met by the next one, from the top. The newest stretch is read twice, since platforms show posts late.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from radar.sources.base import Batch, Fault, PostRef, RawPost, Reread, unread
from radar.sources.trouble import Busy, Malformed, NotFound, Refused, Trouble, Unreachable, Unsafe

PAGES = 60


@dataclass(slots=True)
class Page:
    """One page.

    times  when its items entered the list     ids  of all its items, also those that are no posts
    after  the token of the next page; None on the last     extra  what the cursor is to remember
    """

    posts: list[RawPost] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    after: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)


Ask = Callable[[str | None], Page]


def sweep(
    cursor: dict[str, Any] | None, now: datetime, ask: Ask, *, back: timedelta | None, overlap: timedelta
) -> Iterator[Batch]:
    """Batches of what is new since the cursor. ask gives the page of a token, the first one for None."""
    known = dict(cursor or {})
    if "page" in known:
        try:
            for batch in _down(known, now, ask, back, overlap):
                known = batch.cursor
                yield replace(batch, watermark_at=None)
        except (Busy, Refused, NotFound, Unreachable, Unsafe, Malformed):
            raise
        except Trouble:  # the token is not taken any more: from the top again
            known = {k: v for k, v in known.items() if k not in ("page", "top")}
    if "page" not in known:
        yield from _down(known, now, ask, back, overlap)


def _down(
    known: dict[str, Any], now: datetime, ask: Ask, back: timedelta | None, overlap: timedelta
) -> Iterator[Batch]:
    newest = datetime.fromisoformat(known["newest"]) if "newest" in known else None
    until = newest - overlap if newest else now - (back or timedelta(days=36_500))
    seen: set[str] = set()
    for _ in range(PAGES):
        page = ask(known.get("page"))
        times = [min(at, now) for at in page.times]  # a post of tomorrow must not hide those of today
        top = max([*times, *([datetime.fromisoformat(known["top"])] if "top" in known else [])], default=newest)
        known = known | page.extra | ({"top": top.isoformat()} if top else {})
        if not page.after or not page.ids or page.ids <= seen or (times and min(times) < until):
            rest = {k: v for k, v in known.items() if k not in ("page", "top")}
            if top:
                rest["newest"] = max(top, newest or top).isoformat()
            yield Batch([p for p in page.posts if p.published_at >= until], rest, now, page.faults)
            return
        seen |= page.ids
        known = known | {"page": page.after}
        yield Batch(page.posts, known, None, page.faults)


def reread(posts: Sequence[PostRef], ask: Callable[[str, str | None], Page], *, pages: int = 10) -> Iterator[Reread]:
    """Posts again, where a platform tells of a post only in its author's list: read down to the oldest one asked for.

    ask  the page of an author (what stands before the space of a post's ref) and a token
    """
    by_author: dict[str, list[PostRef]] = {}
    for one in posts:
        by_author.setdefault(one.ref.partition(" ")[0], []).append(one)
    for author, asked in by_author.items():
        told: set[str] = set()
        try:
            for found in _again(asked, lambda token, author=author: ask(author, token), pages):  # type: ignore[misc]
                told.add(found.asked.native_id)
                yield found
        except NotFound:  # renamed, private or gone: nobody else's posts wait for it
            yield from (Reread(one, None) for one in asked if one.native_id not in told)


def _again(asked: Iterable[PostRef], ask: Ask, pages: int) -> Iterator[Reread]:
    waiting = {one.native_id: one for one in asked}
    oldest = min(one.published_at for one in waiting.values())
    seen: set[str] = set()
    token: str | None = None
    for _ in range(pages):
        page = ask(token)
        for post in page.posts:
            one = waiting.pop(post.native_id, None)
            if one is not None:
                yield Reread(one, replace(post, author=replace(post.author, native_id=one.author_id)))
        yield from unread(waiting.values(), page.faults)
        others = page.ids | {fault.native_id for fault in page.faults}  # there, if not to be read
        waiting = {name: one for name, one in waiting.items() if name not in others}
        is_past = bool(page.times) and min(page.times) < oldest
        if not waiting or not page.after or page.ids <= seen or is_past:
            for one in waiting.values():
                yield Reread(one, None)
            return
        seen |= page.ids
        token = page.after
