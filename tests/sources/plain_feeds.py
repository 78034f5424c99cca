"""Feeds as honest software writes them, in every format and some encodings: other readers see the same in them."""

import json
from html import escape

TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}
_TITLES = [
    "台北美食 推薦",
    "ラーメン & 寿司 <大阪>",
    "서울 맛집",
    "ไปเที่ยวญี่ปุ่น",
    "Ten bowls, slowly",
    "100% “quoted” — é",
]
_BODY = "A bowl a day, in the rain."
_RFC = [
    "Mon, 04 May 2026 10:00:00 +0000", "Mon, 04 May 2026 10:00:00 GMT", "Mon, 4 May 2026 19:00:00 +0900",
    "Mon, 04 May 2026 10:00 +0000", "04 May 2026 10:00:00 +0000", "Mon, 04 May 26 10:00:00 +0000",
    "Mon, 04 May 2026 05:00:00 EST", "2026-05-04T10:00:00Z", "Mon, 04 May 2026 23:59:59 -0800",
]  # fmt: skip
_ISO = [
    "2026-05-04T10:00:00Z", "2026-05-04T10:00:00+09:00", "2026-05-04T10:00:00.123Z", "2026-05-04T10:00:00-08:00",
    "2026-12-31T23:59:59+00:00".replace("12-31", "05-31"),
]  # fmt: skip


def _rss(items: str, head: str = '<?xml version="1.0" encoding="utf-8"?>', more: str = "") -> str:
    return (
        f'{head}<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>Ann</title>'
        f"<link>https://blog.example/</link><description>d</description>{more}{items}</channel></rss>"
    )


def _item(guid: str, title: str, link: str, at: str, body: str = _BODY) -> str:
    return (
        f"<item>{guid}<title>{escape(title)}</title><link>{link}</link>{at}"
        f"<description>{escape(f'<p>{body}</p>')}</description></item>"
    )


def _guid(n: int) -> str:
    return f'<guid isPermaLink="false">post-{n}</guid>'


def _day(at: str) -> str:
    return f"<pubDate>{at}</pubDate>"


def _link(n: int) -> str:
    return f"https://blog.example/p/{n}"


def _atom(entries: str, more: str = "") -> str:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"{more}><title>Ann</title>'
        f'<id>urn:blog</id><link href="https://blog.example/"/>{entries}</feed>'
    )


def _entry(n: int, title: str, times: str, link: str | None = None) -> str:
    return (
        f'<entry><id>tag:blog.example,2026:{n}</id>{title}<link rel="alternate" href="{link or _link(n)}"/>{times}'
        f'<content type="html">{escape(f"<p>{_BODY}</p>")}</content></entry>'
    )


def _json(*items: dict[str, object]) -> bytes:
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Ann", "items": items}).encode()


_BY_TITLE = "".join(_item(_guid(n), t, _link(n), _day(_RFC[0])) for n, t in enumerate(_TITLES))
_IN_BIG5 = _rss(_item(_guid(1), "台北美食推薦", _link(1), _day(_RFC[0])), '<?xml version="1.0" encoding="big5"?>')
_IN_SJIS = _rss(_item(_guid(1), "大阪ラーメン", _link(1), _day(_RFC[0])), '<?xml version="1.0" encoding="shift_jis"?>')
_IN_EUC_KR = _rss(_item(_guid(1), "서울 맛집", _link(1), _day(_RFC[0])), '<?xml version="1.0" encoding="euc-kr"?>')
FEEDS: dict[str, bytes] = {
    "titles.rss": _rss(_BY_TITLE).encode(),
    "cdata.rss": _rss(
        f"<item>{_guid(1)}<title><![CDATA[Ramen & rice]]></title><link>{_link(1)}</link>{_day(_RFC[0])}"
        f"<content:encoded><![CDATA[<p>{_BODY}</p>]]></content:encoded></item>"
    ).encode(),
    "times.rss": _rss(
        "".join(_item(_guid(n), f"At {n}", _link(n), _day(at)) for n, at in enumerate(_RFC))
    ).encode(),
    "dublin.rss": _rss(
        "".join(_item(_guid(n), f"At {n}", _link(n), f"<dc:date>{at}</dc:date>") for n, at in enumerate(_ISO))
    ).encode(),
    "permalinks.rss": _rss(
        "".join(_item(f"<guid>{_link(n)}</guid>", f"Bowl {n}", _link(n), _day(_RFC[0])) for n in range(5))
    ).encode(),
    "no-ids.rss": _rss("".join(_item("", f"Bowl {n}", _link(n), _day(_RFC[0])) for n in range(5))).encode(),
    "relative.rss": _rss(
        _item(_guid(1), "Bowl", "https://blog.example/p/a?x=1&amp;y=2", _day(_RFC[0]))
    ).encode(),
    "big5.rss": _IN_BIG5.encode("big5"),
    "sjis.rss": _IN_SJIS.encode("shift_jis"),
    "euckr.rss": _IN_EUC_KR.encode("euc-kr"),
    "titles.atom": _atom(
        "".join(
            _entry(n, f"<title>{escape(t)}</title>", f"<published>{_ISO[0]}</published><updated>{_ISO[0]}</updated>")
            for n, t in enumerate(_TITLES)
        )
    ).encode(),
    "html.atom": _atom(
        _entry(1, f'<title type="html">{escape("Rice &amp; <b>tea</b>")}</title>', f"<published>{_ISO[0]}</published>")
        + _entry(
            2,
            '<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Rice <b>and</b> tea</div></title>',
            f"<published>{_ISO[0]}</published>",
        )
    ).encode(),
    "times.atom": _atom(
        "".join(
            _entry(n, f"<title>At {n}</title>", f"<published>{at}</published><updated>2026-05-31T00:00:00Z</updated>")
            for n, at in enumerate(_ISO)
        )
        + _entry(99, "<title>Only edited</title>", f"<updated>{_ISO[1]}</updated>")
    ).encode(),
    "plain.json": _json(
        {"id": "1", "url": _link(1), "title": "Bowl", "content_html": f"<p>{_BODY}</p>", "date_published": _ISO[0]},
        {"id": _link(2), "url": _link(2), "title": "ラーメン", "content_text": _BODY, "date_published": _ISO[1]},
        {"id": "3", "url": _link(3), "title": "Edited", "content_text": _BODY, "date_modified": _ISO[3]},
    ),
    "rdf.rss": (
        '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        '<channel rdf:about="https://blog.example/"><title>Ann</title><link>https://blog.example/</link></channel>'
        f'<item rdf:about="{_link(1)}"><title>Bowl</title><link>{_link(1)}</link><dc:date>{_ISO[1]}</dc:date>'
        f"<description>{_BODY}</description></item></rdf:RDF>"
    ).encode(),
}  # fmt: skip
"""Feeds by name; the end of the name tells the type."""
