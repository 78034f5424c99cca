"""How pages are made: the templates, what they may call, and one function that fills one in."""

import hashlib
from contextvars import ContextVar
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup
from starlette.responses import Response

from radar.answers import at_least
from radar.markets import MARKETS
from radar.web import partner_words, words
from radar.web.actors import current
from radar.web.charts import HEIGHT, WIDTH, spark_lines
from radar.web.languages import LANGUAGES, language, number, percent, say, say_n
from radar.web.navigation import MENU
from radar.web.radar_drawing import SIZE
from radar.web.told import told
from radar.web.translation import PlainText

HERE = Path(__file__).parent
SESSION_COOKIE = "radar_session"
_address: ContextVar[str] = ContextVar("address", default="/")


async def note_address(request: Request) -> None:
    """Remember the address of a request, for the menu of languages to come back to; a dependency of every page.

    It is a coroutine, so that it runs in the context that the page is then made in.
    """
    _address.set(_own(request))


def _own(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def web_address(url: str | None) -> str | None:
    """A link a browser may follow: never javascript: or data:."""
    return url if url and url.lower().startswith(("https://", "http://")) else None


def url(path: str, **query: Any) -> str:
    """An address with what is set of a query."""
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return quote(path, safe="/:") + (f"?{urlencode(given)}" if given else "")


def address_here(back: str) -> str:
    """An address of this host to go back to, and the first page for any other.

    >>> address_here("/kols?market=TW"), address_here("//example.com"), address_here("https://example.com")
    ('/kols?market=TW', '/', '/')
    """
    return back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"


@cache
def static(name: str) -> str:
    """The address of a static file, with a print of its content: a browser may keep it for ever."""
    return f"/static/{name}?v={hashlib.sha256((HERE / 'static' / name).read_bytes()).hexdigest()[:10]}"


templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True,
    undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.i18n", PlainText],
)  # fmt: skip
templates.policies["ext.i18n.trimmed"] = True
templates.install_gettext_callables(say, say_n, newstyle=True)  # type: ignore[attr-defined]
templates.filters |= {
    "local": words.local, "city": words.city, "span": words.span, "share": words.share, "small": words.small,
    "count": words.count, "number": number, "percent": percent, "day": words.day, "on_day": words.on_day,
    "called": words.called, "country": words.country, "place": words.place, "in_a_sentence": words.in_a_sentence,
    "gloss": words.gloss, "topic_called": words.topic_called, "sentence": words.sentence, "kols": words.kols,
    "posts": words.posts, "platforms": words.platforms, "trends": words.trends, "window_words": words.window_words,
    "complaints": words.complaints, "narrow_words": words.narrow, "shadow_words": words.shadow,
    "measured": words.measured, "hours": words.hours, "ago": words.ago, "iso_day": words.iso_day,
    "group_called": words.group_called, "lead_words": words.lead, "part_called": partner_words.part_called,
    "part_words": partner_words.part_words, "filter_called": partner_words.filter_called,
    "price_words": partner_words.price_words, "decision_words": words.decision, "forms_in": words.forms_in,
    "told": told, "markup": Markup, "kind_of": lambda value: type(value).__name__.lower(),
    "spark_lines": spark_lines, "at_least": at_least, "web_address": web_address, "iso": datetime.isoformat,
}  # fmt: skip
templates.globals |= {
    "url": url, "static": static, "curve_size": (WIDTH, HEIGHT), "radar_size": SIZE, "markets": MARKETS, "menu": MENU,
    "languages": LANGUAGES, "language": language, "address": _address.get, "actor": current.get,
    "plain_": lambda text: Markup(say(text)),
    "plain_attribute_": say,
}  # fmt: skip


def page(name: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A filled-in template. Every page gives `simulated`, `here` (its line of the menu) and `twin` (its JSON)."""
    return HTMLResponse(templates.get_template(name).render(values), status)


def error_page(request: Request, problem: dict[str, Any]) -> Response:
    """A problem for people."""
    _address.set(_own(request))
    return page("error.html", problem["status"], problem=problem, simulated=False, here="", twin=None)
