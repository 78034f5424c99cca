"""radar demo: the whole radar on a simulated world."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from radar.cli.app import console, settings, told, use_folder
from radar.cli.serve import Port, check_doors, serve_forever, take_address

SHOWN = (("TW", "JP"), ("KR", None))


def demo(
    once: Annotated[bool, typer.Option("--once", help="Do everything but serving, and exit.")] = False,
    port: Port = None,
) -> None:
    """Fill a store of the demo's own from a SIMULATED world, run every job, show trends, then serve.

    The demo lives in RADAR_DATA_DIR/demo and never touches real posts. To leave it, stop it and use any other command;
    delete that folder to forget it.
    """
    began = time.monotonic()
    own = settings().for_demo()
    if port is not None:
        own = own.model_copy(update={"port": port})
    address = [] if once else take_address(own)  # before the work: a port in use is no news for after it
    use_folder(own.data_dir)
    from radar.store.engine import open_store

    if address:
        check_doors(open_store(own.url), own, address)
    from radar.cli.trends import show
    from radar.demo import TRUTH, fill, prepare

    now = datetime.now(UTC)
    console.print(f"SIMULATED world, kept in {own.data_dir}: 8 markets, invented people and posts.")
    engine = prepare(own, now)
    with told() as report:
        done = fill(engine, own, now, report)
    for job, detail in done.items():
        console.print(f"  {job}: {detail}")
    for market, place in SHOWN:
        show(engine, market=market, place=place, limit=8)
    console.print(
        f"Simulated data, ready in {time.monotonic() - began:.1f} s. What was injected: {own.data_dir / TRUTH}"
    )
    if not once:
        serve_forever(engine, own, address)
