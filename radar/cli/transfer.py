"""radar db export and import: the whole store as Parquet, and back."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from radar.cli.app import console, open_engine, settings, told


def export(
    to: Annotated[str, typer.Argument(help="A folder, or a URL that fsspec knows: s3://bucket/radar.", metavar="TO")],
    again: Annotated[
        bool, typer.Option("--again", help="Renew a finished export: days that did not change stay as they are.")
    ] = False,
    with_secrets: Annotated[
        bool, typer.Option("--with-secrets", help="Also users, API keys, and targets of alerts with their secrets.")
    ] = False,
) -> None:
    """Write the whole store as Parquet, by market and day, as of one moment, while radar works.

    A folder a table, post/audience_market=TW/local_day=2026-05-01/00000.parquet: what pandas, Polars, DuckDB and Dask
    read by naming the folder. Killed, it is run again and goes on; manifest.json comes last, with rows and SHA-256 of
    each file. Left out unless you say --with-secrets: users, API keys, logins, where alerts go. Not in it: fitted
    models and labels (radar db backup), settings, tokens of sources. It holds all that is stored of people.

    Example: radar db export /data/radar-export
    """
    from radar.transfer import write_out

    _, engine = open_engine()
    with told() as report:
        made = write_out(engine, to, now=datetime.now(UTC), again=again, secrets=with_secrets, progress=report)
    rows, posts = sum(made.counts.values()), made.counts.get("post", 0)
    kept = f", {made.kept:,} of them unchanged" if made.kept else ""
    console.print(f"Exported {posts:,} posts, {rows:,} rows in {len(made.parts):,} files{kept}.", soft_wrap=True)
    if made.left_out:
        console.print(f"Left out: {escape(', '.join(made.left_out))} (--with-secrets).", soft_wrap=True)


def import_store(
    from_: Annotated[str, typer.Argument(help="Where `radar db export` wrote to: a folder or a URL.", metavar="FROM")],
) -> None:
    """Take an export into an empty store, SQLite or PostgreSQL: how to move from one to the other.

    Killed, it is run again and goes on; run once more at its end, it does nothing. Each file is checked against its
    SHA-256, each row against what the store holds; rows that are not such are kept aside with the reason, in rejects/
    of the data folder. Posts from a file of your own come in by `radar import`.

    Example: RADAR_DATABASE_URL=postgresql://radar@db/radar radar db import /data/radar-export
    """
    from radar.transfer import take_in

    _, engine = open_engine()
    with told() as report:
        done = take_in(engine, from_, settings().data_dir / "rejects", now=datetime.now(UTC), progress=report)
    export = done.export
    if done.before:
        console.print(f"That export is here already, since {done.before[:16].replace('T', ' ')} UTC.", soft_wrap=True)
    posts = export.counts.get("post", 0)
    console.print(
        f"Imported {done.rows:,} rows, {posts:,} of them posts, exported {export.made_at:%Y-%m-%d %H:%M} UTC."
    )
    if done.rejected:
        where = escape(str(done.rejects))
        console.print(f"[bold red]{done.rejected:,} rows were not taken[/]; why, says {where}.", soft_wrap=True)
    if export.left_out:
        console.print(f"Not in it: {escape(', '.join(export.left_out))}.", soft_wrap=True)
    console.print("Models come along by hand: models/ of the data folder; the shipped one is fitted again by itself.")
