"""radar worker: work that others lay out, done on any host."""

import signal
from typing import Annotated

import typer

from radar.cli.app import console, log_to_terminal, open_engine


def worker(
    once: Annotated[bool, typer.Option("--once", help="End when nothing waits any more.")] = False,
) -> None:
    """Read posts, count days and detect trends beside the scheduler: any number, on any host.

    All of them name one PostgreSQL; a claim of one that dies returns by itself.
    """
    from radar.worker import Worker

    settings, engine = open_engine()
    one = Worker(engine, settings)
    log_to_terminal(settings)
    asked: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: asked.append(number))
    if not once:
        console.print("radar works for this database (stop with Ctrl-C; what it has begun is finished first)")
    one.serve(lambda: bool(asked), once=once)
    console.print(f"{one.posts:,} posts read, {one.pieces} pieces of work done")
