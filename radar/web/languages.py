"""The interface's languages: which one a reader wants, what it calls things, and how it writes numbers and times.

The language of a request is held in a context variable by `Languages`, a middleware, so that templates and words need
not pass it on. A reader's choice (a cookie, set by the menu at `/language`) goes before what the browser accepts.
Catalogues are the `.po` files beside this module, compiled when a language is first asked for.
"""

import gettext
import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FOLDER = Path(__file__).parent / "locale"
COOKIE = "radar_language"


class Language(NamedTuple):
    """A language of the interface: its name in itself, and the locale that dates and numbers follow."""

    name: str
    locale: Locale


LANGUAGES = {
    "en": Language("English", Locale("en", "GB")),
    "zh-Hant": Language("繁體中文", Locale("zh", "TW", script="Hant")),
    "ja": Language("日本語", Locale("ja", "JP")),
    "ko": Language("한국어", Locale("ko", "KR")),
    "th": Language("ไทย", Locale("th", "TH")),
}
_current: ContextVar[str] = ContextVar("language", default="en")


def language() -> str:
    """The language of the request at hand."""
    return _current.get()


def locale() -> Locale:
    """Its locale."""
    return LANGUAGES[language()].locale


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Say everything in a language meanwhile, where no request says in which."""
    token = _current.set(code if code in LANGUAGES else "en")
    try:
        yield
    finally:
        _current.reset(token)


def wanted(accepted: str, chosen: str | None = None) -> str:
    """The language to answer in: the chosen one, else the first that a browser's Accept-Language allows, else English.

    Every Chinese is answered in the one Chinese there is.

    >>> wanted("fr, ko-KR;q=0.8, en;q=0.9"), wanted("zh-CN"), wanted("th;q=0, *"), wanted("en", "ja")
    ('en', 'zh-Hant', 'en', 'ja')
    """
    if chosen in LANGUAGES:
        return str(chosen)
    asked = []
    for n, part in enumerate(accepted.split(",")):
        tag, _, quality = part.strip().partition(";")
        try:
            weight = float(quality.strip().removeprefix("q=") or 1)
        except ValueError:
            continue
        base = tag.strip().lower().partition("-")[0]
        found = "zh-Hant" if base == "zh" else base
        if found in LANGUAGES and weight > 0:
            asked.append((-weight, n, found))
    return min(asked)[2] if asked else "en"


class Languages:
    """Sets the language of each request, and says of pages which one they are in."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        token = _current.set(language_of(Headers(scope=scope)))
        told = _current.get()

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                if out.get("content-type", "").startswith("text/html"):
                    out["Content-Language"] = told
                    out.add_vary_header("Accept-Language, Cookie")
            await send(message)

        try:
            await self.app(scope, receive, named)
        finally:
            _current.reset(token)


def language_of(headers: Headers) -> str:
    """The language that a request is answered in."""
    return wanted(headers.get("accept-language", ""), _chosen(headers.get("cookie", "")))


def _chosen(cookies: str) -> str | None:
    try:
        found = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return None
    return found.value if found else None


# ---- catalogues ----


@lru_cache
def catalogue(code: str) -> gettext.NullTranslations:
    """The translations of a language; English is what stands in the source."""
    file = FOLDER / f"{code}.po"
    if not file.exists():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with file.open("rb") as source:
        write_mo(compiled, read_po(source, locale=str(LANGUAGES[code].locale), abort_invalid=True))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def say(text: str) -> str:
    """A text in the request's language."""
    return catalogue(language()).gettext(text)


def say_n(one: str, many: str, n: int) -> str:
    """A text about a number of things, in the request's language."""
    return catalogue(language()).ngettext(one, many, n)


# ---- numbers and times ----


@lru_cache(4096)
def _decimal(value: float, pattern: str | None, code: str) -> str:
    return format_decimal(value, pattern, locale=LANGUAGES[code].locale)


def number(value: float, digits: int = 0) -> str:
    """A number with so many digits after the point.

    >>> number(38911), number(2.25, 1)
    ('38,911', '2.2')
    """
    return _decimal(round(value, digits), "#,##0" + ("." + "0" * digits if digits else ""), language())


def percent(share: float | None, digits: int | None = None) -> str:
    """A share in percent, with so many digits after the point; by itself with three that say something.

    >>> percent(0.031, 0), percent(0.03421), percent(0.5), percent(None)
    ('3 %', '3.42 %', '50 %', '—')
    """
    if share is None:
        return "—"
    if digits is None:
        digits = len(f"{100 * share:.3g}".partition(".")[2])
    return f"{number(100 * share, digits)} %"


def moment(at: datetime, zone: str, with_year: bool = False) -> str:
    """An instant's day and time in a zone, as the locale writes them.

    >>> moment(datetime.fromisoformat("2026-11-22T06:00:00+00:00"), "Asia/Taipei")
    '22 Nov, 14:00'
    """
    return f"{day(at, zone, with_year)}{',' if language() == 'en' else ''} {at.astimezone(ZoneInfo(zone)):%H:%M}"


def day(at: datetime, zone: str, with_year: bool = False) -> str:
    """An instant's day in a zone, as the locale writes it."""
    local = at.astimezone(ZoneInfo(zone))
    return _day(local.date(), "yMMMd" if with_year else "MMMd", language())


@lru_cache(2048)
def _day(on: date, skeleton: str, code: str) -> str:
    return format_skeleton(skeleton, on, locale=LANGUAGES[code].locale)
