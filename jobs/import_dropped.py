"""Import the files that were dropped into RADAR_DROP_DIR, every ten minutes."""

from radar.drop_folder import import_dropped
from radar.scheduling import Context, Job, Outcome


def run(ctx: Context) -> Outcome:
    """Safe to run twice: an imported file is moved aside, and importing it again changes nothing."""
    folder = ctx.settings.drop_dir
    if folder is None:
        return Outcome("no folder is watched (RADAR_DROP_DIR)")
    done = import_dropped(ctx.engine, folder, ctx.settings.data_dir / "rejects", now=ctx.now)
    return Outcome(f"{done.done} files imported, {done.failed} failed, {done.new} new posts", done.rows, done.new)


JOB = Job("import_dropped", cron="3/10 * * * *", run=run)
