"""A document as Markdown (with tables as GitHub has them): every text is escaped, so that none is markup."""

import re
from collections.abc import Sequence

from radar.web.document import Block, Cell, Document, Heading, Items, Paragraph, Picture, Table

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~&!$@])")
_LINE_START = re.compile(r"^(\s*)([-+=]|[0-9]+[.)])(?=\s|$)")
_AUTOLINK = re.compile(r"(:)(?=//)|(?<=www)(\.)", re.IGNORECASE)


def escaped(text: str) -> str:
    """A text that Markdown shows as it stands.

    >>> escaped("*a* | <b> [x](javascript:1) 1. www.x.org http://y")
    '\\\\*a\\\\* \\\\| \\\\<b\\\\> \\\\[x\\\\](javascript:1) 1. www\\\\.x.org http\\\\://y'
    >>> escaped("1. one"), escaped("- one")
    ('1\\\\. one', '\\\\- one')
    """
    said = _AUTOLINK.sub(lambda found: f"\\{found[0]}", _MARKS.sub(r"\\\1", text))
    return _LINE_START.sub(lambda found: f"{found[1]}{found[2][:-1]}\\{found[2][-1]}", said)


def to_markdown(document: Document, base: str) -> str:
    """The document in Markdown; links begin with `base`."""
    parts = [f"# {escaped(document.title)}", *[_block(block, base) for block in document.blocks]]
    return "\n\n".join(part for part in parts if part) + "\n"


def _block(block: Block, base: str) -> str:
    match block:
        case Heading(text):
            return f"## {escaped(text)}"
        case Paragraph(text, role):
            said = escaped(text)
            return f"> **{said}**" if role == "warning" else f"*{said}*" if role == "note" else said
        case Items(texts):
            return "\n".join(f"- {escaped(text)}" for text in texts)
        case Table():
            return _table(block, base)
        case Picture(_, says):
            return f"*{escaped(says)}*"


def _table(table: Table, base: str) -> str:
    rules = ["---:" if n in table.numbers else "---" for n in range(len(table.head))]
    lines = [_line([escaped(name) for name in table.head]), _line(rules)]
    lines += [_line([_cell(one, base) for one in row]) for row in table.rows]
    return f"{escaped(table.caption)}\n\n" + "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(one: Cell, base: str) -> str:
    said = escaped(one.text)
    if one.link:
        said = f"[{said}](<{base}{one.link}>)"
    return f"{said}<br>{escaped(one.note)}" if one.note else said
