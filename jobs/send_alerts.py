"""Tell what alert rules wait for of new stage changes, and deliver what is due; after detection, and by itself."""

from radar.scheduling import Context, Job, Outcome


def run(ctx: Context) -> Outcome:
    """Safe to run twice: each trend and stage is told once by a rule, each message delivered under one id."""
    from radar.alerts import Sender, fire, send_due, tidy  # and the pages' words: listing jobs does not wait for them
    from radar.web.letters import writer

    fired = fire(ctx.engine, ctx.model_id, now=ctx.now)
    done = send_due(ctx.engine, Sender(ctx.settings, writer(ctx.settings)))
    tidy(ctx.engine, ctx.settings.retention_days, now=ctx.now)
    said = (
        f"{fired} new messages; {done['sent']} sent, {done['pending']} failed and tried again, {done['dead']} given up"
    )
    return Outcome(said, fired, done["sent"])


JOB = Job("send_alerts", cron="2/3 * * * *", run=run, follows="detect_trends")
