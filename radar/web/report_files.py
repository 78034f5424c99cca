"""A weekly report as a file: Markdown, HTML that needs nothing else, PDF, or JSON, in a language."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic_core import to_json

from radar.config import Settings
from radar.reports import Writer
from radar.web.document import Document
from radar.web.document_markdown import to_markdown
from radar.web.document_pdf import to_pdf
from radar.web.languages import speaking
from radar.web.letters import public_base
from radar.web.report_words import write_report
from radar.web.view import HERE, templates

MEDIA = {
    "json": "application/json", "md": "text/markdown; charset=utf-8", "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
}  # fmt: skip


def writer(settings: Settings) -> Writer:
    """What writes reports, with links to the pages of this radar."""

    def write(report: Mapping[str, Any], language: str, form: str) -> bytes:
        return write_file(report, language, form, public_base(settings))

    return write


def write_file(report: Mapping[str, Any], language: str, form: str, base: str) -> bytes:
    """A report as the bytes of a file. Raises MissingFont for a PDF whose script has none."""
    if form == "json":
        return to_json(report, indent=1) + b"\n"
    with speaking(language):
        document = write_report(report)
        if form == "md":
            return to_markdown(document, base).encode()
        return to_pdf(document, base) if form == "pdf" else to_html(document, base).encode()


@cache
def _css() -> str:
    return (HERE / "static" / "report.css").read_text(encoding="utf-8")


def to_html(document: Document, base: str) -> str:
    """The document as HTML that asks for nothing else."""
    return templates.get_template("report_file.html").render(document=document, base=base, css=_css())


def content_policy() -> str:
    """What a browser may do with such HTML: apply that one style sheet, by its hash, and nothing else."""
    print_of = base64.b64encode(hashlib.sha256(_css().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{print_of}'; base-uri 'none'; form-action 'none'"
