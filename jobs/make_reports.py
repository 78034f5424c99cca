"""Write last week's report of every market pair in RADAR_REPORTS, on Mondays."""

from radar.scheduling import Context, Job, Outcome


def run(ctx: Context) -> Outcome:
    """Safe to run twice: a week's files are written whole or not at all, and those that are there stay."""
    if not ctx.settings.reports:
        return Outcome("no report is asked for (RADAR_REPORTS)")
    from radar.reports import make_reports  # and the pages' words: listing jobs does not wait for them
    from radar.web.report_files import writer

    made, there, failed = make_reports(ctx.engine, ctx.settings, writer(ctx.settings), now=ctx.now)
    said = "".join(f"; not made: {reason}" for reason in failed)
    return Outcome(f"{made} reports made, {there} there already{said}", made + there + len(failed), made)


JOB = Job("make_reports", cron="35 1,7,17 * * mon,tue", run=run)
