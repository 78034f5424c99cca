"""Posts that a platform says were withdrawn, among all that are stored of it: asked for once a day, deleted here.

X takes the ids of stored posts as a job and says, some time later, which were deleted, or are not shown to everybody
any more. The job's id waits in the source's cursor: a killed run goes on with it; what is said twice is deleted once.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from radar.errors import RadarError
from radar.ingest import ingest_posts
from radar.sources.base import RawAuthor, RawPost
from radar.sources.catalogue import open_source
from radar.sources.trouble import NotFound, Trouble
from radar.sources.web import Web
from radar.sources.x import XSource
from radar.spending import StoredLedger
from radar.store import answers, runs
from radar.store import posts as store
from radar.store.engine import chunks, reading, writing
from radar.store.runs import SourceState

EVERY = timedelta(hours=20)
SOME = 2_000


def comply(engine: sa.Engine, *, now: datetime, web: Web) -> int:
    """Ask for, or hear of, what was withdrawn at every source that tells; how many posts are gone by that."""
    with reading(engine) as session:
        states = [s for s in runs.source_states(session) if s.kind == "x" and not s.pause_reason]
    gone = 0
    for state in states:
        try:
            source = open_source(state.kind, state.name, state.config, web, StoredLedger(engine))
            assert isinstance(source, XSource)
            gone += _one(engine, source, state, now)
        except RadarError as error:  # the others are asked
            with writing(engine) as session, session.begin():
                runs.note_source_error(session, state.name, now, error.message)
    return gone


def _one(engine: sa.Engine, source: XSource, state: SourceState, now: datetime) -> int:
    known = dict(state.cursor or {})
    job, asked_at = known.get("compliance"), known.get("complied_at")
    if job:
        try:
            ids = source.hear_compliance(job)
        except NotFound:
            ids = set()
        if ids is None:
            return 0
        gone = _withdraw(engine, state.name, sorted(ids), now)
        _keep(engine, state.name, {"complied_at": asked_at or now.isoformat()})
        return gone
    if asked_at and now - datetime.fromisoformat(asked_at) < EVERY:
        return 0
    with reading(engine) as session:
        held = store.native_ids(session, state.name)
    if held:
        try:
            _keep(engine, state.name, {"compliance": source.ask_compliance(held), "complied_at": now.isoformat()})
        except Trouble as error:
            error.message = f"compliance: {error.message}"
            raise
    return 0


def _keep(engine: sa.Engine, name: str, cursor: dict[str, str]) -> None:
    with writing(engine) as session, session.begin():
        runs.set_cursor(session, name, dict(cursor))


def _withdraw(engine: sa.Engine, name: str, ids: list[str], now: datetime) -> int:
    """End posts, some a transaction."""
    gone = 0
    for some in chunks(ids, SOME):
        with writing(engine) as session, session.begin():
            ended = [
                RawPost(
                    "x", o.native_id, RawAuthor(o.author_native_id, o.audience_market, market_source="inferred"), "",
                    o.published_at, deleted=True,
                )
                for o in answers.post_owners(session, "x", some).values()
            ]  # fmt: skip
            gone += ingest_posts(session, ended, source=name, now=now).deleted
    return gone
