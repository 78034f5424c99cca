"""What answers, jobs and errors say in English, in the reader's language: known sentences are found by their form.

API, terminal and log speak English alone, and a run or a reason is stored as it was said. So that a page need not show
that, each sentence of `told_sentences` is a form with values in it: the form is looked up in the catalogue, values are
put back, and those that are words of ours (a market, a topic, a language) are said in the reader's language too. What
has no known form stays as it is, marked as English.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from markupsafe import Markup

from radar.answers.names import topic_names
from radar.markets import MARKETS, PLACE_NUMBERS
from radar.text.gazetteer import places
from radar.web import partner_words, words
from radar.web.languages import language, locale, say
from radar.web.told_sentences import PRUNED, SENTENCES

_SLOT = re.compile(r"%\((\w+)\)s")
_NUMBER = r"[0-9][0-9.,]*"
_SLOTS = {
    "n": _NUMBER, "m": _NUMBER, "k": _NUMBER, "j": _NUMBER, "trends": rf"{_NUMBER} trends?",
    "span": r"[0-9]+ (?:hour|day|week)s?", "pruned": "|".join(PRUNED), "rest": ".*?",
    "market": r"[^.:;]+?",
}  # fmt: skip
_ENDS = re.compile(r"(?<=[.?;,:])\s+")
_LONGEST = 800
"""Characters of a text that is looked at: a longer one is none of ours, or a hostile one."""


class _Form(NamedTuple):
    """A sentence and what finds it."""

    sentence: str
    pattern: re.Pattern[str]


def told(text: str | None) -> str:
    """A text of ours in the reader's language; as it is, marked as English, where it is none that we know.

    >>> told("Ask for 7d or 28d.")
    'Ask for 7d or 28d.'
    """
    if not text or language() == "en":
        return text or ""
    found = _translated(text.strip(), language()) if len(text) <= _LONGEST else None
    return Markup('<span lang="en">%s</span>') % text if found is None else found


@lru_cache(maxsize=4_000)
def _translated(text: str, code: str) -> str | None:
    """The longest beginning that is known, and then the rest. code: of the language that is spoken."""
    ends = [match.span() for match in _ENDS.finditer(text)][:20]
    for stop, begin in [(len(text), len(text)), *reversed(ends)]:
        said = _sentence(text[:stop]) or (_sentence(text[: stop - 1]) if text[stop - 1 : stop] in (";", ",") else None)
        if said is None:
            continue
        if begin == len(text):
            return said
        rest = _translated(text[begin:], code)
        if rest is not None:
            return _joined(said, rest, text[stop - 1])
    return None


def _joined(first: str, rest: str, end: str) -> str:
    if end in ";,":
        return f"{first}{say('; ') if end == ';' else say(', ')}{rest}"
    return f"{first}{'' if language() in ('zh-Hant', 'ja') else ' '}{rest}"


def _sentence(text: str) -> str | None:
    for form in _forms():
        if found := form.pattern.fullmatch(text):
            return say(form.sentence) % {name: _value(name, value) for name, value in found.groupdict().items()}
    return None


@cache
def _forms() -> list[_Form]:
    """Forms with the most words first: those that say little fit more."""
    forms = [_Form(sentence, _pattern(sentence)) for sentence in SENTENCES]
    return sorted(forms, key=lambda form: -len(_SLOT.sub("", form.sentence)))


def _pattern(sentence: str) -> re.Pattern[str]:
    written, at = "", 0
    for slot in _SLOT.finditer(sentence):
        written += re.escape(sentence[at : slot.start()])
        written += f"(?P<{slot[1]}>{_SLOTS.get(slot[1], '.+?')})"
        at = slot.end()
    return re.compile(written + re.escape(sentence[at:]), re.DOTALL)


def _value(name: str, value: str) -> str:
    say_it = _VALUES.get(name)
    return say_it(value) if say_it else value


def _market(name: str) -> str:
    code = _codes().get(name)
    return words.place(code) if code else name


@cache
def _codes() -> Mapping[str, str]:
    """Codes of markets and countries by their English names."""
    known = places()
    named = {known[code].names.get("en", code): code for code in PLACE_NUMBERS if code in known}
    return named | {about.name: code for code, about in MARKETS.items()}


def _topics(names: str) -> str:
    ids = {by["en"]: topic_id for topic_id, by in topic_names().items()}
    return say(", ").join(words.topic_called(ids[name]) if name in ids else name for name in names.split(", "))


def _trends(text: str) -> str:
    return words.trends(int(text.split()[0].replace(",", "")))


def _span(text: str) -> str:
    n, unit = text.split()
    return words.window_words(f"{n}{unit[0]}")


def _parts(text: str) -> str:
    return " · ".join(_translated(part, language()) or part for part in text.split(", or "))


_VALUES: dict[str, Callable[[str], str]] = {
    "what": say, "pruned": say, "market": _market, "topics": _topics, "trends": _trends, "span": _span,
    "parts": _parts, "filter": partner_words.filter_called,
    "sentence": lambda text: _translated(text, language()) or text,
    "language": lambda code: str(locale().languages.get(code.replace("-", "_"), code)),
}  # fmt: skip
