"""Measure by market how far the last week's posts lie from what the topic model was trained on, once a night."""

from radar.drift import measure_drift
from radar.scheduling import Context, Job, Outcome


def run(ctx: Context) -> Outcome:
    """Safe to run twice: a measurement of the same day is replaced."""
    rows = measure_drift(ctx.engine, ctx.model_folder, ctx.scorer, now=ctx.now)
    told = [row for row in rows if row.score_divergence is not None]
    few = len(rows) - len(told)
    return Outcome(
        f"{len(told)} markets measured, {few} with not enough posts", sum(row.posts for row in rows), len(told)
    )


JOB = Job("measure_drift", cron="20 4 * * *", run=run)
