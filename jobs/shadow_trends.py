"""Look for trends where there can be none, one market a night: the share of false ones to expect in its list."""

from radar.registry import load_taxonomy
from radar.scheduling import Context, Job, Outcome
from radar.shadow import next_market, run_shadow


def run(ctx: Context) -> Outcome:
    """Safe to run twice: a run of the same last day is replaced."""
    market = next_market(ctx.engine, ctx.model_id)
    if market is None:
        return Outcome("nothing is counted yet")
    rows = run_shadow(
        ctx.engine, ctx.model_id, load_taxonomy().ids, market, now=ctx.now,
        progress=lambda done, of: ctx.progress(f"{market} replays", done, of),
    )  # fmt: skip
    if not rows:
        return Outcome(f"{market}: not enough history")
    found, chance = sum(row.trends for row in rows), sum(row.shadow_trends for row in rows)
    return Outcome(f"{market}: {chance:g} in the shadow beside {found} trends", found, len(rows))


JOB = Job("shadow_trends", cron="40 3 * * *", run=run)
