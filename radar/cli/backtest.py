"""radar backtest: the lists of the past, held against what came after."""

import csv
import json
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from radar.answers import KINDS, SCOPES
from radar.answers.question import parse_window
from radar.backtest import Plan, figures
from radar.backtest import backtest as replay
from radar.cli.app import console, errors, open_engine, told
from radar.cli.trends import Format
from radar.demo import TRUTH
from radar.errors import CallerError, RadarError
from radar.markets import MARKETS
from radar.trends.evaluation import TIMES

CSV_COLUMNS = (
    "market", "kind", "bucket", "measure", "k", "status", "n", "trends", "hits", "value", "low", "high", "simulated",
)  # fmt: skip
_DAY = timedelta(days=1)
_WIDE = 130
"""Columns of a terminal that hold a figure with its interval in two lines."""


def backtest(
    market: Annotated[str | None, typer.Option(help=f"Audience market; all if left out: {', '.join(MARKETS)}.")] = None,
    kind: Annotated[str | None, typer.Option(help=f"Only lists of one kind: {', '.join(KINDS)}.")] = None,
    from_: Annotated[str | None, typer.Option("--from", help="First list: the end of this local day.")] = None,
    to: Annotated[str | None, typer.Option(help="Last list; the newest whose horizon has passed if left out.")] = None,
    horizon: Annotated[str, typer.Option(help="How long after a list its trends are watched.")] = "14d",
    step: Annotated[str, typer.Option(help="From one list to the next.")] = "7d",
    large: Annotated[float, typer.Option(help="Times its usual that a trend must surely reach to be large.")] = TIMES,
    scope: Annotated[str, typer.Option(help=f"One of: {', '.join(SCOPES)}.")] = "all",
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TABLE,
    figure: Annotated[Path | None, typer.Option(help="Draw the shares into this .svg or .png as well.")] = None,
) -> None:
    """Replay the lists of the past as they were known then, and say what came of them.

    Each list is what `radar trends` would have shown at the end of a local day: the last 7 days, best first. Of its
    first 5, 10 and 20 trends it counts those that became large in the days after, with a 95 % interval; of the trends
    that began then ("emerging") those that became large; of all keys whose peak was still to come those that were
    listed before it, and how many days before. Fewer than 10 trends answer "not enough history" instead of a number.

    A list needs 14 to 28 counted days before its week, and its whole horizon after; some 35 days are the least.

    Example: radar backtest --market TW --from 2026-09-01 --to 2026-10-31 --figure lists.svg
    """
    plan = Plan(_day(from_, "from"), _day(to, "to"), _days(horizon, "horizon"), _days(step, "step"), large, scope)
    if figure is not None and figure.suffix not in (".svg", ".png"):
        raise CallerError(f"--figure: '{figure.name}' is neither .svg nor .png.", "Name a file like lists.svg.")
    settings, engine = open_engine()
    path = settings.data_dir / TRUTH
    truth = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    with told() as report:
        answer = replay(engine, plan, market=market, kind=kind, truth=truth, progress=report)
    if format is Format.JSON:
        print(json.dumps(answer, indent=1, default=lambda value: value.isoformat()))
    elif format is Format.CSV:
        _print_csv(answer)
    else:
        print_table(answer)
    if figure is not None:
        _draw(answer, figure)


def _day(text: str | None, name: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise CallerError(f"--{name}: '{text}' is no day.", "Give a local day, as 2026-10-31.") from None


def _days(text: str, name: str) -> int:
    try:
        length = parse_window(text)
    except CallerError:
        length = timedelta(0)
    if not length or length % _DAY:
        raise CallerError(f"--{name}: '{text[:40]}' is no number of days.", "Ask for 7d, 14d or 4w.")
    return length // _DAY


def _print_csv(answer: dict[str, Any]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for row in figures(answer):
        writer.writerow([(row | {"simulated": answer["simulated"]})[name] for name in CSV_COLUMNS])
    for line in _notes(answer):
        errors.print(escape(line))


def _draw(answer: dict[str, Any], path: Path) -> None:
    """Write the chart; where there is no figure to draw, say so."""
    from radar.frames import backtest_chart

    if answer["status"] != "ok":
        errors.print("No figure was drawn: not enough history.")
        return
    try:
        backtest_chart(answer).save(str(path))
    except ValueError as error:
        errors.print(f"No figure was drawn: {error}.")
    except OSError as error:
        raise RadarError(f"Cannot write {path}: {error.strerror}.", "Name another file with --figure.") from error


def print_table(answer: dict[str, Any]) -> None:
    """The table that people see, with what it rests on; of several markets only the whole lists are told apart."""
    console.print("[bold]Back-test[/]" + ("  [yellow]Simulated data[/]" if answer["simulated"] else ""))
    cells, lead = answer["cells"], answer["cells"][0] if answer["cells"] else None
    if lead and lead["market"] is None:
        cells = [c for c in cells if c["market"] is None or (c["kind"], c["bucket"]) == (lead["kind"], lead["bucket"])]
    shown = [cell for cell in cells if cell["status"] == "ok"]
    few = [_name(cell) for cell in cells if cell["status"] != "ok"]
    if shown:
        console.print(_table(shown))
    if few:
        console.print(f"Not enough history (fewer than 10 trends): {'; '.join(few)}.")
    if len(cells) < len(answer["cells"]):
        console.print("Kinds and buckets of one market: --market, or all of them in --format csv and json.")
    if answer["truth"]:
        console.print("\n[bold]Against what was injected[/]  [yellow]Simulated[/]")
        for part in answer["truth"]["precision"]:
            console.print(f"first {part['k']:>2}: {', '.join(_share(part))}")
        console.print(answer["truth"]["definition"] + "\n")
    for line in _notes(answer):
        console.print(escape(line))


def _table(cells: list[dict[str, Any]]) -> Table:
    """A list a row; each figure stands over its interval and n, where there is little room in three lines."""
    is_wide = console.width >= _WIDE
    long = ("@5", "@10", "@20", "in its week", "emerging", "lead, days", "listed before", "by peak day")
    short = ("@5", "@10", "@20", "week", "emerg.", "lead", "before", "by peak")
    table = Table("list", box=None)
    for name in long if is_wide else short:
        table.add_column(name, justify="right", no_wrap=True)
    for cell in cells:
        coverage = cell["coverage"]
        shares = [*cell["precision"], cell["precision"][1]["already"], cell["emerging"]]
        parts = [*map(_share, shares), _lead(cell["lead_days"]), _share(coverage), _share(coverage["by_peak_day"])]
        told = [f"{value}\n{', '.join(rest)}" if is_wide else "\n".join((value, *rest)) for value, *rest in parts]
        table.add_row(_name(cell), *told)
    return table


def _name(cell: dict[str, Any]) -> str:
    return " ".join(filter(None, (cell["market"] or "all markets", cell["kind"], cell["bucket"])))


def _share(part: dict[str, Any]) -> list[str]:
    """The share, its interval in per cent, and n."""
    n = f"n {part['n']}"
    if part["share"] is None:
        return ["too few", n]
    return [f"{part['share']:.0%}", f"{100 * part['low']:.0f}-{100 * part['high']:.0f}", n]


def _lead(part: dict[str, Any]) -> list[str]:
    n = f"n {part['n']}"
    if part["median"] is None:
        return ["too few", n]
    return [f"{part['median']:g}", f"{part['low']:g} to {part['high']:g}", n]


def _notes(answer: dict[str, Any]) -> list[str]:
    """What the figures rest on and how to read them."""
    base = answer["baseline"]
    notes = [answer["definition"]]
    if answer["cells"]:
        notes += [
            f"@k: of the first k lines of lists of 7 days (q <= {answer['q']:g}, scope {answer['scope']}, every "
            f"{answer['step_days']} days), those that became large afterwards; in its week: of the first 10, those "
            "that were large in the list's own week. n lines; 95 % intervals count each trend once.",
            "emerging: trends that began in the period and became large afterwards. lead: peak day - day of the first "
            "listing, median of large movers that were listed. listed before: large movers listed before their peak "
            "day; by peak day: by its end.",
            f"Baseline: {base['least_days']} to {base['days']} counted days that end {base['left_out_days']} days "
            "before a list. Days counted later than a day after they ended are replayed as what would have been said "
            "of their counts as they are now.",
        ]
    markets: dict[str, list[str]] = {}
    for about in answer["markets"]:
        days, told = about["days"], about["message"]
        if about["lists_on"]:
            left_out = sum(about["skipped"].values())
            told += f" {left_out} lists asked for cannot be judged." if left_out else ""
            told += (
                f" Counts of {days['first']} to {days['last']}: {days['counted']} local days, "
                f"{about['recounted_days']} of them counted later than a day after. Topics by {about['model_id']}."
            )
        markets.setdefault(told, []).append(about["market"])
    return notes + [f"{', '.join(codes)}: {told}" for told, codes in markets.items()]
