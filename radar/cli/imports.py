"""radar import: files of real posts."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from radar.cli.app import console, open_engine, told
from radar.errors import CallerError
from radar.exports import EXPORTS
from radar.importing import import_file as import_rows
from radar.importing import parse_mapping
from radar.memory import give_back
from radar.read_ahead import Ahead
from radar.read_along import Along, read_along
from radar.row_reading import FIELDS
from radar.scheduling import LINE, Context, run_followers, run_job
from radar.sharing import is_shared

_HELP = "Fields: " + "; ".join(f"{name}: {what}" for name, what in FIELDS.items()) + "."


def import_file(
    file: Annotated[
        str, typer.Argument(help="CSV, JSONL, Parquet or XLSX, also .gz; an archive; - is standard input.")
    ],
    map: Annotated[str | None, typer.Option(help=f"field=column,... {_HELP}")] = None,
    map_file: Annotated[
        Path | None,
        typer.Option(help="TOML with [map], market, platform, timezone; FILE.toml beside the data is found by itself."),
    ] = None,
    market: Annotated[str | None, typer.Option(help="Audience market of all rows, as TW.")] = None,
    platform: Annotated[str | None, typer.Option(help="Platform of all rows, as youtube.")] = None,
    timezone: Annotated[str | None, typer.Option(help="Zone of times without one; else the market's.")] = None,
    format: Annotated[
        str | None, typer.Option(help="csv, jsonl, parquet or xlsx, where the name does not tell.")
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Where rows go that cannot be read; else RADAR_DATA_DIR/rejects.")
    ] = None,
    author: Annotated[str | None, typer.Option(help="Author of rows that name none, as of an archive's part.")] = None,
    as_: Annotated[
        str | None, typer.Option("--as", help=f"What gave the file: {', '.join(EXPORTS)}. It says what columns mean.")
    ] = None,
    only_import: Annotated[
        bool, typer.Option("--only-import", help="Leave classifying, counting and detecting to the jobs.")
    ] = False,
) -> None:
    """Import posts, then classify, count and detect. Importing the same file twice changes nothing.

    Example: radar import reviews.csv --market KR --map text=review,published_at=date,author=user
    """
    beside = Path(f"{file}.toml")
    toml = map_file or (beside if file != "-" and beside.is_file() else None)
    mapping = parse_mapping(map, toml)
    given: dict[str, Any] = {
        "market": market, "platform": platform, "zone": timezone, "author": author, "export": as_,
    }  # fmt: skip
    mapping = replace(mapping, **{name: value for name, value in given.items() if value})
    settings, engine = open_engine()
    if rejects is not None and file != "-" and rejects.resolve() == Path(file).resolve():
        raise CallerError("--rejects: that is the file to import.", "Name another file.")
    now = datetime.now(UTC)
    with told() as report, ExitStack() as meanwhile:
        context = Context(engine, settings, now, report)

        def imported(rows: int) -> None:
            if is_shared(engine) and not (begun or only_import):  # a file that cannot be read has ended before this
                begun.append(meanwhile.enter_context(read_along(context)))
            report("rows", rows, None)

        begun: list[Along | Ahead] = []
        ahead = (
            None if only_import or is_shared(engine) else Ahead(engine, context.fitting, lambda: context.model_folder)
        )
        if ahead is not None:
            begun.append(ahead)
        done = import_rows(
            engine, file, mapping, format_name=format, rejects_folder=settings.data_dir / "rejects",
            rejects_path=rejects, now=now, progress=imported, ahead=ahead,
        )  # fmt: skip
        give_back()
        posts = done.posts
        console.print(
            f"{done.rows:,} rows: {posts.new:,} new posts, {posts.changed:,} changed, {posts.deleted:,} deleted, "
            f"{posts.unchanged:,} unchanged, {done.rejected:,} rejected"
            + (f" (see {done.rejects_path})" if done.rejects_path else ""),
            markup=False, soft_wrap=True,
        )  # fmt: skip
        if posts.elsewhere:
            console.print(f"{posts.elsewhere:,} of them by authors known in another market: they stay there")
        meanwhile.close()
        if not only_import:
            for job in LINE[1:]:
                ended = run_job(job, context)
                console.print(f"{job}: {ended.detail}")
                if job == "classify_posts" and begun and begun[0].posts:
                    console.print(f"  and {begun[0].posts} while the file came in")
            for job, said in run_followers(LINE[-1], ended, context).items():
                console.print(f"{job}: {said.detail}")
