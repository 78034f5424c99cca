"""Ask again for posts as they age: counts, edits, and whether they are still there; every twenty minutes."""

from radar.refresh import refresh
from radar.scheduling import Context, Job, Outcome
from radar.sources.web import Web


def run(ctx: Context) -> Outcome:
    """Safe to run twice: a post that had its turn waits for the next."""
    web = Web(ctx.settings.contact)
    done = refresh(ctx.engine, now=ctx.now, web=web, progress=lambda n: ctx.progress("posts again", n, None))
    said = f"{done.asked} asked again, {done.changed} changed, {done.missing} not found, {done.gone} gone"
    return Outcome(said, done.asked, done.changed + done.gone)


JOB = Job("refresh_posts", cron="6/20 * * * *", run=run)
