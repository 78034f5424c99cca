"""Classifying posts: what a text says by itself, and its topics by the model; stored as one key array a post."""

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from multiprocessing.synchronize import Lock
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from radar.keys import Kind, key_number
from radar.markets import MARKETS
from radar.memory import give_back
from radar.registry import TopicScorer, open_scorer
from radar.store import posts as store
from radar.store import promotion
from radar.store.engine import reading, writing
from radar.store.posts import UnreadPost
from radar.text.normalise import split_hashtags
from radar.text.reading import Reading, read
from radar.text.similar import sketches

BATCH = 2_000
POOL_FROM = 30_000
"""Posts waiting from which a second process pays for its start."""


@dataclass(frozen=True, slots=True)
class PostReading:
    """What was read in a post, in the form that is stored (and cheap to send between processes).

    keys    little-endian int64, sorted     topics  (topic id, probability), most probable first
    sketch  by which nearly the same texts are found; None for short ones
    """

    keys: bytes
    places: str
    language: str
    sponsored: bool
    text_hash: int
    sketch: bytes | None
    topics: tuple[tuple[str, float], ...]


_scorer: TopicScorer | None = None


def _load(folder: Path, one_at_a_time: Lock) -> None:
    """Open the model in a process that is to read; opening takes more for a moment than the model does."""
    global _scorer
    with one_at_a_time:
        _scorer = open_scorer(folder)
        give_back()


def _read_in_worker(items: Sequence[UnreadPost]) -> list[PostReading]:
    assert _scorer is not None
    return read_posts(_scorer, items)


def read_posts(scorer: TopicScorer, items: Sequence[UnreadPost]) -> list[PostReading]:
    """Read texts and score them; topics are those at or above their thresholds."""
    priors = [item.language or MARKETS[item.audience_market].languages[0] for item in items]
    texts = [item.text or "" for item in items]
    readings = read(texts, priors)
    drawn = sketches([split_hashtags(said.normalised)[0] for said in readings])
    p = scorer.score(texts)
    topics: list[list[tuple[str, float]]] = [[] for _ in items]
    for row, column in zip(*np.nonzero(p >= scorer.thresholds), strict=True):
        topics[row].append((scorer.topic_ids[column], round(float(p[row, column]), 4)))
    for found in topics:
        found.sort(key=lambda topic: -topic[1])
    return [
        PostReading(
            _key_bytes(item, said, found),
            " ".join(said.places),
            said.language,
            said.sponsored or bool(item.platform_sponsored),
            said.text_hash,
            sketch,
            tuple(found),
        )
        for item, said, sketch, found in zip(items, readings, drawn, topics, strict=True)
    ]


def classify_posts(
    engine: sa.Engine,
    model_folder: Path,
    load: Callable[[], TopicScorer],
    *,
    now: datetime,
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    """Read every post that waits; returns how many. Safe to kill: a batch is written whole or not at all.

    model_folder  the fitted model, its name is the model's id: processes that read many posts open it there
    load          gives the scorer of that folder: asked when posts are few enough to be read in this process
    """
    done, model_id = 0, model_folder.name
    with _reader(engine, model_folder, load) as submit:
        waiting: deque[tuple[list[UnreadPost], Future[list[PostReading]]]] = deque()
        for batch in _batches(engine):
            waiting.append((batch, submit(batch)))
            if len(waiting) > 3:
                done += _write(engine, model_id, *waiting.popleft(), now)
                progress(done)
        for batch, future in waiting:
            done += _write(engine, model_id, batch, future, now)
            progress(done)
    return done


def _batches(engine: sa.Engine) -> Iterator[list[UnreadPost]]:
    """Waiting posts by id; a post that changes while it is read waits for the next run."""
    after = 0
    while True:
        with reading(engine) as session:
            batch = store.unread_posts(session, BATCH, after)
        if not batch:
            return
        after = batch[-1].id
        yield batch


@contextmanager
def _reader(
    engine: sa.Engine, model_folder: Path, load: Callable[[], TopicScorer]
) -> Iterator[Callable[[list[UnreadPost]], Future[list[PostReading]]]]:
    """A function that reads a batch: at once for a few posts, in processes for many."""
    with reading(engine) as session:
        many = len(store.unread_posts(session, POOL_FROM)) == POOL_FROM
    workers = min(os.cpu_count() or 1, 8)
    spawn = get_context("spawn")
    if many and workers > 1:
        with ProcessPoolExecutor(workers, spawn, _load, (model_folder, spawn.Lock())) as pool:
            yield lambda batch: pool.submit(_read_in_worker, batch)
    else:

        def at_once(batch: list[UnreadPost]) -> Future[list[PostReading]]:
            future: Future[list[PostReading]] = Future()
            future.set_result(read_posts(load(), batch))
            return future

        yield at_once


def _write(
    engine: sa.Engine, model_id: str, batch: list[UnreadPost], future: Future[list[PostReading]], now: datetime
) -> int:
    signals: list[dict[str, Any]] = []
    topic_rows: list[dict[str, Any]] = []
    for item, said in zip(batch, future.result(), strict=True):
        signals.append(
            {
                "post_id": item.id, "model_id": model_id, "keys": said.keys, "places": said.places,
                "language": said.language, "sponsored": said.sponsored, "text_hash": said.text_hash,
                "sketch": said.sketch,
            }
        )  # fmt: skip
        topic_rows += [
            {"post_id": item.id, "topic_id": topic_id, "probability": p, "model_id": model_id}
            for topic_id, p in said.topics
        ]
    done = [{"read_post_id": item.id, "seen_revision": item.revision, "read_at": now} for item in batch]
    with writing(engine) as session, session.begin():
        if promotion.is_passive(session, model_id):
            return 0
        store.write_readings(session, signals, topic_rows, done)
        store.mark_dirty(session, {(item.audience_market, item.local_day) for item in batch})
    return len(batch)


def _key_bytes(item: UnreadPost, said: Reading, found: list[tuple[str, float]]) -> bytes:
    """A post's keys; a repost without text of its own mentions nothing."""
    if item.repost_of and not said.normalised:
        return b""
    topic_keys = [key_number(Kind.TOPIC, topic_id) for topic_id, _ in found]
    return np.array(sorted(itertools.chain(said.keys.tolist(), topic_keys)), dtype="<i8").tobytes()
