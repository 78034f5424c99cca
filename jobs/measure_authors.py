"""Measure the accounts that changed: engagement, peers, growth, topics, paid work, earliness; once an hour."""

from radar.kol.tiers import read_tiers
from radar.measure import measure_authors
from radar.registry import load_taxonomy
from radar.scheduling import Context, Job, Outcome


def run(ctx: Context) -> Outcome:
    """Safe to run twice: measures are replaced, and whoever did not change is not read."""
    done = measure_authors(
        ctx.engine, ctx.model_id, load_taxonomy().ids, read_tiers(ctx.settings.tiers_path), now=ctx.now,
        progress=lambda n: ctx.progress("authors", n, None),
    )  # fmt: skip
    return Outcome(f"{done.authors} authors measured, {done.groups} peer groups renewed", done.authors, done.authors)


JOB = Job("measure_authors", cron="25 * * * *", run=run)
