"""Ask every source for what is new, every ten minutes."""

from radar.collect import collect
from radar.scheduling import Context, Job, Outcome
from radar.sources.web import Web


def run(ctx: Context) -> Outcome:
    """Safe to run twice: posts and their source's cursor are written together."""
    web = Web(ctx.settings.contact)
    done = collect(ctx.engine, now=ctx.now, web=web, progress=lambda n: ctx.progress("posts", n, None))
    return Outcome(
        f"{done.new} new, {done.changed} changed, {done.deleted} deleted, {len(done.rejected)} rejected",
        done.new + done.changed + done.unchanged + done.deleted + len(done.rejected),
        done.new,
    )


JOB = Job("ingest_posts", cron="*/10 * * * *", run=run)
