"""Delete what a platform says was withdrawn, among all that is stored of it; asked once a day, heard of hourly."""

from radar.compliance import comply
from radar.scheduling import Context, Job, Outcome
from radar.sources.web import Web


def run(ctx: Context) -> Outcome:
    """Safe to run twice: what is gone is gone."""
    with Web(ctx.settings.contact) as web:
        gone = comply(ctx.engine, now=ctx.now, web=web)
    return Outcome(f"{gone} posts that were withdrawn", gone, gone)


JOB = Job("comply_posts", cron="27 * * * *", run=run)
