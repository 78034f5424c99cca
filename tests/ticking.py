"""A scheduler as `radar schedule` runs it, over one job of a test that says each time that it ran.

python -m tests.ticking URL FILE [SECONDS]: due every so many seconds and with a short lease, else by the minute and
with everything as it is.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apscheduler.triggers.cron import CronTrigger

from radar import scheduling
from radar.cli.app import log_to_terminal
from radar.cli.child import run_scheduler
from radar.config import Settings
from radar.scheduling import Context, Job, Outcome
from radar.store.engine import open_store

NAME = "say_so"


def main(url: str, file: str, seconds: int) -> None:
    def run(ctx: Context) -> Outcome:
        with Path(file).open("a", encoding="utf-8") as lines:
            lines.write(f"{os.getpid()} {datetime.now(UTC).isoformat()}\n")
        return Outcome("said so")

    scheduling.load_jobs = lambda: {NAME: Job(NAME, "* * * * *", run)}
    if seconds:
        scheduling.trigger_of = lambda job: CronTrigger(second=f"*/{seconds}", timezone=UTC)
        scheduling.LEASE = timedelta(seconds=3)
    settings = Settings(data_dir=Path(file).parent, database_url=url)
    log_to_terminal(settings)
    run_scheduler(open_store(url), settings)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0)
