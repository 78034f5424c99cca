"""radar arrivals and radar leads: what enters a market next, and which market has trends first."""

import json
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from radar.cli.app import console, open_engine
from radar.cli.trends import Format, write_csv
from radar.markets import MARKETS

_ARRIVAL_COLUMNS = (
    "market", "name", "kind", "1d", "3d", "7d", "14d", "expected_at", "low_at", "high_at", "sentence", "simulated",
)  # fmt: skip
_LEAD_COLUMNS = (
    "group", "first", "second", "shared", "ties", "share_first", "p", "q", "null_share", "null_p", "null_q",
    "median_lag_hours", "low_hours", "high_hours", "step_hours", "lead", "answer",
)  # fmt: skip


def arrivals(
    market: Annotated[str, typer.Option(help=f"Where trends are expected: {', '.join(MARKETS)}.")],
    limit: Annotated[int, typer.Option(help="Lines, at most 100.")] = 20,
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TABLE,
) -> None:
    """Show which trends of other markets are expected in one, and how such forecasts fared.

    Learnt weekly by the job fit_arrivals, forecast after every detection by forecast_arrivals.
    """
    from radar.answers import arrivals as answer_of
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        answer = answer_of(session, market, limit=limit)
    if format is Format.JSON:
        _print_json(answer)
    elif format is Format.CSV:
        rows = [
            item
            | {"kind": item["key"]["kind"], "simulated": answer["simulated"]}
            | {f"{c['days']:g}d": c["probability"] for c in item["probabilities"]}
            for item in answer["items"]
        ]
        write_csv(_ARRIVAL_COLUMNS, rows)
    else:
        _print_arrivals(answer)


def _print_arrivals(answer: dict[str, Any]) -> None:
    about = MARKETS[answer["market"]]
    _title(f"Expected in {about.name}", answer)
    for item in answer["items"]:
        low, middle, high = (item[n].astimezone(about.tz) for n in ("low_at", "expected_at", "high_at"))
        console.print(f"  {escape(item['sentence'])}")
        console.print(f"    around {middle:%m-%d}, 80 % between {low:%m-%d %H:%M} and {high:%m-%d %H:%M} if it comes")
    console.print(escape(answer["message"]))
    model = answer["model"]
    if model:
        console.print(
            f"Onsets from {model['window']['start']:%Y-%m-%d} to {model['window']['end']:%Y-%m-%d}; topics by "
            f"{answer['model_id']}."
        )
        for error in model["errors"]:
            auc = "-" if error["auc"] is None else f"{error['auc']:.2f}"
            console.print(
                f"  within {error['days']:g} d, on later onsets: base rate {error['base_rate']:.1%}, AUC {auc}, "
                f"calibration error {error['calibration_error']:.3f}, skill {error['skill']:.2f} (at least "
                f"{error['skill_floor']:.2f}), n = {error['n']:,}"
            )


def leads(
    market: Annotated[str | None, typer.Option(help=f"Pairs with it only: {', '.join(MARKETS)}.")] = None,
    group: Annotated[str, typer.Option(help="Topics: all, travel or shop.")] = "all",
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TABLE,
) -> None:
    """Show which of two markets has trends first, with the median lag; "no lead shown" where that is not sure."""
    from radar.answers import leads as answer_of
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        answer = answer_of(session, market_code=market, group=group)
    if format is Format.JSON:
        _print_json(answer)
    elif format is Format.CSV:
        write_csv(_LEAD_COLUMNS, answer["items"])
    else:
        _print_leads(answer)


def _print_leads(answer: dict[str, Any]) -> None:
    _title(f"Which market is first, topics: {answer['group']}", answer)
    table = Table("pair", box=None)
    for name in ("shared", "ties", "first", "q", "median lag", "95 %"):
        table.add_column(name, justify="right")
    for item in answer["items"]:
        if item["lead"]:
            table.add_row(
                f"{item['first']} before {item['second']}", str(item["shared"]), str(item["ties"]),
                f"{item['share_first']:.0%}", f"{item['q']:.2g}", f"{item['median_lag_hours']:.0f} h",
                f"{item['low_hours']:.0f} to {item['high_hours']:.0f} h",
            )  # fmt: skip
    if table.row_count:
        console.print(table)
    for item in answer["items"]:
        if not item["lead"]:
            console.print(escape(f"{item['first']}, {item['second']}: {item['answer']}"))
    console.print(escape(answer["message"]))
    if answer["items"]:
        window = answer["items"][0]["window"]
        console.print(f"Onsets from {window['start'][:10]} to {window['end'][:10]}; topics by {answer['model_id']}.")


def _title(words: str, answer: dict[str, Any]) -> None:
    console.print(f"[bold]{words}[/]" + ("  [yellow]Simulated data[/]" if answer["simulated"] else ""))


def _print_json(answer: dict[str, Any]) -> None:
    print(json.dumps(answer, indent=1, ensure_ascii=False, default=lambda value: value.isoformat()))
