"""Pruning: texts go when retention says so and their days are sealed; what was counted stays counted."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from radar.access.people import FORGOTTEN
from radar.compacting import compact
from radar.config import Settings
from radar.store import audit, diffusion, members, months, pruning, pushed, runs, trends
from radar.store.engine import writing

HOURLY_SNAPSHOTS = timedelta(days=7)
RUNS_KEPT = timedelta(days=30)
KEYS_KEPT = timedelta(days=7)


def prune(engine: sa.Engine, settings: Settings, *, now: datetime) -> dict[str, int]:
    """Drop what is past its time, a few thousand rows a transaction; returns how many of each."""
    done = {"texts": 0}
    for source, days in [(None, settings.retention_days), *settings.retention_by_source.items()]:
        done["texts"] += _texts(engine, source, now - timedelta(days=days))
    done["expired"] = 0
    while True:
        with writing(engine) as session, session.begin():
            n = pruning.forget_expired(session, now)
        done["expired"] += n
        if not n:
            break
    done["compacted"] = compact(engine, settings.hourly_days)
    snapshots_before = now - timedelta(days=settings.snapshot_days)
    done["snapshots"] = months.drop(engine, "snapshot", snapshots_before)
    with writing(engine) as session, session.begin():
        done["snapshots"] += trends.prune_snapshots(session, now - HOURLY_SNAPSHOTS, snapshots_before)
        done["forecasts"] = diffusion.prune_kept_forecasts(session, snapshots_before.date())
        done["rejects"] = runs.prune_rejected(session, now - timedelta(days=settings.reject_days))
        done["pushes"] = pushed.prune_pushed(session, now - KEYS_KEPT)
        done["sessions"] = members.prune_sessions(session, now)
        members.prune_failures(session, now - FORGOTTEN)
        done["audit"] = audit.prune_audit(session, now - timedelta(days=settings.audit_days))
        done["runs"] = runs.prune_runs(session, now - RUNS_KEPT)
    months.settle(engine)
    months.ahead(engine, now)
    months.analyse(engine)
    return done


def _texts(engine: sa.Engine, source: str | None, before: datetime) -> int:
    """Drop texts that are older, of one source or of all."""
    done = 0
    while True:
        with writing(engine) as session, session.begin():
            n = pruning.forget_texts(session, before.date(), before, source)
        done += n
        if not n:
            return done
