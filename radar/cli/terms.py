"""radar terms: the best terms of a file of texts, with what speaks for each."""

import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from radar.cli.app import console
from radar.errors import CallerError, UnknownName
from radar.text.gazetteer import LANGUAGES
from radar.text.language import UNKNOWN, language_of


class Format(StrEnum):
    """How terms are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def terms(
    file: Annotated[Path, typer.Option(help="CSV, JSONL or Parquet.")],
    column: Annotated[str, typer.Option(help="Column of the texts.")] = "text",
    language: Annotated[str, typer.Option(help=f"Language of most texts: {', '.join(LANGUAGES)}.")] = "en",
    author: Annotated[str | None, typer.Option(help="Column of the authors, to count distinct ones.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Terms to show.")] = 50,
    least: Annotated[int, typer.Option(min=1, help="Texts that a term must be in.")] = 3,
    only: Annotated[bool, typer.Option("--only", help="Leave out texts told to be in another language.")] = False,
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.TABLE,
) -> None:
    """Find the terms of texts that nobody listed, with what speaks for each.

    Example: radar terms --file reviews.parquet --column review --language ko
    """
    from radar.text.phrases import Term, TermCounter, rank

    if language not in LANGUAGES:
        raise UnknownName("language", language, list(LANGUAGES))
    counter = TermCounter()
    for texts, authors in _batches(file, column, author):
        if only:
            kept = [i for i, text in enumerate(texts) if _is_in(text, language)]
            texts, authors = [texts[i] for i in kept], authors and [authors[i] for i in kept]
        counter.add(texts, authors)
    found = rank(counter, language, limit, least_docs=least)
    if format is Format.JSON:
        print(json.dumps([asdict(term) for term in found], ensure_ascii=False, indent=1))
    elif format is Format.CSV:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow([field.name for field in fields(Term)])
        for term in found:
            writer.writerow([_cell(value) for value in asdict(term).values()])
    else:
        _print_table(found, counter.text_count)


def _is_in(text: str, language: str) -> bool:
    """Whether a text is in a language, or too short to tell; the two ways to write Chinese count as one."""
    told = language_of(text, language)
    return told == UNKNOWN or told.partition("-")[0] == language.partition("-")[0]


def _batches(path: Path, column: str, author: str | None) -> Iterator[tuple[list[str], list[str] | None]]:
    """Texts and their authors, batch by batch: the file is never whole in memory."""
    wanted = [column] if author is None else [column, author]
    for names, rows in _read(path, wanted):
        if missing := [name for name in wanted if name not in names]:
            raise CallerError(f"{path} has no column {missing[0]}.", f"Columns: {', '.join(names)}.")
        texts = [str(row.get(column) or "") for row in rows]
        yield texts, None if author is None else [str(row.get(author) or "") for row in rows]


def _read(path: Path, wanted: list[str]) -> Iterator[tuple[list[str], list[dict[str, Any]]]]:
    """Column names and rows of each batch."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise CallerError(f"No file {path}.", "Name a CSV, JSONL or Parquet file.")
    try:
        if path.suffix == ".parquet":
            with pq.ParquetFile(path) as source:
                names = list(source.schema_arrow.names)
                for batch in source.iter_batches(10_000, columns=[name for name in wanted if name in names]):
                    yield names, batch.to_pylist()
            return
        options: dict[str, Any] = {"chunksize": 10_000}
        if ".jsonl" in path.suffixes or ".ndjson" in path.suffixes:
            chunks = pd.read_json(path, lines=True, dtype=False, **options)
        else:
            chunks = pd.read_csv(
                path, dtype=str, keep_default_na=False, sep="\t" if ".tsv" in path.suffixes else ",", **options
            )
        with chunks:
            for chunk in chunks:
                yield [str(name) for name in chunk.columns], chunk.to_dict("records")
    except (ValueError, pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise CallerError(f"Cannot read {path}: {error}.", "Name a CSV, JSONL or Parquet file.") from error


def _cell(value: Any) -> Any:
    """A value of a CSV; a text that a spreadsheet would run as a formula gets an apostrophe before it."""
    if isinstance(value, tuple):
        value = "|".join(value)
    if isinstance(value, float):
        return round(value, 6)
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def _print_table(found: list[Any], texts: int) -> None:
    table = Table("#", "term", "count", "texts", "authors", "G2", "NPMI", "entropy", "unusual", "also", box=None)
    for i, term in enumerate(found, 1):
        table.add_row(
            str(i), escape(term.text), f"{term.count:,}", f"{term.docs:,}", _or_dash(term.authors, ",d"),
            _or_dash(term.g2, ",.0f"), _or_dash(term.npmi, ".2f"), f"{term.entropy:.1f}",
            f"x{2**term.unusualness:,.0f}", escape(", ".join(term.folded[:4])),
        )  # fmt: skip
    console.print(table)
    console.print(f"{texts:,} texts. unusual: times the usual frequency; G2, NPMI: how firmly the words hold together.")


def _or_dash(value: float | None, spec: str) -> str:
    return "" if value is None else format(value, spec)
