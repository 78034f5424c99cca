"""Text of HTML: what a reader sees, line by line."""

from html.parser import HTMLParser

_BREAKS = frozenset("p div br li ul ol h1 h2 h3 h4 h5 h6 tr table blockquote section article header footer hr".split())
_UNSEEN = frozenset("script style template noscript iframe head".split())
_EMPTY = frozenset("br hr img input meta link".split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BREAKS:
            self.pieces.append("\n")
        if tag == "img" and not self._unseen:
            said = dict(attrs)
            if {"emoji", "wp-smiley"} & {*(said.get("class") or "").split()}:  # WordPress draws emoji in its feeds
                self.pieces.append(said.get("alt") or "")
        if tag in _UNSEEN:
            self._unseen += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in _BREAKS and tag not in _EMPTY:
            self.pieces.append("\n")
        if tag in _UNSEEN and self._unseen:
            self._unseen -= 1

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(" ".join(data.split("\n")) if data.strip() else " " if data else "")


def text_of(html: str) -> str:
    """What a reader sees of HTML; broken HTML is read as far as it goes, plain text comes back as it is.

    >>> text_of("<p>Ramen &amp; <a href='x'>#Osaka</a></p><p>second<br>third</p><script>no()</script>")
    'Ramen & #Osaka\\nsecond\\nthird'
    >>> text_of('good <img src="x" alt="🍜" class="wp-smiley"/><img src="y" alt="a picture"/>')
    'good 🍜'
    """
    reader = _Reader()
    try:
        reader.feed(html)
        reader.close()
    except (AssertionError, ValueError, RecursionError):  # what the parser makes of hopeless markup
        return " ".join(html.split())
    lines = (" ".join(line.split()) for line in "".join(reader.pieces).split("\n"))
    return "\n".join(line for line in lines if line)
