"""Recount the days whose posts changed: distinct persons by topic, hashtag, term, place and product."""

from radar.count import count_mentions
from radar.registry import load_taxonomy
from radar.scheduling import Context, Job, Outcome


def run(ctx: Context) -> Outcome:
    """Safe to run twice: a day's counts are replaced whole."""
    days, sealed = count_mentions(
        ctx.engine, ctx.model_id, load_taxonomy().ids, now=ctx.now, progress=lambda n, of: ctx.progress("days", n, of)
    )
    left = f"; {sealed} sealed days take no more posts: their texts were pruned" if sealed else ""
    return Outcome(f"{days} days recounted{left}", days + sealed, days)


JOB = Job("count_mentions", cron="4/10 * * * *", run=run)
