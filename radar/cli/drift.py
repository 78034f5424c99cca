"""radar drift: how far posts lie from what the model was trained on."""

import csv
import json
import sys
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from radar.cli.app import console, open_engine
from radar.cli.trends import Format
from radar.markets import MARKETS

CSV_COLUMNS = (
    "market", "status", "last_day", "posts", "labels", "score_divergence", "score_divergence_by_chance",
    "topic_divergence", "topic_divergence_by_chance", "no_topic_share", "no_topic_share_trained", "unknown_share",
    "unknown_share_frozen",
)  # fmt: skip


def drift(
    market: Annotated[str | None, typer.Option(help=f"Audience market; all if left out: {', '.join(MARKETS)}.")] = None,
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TABLE,
) -> None:
    """Say how far the last week's posts lie from what the topic model was trained on, by market.

    Measured every night by the job measure_drift. Scores and topics are compared with the training labels in the
    market's languages (Jensen-Shannon divergence in bits, beside what chance alone would give), words with those of
    the frozen posts. Fewer than 200 posts in seven days answer "not enough posts".
    """
    from radar.answers import drift as answer_of
    from radar.store.engine import reading

    _, engine = open_engine()
    with reading(engine) as session:
        answer = answer_of(session, market)
    if format is Format.JSON:
        print(json.dumps(answer, indent=1, default=lambda value: value.isoformat()))
    elif format is Format.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(CSV_COLUMNS)
        writer.writerows([line[name] for name in CSV_COLUMNS] for line in answer["items"])
    else:
        _print(answer)


def _print(answer: dict[str, Any]) -> None:
    console.print(
        f"[bold]Drift of {answer['model_id']}[/]" + ("  [yellow]Simulated data[/]" if answer["simulated"] else "")
    )
    table = Table("market", "to", box=None)
    for name in ("posts", "scores", "topics", "no topic", "unknown words"):
        table.add_column(name, justify="right")
    for line in answer["items"]:
        if line["status"] == "ok":
            table.add_row(
                line["market"], str(line["last_day"]), f"{line['posts']:,}",
                _beside(line["score_divergence"], line["score_divergence_by_chance"], "{:.3f}"),
                _beside(line["topic_divergence"], line["topic_divergence_by_chance"], "{:.3f}"),
                _beside(line["no_topic_share"], line["no_topic_share_trained"], "{:.0%}"),
                _beside(line["unknown_share"], line["unknown_share_frozen"], "{:.0%}"),
            )  # fmt: skip
    if table.row_count:
        console.print(table)
        console.print(
            "In brackets: scores, topics - by chance alone; no topic - of the training labels; words - frozen posts."
        )
    for line in answer["items"]:
        if line["status"] != "ok":
            console.print(escape(f"{line['market']}: {line['message']}"))
        elif line["moved"]:
            first = line["moved"][0]
            console.print(
                f"{line['market']}: {first['topic']} is {first['share']:.0%} of the topics given, "
                f"{first['trained']:.0%} of those in training"
            )


def _beside(value: float | None, usual: float | None, spec: str) -> str:
    if value is None:
        return "-"
    return spec.format(value) + ("" if usual is None else f" ({spec.format(usual)})")
