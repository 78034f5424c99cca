"""Subscribe to watched feeds at their hubs, and renew what ends soon; twice an hour."""

from radar.hubs import hub_key, subscribe
from radar.scheduling import Context, Job, Outcome
from radar.sources.web import Web


def run(ctx: Context) -> Outcome:
    """Safe to run twice: a hub that was just asked is given time to ask back."""
    if not ctx.settings.public_url:
        return Outcome("hubs cannot reach this radar (RADAR_PUBLIC_URL)")
    with Web(ctx.settings.contact) as web:
        key = hub_key(ctx.settings.data_dir)
        asked, failed = subscribe(ctx.engine, public_url=ctx.settings.public_url, key=key, now=ctx.now, web=web)
    return Outcome(f"{asked} subscriptions asked for, {failed} refused", asked, asked - failed)


JOB = Job("subscribe_feeds", cron="17,47 * * * *", run=run)
