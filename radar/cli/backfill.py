"""radar backfill: whole histories anew, on this machine or on a Dask cluster."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from radar.cli.app import console, open_engine, told
from radar.errors import CallerError

if TYPE_CHECKING:
    from radar.backfill import Filled


def backfill(
    market: Annotated[list[str] | None, typer.Option(help="Only this market; more than once for several.")] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first local day; else the first that has posts.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The last local day; else the last that has posts.")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="tcp://HOST:8786", help="A Dask scheduler whose workers read and count.")
    ] = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="FROM", help="Take texts from an export (radar db export).")
    ] = None,
    anew: Annotated[bool, typer.Option("--anew", help="Begin again, where an earlier run was ended half-way.")] = False,
    backtest: Annotated[
        bool, typer.Option("--backtest", help="Print the back-test of these markets at the end.")
    ] = False,
) -> None:
    """Read and count whole days anew by the active model, then detect.

    After a promotion, which reads the last 60 days alone, or where a store was filled by other means.

    Days are spread over this machine's processors, or over the workers of a Dask cluster (pip install .[cluster]):

    \b
        dask scheduler                             on one host
        dask worker tcp://HOST:8786 --nthreads 1   on each, one a core
        radar backfill --cluster tcp://HOST:8786   here

    The same radar is to be installed on all of them.

    Workers need no database: they get a day's columns, or read its texts from the export (--from: then a place that
    they reach, too), and give columns back; what the store holds in the end is what the jobs in one process write. Each
    day is written at once with a mark: a backfill that was killed goes on when it is run again, a worker that dies is
    made up for. Sealed days stay as they are. Dask pickles between its processes: keep its network private.

    Example: radar backfill --market TW --since 2026-01-01 --backtest
    """
    from radar.backfill import backfill as fill
    from radar.markets import MARKETS
    from radar.markets import market as market_of
    from radar.scheduling import Context

    markets = [market_of(code).code for code in market or MARKETS]
    if since and until and since > until:
        raise CallerError("--since is after --until.", "Turn them round.")
    settings, engine = open_engine()
    with _crew(cluster) as crew, told() as report:
        done = fill(
            Context(engine, settings, datetime.now(UTC), report), crew, markets=markets, export=from_, anew=anew,
            first=since.date() if since else date.min, last=until.date() if until else date.max, progress=report,
        )  # fmt: skip
    _tell(done, from_)
    if backtest:
        _print_backtest(engine, markets)


@contextmanager
def _crew(cluster: str | None) -> Iterator[Any]:
    """Raises CallerError where Dask is not installed, or its scheduler out of reach."""
    if cluster is None:
        from radar.backfill.crew import on_this_machine

        yield on_this_machine
        return
    try:
        from radar.backfill.dask import DaskCrew
    except ImportError as error:
        raise CallerError(
            "Dask is not installed here.", "pip install 'kol-trend-radar[cluster]', or leave --cluster out."
        ) from error
    crew = DaskCrew(cluster)
    try:
        yield crew
    finally:
        crew.close()


def _tell(done: "Filled", export: str | None) -> None:
    if done.resumed:
        console.print(f"Went on with an unfinished backfill: {done.resumed:,} days were done.", soft_wrap=True)
    console.print(f"{done.posts:,} posts of {done.days:,} days read and counted anew.")
    if export is not None and done.from_export < done.days:
        other = done.days - done.from_export
        console.print(
            f"{other:,} of them from the store: the export has other versions of their posts.", soft_wrap=True
        )
    for why, days in done.left.items():
        console.print(f"{days:,} days stay as they are, {why}.", soft_wrap=True)
    for line in done.then:
        console.print(escape(line), soft_wrap=True)


def _print_backtest(engine: Any, markets: list[str]) -> None:
    from radar.backtest import backtest as replay
    from radar.cli.backtest import print_table
    from radar.markets import MARKETS

    for code in [None] if len(markets) == len(MARKETS) else markets:
        with told() as report:
            answer = replay(engine, market=code, progress=report)
        print_table(answer)
