"""Classifying posts: what a text says by itself, and its topics by the model; stored as one key array a post."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.held import held_sources
from radar.keys import Kind, key_numbers
from radar.markets import MARKETS
from radar.memory import give_back
from radar.registry import TopicScorer, open_scorer
from radar.sharing import is_shared
from radar.spread import spread, workers
from radar.store import measures, promotion
from radar.store import posts as store
from radar.store import tracked as tracked_store
from radar.store.engine import open_store, reading, writing
from radar.store.lasting import patiently
from radar.store.posts import UnreadPost
from radar.text.key_rows import KeyRows
from radar.text.other_languages import READ
from radar.text.reading import read
from radar.text.similar import sketches
from radar.text.tracked import NONE, Matcher
from radar.topics.tone import tones_of
from radar.tracked import open_reader

Floats = npt.NDArray[np.float64]

BATCH = 2_000
MANY = 30_000
"""Posts waiting from which processes pay for their start."""
MANY_COMING = 10_000
"""The same where more come in meanwhile: then they start beside who brings them, on a core that has nothing to do."""
_PAUSE = 0.2


class PostReading(NamedTuple):
    """What was read in a post, in the form that is stored (and cheap to send between processes).

    keys    little-endian int64, sorted     topics  (topic id, probability), most probable first
    sketch  by which nearly the same texts are found; None for short ones
    tone    -1 negative, 0 neutral, 1 positive; negative  the probability that it is. None by a model without a tone
    """

    keys: bytes
    places: str
    language: str
    sponsored: bool
    text_hash: int
    sketch: bytes | None
    topics: tuple[tuple[str, float], ...]
    tone: int | None
    negative: float | None


def read_posts(scorer: TopicScorer, items: Sequence[UnreadPost], tracked: Matcher = NONE) -> list[PostReading]:
    """Read texts and score them; topics are those at or above their thresholds.

    tracked  finds the keys that users track

    A text in a language that is not read has no topics and no tone: the model would guess.
    """
    texts = [item.text or "" for item in items]
    said = read(texts, [_usual(item) for item in items])
    normalised = said.normal.said
    p, heard = scorer.judge(texts, said.normal)
    understood = np.array([*map(_is_read, said.languages, normalised)], bool)
    given = (p >= scorer.thresholds) & understood[:, None]
    topics = _topics(scorer, p, given)
    numbers = np.array(key_numbers(Kind.TOPIC, scorer.topic_ids), np.int64)
    rows = said.keys | KeyRows.of(numbers[np.nonzero(given)[1]], given.sum(1))
    if tracked:
        own = [tracked.find(text) for text in normalised]
        rows |= KeyRows.of([key for found in own for key in found], [*map(len, own)])
    keys = rows.as_bytes()
    for i, item in enumerate(items):
        if item.repost_of and not normalised[i]:  # a repost without text of its own mentions nothing
            keys[i] = b""
    columns = zip(
        keys,
        map(" ".join, said.places),
        said.languages,
        (told or bool(item.platform_sponsored) for told, item in zip(said.sponsored, items, strict=True)),
        said.text_hashes,
        sketches(said.bodies),
        map(tuple, topics),
        *_tones(heard, understood),
        strict=True,
    )
    return [*map(PostReading._make, columns)]


def _topics(scorer: TopicScorer, p: Floats, given: npt.NDArray[np.bool_]) -> list[list[tuple[str, float]]]:
    """Each text's topics, those it is given, most probable first."""
    topics: list[list[tuple[str, float]]] = [[] for _ in p]
    rows, columns = np.nonzero(given)
    for row, column, sure in zip(rows.tolist(), columns.tolist(), p[rows, columns].tolist(), strict=True):
        topics[row].append((scorer.topic_ids[column], round(sure, 4)))
    for found in topics:
        if len(found) > 1:
            found.sort(key=lambda topic: -topic[1])
    return topics


def _is_read(language: str, normalised: str) -> bool:
    """Whether the model knows the language; signs and emoji alone are of all languages."""
    return language in READ or not any(map(str.isalpha, normalised))


def _usual(item: UnreadPost) -> str:
    return usual_language(item.language, item.author_languages, item.audience_market)


def usual_language(said: str | None, spoken: str | None, market: str | None) -> str:
    """The language to expect of a post: as its source says, else its author's, else its market's; empty for none."""
    if said:
        return said
    if languages := (spoken or "").replace(",", " ").split():
        return languages[0]
    return MARKETS[market].languages[0] if market else ""


def _tones(p: Floats | None, understood: npt.NDArray[np.bool_]) -> tuple[list[int | None], list[float | None]]:
    """Each text's tone, and the probability that it is negative."""
    if p is None:
        return [None] * len(understood), [None] * len(understood)
    tones: list[int | None] = tones_of(p).tolist()
    negative: list[float | None] = p[:, 0].round(4).tolist()
    for i in np.flatnonzero(~understood).tolist():
        tones[i] = negative[i] = None
    return tones, negative


def classify_posts(
    engine: sa.Engine,
    model_folder: Path,
    load: Callable[[], TopicScorer],
    *,
    now: datetime,
    progress: Callable[[int], None] = lambda done: None,
    coming: Callable[[], bool] = lambda: False,
) -> int:
    """Read every post that waits; returns how many. Safe to kill: a batch is written whole or not at all.

    model_folder  the fitted model, its name is the model's id: processes that read many posts open it there
    load          gives the scorer of that folder: asked when posts are few enough to be read in this process
    coming        whether somebody brings in more posts meanwhile: those are waited for
    """
    done, model_id = 0, model_folder.name
    with reading(engine) as session:
        held = held_sources(session)
    if held:
        with writing(engine) as session, session.begin():
            store.pass_over(session, held, now)
    spans = _spans(engine, coming)
    found: Iterator[Batch | int]
    if many_wait(engine, coming=coming()):
        url = engine.url.render_as_string(hide_password=False)
        work: Callable[[Span], Iterator[Batch | int]] = _read_apart
        if is_shared(engine):
            work = partial(_claim_apart, now)
        read = spread(work, spans, at_once=workers(), begin=partial(open_apart, url, model_folder))
        found = (piece for _, piece in read if piece is not None)
    elif is_shared(engine):
        found = (_claim(engine, load(), span, now) for span in spans)
    else:
        found = (_read_batch(engine, load(), span) for span in spans)
    for piece in found:
        done += _write(engine, model_id, piece, now) if isinstance(piece, Batch) else piece
        progress(done)
    return done


class Span(NamedTuple):
    """Waiting posts with ids above one and up to another, which may be open."""

    after: int
    last: int | None


def classify_claimed(
    engine: sa.Engine, scorer: TopicScorer, span: Span, *, now: datetime, limit: int = BATCH
) -> tuple[int, int | None]:
    """Claim some waiting posts that nobody else has, read and store them, all in one transaction.

    Returns how many were stored, and the last id that was claimed, None where there was none. A claim is the lock on
    the post's row: it ends with the transaction, so a dead process's posts wait again at once, and no claim can run
    out under a slow one. For the moment of a batch, whoever changes one of its posts waits; nobody else does.
    """
    with writing(engine) as session, session.begin():
        tracked = open_reader(session)
        items = store.claim_unread(session, span.after, span.last, limit, held_sources(session))
        if not items:
            return 0, None
        found = batch_of(items, read_posts(scorer, items, tracked.matcher), tracked.version)
        return put_readings(session, scorer.model_id, found, now), items[-1].id


def many_wait(engine: sa.Engine, *, coming: bool = False) -> bool:
    """Whether so many posts wait that processes of their own read them; coming: somebody brings in more meanwhile."""
    with reading(engine) as session:
        return workers() > 1 and store.unread_after(session, 0, MANY_COMING if coming else MANY) is not None


def _spans(engine: sa.Engine, coming: Callable[[], bool]) -> Iterator[Span]:
    """All that waits, some posts at a time; a post that changes while it is read waits for the next run."""
    after = 0
    while True:
        more = coming()  # asked first: what came in before the last no is seen
        with reading(engine) as session:
            last = store.unread_after(session, after, BATCH)
            if last is None and not more:
                last = store.last_unread(session, after)
        if last is None and more:
            time.sleep(_PAUSE)
            continue
        if last is None:
            return
        yield Span(after, last)
        after = last


class Waiting(NamedTuple):
    """What of a post is needed to store what was read in it."""

    id: int
    author_id: int
    revision: int
    audience_market: str
    local_day: date


class Batch(NamedTuple):
    """Posts and what was read in them by column, with that version of the tracked keys: cheap to send and to store.

    signals     columns of `post_signal` by name, without the model       topics  the same of `post_topic`
    revisions   of each post, as it was read
    days        (market, local day)s and authors of the posts
    """

    signals: dict[str, list[Any]]
    topics: dict[str, list[Any]]
    revisions: list[int]
    days: set[tuple[str, date]]
    author_ids: set[int]
    tracked: str


def batch_of(posts: Sequence[UnreadPost | Waiting], readings: Sequence[PostReading], tracked: str) -> Batch:
    """What was read in posts, as it is stored."""
    ids, author_ids, revisions, markets, days = (list(map(attrgetter(name), posts)) for name in Waiting._fields)
    columns = zip(*readings, strict=True) if readings else [()] * len(PostReading._fields)
    told = dict(zip(PostReading._fields, map(list, columns), strict=True))
    topics = [(post_id, *topic) for post_id, found in zip(ids, told.pop("topics"), strict=True) for topic in found]
    of_topics = zip(*topics, strict=True) if topics else [()] * 3
    return Batch(
        {"post_id": ids} | told,
        dict(zip(("post_id", "topic_id", "probability"), map(list, of_topics), strict=True)),
        revisions,
        set(zip(markets, days, strict=True)),
        set(author_ids),
        tracked,
    )


def _read_batch(engine: sa.Engine, scorer: TopicScorer, span: Span) -> Batch:
    with reading(engine) as session:
        tracked = open_reader(session)
        items = store.unread_posts(session, span.after, span.last, held_sources(session))
    return batch_of(items, read_posts(scorer, items, tracked.matcher), tracked.version)


_apart: tuple[sa.Engine, TopicScorer] | None = None
"""What a process has that only reads."""


def open_apart(url: str, folder: Path) -> None:
    """Make this process one that reads: for `radar.spread`."""
    global _apart
    _apart = open_store(url, migrate=False), open_scorer(folder)
    give_back()


class ReadTexts(NamedTuple):
    """What was read in texts, and by which model and version of the tracked keys."""

    readings: list[PostReading]
    model_id: str
    tracked: str


def read_texts(asked: Sequence[tuple[str, str, bool, bool]]) -> ReadTexts:
    """Read posts that are not stored yet, in a process that was opened for it.

    asked  of each: text, the language to expect, whether it is a repost, whether its source calls it sponsored
    """
    assert _apart is not None
    engine, scorer = _apart
    with reading(engine) as session:
        tracked = open_reader(session)
    items = [
        UnreadPost(0, 0, 0, text, usual, "", _NO_DAY, is_paid, "a repost" if is_repost else None)
        for text, usual, is_repost, is_paid in asked
    ]
    return ReadTexts(read_posts(scorer, items, tracked.matcher), scorer.model_id, tracked.version)


_NO_DAY = date(1970, 1, 1)


def _read_apart(span: Span) -> Iterator[Batch]:
    assert _apart is not None
    yield _read_batch(*_apart, span)


def _claim_apart(now: datetime, span: Span) -> Iterator[int]:
    assert _apart is not None
    yield _claim(*_apart, span, now)


def _claim(engine: sa.Engine, scorer: TopicScorer, span: Span, now: datetime) -> int:
    return patiently(lambda: classify_claimed(engine, scorer, span, now=now)[0])


def _write(engine: sa.Engine, model_id: str, batch: Batch, now: datetime) -> int:
    if not batch.revisions:  # somebody else read or took them meanwhile
        return 0
    with writing(engine) as session, session.begin():
        return put_readings(session, model_id, batch, now)


def put_readings(session: Session, model_id: str, batch: Batch, now: datetime) -> int:
    """Store what was read in posts; how many, none where another model or other tracked keys are in force since."""
    if promotion.is_passive(session, model_id):
        return 0
    if tracked_store.version(session, hold=True) != batch.tracked:
        return 0  # somebody tracks another key since: the posts wait for the next run
    store.write_readings(session, model_id, batch.signals, batch.topics, batch.revisions, now)
    store.mark_dirty(session, batch.days)
    measures.mark_authors(session, batch.author_ids, now)
    return len(batch.revisions)
