"""A worker: does what waits, on any host that reaches the database, until it is told to end.

Posts that wait are read first: they need no list, each batch is claimed by its posts' own rows. Then come the pieces
that jobs have laid out (`radar.sharing`). A worker decides nothing: when something is due is the scheduler's business.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa

from radar import count, detect
from radar.classify import Span, classify_claimed
from radar.config import Settings
from radar.errors import CallerError, RadarError
from radar.registry import TopicScorer, load_taxonomy
from radar.scheduling import Context
from radar.sharing import do_one, is_shared
from radar.store.engine import reading
from radar.store.lasting import is_passing
from radar.store.posts import last_unread
from radar.store.work import Piece

log = logging.getLogger("radar")

CLAIM = 1_000
"""Posts claimed at a time: some tenths of a second."""
IDLE = 1.0
"""Seconds between two looks when nothing waits."""
PAUSES = (1.0, 30.0)
"""Seconds to wait after a failure: at first, and at most."""


class Worker:
    """One process that takes work as it comes. Raises CallerError for a store that has one writer."""

    def __init__(self, engine: sa.Engine, settings: Settings) -> None:
        if not is_shared(engine):
            raise CallerError(
                "SQLite has one writer, so a second process would only wait for the first.",
                "Workers need PostgreSQL (RADAR_DATABASE_URL). On SQLite `radar serve` or `radar schedule` alone "
                "spreads its work over this machine's processors.",
            )
        self._engine, self._settings = engine, settings
        self._context = Context(engine, settings, datetime.now(UTC))
        self._after = 0
        self.posts = self.pieces = 0

    @property
    def scorer(self) -> TopicScorer:
        """The model that posts are read by."""
        return self._context.scorer

    def serve(self, is_over: Callable[[], bool], *, once: bool = False) -> None:
        """Work until is_over(), or until nothing waits; what fails is told and tried again, here or elsewhere."""
        pause, told = PAUSES[0], 0
        while not is_over():
            try:
                did = self.step()
            except (RadarError, sa.exc.SQLAlchemyError) as error:
                if once and not is_passing(error):
                    raise
                log.error("worker: %s; goes on in %g s", str(error).strip().partition("\n")[0], pause)
                _rest(pause, is_over)
                pause = min(2 * pause, PAUSES[1])
                continue
            pause = PAUSES[0]
            if self.posts > told and (not did or self.posts - told >= 50 * CLAIM):
                log.info("worker: %d posts read", self.posts - told)
                told = self.posts
            if not did:
                if once:
                    return
                _rest(IDLE, is_over)

    def step(self) -> bool:
        """Do one batch or piece; whether there was one. Raises what it met."""
        return self._read_some() or self._do_piece()

    def _read_some(self) -> bool:
        """Read a batch of posts that wait; whether there was one. Goes by id, and begins anew after the last."""
        with reading(self._engine) as session:
            if last_unread(session, self._after) is None:
                self._after = 0
                if last_unread(session, 0) is None:
                    return False
        now = datetime.now(UTC)
        span = Span(self._after, None)
        done, last = classify_claimed(self._engine, self.scorer, span, now=now, limit=CLAIM)
        self.posts += done
        self._after = last or 0
        return last is not None

    def _do_piece(self) -> bool:
        return do_one(self._engine, [count.WORK, detect.WORK], self._do) is not None

    def _do(self, piece: Piece) -> str:
        began, model, topics = time.perf_counter(), self._context.model_id, load_taxonomy().ids
        if piece.kind == count.WORK:
            days, _ = count.count_piece(self._engine, model, topics, piece)
            said = f"{days} days recounted"
        else:
            found = detect.detect_piece(self._engine, model, topics, piece)
            said = f"{found.snapshots} snapshots over {found.days} days"
        self.pieces += 1
        log.info("worker: %s %s: %s in %.1f s", piece.kind, piece.subject, said, time.perf_counter() - began)
        return said


def _rest(seconds: float, is_over: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while not is_over() and time.monotonic() < until:
        time.sleep(min(0.2, seconds))
