"""Where reads go: to a standby of the database while it is well, else to the primary.

A thread looks every half second. The standby is well while it stands by, and has replayed all that the primary has
written or is at most so many seconds behind. What this process has written is seen in any case: after a write reads
go to the primary, until the standby has replayed up to where the primary stood then. Where the primary is gone, the
standby answers as it is: old news are better than none.
"""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.engine import open_lazily, reading

log = logging.getLogger("radar")

EVERY = 0.5
"""Seconds between two looks."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found out last: whether the standby answers reads, and in words why or why not."""

    is_well: bool
    told: str
    is_primary_gone: bool = False


class Reads:
    """The engine that reads of pages and API are asked of."""

    def __init__(self, primary: sa.Engine, replica_url: str = "", lag: timedelta = timedelta(seconds=10)) -> None:
        self._primary, self._lag = primary, lag
        self._replica = open_lazily(replica_url) if replica_url else None
        self._look = Look(False, "primary: the replica was not looked at yet")
        self._wrote_at, self._seen_upto = 0.0, 0.0
        self._target: tuple[float, str] | None = None
        self._starting, self._ended = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None

    def session(self, *, of_primary: bool = False) -> Session:
        """A session for reads. of_primary: not from the standby, but where there is nothing else."""
        if self._replica is None:
            return reading(self._primary)
        self._start()
        look = self._look
        is_current = self._seen_upto >= self._wrote_at and not of_primary
        return reading(self._replica if look.is_well and (is_current or look.is_primary_gone) else self._primary)

    def wrote(self) -> None:
        """Somebody wrote through this process: reads have to see it."""
        self._wrote_at = time.monotonic()

    @property
    def told(self) -> str | None:
        """Where reads go and why, in words; None where no replica is configured."""
        if self._replica is None:
            return None
        self._start()
        return self._look.told

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        if self._replica is not None:
            self._replica.dispose()

    def _start(self) -> None:
        if self._thread is not None:
            return
        with self._starting:
            if self._thread is None:
                self._note(self._looked())
                self._thread = threading.Thread(target=self._watch, name="looks at the replica", daemon=True)
                self._thread.start()

    def _watch(self) -> None:
        while not self._ended.wait(EVERY):
            self._note(self._looked())

    def _note(self, look: Look) -> None:
        if (look.is_well, look.is_primary_gone) != (self._look.is_well, self._look.is_primary_gone):
            log.log(logging.INFO if look.is_well else logging.WARNING, "reads go to the %s", look.told)
        self._look = look

    def _looked(self) -> Look:
        assert self._replica is not None
        asked_at = time.monotonic()
        written = self._written()
        f = sa.func
        age = sa.extract("epoch", f.clock_timestamp() - f.pg_last_xact_replay_timestamp())
        wanted = [f.pg_is_in_recovery(), age, sa.cast(f.pg_last_wal_replay_lsn(), sa.Text)]
        try:
            with self._replica.connect() as connection:
                stands_by, seconds, replayed = connection.execute(sa.select(*wanted)).one()
        except sa.exc.SQLAlchemyError:
            return Look(False, "primary: the replica does not answer", written is None)
        if not stands_by:
            return Look(False, "primary: the replica is no standby any more", written is None)
        if written is None:
            return Look(True, "replica, as it is: the primary does not answer", True)
        self._keep_up(asked_at, written, replayed)
        if _position(replayed) < _position(written) and (seconds is None or seconds > self._lag.total_seconds()):
            late = "by it is not known how much" if seconds is None else f"by {float(seconds):,.0f} s"
            return Look(False, f"primary: the replica lags {late}")
        return Look(True, "replica")

    def _keep_up(self, asked_at: float, written: str, replayed: str) -> None:
        """See whether all that this process had written by a moment has come to the standby."""
        if self._seen_upto >= self._wrote_at:
            return
        if self._target is None or self._target[0] < self._wrote_at:
            self._target = asked_at, written
        if _position(replayed) >= _position(self._target[1]):
            self._seen_upto, self._target = self._target[0], None

    def _written(self) -> str | None:
        """Up to where the primary has written; None where it does not answer."""
        try:
            with self._primary.connect() as connection:
                return str(connection.scalar(sa.select(sa.cast(sa.func.pg_current_wal_lsn(), sa.Text))))
        except sa.exc.SQLAlchemyError:
            return None


def _position(lsn: str) -> int:
    """A place in the log as a number.

    >>> _position("1/A0")
    4294967456
    """
    high, _, low = lsn.partition("/")
    return (int(high, 16) << 32) + int(low, 16)
