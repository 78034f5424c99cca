"""radar jobs, radar run: the scheduled work, looked at and done by hand."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from apscheduler.triggers.cron import CronTrigger
from rich.table import Table

from radar.cli.app import console, open_engine, told
from radar.scheduling import LINE, Context, load_jobs, run_job
from radar.store import runs
from radar.store.engine import reading


def jobs() -> None:
    """List the jobs with their schedule, next run and last outcome."""
    _, engine = open_engine()
    with reading(engine) as session:
        latest = runs.latest_runs(session)
    now = datetime.now(UTC)
    table = Table("job", "what it does", "schedule (UTC)", "next run", "last run", "outcome", "detail", box=None)
    for job in load_jobs().values():
        last = latest.get(job.name)
        due = CronTrigger.from_crontab(job.cron, timezone=UTC).get_next_fire_time(None, now)
        table.add_row(
            job.name, job.summary, job.cron, f"{due:%m-%d %H:%M}",
            f"{last.started_at:%m-%d %H:%M}" if last else "never", last.outcome if last else "",
            (last.error or last.detail or "") if last else "",
        )  # fmt: skip
    console.print(table)


def run(
    name: Annotated[str, typer.Argument(help="A job's name (see `radar jobs`), or `line` for ingest to detect.")],
) -> None:
    """Run one job now, or the whole line, on this machine."""
    settings, engine = open_engine()
    with told() as report:
        context = Context(engine, settings, datetime.now(UTC), report)
        done = [(job, run_job(job, context)) for job in (LINE if name == "line" else (name,))]
    for job, outcome in done:
        console.print(f"{job}: {outcome.detail}")
