"""Look in stored posts for the keys that users began to track or changed; a few minutes after each ingest."""

from radar.scheduling import Context, Job, Outcome
from radar.tracked import sweep


def run(ctx: Context) -> Outcome:
    """Safe to run twice and to kill: a batch of posts is done whole, with how far it came, or not at all."""
    done = sweep(ctx.engine, progress=lambda n: ctx.progress("stored posts", n, None))
    return Outcome(
        f"{done.keys} keys looked for in {done.posts} posts, {done.changed} changed", done.posts, done.changed
    )


JOB = Job("sweep_tracked", cron="3/10 * * * *", run=run)
