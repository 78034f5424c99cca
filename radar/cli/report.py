"""radar report: the weekly report of one market about a place, to the terminal or a file."""

import os
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from radar.cli.app import errors, open_engine
from radar.errors import CallerError
from radar.markets import MARKETS


class Form(StrEnum):
    """What a report is written as."""

    MD = "md"
    HTML = "html"
    PDF = "pdf"
    JSON = "json"


class Tongue(StrEnum):
    """What it is written in."""

    EN = "en"
    ZH = "zh-Hant"
    JA = "ja"
    KO = "ko"
    TH = "th"


def report(
    market: Annotated[str, typer.Option(help=f"Whose KOLs: {', '.join(MARKETS)}.")],
    place: Annotated[str, typer.Option(help="Country that it is about, as JP.")],
    week: Annotated[str | None, typer.Option(help="ISO week, as 2026-W47; else the last complete one.")] = None,
    language: Annotated[Tongue, typer.Option(help="What it is written in.")] = Tongue.EN,
    format: Annotated[Form | None, typer.Option(help="Else as the output's name ends, or Markdown.")] = None,
    output: Annotated[Path | None, typer.Option(help="File to write; else standard output.")] = None,
) -> None:
    """Write the weekly report of a market about a place: Markdown, HTML, PDF or JSON, in five languages.

    Example: radar report --market TW --place JP --week 2026-W47 --language ja --output tw-jp.pdf
    """
    form = format or _form_of(output)
    if form is Form.PDF and output is None and sys.stdout.isatty():
        raise CallerError("A PDF is nothing for a terminal.", "Name a file: --output report.pdf, or send it on with |.")
    from radar.reports import pair_report
    from radar.store.engine import reading
    from radar.web.report_files import writer

    settings, engine = open_engine()
    with reading(engine) as session:
        made = pair_report(session, market, place, week, now=datetime.now(UTC), kept_days=settings.snapshot_days)
    content = writer(settings)(made, language.value, form.value)
    if output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        return
    _write(output, content)
    errors.print(f"{output}: {made['market']} about {made['place']}, {made['week']}", soft_wrap=True, markup=False)


def _form_of(output: Path | None) -> Form:
    ending = output.suffix.removeprefix(".").lower() if output else ""
    return Form(ending) if ending in [form.value for form in Form] else Form.MD


def _write(output: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    part = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(output)
    except OSError as error:
        part.unlink(missing_ok=True) if part.parent.is_dir() else None
        raise CallerError(
            f"Cannot write {output}: {error.strerror}.", "Name a file in a folder that is there and may be written."
        ) from error
