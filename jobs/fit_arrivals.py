"""Learn from stored onsets which market leads which, and what enters a market next, once a week."""

from radar.scheduling import Context, Job, Outcome


def run(ctx: Context) -> Outcome:
    """Safe to run twice: leads and model are replaced."""
    from radar.diffuse import refit  # and with it pandas and scikit-learn: listing jobs does not wait for them

    found = refit(ctx.engine, ctx.model_id, now=ctx.now)
    said = f"forecasts nothing: {found.reason}" if found.reason else "forecasts arrivals"
    return Outcome(f"{found.leads} leads among markets over {found.trends} trends; {said}", found.onsets, found.leads)


JOB = Job("fit_arrivals", cron="40 5 * * mon", run=run)
