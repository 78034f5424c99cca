"""The main menu. A page joins it by one line; `here` of its template context is the line's name."""

from typing import NamedTuple


def N_(text: str) -> str:  # noqa: N802  the usual name of gettext's mark
    """Mark a text for translation where it is written; it is translated where it is shown."""
    return text


class Entry(NamedTuple):
    """A line of the menu: its name, where it leads, and its words."""

    name: str
    path: str
    words: str


MENU = [
    Entry("trends", "/", N_("Radar")),
    Entry("markets", "/markets", N_("Markets")),
    Entry("matrix", "/matrix", N_("Markets × places")),
    Entry("arrivals", "/arrivals", N_("Arrivals")),
    Entry("kols", "/kols", N_("KOLs")),
    Entry("tracked", "/tracked", N_("Tracked keys")),
    Entry("partners", "/partners", N_("Partners")),
    Entry("topics", "/topics", N_("Topics")),
    Entry("alerts", "/alerts", N_("Alerts")),
    Entry("coverage", "/coverage", N_("Coverage")),
    Entry("models", "/models", N_("Models")),
]
