"""radar jobs, radar run: the scheduled work, looked at and done by hand."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from radar.cli.app import console, open_engine, told

if TYPE_CHECKING:
    from rich.table import Table

    from radar.scheduling import Job
    from radar.store.runs import Run

_WIDE = 130
"""Columns of a terminal that hold a line a job."""
_LONGEST = 160
"""Characters of a run's detail or error that are listed."""


def jobs() -> None:
    """List the jobs with their schedule, next run and last outcome."""
    from radar.scheduling import load_jobs
    from radar.store import runs
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        latest = runs.latest_runs(session)
    listed = [(job, latest.get(job.name)) for job in load_jobs().values()]
    console.print(_table(listed, datetime.now(UTC), is_wide=console.width >= _WIDE))


def _table(listed: "list[tuple[Job, Run | None]]", now: datetime, *, is_wide: bool) -> "Table":
    """A line a job; where there is little room, what it did last, or what it does, goes below its name. In UTC."""
    from apscheduler.triggers.cron import CronTrigger
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None)
    names = ("job", *(("what it does",) if is_wide else ()), "schedule (UTC)", "next run", "last run", "outcome")
    for name in names:
        table.add_column(name, no_wrap=name not in ("job", "what it does"), ratio=1 if name == "what it does" else None)
    if is_wide:
        table.add_column("detail", ratio=1)
    for job, last in listed:
        due = CronTrigger.from_crontab(job.cron, timezone=UTC).get_next_fire_time(None, now)
        detail = escape(_short(last.error or last.detail or "") if last else "")
        ran, outcome = (f"{last.started_at:%m-%d %H:%M}", last.outcome) if last else ("never", "")
        when = [job.cron, f"{due:%m-%d %H:%M}", ran, outcome]
        if is_wide:
            table.add_row(job.name, escape(job.summary), *when, detail)
        else:
            table.add_row(f"[bold]{job.name}[/]\n{detail or escape(job.summary)}", *when)
    return table


def _short(said: str) -> str:
    """The first line of what a job said, cut where it goes on and on."""
    first = said.strip().partition("\n")[0]
    return first if len(first) <= _LONGEST else f"{first[: _LONGEST - 3]}..."


def run(
    name: Annotated[str, typer.Argument(help="A job's name (see `radar jobs`), or `line` for ingest to detect.")],
) -> None:
    """Run one job now, or the whole line, on this machine."""
    from radar.scheduling import LINE, Context, run_followers, run_job

    settings, engine = open_engine()
    with told() as report:
        context = Context(engine, settings, datetime.now(UTC), report)
        done = [(job, run_job(job, context)) for job in (LINE if name == "line" else (name,))]
        done += run_followers(*done[-1], context).items()
    for job, outcome in done:
        console.print(f"{job}: {outcome.detail}")
