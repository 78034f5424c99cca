"""radar models: the fitted models with their figures."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from radar.cli.app import console, open_engine, told
from radar.cli.trends import Format


def models(
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TABLE,
) -> None:
    """List the fitted models with their figures, and which one posts are read by.

    F1 and off-topic are on the frozen, synthetic posts that never train; the gate says whether a model may take the
    active one's place (radar promote MODEL). Candidates of the weekly retrain_models job are listed as any other.
    """
    from radar.gate import kept_models
    from radar.store.engine import reading
    from radar.store.promotion import active_model, previous_model

    found, engine = open_engine()
    with reading(engine) as session:
        active, before = active_model(session), previous_model(session)
    with told() as report:
        report("figures on the frozen posts", 0, None)
        kept = kept_models(found, active)
    rows = [
        {
            "model": model.id,
            "active": model.is_active,
            "fitted_at": model.fitted_at.isoformat(timespec="seconds"),
            "labels": model.manifest.get("posts"),
            "made_of": model.manifest.get("made_of"),
            "macro_f1_out_of_fold": model.manifest.get("metrics", {}).get("macro_f1_out_of_fold"),
            "frozen": asdict(model.frozen) if model.frozen else None,
            "passes_gate": model.passes,
        }
        for model in kept
    ]
    if format is Format.TABLE:
        _print(rows, active, before)
    elif format is Format.JSON:
        print(json.dumps({"items": rows, "active": active, "previous": before}, indent=1))
    else:
        _print_csv(rows)


def _print(rows: list[dict[str, Any]], active: str | None, before: str | None) -> None:
    table = Table(box=None)
    for name in ("model", "", "fitted"):
        table.add_column(name, no_wrap=True)
    for name in ("labels", "own", "weak", "F1", "off-topic", "gate"):
        table.add_column(name, justify="right")
    for row in rows:
        frozen, made_of = row["frozen"] or {}, row["made_of"] or {}
        gate = "" if row["active"] or row["passes_gate"] is None else "passes" if row["passes_gate"] else "worse"
        table.add_row(
            row["model"], "active" if row["active"] else "", row["fitted_at"][:10],
            _count(row["labels"]), _count(made_of.get("own")), _count(made_of.get("weak")),
            _figure(frozen.get("macro_f1")), _figure(frozen.get("off_topic_given")), gate if frozen else "damaged",
        )  # fmt: skip
    console.print(table)
    if not rows:
        console.print("No model is fitted yet: radar train")
    elif active not in {row["model"] for row in rows}:
        console.print(f"The active model is {active or 'none yet'}.")
    if before:
        console.print(f"Before: {before}. To go back to it: radar promote --back")


def _print_csv(rows: list[dict[str, Any]]) -> None:
    import csv
    import sys

    names = ("model", "active", "fitted_at", "labels", "own", "weak", "macro_f1", "off_topic_given", "passes_gate")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        flat = row | (row["made_of"] or {}) | (row["frozen"] or {})
        writer.writerow([flat.get(name) for name in names])


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
