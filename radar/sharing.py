"""Work that any number of processes on any hosts share, over one PostgreSQL.

A job lays its pieces out and does them; `radar worker` takes some of them meanwhile. The job goes on when all are done,
so what comes after it sees what one process alone would have left. A piece is done by transactions of its own, and may
be done twice: where its process dies, its claim ends with the connection and somebody does it again.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import sqlalchemy as sa

from radar.store import work
from radar.store.engine import reading, writing
from radar.store.work import Piece

R = TypeVar("R")
_PAUSE = 0.1
"""Seconds between two looks whether others are done."""


def is_shared(engine: sa.Engine) -> bool:
    """Whether other processes may share work: PostgreSQL locks rows, SQLite has one writer."""
    return engine.dialect.name == "postgresql"


def do_one(engine: sa.Engine, kinds: Sequence[str], do: Callable[[Piece], R]) -> R | None:
    """Claim one piece, do it, and take it off the list; None where all are claimed or done."""
    with writing(engine) as session, session.begin():
        piece = work.claim(session, kinds)
        if piece is None:
            return None
        done = do(piece)
        work.drop(session, piece)
    return done


def do_all(engine: sa.Engine, kind: str, do: Callable[[Piece], R]) -> Iterator[R]:
    """What came of each piece that this process did, until all that lie out are done, by whomever."""
    while True:
        done = do_one(engine, [kind], do)
        if done is not None:
            yield done
            continue
        with reading(engine) as session:
            if not work.is_left(session, kind):
                return
        time.sleep(_PAUSE)
