"""A page as it is read: its texts with where they stand and in which language, and its links."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from fastapi.testclient import TestClient

_ALONE = {"br", "img", "input", "hr", "meta", "link", "source"}
_READ_OUT = ("aria-label", "title", "alt", "placeholder")


class Said(NamedTuple):
    """A text, the elements and classes it stands in, and the language it is marked as."""

    text: str
    inside: tuple[str, ...]
    language: str | None


class Page(HTMLParser):
    """What a page says and where it leads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: list[Said] = []
        self.links: list[str] = []
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._open.append((tag, given))
        self.links += [given["href"]] if tag == "a" and given.get("href") else []
        for name in _READ_OUT:
            self._say(given.get(name) or "")
        if tag in _ALONE:
            self._open.pop()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _ALONE:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        for i in reversed(range(len(self._open))):
            if self._open[i][0] == tag:
                del self._open[i:]
                return

    def handle_data(self, data: str) -> None:
        self._say(data)

    def _say(self, text: str) -> None:
        if text.strip():
            inside = [word for tag, given in self._open for word in (tag, *(given.get("class") or "").split())]
            language = next((given["lang"] for _, given in reversed(self._open) if given.get("lang")), None)
            self.said.append(Said(" ".join(text.split()), tuple(inside), language))


def walk(client: TestClient, starts: list[str], of_each: int = 2) -> Iterator[tuple[str, Page, str]]:
    """Every page that links lead to: its address, what it says, and its source; so many of one form of address."""
    waiting, seen, forms = list(starts), set[str](), dict[str, int]()
    while waiting:
        address = waiting.pop(0).partition("#")[0]
        form = "/".join(p if p.isalpha() and p.islower() else "*" for p in urlsplit(address).path.split("/"))
        form += "?" + "&".join(sorted(part.partition("=")[0] for part in urlsplit(address).query.split("&")))
        is_start = address in starts
        if address in seen or address.startswith(("/v1", "/static", "/language")):
            continue
        if not is_start and forms.get(form, 0) >= of_each:
            continue
        seen.add(address)
        forms[form] = forms.get(form, 0) + (not is_start)
        response = client.get(address)
        if response.headers.get("content-type", "").startswith("text/html"):
            page = Page(response.text)
            yield address, page, response.text
            waiting += [urljoin(address, link) for link in page.links if urlsplit(link).netloc == ""]
