"""Forget what retention says is old: texts of sealed days, old snapshots, rejects and runs; once a night."""

from radar.promotion import settle
from radar.prune import prune
from radar.scheduling import Context, Job, Outcome


def run(ctx: Context) -> Outcome:
    """Safe to run twice: what is gone is gone."""
    settle(ctx.engine)
    done = prune(ctx.engine, ctx.settings, now=ctx.now)
    return Outcome(", ".join(f"{n} {what}" for what, n in done.items()), 0, sum(done.values()))


JOB = Job("prune_posts", cron="40 18 * * *", run=run)
