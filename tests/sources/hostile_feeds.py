"""A corpus of broken, odd and hostile feeds: some hundreds, made by combining what feeds get wrong. All synthetic."""

import gzip
import itertools
import json
import random
from collections.abc import Iterator

TIMES = [
    "Mon, 04 May 2026 10:00:00 +0000", "Mon, 4 May 26 10:00 GMT", "2026-05-04T10:00:00Z", "2026-05-04 10:00:00",
    "2026-05-04", "2026/05/04 10:00", "Mon, 04 May 2026 19:00:00 JST", "04 May 2026 10:00:00", "1777888800",
    "20260504T100000Z", "Mon, 32 May 2026 10:00:00 GMT", "2026-13-45T99:99:99Z", "yesterday", "", "   ", "9" * 400,
    "0000-00-00T00:00:00Z", "Mon, 04 May 2026 10:00:00 +9900", "2026-05-04T10:00:00+25:00", "\u0000\u0001", "午後3時",
    "Thu, 01 Jan 1970 00:00:00 GMT", "9999-12-31T23:59:59Z", "2026-05-04T10:00:60Z", "-0001-01-01", "١٤٤٧-١١-١٧",
]  # fmt: skip
IDS = [
    "", "1", "https://blog.example/1", "tag:blog.example,2026:1", "urn:uuid:0-0", "x" * 5_000, "a b\tc", "日本語",
    "javascript:alert(1)", "http://[::1", "//x", "%00", "../../etc/passwd", "\u202e", "0", "&amp;",
    "http://a/?q=" + "é" * 300,
]  # fmt: skip
TEXTS = [
    "", " ", "plain", "&lt;p&gt;html&lt;/p&gt;", "<![CDATA[<b>bold]]>", "&undefined;", "&#0;", "&#xD800;", "&#x110000;",
    "<p>unclosed <b>tags", "]]>", "a" * 50_000, "\u200b\ufeff", "<!-- never closed", "&lt;script&gt;x&lt;/script&gt;",
    "&lt;img src=x onerror=alert(1)&gt;",
    "العربية עברית", "👩‍👩‍👧‍👦" * 100, "&lt;!DOCTYPE x [&lt;!ENTITY y 'z'&gt;]&gt;",
    "&lt;" * 3_000,
]  # fmt: skip
LINKS = [
    "",
    "https://blog.example/p",
    "/p",
    "http://[bad",
    "javascript:x",
    "data:text/html,x",
    "http://a b/c",
    "\\\\host",
]


def rss(inside: str, head: str = '<?xml version="1.0" encoding="utf-8"?>', version: str = "2.0") -> bytes:
    text = f'{head}<rss version="{version}"><channel><title>t</title><link>https://blog.example/</link>{inside}</channel></rss>'
    return text.encode("utf-8", "surrogatepass")


def item(id: str, at: str, text: str, link: str) -> str:
    return (
        f"<item><guid>{id}</guid><pubDate>{at}</pubDate><title>{text[:40]}</title>"
        f"<description>{text}</description><link>{link}</link></item>"
    )


def atom(id: str, at: str, text: str, link: str) -> str:
    return (
        f'<entry><id>{id}</id><published>{at}</published><updated>{at}</updated><title type="html">{text}</title>'
        f'<link href="{link}"/><content type="html">{text}</content></entry>'
    )


def corpus() -> Iterator[tuple[str, bytes]]:
    """(name, body) of every case."""
    for n, at in enumerate(TIMES):
        yield f"rss time {n}", rss(item("1", at, "ramen", "https://blog.example/1"))
        yield f"atom time {n}", _atom(atom("1", at, "ramen", "https://blog.example/1"))
        yield f"json time {n}", _json({"id": "1", "date_published": at, "content_text": "ramen"})
    for n, id in enumerate(IDS):
        yield f"rss id {n}", rss(item(id, TIMES[0], "ramen", ""))
        yield f"atom id {n}", _atom(atom(id, TIMES[2], "ramen", ""))
        yield f"json id {n}", _json({"id": id, "date_published": TIMES[2], "content_html": "<p>ramen</p>"})
    for n, text in enumerate(TEXTS):
        yield f"rss text {n}", rss(item("1", TIMES[0], text, "/p"))
        yield f"atom text {n}", _atom(atom("1", TIMES[2], text, "/p"))
        yield f"json text {n}", _json({"id": "1", "date_published": TIMES[2], "title": text, "content_html": text})
    for n, link in enumerate(LINKS):
        yield f"rss link {n}", rss(item("", TIMES[0], "ramen", link))
        yield f"json link {n}", _json({"url": link, "date_published": TIMES[2], "content_text": "ramen"})
    yield from _json_shapes()
    yield from _wrong_encodings()
    yield from _hostile_documents()
    yield from _damaged()


def _atom(entry: str) -> bytes:
    text = f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>t</title>{entry}</feed>'
    return text.encode("utf-8", "surrogatepass")


def _json(one: object) -> bytes:
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "t", "items": [one]}).encode()


def _json_shapes() -> Iterator[tuple[str, bytes]]:
    odd = [None, 7, -1.5, True, "x", [], {}, [[]], {"a": {}}, "\ud800", 2**70]
    fields = ("id", "url", "title", "content_text", "content_html", "date_published", "date_modified", "language")
    for n, (name, value) in enumerate(itertools.product(fields, odd)):
        good = {"id": "1", "date_published": TIMES[2], "content_text": "ramen"}
        yield f"json {name} {n}", _json(good | {name: value})
    for n, value in enumerate(odd):
        yield f"json item {n}", _json(value)
        yield f"json items {n}", json.dumps({"items": value}).encode()
        yield f"json whole {n}", json.dumps(value).encode()
    yield "json deep", b'{"items": ' + b"[" * 5_000 + b"]" * 5_000 + b"}"
    yield "json cut", _json({"id": "1"})[:-3]
    yield "json nan", b'{"items": [{"id": NaN, "date_published": "2026-05-04T10:00:00Z", "content_text": "x"}]}'


def _wrong_encodings() -> Iterator[tuple[str, bytes]]:
    text = "台北美食 ラーメン 서울 맛집"
    for said, really in itertools.product(
        ("utf-8", "big5", "shift_jis", "euc-kr", "iso-8859-1", "utf-16", "no-such", ""),
        ("utf-8", "big5", "shift_jis", "euc-kr", "utf-16"),
    ):
        head = f'<?xml version="1.0" encoding="{said}"?>' if said else '<?xml version="1.0"?>'
        body = rss(item("1", TIMES[0], text, "/p"), head).decode().encode(really, "replace")
        yield f"says {said or 'nothing'}, is {really}", body
    yield "two byte order marks", b"\xef\xbb\xbf\xef\xbb\xbf" + rss(item("1", TIMES[0], "x", "/p"))


def _hostile_documents() -> Iterator[tuple[str, bytes]]:
    good = item("1", TIMES[0], "ramen", "/p")
    bomb = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    head = '<?xml version="1.0"?>'
    yield "entity bomb", rss(item("1", TIMES[0], "&l9;", "/p"), f'{head}<!DOCTYPE r [<!ENTITY l0 "lol">{bomb}]>')
    outside = f'{head}<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    yield "outside entity", rss(item("1", TIMES[0], "&x;", "/p"), outside)
    remote = f'{head}<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd">'
    yield "remote document type", rss(good, remote)
    yield "processing instructions", rss("<?php die() ?>" + good)
    yield "deep nesting", rss("<a>" * 3_000 + good)
    yield "deep html", rss(item("1", TIMES[0], "&lt;div&gt;" * 3_000 + "x", "/p"))
    attributes = " ".join(f"a{n}='1'" for n in range(100))
    yield "a hundred attributes", rss(f"<item {attributes}><title>x</title></item>")
    yield "three thousand items", rss("".join(item(str(n), TIMES[0], "x", "/p") for n in range(3_000)))
    yield "the same id thrice", rss(good * 3)
    yield "item outside", rss("") + good.encode()
    yield "no channel", f"<rss>{good}</rss>".encode()
    yield (
        "rdf",
        (
            b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
            b'xmlns:dc="http://purl.org/dc/elements/1.1/"><item rdf:about="https://blog.example/1"><title>ramen</title>'
            b"<dc:date>2026-05-04T10:00:00+08:00</dc:date></item></rdf:RDF>"
        ),
    )
    yield "html", b"<!doctype html><html><head><title>x</title></head><body><p>ramen</p></body></html>"
    yield "empty", b""
    yield "blank", b" \n\t "
    yield "zeros", b"\x00" * 1_000
    yield "random bytes", random.Random(3).randbytes(20_000)
    yield "packed", gzip.compress(rss(good))
    yield "a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256))
    yield "an address", b"http://127.0.0.1:9/feed"
    yield "a file's name", b"/etc/passwd"
    yield "namespaces undeclared", rss(f"<media:group><media:title>x</media:title></media:group>{good}")
    yield "counts that are none", rss(good.replace("</item>", "<slash:comments>many</slash:comments></item>"))


def _damaged() -> Iterator[tuple[str, bytes]]:
    """Whole feeds with bytes changed, cut and doubled, the same ones each time."""
    chance = random.Random(11)
    whole = [
        rss("".join(item(str(n), TIMES[n % 4], f"bowl {n}", f"/p{n}") for n in range(8))),
        _atom("".join(atom(str(n), TIMES[2], f"bowl {n}", f"/p{n}") for n in range(8))),
        _json({"id": "1", "date_published": TIMES[2], "content_text": "bowl"}),
    ]
    for n in range(150):
        body = bytearray(whole[n % 3])
        for _ in range(chance.randrange(1, 12)):
            at = chance.randrange(len(body))
            what = chance.randrange(3)
            if what == 0:
                body[at] = chance.randrange(256)
            elif what == 1:
                del body[at : at + chance.randrange(1, 40)]
            else:
                body[at:at] = body[max(0, at - 30) : at]
        yield f"damaged {n}", bytes(body)
