"""Make the profiles that KOLs are matched by, of those measured anew, a while after each measuring."""

from radar.profiles import make_profiles
from radar.scheduling import Context, Job, Outcome


def run(ctx: Context) -> Outcome:
    """Safe to run twice: a profile is replaced."""
    made = make_profiles(ctx.engine, now=ctx.now)
    return Outcome(f"{made} profiles", made, made)


JOB = Job("profile_authors", cron="*/10 * * * *", run=run)
