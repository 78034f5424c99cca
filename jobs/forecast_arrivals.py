"""Forecast which market each live trend enters next, after every detection."""

from radar.collect import closed_at
from radar.scheduling import Context, Job, Outcome


def run(ctx: Context) -> Outcome:
    """Safe to run twice: forecasts are replaced."""
    from radar.diffuse import forecast  # and with it pandas and scikit-learn: listing jobs does not wait for them

    live, told = forecast(ctx.engine, ctx.model_id, now=ctx.now, as_of=closed_at(ctx.engine, ctx.now))
    return Outcome(f"{told} arrivals forecast of {live} live trends", live, told)


JOB = Job("forecast_arrivals", cron="8/10 * * * *", run=run)
