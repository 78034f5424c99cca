"""Reading the posts of a file before they are stored, on a core that has nothing to do meanwhile.

SQLite has one writer, and whoever imports is it nearly all the time: somebody else who stores readings waits for it as
often as not, and each post is written twice. So a batch of the file goes to processes that only read, and waits with a
few others until it is stored with what was read in it, as if it had been classified at once. What a post's reading
rests on is compared when it is stored: where the store knows better than the file, as of the market of an author, and
where another model or other tracked keys are in force since, the post is stored unread and waits as any other.
"""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from datetime import datetime
from functools import partial
from itertools import compress
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar import classify
from radar.classify import PostReading, open_apart, put_readings, read_texts, usual_language
from radar.held import held_sources
from radar.ingest import cleaned
from radar.sources.columns import PostColumns
from radar.spread import Crew, workers
from radar.store import posts as store
from radar.store import promotion
from radar.store import tracked as tracked_store
from radar.store.engine import reading, writing

PIECE = 1_250
"""Posts that a process reads at a time: a batch of a file goes to several."""
_IN_VAIN = 3
"""Batches in a row, of most posts of which the store knows better, after which no more are read."""
_PATIENCE = 1.0
"""Seconds within which a model is found that is there."""
_NICE = 5
_ASKED = 50
"""Posts of a batch that are looked for in the store: a file that was imported before is not read again."""

Asked = tuple[str, str, bool, bool]
"""What a reading rests on: text, the language to expect, whether it is a repost, whether its source calls it paid."""


class Found(NamedTuple):
    """What was read in some posts by column of `post_signal`, their topics, and by what."""

    signals: dict[str, list[Any]]
    topics: list[tuple[tuple[str, float], ...]]
    model_id: str
    tracked: str


class Ahead:
    """Reads batches on request. posts: how many were stored with what was read in them.

    fitting  fits the store's active model where it is missing (`Context.fitting`);  folder  gives where it is kept
    """

    def __init__(
        self, engine: sa.Engine, fitting: Callable[[], AbstractContextManager[None]], folder: Callable[[], Path]
    ) -> None:
        self.posts = 0
        self._engine, self._fitting, self._folder = engine, fitting, folder
        self._crew: Crew[list[Asked], Found] | None = None
        self._is_over, self._deciding = False, threading.Lock()
        self._in_vain = 0  # batches in a row
        self._opening = threading.Thread(target=self._open, name="fits ahead", daemon=True)

    @property
    def readers(self) -> list[int]:
        """The processes that read."""
        return self._crew.pids if self._crew is not None else []

    def begin(self) -> None:
        """Fit the model meanwhile where it is missing; what is asked before it is there is not read."""
        if workers() > 1 and self._opening.ident is None:
            self._opening.start()
            self._opening.join(_PATIENCE)

    def _open(self) -> None:
        with suppress(Exception):  # what fails here is left to whoever classifies, who fails the same way
            with self._fitting():
                pass
            url = self._engine.url.render_as_string(hide_password=False)
            begin = partial(_open, url, self._folder())
            with self._deciding:
                if not self._is_over:
                    self._crew = Crew(_read, at_once=workers(), begin=begin)

    def wait_for_model(self) -> None:
        """Wait for a model that is being fitted: the next job needs it."""
        if self._opening.ident is not None:
            self._opening.join()

    def note_use(self, posts: int, same: int) -> None:
        """Be told how many of a batch's new posts were read as they are stored."""
        if posts >= PIECE:
            self._in_vain = self._in_vain + 1 if 2 * same < posts else 0

    def give(self, posts: PostColumns) -> "Batch | None":
        """Have posts read; None where that does not pay, or cannot be done."""
        if self._in_vain >= _IN_VAIN:  # the store knows other languages or markets
            self.end_readers()
        if self._crew is None or not len(posts) or self._are_known(posts):
            return None
        authors = posts["author"]
        asked = [
            *zip(
                cleaned(posts["text"]),
                map(
                    usual_language,
                    posts["language"],
                    [a.languages for a in authors],
                    [a.audience_market for a in authors],
                ),
                map(bool, posts["repost_of"]),
                map(bool, posts["sponsored"]),
                strict=True,
            )
        ]
        pieces = [self._crew.give(asked[at : at + PIECE]) for at in range(0, len(asked), PIECE)]
        return Batch(self, dict(zip(posts.identities, range(len(posts)), strict=True)), asked, pieces)

    def _are_known(self, posts: PostColumns) -> bool:
        some = posts.identities[:: max(1, len(posts) // _ASKED)]
        with reading(self._engine) as session:
            return 2 * len(store.posts_known(session, some)) > len(some)

    @property
    def is_beginning(self) -> bool:
        """Whether nobody reads yet: it takes them a second or two."""
        return self._crew is not None and not self._crew.is_ready

    def end_readers(self) -> None:
        """Read no more."""
        with self._deciding:
            self._is_over, crew, self._crew = True, self._crew, None
        if crew is not None:
            crew.end()


class Batch:
    """Posts that are being read: a `radar.ingest.Read`."""

    def __init__(
        self, ahead: Ahead, places: dict[store.Identity, int], asked: list[Asked], pieces: list[Future[list[Found]]]
    ) -> None:
        self.same: list[bool] = []
        self._ahead, self._places, self._asked, self._pieces = ahead, places, asked, pieces
        self._found: Found | None = None
        self._at: list[int] = []
        self._late: list[int] = []

    @property
    def weight(self) -> int:
        """Signs of text that wait with it."""
        return sum(len(text) for text, *_ in self._asked)

    @property
    def is_read(self) -> bool:
        """Whether nobody need wait for it."""
        return all(piece.done() for piece in self._pieces)

    def wait(self) -> None:
        """Wait until it is read, or cannot be."""
        try:
            found = [one for piece in self._pieces for one in piece.result()]
        except Exception:  # whoever classifies next meets it, and says so
            self._ahead.end_readers()
            return
        first = found[0]
        if all((one.model_id, one.tracked) == (first.model_id, first.tracked) for one in found):
            signals = {name: [value for one in found for value in one.signals[name]] for name in first.signals}
            topics = [each for one in found for each in one.topics]
            self._found = Found(signals, topics, first.model_id, first.tracked)

    def compare(
        self, session: Session, source: str, columns: Mapping[str, Sequence[Any]], languages: Sequence[str | None]
    ) -> bool:
        """Find out in which posts the same was read as will be stored, if by what is in force; whether it is there."""
        if source in held_sources(session):
            self.same = [False] * len(languages)
            return False
        usual = map(usual_language, columns["language"], languages, columns["audience_market"])
        reposts, paid = map(bool, columns["repost_of"]), map(bool, columns["platform_sponsored"])
        now = zip(columns["text"], usual, reposts, paid, strict=True)
        self._at = [self._places[who] for who in zip(columns["platform"], columns["native_id"], strict=True)]
        self.same = [self._asked[n] == is_now for n, is_now in zip(self._at, now, strict=True)]
        self._ahead.note_use(len(self.same), sum(self.same))
        found = self._found
        if found is None:
            return False
        holds = tracked_store.version(session, hold=True) == found.tracked
        if promotion.is_passive(session, found.model_id) or not holds:
            self.same = [False] * len(self.same)
        return True

    def keep(self, session: Session, post_ids: Sequence[int]) -> None:
        """Store the readings of the posts that were compared, or remember for later whose they are."""
        ids = list(compress(post_ids, self.same))
        if self._found is None:
            self._late = ids
            return
        if not ids:
            return
        signals, topics = self._of(self._found, ids)
        of = {"model_id": [self._found.model_id]}
        of_posts, of_topics = (
            {name: many * n for name, many in of.items()} for n in (len(ids), len(topics["post_id"]))
        )
        store.add_readings(session, signals | of_posts, topics | of_topics)
        self._ahead.posts += len(ids)

    def keep_late(self, engine: sa.Engine, now: datetime) -> None:
        """Store what was read since its posts were stored, as a classifier does. Waits for it."""
        self.wait()
        if self._found is None or not self._late:
            return
        with writing(engine) as session, session.begin():
            waiting = store.still_unread(session, self._late)  # somebody else may have read, changed or erased them
            kept = iter([post_id in waiting for post_id in self._late])
            self.same = [same and next(kept) for same in self.same]
            ids = [post_id for post_id in self._late if post_id in waiting]
            if not ids:
                return
            signals, topics = self._of(self._found, ids)
            days, authors = {(market, day) for _, market, day in waiting.values()}, {a for a, _, _ in waiting.values()}
            read = classify.Batch(signals, topics, [1] * len(ids), days, authors, self._found.tracked)
            done = put_readings(session, self._found.model_id, read, now)
        self._ahead.posts += done

    def _of(self, found: Found, ids: Sequence[int]) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
        """Columns of `post_signal` and `post_topic` of the posts in which the same was read, without the model."""
        at = list(compress(self._at, self.same))
        of_topics = [(post_id, *topic) for post_id, n in zip(ids, at, strict=True) for topic in found.topics[n]]
        columns = zip(*of_topics, strict=True) if of_topics else [()] * 3
        signals = {name: [values[n] for n in at] for name, values in found.signals.items()}
        topics = dict(zip(("post_id", "topic_id", "probability"), map(list, columns), strict=True))
        return {"post_id": list(ids), **signals}, topics


def _open(url: str, folder: Path) -> None:
    if hasattr(os, "nice"):
        os.nice(_NICE)  # who stores has no other to do it
    open_apart(url, folder)


def _read(asked: list[Asked]) -> Iterator[Found]:
    told = read_texts(asked)
    columns = zip(*told.readings, strict=True)
    signals = dict(zip(PostReading._fields, map(list, columns), strict=True))
    yield Found(signals, signals.pop("topics"), told.model_id, told.tracked)
