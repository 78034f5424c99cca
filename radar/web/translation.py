"""Plain text in a template is translated without being marked.

`<th>Market</th>` or `aria-label="Markets"` is a message of the catalogue as it stands: `PlainText`, an extension of
Jinja, turns each run of text between tags into a look-up when the template is compiled. Only a sentence with values in
it must be marked, as `{% trans n=total %}{{ n }} trends{% endtrans %}`, because other languages order its parts anew;
a run that is cut by a value is looked up in pieces.

`messages()` finds what there is to translate in templates and modules; `python -m radar.web.translation` puts what is
new into the catalogues with an empty translation, and what is no longer used out of them.
"""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po
from jinja2 import nodes
from jinja2.ext import Extension, babel_extract

from radar.config import Settings
from radar.registry import load_taxonomy
from radar.web.languages import FOLDER, LANGUAGES

_PART = re.compile(
    r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<!--.*?-->|<(?:\{\{.*?\}\}|\{%.*?%\}|[^<>])+>|[^<{]+|[<{]", re.DOTALL
)
_TRANS, _END_TRANS = re.compile(r"\{%[-+]?\s*trans\b"), re.compile(r"\{%[-+]?\s*endtrans\b")
_VERBATIM = re.compile(r"<(/?)(code|script|style|title-verbatim)\b", re.IGNORECASE)
_ATTRIBUTE = re.compile(r'(\s(?:aria-label|title|alt|placeholder)=")([^"{}]*)(")')
_LETTER = re.compile(r"[^\W\d_]")
_EDGE = " \t\n\r·"


class _Text(NamedTuple):
    """A run of plain text: what stands before, the message, what stands after; or of an attribute."""

    before: str
    message: str
    after: str
    is_attribute: bool
    line: int


def _parts(source: str) -> Iterator[str | _Text]:
    """The source cut into plain text and the rest, in order."""
    marked, verbatim, line = False, 0, 1
    for found in _PART.finditer(source):
        part = found[0]
        if part.startswith("{%"):
            marked = bool(_TRANS.match(part)) or (marked and not _END_TRANS.match(part))
            yield part
        elif part.startswith("<") and len(part) > 1 and not marked:
            tag = _VERBATIM.match(part)
            verbatim += (-1 if tag[1] else 1) if tag else 0
            yield from _attributes(part, line)
        elif part[0] in "{<" or marked or verbatim or not _LETTER.search(html.unescape(part)):
            yield part
        else:
            core = part.strip(_EDGE)
            start = part.index(core)
            yield _Text(part[:start], " ".join(core.split()), part[start + len(core) :], False, line)
        line += part.count("\n")


def _attributes(tag: str, line: int) -> Iterator[str | _Text]:
    at = 0
    for found in _ATTRIBUTE.finditer(tag):
        if _LETTER.search(found[2]):
            yield tag[at : found.start()]
            yield _Text(found[1], html.unescape(" ".join(found[2].split())), found[3], True, line)
            at = found.end()
    yield tag[at:]


class PlainText(Extension):
    """Looks plain text up while a template is compiled; `plain_` and `plain_attribute_` are the look-ups."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        written = []
        for part in _parts(source):
            if isinstance(part, str):
                written.append(part)
            else:
                call = "plain_attribute_" if part.is_attribute else "plain_"
                written.append(f"{part.before}{{{{ {call}({json.dumps(part.message)}) }}}}{part.after}")
        return "".join(written)


# ---- what there is to translate ----

_HERE = Path(__file__).parent
_ELSEWHERE = ("charts.py", "api/problems.py")
_KEYWORDS: dict[str, Any] = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2), "say": None, "say_n": (1, 2)}


def messages() -> Catalog:
    """Every message of the templates and modules of radar/web, of the topics and the settings, with where it stands."""
    found = Catalog()
    for file in sorted((_HERE / "templates").rglob("*.html")):
        name = str(file.relative_to(_HERE.parents[1]))
        source = file.read_text(encoding="utf-8")
        for part in _parts(source):
            if isinstance(part, _Text):
                found.add(part.message, locations=[(name, part.line)])
        for line, words in _choices(source):
            found.add(words, locations=[(name, line)])
        with file.open("rb") as stream:
            options = {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}
            for line, _, message, _ in babel_extract(stream, ["_", "gettext", "ngettext"], [], options):
                _add(found, message, name, line)
    for file in sorted([*_HERE.rglob("*.py"), *(_HERE.parent / name for name in _ELSEWHERE)]):
        name = str(file.relative_to(_HERE.parents[1]))
        for line, message, _, _ in extract_from_file("python", file, _KEYWORDS):
            _add(found, message, name, line)
    for topic in load_taxonomy().topics:
        found.add(topic.definition, locations=[("models/topics/topics.toml", 1)])
    for field in Settings.model_fields.values():
        found.add(field.description or "", locations=[("radar/config.py", 1)])
    return found


def _choices(source: str) -> Iterator[tuple[int, str]]:
    """The words that a template gives to the macro `choice`, its second and fifth: it looks them up itself."""
    tree = jinja2.Environment(extensions=["jinja2.ext.i18n"]).parse(source)
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Getattr) and call.node.attr == "choice":
            for word in call.args[1:2] + call.args[4:5]:
                if isinstance(word, nodes.Const) and isinstance(word.value, str):
                    yield word.lineno, word.value


def _add(found: Catalog, message: Any, name: str, line: int) -> None:
    if isinstance(message, tuple):
        message = tuple(m for m in message if m is not None)
        message = message[0] if len(message) == 1 else message
    if message:
        found.add(message, locations=[(name, line)])


def update() -> Iterator[tuple[str, int]]:
    """Bring the catalogues in line with the source; yields (language, messages without a translation)."""
    template = messages()
    for code, about in LANGUAGES.items():
        if code == "en":
            continue
        file = FOLDER / f"{code}.po"
        known = Catalog(locale=about.locale)
        if file.exists():
            with file.open("rb") as source:
                known = read_po(source, locale=str(about.locale))
        fresh = Catalog(locale=about.locale, project="radar", fuzzy=False)
        for message in template:
            if message.id:
                kept = known.get(message.id)
                told = kept.string if kept and not kept.fuzzy else ""
                fresh.add(message.id, told, locations=[(n, 1) for n, _ in message.locations])
        with file.open("wb") as out:
            write_po(out, fresh, width=120, sort_output=True, omit_header=False, include_lineno=False)
        yield code, sum(1 for m in fresh if m.id and not is_translated(m))


def is_translated(message: Message) -> bool:
    """Whether a message, or each of its numbers' forms, has words in the catalogue's language."""
    told = message.string
    return bool(told) if isinstance(told, str) or not told else all(told)


if __name__ == "__main__":
    for code, missing in update():
        print(f"{code}: {missing} without a translation")
