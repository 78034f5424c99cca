"""Compare every market's series with their baseline and keep what turned on."""

from radar.collect import closed_at
from radar.detect import detect_trends
from radar.registry import load_taxonomy
from radar.scheduling import Context, Job, Outcome


def run(ctx: Context) -> Outcome:
    """Safe to run twice: what was concluded since the first changed day is taken back first."""
    days, snapshots = detect_trends(
        ctx.engine,
        ctx.model_id,
        load_taxonomy().ids,
        closed_at=closed_at(ctx.engine, ctx.now),
        progress=lambda market, n, of: ctx.progress(f"days of {market}", n, of),
    )
    return Outcome(f"{snapshots} snapshots over {days} days", days, snapshots)


JOB = Job("detect_trends", cron="6/10 * * * *", run=run)
