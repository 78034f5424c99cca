"""Read every post that waits: topics by the model, keys, places, language and sponsorship by its text."""

from radar.classify import classify_posts
from radar.scheduling import Context, Job, Outcome


def run(ctx: Context) -> Outcome:
    """Safe to run twice: a post that has been read does not wait any more."""
    folder = ctx.model_folder
    done = classify_posts(
        ctx.engine, folder, lambda: ctx.scorer, now=ctx.now, progress=lambda n: ctx.progress("posts", n, None),
        coming=ctx.coming,
    )  # fmt: skip
    return Outcome(f"{done} posts read by {folder.name}", done, done)


JOB = Job("classify_posts", cron="2/10 * * * *", run=run)
