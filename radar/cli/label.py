"""radar label: rows worth a person's time out to a sheet, what people said of them back in, how far they agree."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from radar.cli.app import console, open_engine, settings, told, use_folder
from radar.errors import CallerError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from radar.labelling.agreeing import Pair

label = typer.Typer(
    name="label",
    help="Label posts: rows worth your time out to a sheet, what you said of them back in.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
_LISTED = 10
"""Posts on which two people disagree that are shown on the terminal."""


@label.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Where the rows go: FILE.xlsx or FILE.csv.")],
    rows: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 200,
    language: Annotated[list[str] | None, typer.Option(help="Only this language, as ja; can be repeated.")] = None,
    quota: Annotated[
        list[str] | None, typer.Option(help="Rows of one language, as ja=80; the others share what is left evenly.")
    ] = None,
    market: Annotated[str | None, typer.Option(help="Only posts of this audience market.")] = None,
    days: Annotated[int, typer.Option(min=1, help="Posts of so many days up to the newest.")] = 30,
    seed: Annotated[int, typer.Option(help="Another one draws other random rows.")] = 0,
) -> None:
    """Pick the posts worth your time and write them to a sheet.

    By turns: posts where seed terms and model disagree, posts near a topic's threshold, posts with words the model has
    never seen, and posts at random. Posts that somebody labelled are left out; of copies one is shown. Fill the column
    `topics` with ids, spaces between them, or with `none` for a post about no topic; leave it empty to pass. Give the
    same sheet to a second person to learn how far you agree.

    Example: radar label export week.xlsx --rows 100 --quota th=40
    """
    from radar.labelling.export import COLUMNS, worth_labelling
    from radar.labelling.sheets import write_sheet
    from radar.labels import history
    from radar.markets import market as market_of
    from radar.registry import load_seeds, load_taxonomy
    from radar.scheduling import Context

    found, engine = open_engine()
    taxonomy = load_taxonomy()
    code = market_of(market).code if market else None
    newest = _newest(engine)
    with told() as report:
        report("looking for rows", 0, None)
        picked = worth_labelling(
            engine, Context(engine, found, datetime.now(UTC), report).scorer, load_seeds(taxonomy), rows=rows,
            since=newest - timedelta(days=days), labelled={label.post for label in history(found.labels_dir)},
            languages=language, quotas=_quotas(quota or []), market=code, seed=seed,
        )  # fmt: skip
    if not picked:
        raise CallerError("There is no post to label.", "Read the posts first (radar run line), or ask for more days.")
    write_sheet(file, COLUMNS, picked, taxonomy)
    for name in ("language", "reason"):
        console.print(f"by {name}: {_counted([row[name] for row in picked])}")
    console.print(
        f"{len(picked):,} rows in {file}. When filled: radar label import {file} --by NAME",
        markup=False,
        soft_wrap=True,
    )


def _newest(engine: "sa.Engine") -> datetime:
    """When the newest post was published. Raises CallerError where there is none."""
    from radar.store import posts
    from radar.store.engine import reading

    with reading(engine) as session:
        newest = posts.latest_time(session)
    if newest is None:
        raise CallerError("There are no posts yet.", "Import some: radar import FILE.")
    return newest


def _quotas(said: Sequence[str]) -> dict[str, int]:
    quotas = {}
    for item in said:
        name, _, number = item.partition("=")
        if not name or not number.isdigit():
            raise CallerError(f"--quota: '{item[:40]}' is no language with a number.", "As: --quota ja=80.")
        quotas[name] = int(number)
    return quotas


def _counted(names: Sequence[str]) -> str:
    return ", ".join(f"{name} {names.count(name):,}" for name in dict.fromkeys(names))


@label.command("import")
def import_(
    file: Annotated[str, typer.Argument(help="A filled sheet: CSV, XLSX, JSONL or Parquet; - is standard input.")],
    by: Annotated[str | None, typer.Option(help="Who labelled, where the sheet has no column 'by'.")] = None,
    format: Annotated[
        str | None, typer.Option(help="csv, xlsx, jsonl or parquet, where the name does not tell.")
    ] = None,
) -> None:
    """Check a filled sheet and add its labels to the history. The same sheet again changes nothing.

    Needed are the columns `text` and `topics`; `platform` and `native_id` say which post it is, `language`, `by` and
    `labelled_at` are used where they are there. A later label of a post by the same person takes the place of the one
    before, which stays in the history. Where two people labelled the same posts, it says how far they agree.

    Example: radar label import week.xlsx --by ann
    """
    from radar.labelling.agreeing import pairs
    from radar.labelling.imports import import_labels
    from radar.labels import history
    from radar.registry import load_frozen, load_taxonomy

    found, taxonomy = settings(), load_taxonomy()
    use_folder(found.data_dir)
    done = import_labels(
        file, found.labels_dir, taxonomy.ids, load_frozen(taxonomy).texts, by=by, now=datetime.now(UTC),
        rejects_folder=found.data_dir / "rejects", format_name=format,
    )  # fmt: skip
    console.print(
        f"{done.rows:,} rows: {done.new:,} new labels, {done.changed:,} changed, {done.unchanged:,} unchanged, "
        f"{done.blank:,} left empty, {done.rejected:,} rejected"
        + (f" (see {done.rejects_path})" if done.rejects_path else ""),
        markup=False, soft_wrap=True,
    )  # fmt: skip
    touched = {label.by for label in done.labels}
    for pair in pairs(history(found.labels_dir), taxonomy.ids):
        if touched & {pair.first, pair.second}:
            _print_pair(pair)
    if done.labels:
        console.print("They train the next model: radar train")


@label.command("weak")
def weak(
    days: Annotated[int, typer.Option(min=1, help="Posts of so many days up to the newest.")] = 90,
    per_topic: Annotated[int, typer.Option(min=1, max=1_000, help="At most so many of a topic in a language.")] = 30,
) -> None:
    """Label your posts by seed terms: those that hold two of a topic, and those that name nothing we know.

    Each label keeps its provenance (weak) and the terms it rests on, in RADAR_DATA_DIR/labels/weak.jsonl, which is
    written anew each time. They train only with `radar train --weak`; what a person says of a post goes over them.
    """
    from radar.labelling.weak import weak_labels
    from radar.labels import history, write_labels
    from radar.registry import load_concepts, load_seeds, load_taxonomy
    from radar.scheduling import Context
    from radar.training import WEAK_FILE

    found, engine = open_engine()
    taxonomy, now = load_taxonomy(), datetime.now(UTC)
    newest = _newest(engine)
    with told() as report:
        report("looking for seeds", 0, None)
        labels = weak_labels(
            engine, Context(engine, found, now, report).scorer, load_seeds(taxonomy), load_concepts(taxonomy),
            since=newest - timedelta(days=days), now=now, per_topic=per_topic,
            labelled={label.post for label in history(found.labels_dir)},
        )  # fmt: skip
    write_labels(found.labels_dir / WEAK_FILE, labels)
    off_topic = sum(not label.topics for label in labels)
    spoken = _counted([label.language for label in labels])
    console.print(f"{len(labels):,} weak labels, {off_topic:,} of them off-topic; {spoken}")
    console.print("They train only where they are asked for: radar train --weak")


@label.command("agreement")
def agreement(
    disagreements: Annotated[
        Path | None, typer.Option(help="Write the posts that two people labelled differently to this .csv or .xlsx.")
    ] = None,
) -> None:
    """Say how far people who labelled the same posts agree: Cohen's kappa, over all decisions and by topic.

    1 is full agreement, 0 what chance gives. A topic that two of two people see differently is decided by the later
    label when a model is trained; among more people most decide.
    """
    from radar.labelling.agreeing import COLUMNS, disagreed_rows, pairs
    from radar.labelling.sheets import write_sheet
    from radar.labels import history
    from radar.registry import load_taxonomy

    taxonomy, given = load_taxonomy(), history(settings().labels_dir)
    found = pairs(given, taxonomy.ids)
    if not found:
        console.print(f"{len(given):,} labels; no two people labelled the same post yet.")
    for pair in found:
        _print_pair(pair)
    if disagreements is not None:
        rows = [row for pair in found for row in disagreed_rows(pair)]
        write_sheet(disagreements, COLUMNS, rows, taxonomy)
        console.print(f"{len(rows):,} rows in {disagreements}", markup=False)


def _print_pair(pair: "Pair") -> None:
    found = pair.agreement
    console.print(
        f"[bold]{escape(pair.first)} and {escape(pair.second)}[/]: {found.posts:,} posts, {found.same:,} alike, "
        f"kappa {_kappa(found.kappa)}"
    )
    table = Table("topic", box=None)
    for name in (pair.first, pair.second, "both", "kappa"):
        table.add_column(escape(name), justify="right")
    for topic in found.by_topic:
        table.add_row(topic.topic, str(topic.first), str(topic.second), str(topic.both), _kappa(topic.kappa))
    console.print(table)
    for first, second in pair.disagreed[:_LISTED]:
        said = " ".join(first.text.split())
        console.print(
            f"  {pair.first}: {' '.join(first.topics) or 'none'} | {pair.second}: {' '.join(second.topics) or 'none'}"
            f" | {said[:80]}",
            markup=False, soft_wrap=True,
        )  # fmt: skip
    if len(pair.disagreed) > _LISTED:
        console.print(f"  and {len(pair.disagreed) - _LISTED:,} more: radar label agreement --disagreements FILE.csv")


def _kappa(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
