"""Measure the accounts that changed: engagement, peers, growth, topics, paid work, earliness; once an hour."""

from radar.adoption import collect_adopters
from radar.kol.tiers import read_tiers
from radar.measure import measure_authors
from radar.registry import load_taxonomy
from radar.scheduling import Context, Job, Outcome


def run(ctx: Context) -> Outcome:
    """Safe to run twice: measures are replaced, and whoever did not change is not read."""
    tiers = read_tiers(ctx.settings.tiers_path)
    trends = collect_adopters(ctx.engine, ctx.model_id, now=ctx.now)
    done = measure_authors(
        ctx.engine, ctx.model_id, load_taxonomy().ids, tiers, now=ctx.now,
        progress=lambda n: ctx.progress("authors", n, None),
    )  # fmt: skip
    detail = f"{done.authors} authors measured, {done.groups} peer groups renewed, adopters of {trends} trends"
    return Outcome(detail, done.authors, done.authors)


JOB = Job("measure_authors", cron="25 * * * *", run=run)
