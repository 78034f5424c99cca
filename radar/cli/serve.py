"""radar serve, radar schedule: API, pages and scheduler."""

import multiprocessing
from typing import Annotated

import typer
import uvicorn

from radar.cli.app import console, log_to_terminal, open_engine
from radar.config import Settings
from radar.scheduling import Scheduler
from radar.store.engine import open_store


def _schedule(settings: Settings) -> None:
    """The scheduler's process: it ends with the one that started it."""
    import os
    import threading
    import time

    log_to_terminal()
    parent = os.getppid()
    scheduler = Scheduler(open_store(settings.url), settings)

    def end_with_parent() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(0)

    threading.Thread(target=end_with_parent, daemon=True).start()
    scheduler.serve()


def serve_forever(settings: Settings, *, with_scheduler: bool = True) -> None:
    """API and pages in this process, the scheduler in a child, so that work never blocks an answer."""
    from radar.api import create_app

    engine = open_store(settings.url)
    child = None
    if with_scheduler:
        child = multiprocessing.get_context("spawn").Process(target=_schedule, args=(settings,), daemon=True)
        child.start()
    try:
        console.print(f"radar is at http://{settings.host}:{settings.port} (stop with Ctrl-C)")
        uvicorn.run(create_app(engine, settings), host=settings.host, port=settings.port, log_level="warning")
    finally:
        if child is not None:
            child.terminate()
            child.join(5)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to serve at; else RADAR_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to serve at; else RADAR_PORT.")] = None,
    no_scheduler: Annotated[bool, typer.Option("--no-scheduler", help="Serve only; jobs run elsewhere.")] = False,
) -> None:
    """Serve API and pages, with the scheduler as a child process."""
    settings, _ = open_engine()
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    serve_forever(settings.model_copy(update=given), with_scheduler=not no_scheduler)


def schedule() -> None:
    """Run the scheduler alone; stands by while another process holds the lease."""
    log_to_terminal()
    settings, engine = open_engine()
    Scheduler(engine, settings).serve()
