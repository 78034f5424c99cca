"""Asking sources: each one's new posts and its cursor are written in one transaction, a batch at a time."""

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa

from radar.ingest import Ingested, ingest_posts
from radar.sources.base import Source
from radar.sources.catalogue import open_source
from radar.store import runs
from radar.store.engine import chunks, claim_world, reading, writing

BATCH = 2_000
HEALTHY_FOR = timedelta(hours=6)
"""A source that has not answered for this long no longer holds the closing of buckets back."""


def collect(engine: sa.Engine, *, now: datetime, progress: Callable[[int], None] = lambda done: None) -> Ingested:
    """Bring in what is new at every source, up to now. One that fails keeps its cursor and never stops the others."""
    total = Ingested()
    with reading(engine) as session:
        states = runs.source_states(session)
    for state in states:
        try:
            source = open_source(state.kind, state.name, state.config)
            _collect_from(engine, source, state.cursor, now, total, progress)
        except sa.exc.SQLAlchemyError:
            raise  # the store's fault, not the source's
        except Exception as error:  # whatever a source does, the others are asked
            with writing(engine) as session, session.begin():
                runs.note_source_error(session, state.name, now, f"{type(error).__name__}: {error}")
    return total


def _collect_from(
    engine: sa.Engine,
    source: Source,
    cursor: dict[str, object] | None,
    now: datetime,
    total: Ingested,
    progress: Callable[[int], None],
) -> None:
    for batch in source.discover(cursor, now):
        with writing(engine) as session, session.begin():
            claim_world(session, "simulated" if source.is_simulated else "real")
            for some in chunks(batch.posts, BATCH):
                done = ingest_posts(session, some, source=source.name, now=now)
                runs.keep_rejected(
                    session,
                    [
                        {
                            "source": source.name, "seen_at": now, "native_id": some[i].native_id[:255],
                            "reason": reason, "payload": repr(some[i])[:4000],
                        }
                        for i, reason in done.rejected
                    ],
                )  # fmt: skip
                total += done
            runs.advance_source(session, source.name, batch.cursor, batch.watermark_at, now)
        progress(total.new)


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
