"""Transactions that outlast a lost connection: a restart of the database, or another server that takes its place.

Only for transactions that may be done twice. A commit whose answer never came may have happened or not; done again it
finds what it wrote, and changes nothing.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from radar.store.engine import writing

log = logging.getLogger("radar")
T = TypeVar("T")

PATIENCE = timedelta(seconds=60)
"""How long work that nobody waits for tries again."""
SHORT = timedelta(seconds=12)
"""The same where somebody waits for an answer."""
_AGAIN = {"40001", "40P01", "57P01", "57P02", "57P03"}
"""SQLSTATEs of PostgreSQL: serialization failure, deadlock, and a server that goes, crashed, or comes."""


def is_passing(error: BaseException) -> bool:
    """Whether the same transaction may succeed in a moment: the connection was lost, or others were in its way."""
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    if error.connection_invalidated or state in _AGAIN:
        return True
    if getattr(error.orig, "__module__", "").startswith("sqlite3"):
        return False
    # a server that cannot be reached tells no state, or one of class 08
    return isinstance(error, sa.exc.OperationalError) and (state is None or state.startswith("08"))


def lasting(engine: sa.Engine, work: Callable[[Session], T], *, patience: timedelta = PATIENCE) -> T:
    """What work(session) returns, done in one transaction that is done again where its connection is lost.

    Raises what the last attempt raised, once patience is over.
    """

    def once() -> T:
        with writing(engine) as session, session.begin():
            return work(session)

    return patiently(once, patience=patience)


def patiently(work: Callable[[], T], *, patience: timedelta = PATIENCE) -> T:
    """What work() returns, asked again while the store does not answer. Raises what the last attempt raised."""
    retrying = Retrying(
        retry=retry_if_exception(is_passing),
        stop=stop_after_delay(patience),
        wait=wait_random_exponential(multiplier=0.1, max=2),
        before_sleep=_tell,
        reraise=True,
    )
    return retrying(work)


def _tell(state: RetryCallState) -> None:
    if state.attempt_number == 1 and state.outcome is not None:
        said = str(state.outcome.exception()).strip().partition("\n")[0]
        log.warning("the store does not answer, or refused for now; tried again: %s", said)
