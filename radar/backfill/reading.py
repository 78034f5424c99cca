"""A day read and counted from its columns: pure work, of no database, that any process on any host can do."""

import hashlib
import io
import threading
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from radar.backfill.columns import MENTION, POST, READING, pack, unpack
from radar.classify import BATCH, PostReading, read_posts
from radar.day_arithmetic import count_day, mentions_of, originals
from radar.errors import RadarError
from radar.markets import MARKETS
from radar.registry import TopicScorer, open_scorer
from radar.store.day_columns import columns_of
from radar.store.filling import FillPost
from radar.store.posts import DayPost, UnreadPost
from radar.tracked import Forms, matcher_of
from radar.transfer.places import Place


class Source(NamedTuple):
    """A file of an export that holds a day's texts, and its SHA-256."""

    url: str
    name: str
    sha256: str


class Day(NamedTuple):
    """A market's local day to be read. posts: FillPosts as columns; source: where their texts are, if not there."""

    market: str
    on: str
    posts: bytes
    forms: Forms
    source: Source | None


class DayRead(NamedTuple):
    """What was read and counted: readings in the order of the posts, a blob of counts, who mentioned tracked keys.

    missing  posts whose text, as the store has it now, is not in the export: nothing was read then
    """

    readings: bytes
    counts: bytes
    mentions: bytes
    missing: int


def read_day(scorer: TopicScorer, day: Day) -> DayRead:
    """Read and count a day's posts as `classify_posts` and `count_mentions` do."""
    posts = list(map(FillPost._make, unpack(POST, day.posts)))
    if day.source is not None:
        texts = _texts(day.source)
        posts = [post._replace(text=texts.get((post.platform, post.native_id, post.revision))) for post in posts]
        if missing := sum(post.text is None for post in posts):
            return DayRead(b"", b"", b"", missing)
    matcher, on, readings = matcher_of(day.forms), date.fromisoformat(day.on), list[PostReading]()
    for start in range(0, len(posts), BATCH):
        unread = [unread_of(post, day.market, on) for post in posts[start : start + BATCH]]
        readings += read_posts(scorer, unread, matcher)
    items = columns_of(day_posts_of(posts, readings))
    kept = originals(items)
    counted = count_day(items, on, MARKETS[day.market].tz, kept)
    mentions = mentions_of(kept, day.market, on, {number for number, _ in day.forms})
    return DayRead(
        pack(READING, readings),
        counted.to_bytes(),
        pack(MENTION, [(row["key_hash"], row["person_id"], row["post_count"]) for row in mentions]),
        0,
    )


def readings_of(packed: bytes) -> list[PostReading]:
    """What was read in a day's posts, as rows again."""
    found = []
    for keys, places, language, sponsored, text_hash, sketch, told, tone, negative in unpack(READING, packed):
        topics = tuple((topic["id"], topic["p"]) for topic in told)
        said = PostReading(keys, places, language, sponsored, text_hash, sketch, topics, tone, negative)
        found.append(said)
    return found


def unread_of(post: FillPost, market: str, on: date) -> UnreadPost:
    """A post as reading sees it."""
    return UnreadPost(
        post.id, post.author_id, post.revision, post.text or "", post.language, market, on, post.platform_sponsored,
        post.repost_of, post.author_languages,
    )  # fmt: skip


def day_posts_of(posts: Sequence[FillPost], readings: Sequence[PostReading]) -> list[DayPost]:
    """Posts with what was read in them, as counting sees them."""
    return [
        DayPost(
            p.id, p.person_id, p.platform, p.published_at, p.day_only, said.keys, said.places, said.text_hash,
            said.sketch, said.sponsored, said.tone, p.like_count, p.comment_count, p.share_count, p.follower_count,
            p.first_post_at, True,
        )
        for p, said in zip(posts, readings, strict=True)
    ]  # fmt: skip


def _texts(source: Source) -> dict[tuple[str, str, int], str]:
    """Texts of an export's file by platform, native id and revision. Raises RadarError for a damaged one."""
    with Place(source.url).reading(source.name) as file:
        raw = file.read()
    if hashlib.sha256(raw).hexdigest() != source.sha256:
        raise RadarError(f"{source.name} of the export is damaged, or was renewed.", "Run the backfill again.")
    table = pq.read_table(io.BytesIO(raw), columns=["platform", "native_id", "revision", "text"])
    columns = (table.column(name).to_pylist() for name in ("platform", "native_id", "revision", "text"))
    return {tuple(key): text for *key, text in zip(*columns, strict=True) if text is not None}


_lock = threading.Lock()
_scorers: dict[Path, TopicScorer] = {}
"""What a process reads by, opened once."""


def read_with(folder: Path, day: Day) -> DayRead:
    """Read a day by the model in a folder; one day at a time in a process, however many threads ask."""
    with _lock:
        if folder not in _scorers:
            _scorers.clear()
            _scorers[folder] = open_scorer(folder)
        return read_day(_scorers[folder], day)
