"""Asking sources: new posts and the cursor that follows them are written in one transaction, a batch at a time.

Sources and the hosts they ask are lanes (`radar.lanes`): one that fails or is slow delays no other. What an account or
a source did wrong is kept beside it, for the coverage page: a passing failure is tried again at the next run, a refusal
(401, 403) pauses it until an operator resumes it, and an account that is not found for as long as its platform
deserves patience is given up.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.errors import CallerError, RadarError
from radar.ingest import Ingested, ingest_posts, ingest_profiles
from radar.lanes import Work, run_lanes
from radar.refresh import plan, set_aside, storable
from radar.sources.base import Account, Batch, Fault, RawAuthor, RawPost, Source
from radar.sources.catalogue import open_source
from radar.sources.jetstream import JetstreamSource
from radar.sources.trouble import Busy, Malformed, NotFound, OptedOut, Refused, Trouble, Unreachable
from radar.sources.web import Web
from radar.spending import StoredLedger
from radar.store import runs, watching
from radar.store.engine import chunks, claim_world, reading, writing
from radar.store.runs import SourceState
from radar.store.watching import Watched

BATCH = 2_000
HEALTHY_FOR = timedelta(hours=6)
"""A source that has not answered for this long no longer holds the closing of buckets back."""
LONGEST = timedelta(minutes=6)
"""No account is begun to be asked after this: the rest comes first at the next run."""
UNREACHED = 3
"""Accounts of one server that were asked for in vain before the rest is left for the next run."""
PROFILE_EVERY = timedelta(days=1)
SLACK = timedelta(minutes=2)
"""How much earlier than its turn an account is asked: jobs begin a little before or after their minute."""


def collect(
    engine: sa.Engine,
    *,
    now: datetime,
    web: Web | None = None,
    progress: Callable[[int], None] = lambda done: None,
    only: Container[tuple[str, str]] | None = None,
) -> Ingested:
    """Bring in what is new at every source, up to now. One that fails keeps its cursor and never stops the others.

    only  (source, handle) of the accounts to ask for, where not all are
    """
    with reading(engine) as session:
        states = runs.source_states(session)
        accounts = watching.watched_accounts(session)
    if only is not None:
        accounts = [a for a in accounts if (a.source, a.handle) in only]
        states = [s for s in states if any(a.source == s.name for a in accounts)]
    with web or Web() as client:
        round_ = _Round(engine, now, progress)
        pieces = [piece for state in states for piece in round_.pieces(state, accounts, client)]
        begun = client.clock.now()
        run_lanes(pieces, stop=round_.stop, is_late=lambda: client.clock.now() - begun > LONGEST)
    with writing(engine) as session, session.begin():
        for state in states:
            runs.settle_source(session, state.name, now - HEALTHY_FOR)
    return round_.total


def follow(
    engine: sa.Engine,
    name: str,
    *,
    web: Web,
    progress: Callable[[int], None] = lambda done: None,
    for_ever: bool = True,
) -> None:
    """Take what a stream gives as it happens; after a connection ends, from the cursor again.

    for_ever  else until the connection ends
    """
    failures = 0
    while True:
        with reading(engine) as session:
            state = next((s for s in runs.source_states(session) if s.name == name), None)
        if state is None or state.kind != "jetstream":
            raise CallerError(f"'{name}' is no stream.", "Streams are sources of the kind jetstream.")
        source = JetstreamSource(state.name, state.config, web)
        round_ = _Round(engine, web.clock.now(), progress)
        try:
            for batch in source.follow(state.cursor):
                round_.now = web.clock.now()
                round_.take(source, None, batch)
                failures = 0
        except Trouble as error:
            round_.now = web.clock.now()
            round_.note(name, None, error)
        if not for_ever:
            return
        failures += 1
        web.clock.sleep(random.uniform(0, min(60.0, 2.0**failures)))


def take_pushed(
    engine: sa.Engine, source: Source, account: Account, read: Callable[[], tuple[list[RawPost], list[Fault]]],
    now: datetime,
) -> Ingested:  # fmt: skip
    """Take posts of an account that somebody brought us; its cursor stays where it is."""
    round_ = _Round(engine, now, lambda _: None)
    try:
        posts, faults = read()
    except Malformed as error:
        posts, faults = [], [Fault(error.message, error.payload)]
    round_.take(source, None, Batch(posts, {}, None, faults), advances=False)
    return round_.total


@dataclass(slots=True)
class _Round:
    """One round of asking all sources."""

    engine: sa.Engine
    now: datetime
    progress: Callable[[int], None]
    total: Ingested = field(default_factory=Ingested)
    stop: threading.Event = field(default_factory=threading.Event)
    _writer: threading.Lock = field(default_factory=threading.Lock)
    _quiet: set[str] = field(default_factory=set)
    _unreached: Counter[str] = field(default_factory=Counter)

    def pieces(self, state: SourceState, accounts: list[Watched], web: Web) -> Iterator[tuple[str, Work]]:
        """What is to be asked of one source, with the lane of each."""
        if state.pause_reason or (state.resume_at and state.resume_at > self.now):
            return
        try:
            source = open_source(state.kind, state.name, state.config, web, StoredLedger(self.engine))
        except Exception as error:  # its configuration is at fault: the others are asked
            self.note(state.name, None, error)
            return
        if not source.capabilities.watches:
            yield source.lane(None), partial(self._ask, source, state.cursor, None)
            return
        mine = [one for one in accounts if one.source == state.name and not one.pause_reason]
        pause = source.every(len(mine)) - SLACK
        for one in mine:
            if one.asked_at is None or self.now - one.asked_at >= pause:
                account = Account(one.handle, one.audience_market, one.person, one.consented)
                try:
                    lane = source.lane(account)
                except Exception as error:  # a handle that means nothing there
                    self.note(state.name, account, error)
                    continue
                yield lane, partial(self._ask_account, source, one, account)

    def _ask_account(self, source: Source, one: Watched, account: Account) -> None:
        if source.name in self._quiet:
            return
        is_due = one.profiled_at is None or self.now - one.profiled_at >= PROFILE_EVERY
        if source.capabilities.profiles and is_due and not self._profile(source, account, one):
            return
        self._ask(source, one.cursor, account, one)

    def _ask(
        self, source: Source, cursor: dict[str, object] | None, account: Account | None, one: Watched | None = None
    ) -> None:
        try:
            for batch in source.discover(cursor, self.now, account):
                self.take(source, account, batch)
                if self.stop.is_set():
                    return
        except sa.exc.SQLAlchemyError:
            raise  # the store's fault, not the source's
        except Exception as error:  # whatever a source does, the others are asked
            self._fail(source, account, error, one)

    def _profile(self, source: Source, account: Account, one: Watched) -> bool:
        """What the account says of itself; whether its posts are worth asking for."""
        try:
            told = source.profile(account, self.now)
            if told is not None:
                self._take_profile(source, account, *told)
        except sa.exc.SQLAlchemyError:
            raise
        except Exception as error:
            self._fail(source, account, error, one)
            return not isinstance(error, Refused | Busy | NotFound | Unreachable)
        return True

    def _take_profile(self, source: Source, account: Account, platform: str, author: RawAuthor) -> None:
        with self._writer, writing(self.engine) as session, session.begin():
            claim_world(session, "simulated" if source.is_simulated else "real")
            refused = ingest_profiles(session, platform, [author], source=source.name, now=self.now)
            set_aside(session, source.name, [Fault(reason, repr(a), a.native_id) for a, reason in refused], self.now)
            watching.note_account(session, source.name, account.handle, profiled_at=self.now)

    def take(self, source: Source, account: Account | None, batch: Batch, *, advances: bool = True) -> None:
        """Posts, what could not be read, and the cursor: all of it or nothing."""
        with self._writer, writing(self.engine) as session, session.begin():
            claim_world(session, "simulated" if source.is_simulated else "real")
            for some in chunks(batch.posts, BATCH):
                done = ingest_posts(session, some, source=source.name, now=self.now)
                set_aside(session, source.name, [_rejected(some[i], reason) for i, reason in done.rejected], self.now)
                if source.capabilities.refreshes:
                    plan(session, some, source.name, self.now, source.capabilities.keep)
                self.total += done
            set_aside(session, source.name, batch.faults, self.now)
            if advances:
                self._advance(session, source, account, batch)
        self.progress(self.total.new)

    def _advance(self, session: Session, source: Source, account: Account | None, batch: Batch) -> None:
        if account is None:
            runs.advance_source(session, source.name, batch.cursor, batch.watermark_at, self.now)
            return
        values = {"cursor": batch.cursor, "asked_at": self.now, "last_success_at": self.now, "missing_since": None}
        if batch.watermark_at is not None:
            values["watermark_at"] = batch.watermark_at
        watching.note_account(session, source.name, account.handle, **values)

    def _fail(self, source: Source, account: Account | None, error: Exception, one: Watched | None) -> None:
        """Keep what went wrong where it belongs, and draw the conclusion."""
        shares = account is None or (source.capabilities.shares_access and not isinstance(error, OptedOut))
        if isinstance(error, Unreachable) and shares:
            self._unreached[source.name] += 1
        if shares and (isinstance(error, Refused | Busy) or self._unreached[source.name] >= UNREACHED):
            self._quiet.add(source.name)
        self.note(source.name, account, error)
        with self._writer, writing(self.engine) as session, session.begin():
            if isinstance(error, Malformed):
                set_aside(session, source.name, [Fault(error.message, error.payload)], self.now)
            if isinstance(error, Busy) and error.resume_at is not None and shares:
                watching.wait_until(session, source.name, error.resume_at)
            if isinstance(error, Refused) and shares:
                watching.pause(session, source.name, storable(error.message))
            elif isinstance(error, Refused) and account is not None:
                watching.note_account(session, source.name, account.handle, pause_reason=storable(error.message))
            if isinstance(error, NotFound) and account is not None:
                since = (one and one.missing_since) or self.now
                lost = self.now - since >= source.capabilities.patience
                said = f"not found since {since:%Y-%m-%d %H:%M} UTC: {error.message}"
                reason = storable(said) if lost else None
                watching.note_account(session, source.name, account.handle, missing_since=since, pause_reason=reason)

    def note(self, name: str, account: Account | None, error: Exception) -> None:
        said = storable(error.message if isinstance(error, RadarError) else f"{type(error).__name__}: {error}")
        with self._writer, writing(self.engine) as session, session.begin():
            runs.note_source_error(session, name, self.now, f"{account.handle}: {said}" if account else said)
            if account is not None:
                values = {"asked_at": self.now, "last_error_at": self.now, "last_error": said[:2000]}
                watching.note_account(session, name, account.handle, **values)


def _rejected(post: RawPost, reason: str) -> Fault:
    return Fault(reason, repr(post), post.native_id)


def closed_at(engine: sa.Engine, now: datetime) -> datetime:
    """Until when buckets are closed: every healthy source has been asked for all that was published before."""
    with reading(engine) as session:
        states = runs.source_states(session)
    marks = [
        s.watermark_at
        for s in states
        if s.watermark_at and s.last_success_at and now - s.last_success_at <= HEALTHY_FOR
    ]
    return min([*marks, now])
