"""A document as plain values: headings, paragraphs, tables and charts. What draws it knows nothing of reports."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal


def plain(text: object) -> str:
    """A text of one line without what would turn its direction or its line.

    >>> plain(" a\\u202eb\\n c")
    'ab c'
    """
    kept = "".join(c if unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn") else " " for c in str(text))
    return " ".join("".join(c for c in kept if c not in _TURNS).split())


_TURNS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u2028\u2029"


@dataclass(frozen=True, slots=True)
class Cell:
    """A field of a table: its text, a smaller line under it, where it leads, and its language where it is another."""

    text: str
    note: str = ""
    link: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """lede under a title, warning, note in small print, or plain text."""

    text: str
    role: Literal["lede", "warning", "note", "text"] = "text"


@dataclass(frozen=True, slots=True)
class Items:
    """A list of sentences."""

    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `numbers` are the columns that stand to the right."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as SVG, and what it shows in words. is_over_time: its newest day is at its right end."""

    svg: str
    says: str
    is_over_time: bool = False


Block = Heading | Paragraph | Items | Table | Picture


@dataclass(frozen=True, slots=True)
class Document:
    """A title and what follows it, in one language."""

    title: str
    language: str
    blocks: Sequence[Block] = field(default_factory=list)


def cell(text: object, note: object = "", link: str | None = None, language: str | None = None) -> Cell:
    """A field of whatever text, made plain."""
    return Cell(plain(text), plain(note), link, language)
