"""What anybody may send, read from any bytes: whatever they are, nothing is raised but what says what is wrong.

python -m tests.fuzzing NAME [-runs=100000 ...]: coverage-guided, by atheris, with its options.
"""

import base64
import gzip
import io
import json
import os
import random
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from radar.alerts.rules import Wanted, checked, key_numbers
from radar.answers.kol_question import _place
from radar.answers.question import Cursor, ask, parse_as_of
from radar.api.push import Mixed, Usual, items_of, push, read_body
from radar.errors import RadarError
from radar.exports import export_of
from radar.file_rows import Fault, json_lines_of, row_of, rows_of
from radar.importing import parse_mapping
from radar.ingest import ingest_posts
from radar.partners.brief import Brief, read_brief
from radar.row_reading import Gathered, Given, Mapping, Reader
from radar.sources.base import RawPost
from radar.sources.feed_reading import deleted_entries, feeds_of_page, read_feed
from radar.sources.trouble import Trouble
from radar.store.engine import writing
from tests.api.small_store import KeywordScorer
from tests.builders import NOON, fresh_store

Target = Callable[[bytes], None]
WHOLE = Mapping(market="TW", platform="test")
ROW = {
    "author": "ann", "published_at": "2026-05-04T10:00:00+08:00", "text": "ramen, 大阪 #foodie", "native_id": "1",
    "like_count": "12", "sponsored": "true", "language": "zh-Hant", "url": "https://a.example/1", "market": "TW",
    "follower_count": 1200, "person": "p", "deleted": "no", "view_count": None,
}  # fmt: skip
PUSHED = {
    "platform": "test", "native_id": "1", "text": "ramen in Osaka", "published_at": "2026-05-04T10:00:00Z",
    "author": {"native_id": "ann", "audience_market": "TW", "follower_count": 3}, "like_count": 2, "deleted": False,
}  # fmt: skip
TOKENS = [
    b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r", b"\n", b'"', b'""', b",", b"\t", b";", b"{",
    b"}", b"[", b"]", b"null", b"NaN", b"-1", b"1e999", b"9" * 30, b"0", b"true", b"\\ud800", b"\\u0000", b"\\",
    b"\x1f\x8b",
    b"PK\x03\x04", b"PAR1", b"<", b">", b"&#x110000;", b"<![CDATA[", b"]]>", b"9999-12-31", b"0001-01-01",
    b"2026-05-04", b"T24:00:00", b"+99:99", b"TW", b"JP-27", b"\xe6\x97\xa5\xe6\x9c\xac", b"#", b"%", b"7d", b"1h",
    b"a" * 300, b"utf-16", b"big5", b"encoding=",
]  # fmt: skip
"""What mutations put in."""


@cache
def store() -> sa.Engine:
    """A store of this process's own."""
    return fresh_store(Path(tempfile.mkdtemp(prefix="radar-fuzz-")) / "radar.db")


def _ingested(posts: list[RawPost], body: bytes) -> None:
    """Whatever a reader lets through, ingest takes or rejects (of one body in sixteen: it takes long); none is kept."""
    if not posts or zlib.crc32(body) % 16:
        return
    with writing(store()) as session, session.begin():
        ingest_posts(session, posts, source="fuzz", now=NOON)
        session.rollback()


def read_rows(kind: str, body: bytes) -> None:
    """A file of any format, to posts and into a store: what is read by column is what is read of each row alone."""
    reader: Reader | None = None
    posts = []
    file = io.BytesIO(body)
    alone = (([line], [row]) for line, row in rows_of(file, kind, "f"))
    try:
        for lines, some in json_lines_of(file, "f") if kind == "jsonl" else alone:
            for line, given in zip(lines, some, strict=True):
                row = row_of(given) if isinstance(given, bytes) else given
                if isinstance(row, Fault):
                    json.dumps(row.raw, default=str)
                    continue
                reader = reader or Reader(WHOLE, None if kind == "jsonl" else list(row), "f")
                together = _by_column(reader, line, given)
                try:
                    posts.append(reader.post(line, row))
                except ValueError:
                    assert together is None
                    continue
                assert together in (None, posts[-1])
    except RadarError:
        pass
    _ingested(posts[:20], body)


def _by_column(reader: Reader, line: int, given: Given) -> RawPost | None:
    gathered = Gathered()
    try:
        gathered.add(1, reader.columns([line], [given]))
    except ValueError:
        return None
    return gathered.posts().post(0)


def read_export(name: str, body: bytes) -> None:
    """An account's archive or a table of another's."""
    reader, posts = Reader(Mapping(market="TW", platform="x", author="ann", export=name), None, "f"), []
    try:
        for line, row in export_of(name).read(io.BytesIO(body), "f.zip"):
            if not isinstance(row, Fault):
                try:
                    posts.append(reader.post(line, row))
                except ValueError:
                    continue
    except RadarError:
        pass
    _ingested(posts[:20], body)


def read_push(body: bytes) -> None:
    """A body as POST /v1/posts takes it."""
    try:
        found = read_body(body)
    except (ValueError, RecursionError):
        return
    try:
        items = items_of(found)
    except RadarError:
        return
    if isinstance(items, Mixed):
        items = Mixed(items[:20], items.usual[:20])
    elif not isinstance(items, Usual):
        items = items[:20]
    count = len(items)
    answer = push(store(), items, NOON)
    json.dumps(answer).encode()
    assert len(answer["items"]) == count


def read_any_feed(body: bytes) -> None:
    """A feed, a hub's tombstones, a page that names feeds."""
    address = "https://blog.example/feed"
    try:
        feed = read_feed(body, address=address, zone=ZoneInfo("Asia/Tokyo"))
    except Trouble:
        pass
    else:
        for entry in feed.entries:
            entry.text.encode("utf-8", "surrogatepass")
        assert all(len(fault.payload) <= 4_000 for fault in feed.faults)
    deleted_entries(body, address)
    feeds_of_page(body, address)


def _parts(body: bytes) -> Iterator[str]:
    """Texts, one after another: at first those of the body, then empty ones."""
    yield from body.decode("utf-8", "surrogatepass" if b"\xed" in body else "replace").split("\x1f")
    while True:
        yield ""


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.05


def read_any_brief(body: bytes) -> None:
    """What somebody looks for, in words and by names."""
    try:
        parts = _parts(body)
        text = next(parts)
        lists = [tuple(filter(None, next(parts).split(",")[:5])) for _ in range(5)]
        one, other, budget = next(parts) or None, next(parts) or None, next(parts)
    except UnicodeDecodeError:
        return
    topics, products, platforms, tiers, without = lists
    brief = Brief(
        text, topics=topics, products=products, platforms=platforms, tiers=tiers, from_market=one, to_market=other,
        budget=_number(budget) if budget else None, exclude_products=without,
    )  # fmt: skip
    with suppress(RadarError):
        read_brief(brief, KeywordScorer(), platforms=["instagram"], topic_names={})


def read_filters(body: bytes) -> None:
    """Filters of lists and of alert rules, moments, cursors."""
    try:
        given = [text for text, _ in zip(_parts(body), range(14), strict=False)]
    except UnicodeDecodeError:
        return
    q, lift, market, place, topic, kind, stage, window, scope, bucket, sort, curated, at, cursor = given
    filters = ("place", "topic", "kind", "stage", "window", "scope", "bucket", "sort", "curated")
    names: dict[str, Any] = dict(
        zip(filters, (place, topic, kind, stage, window, scope, bucket, sort, curated), strict=True)
    )
    wanted = Wanted(
        market=market or None, place=place, topic=topic, key=at, kinds=tuple(filter(None, kind.split(","))),
        stages=tuple(filter(None, [stage])), q=_number(q), lift_floor=_number(lift), scope=scope or "all",
    )  # fmt: skip
    for ask_for in (
        partial(ask, market_code=market or "TW", q=_number(q), lift=_number(lift), **names),
        partial(parse_as_of, at, ZoneInfo("Asia/Tokyo")),
        partial(Cursor.from_text, cursor, ask(market_code="TW")),
        partial(_place, cursor, "mark", "last_post_at"),
        partial(_place, cursor, "mark", "follower_count"),
        lambda: key_numbers(checked(wanted).key or ""),
        partial(parse_mapping, sort, None),
    ):  # fmt: skip
        try:
            ask_for()
        except RadarError:
            continue


def read_mapping(body: bytes) -> None:
    """A mapping file beside the data."""
    file = Path(store().url.database or "").with_suffix(".toml")
    file.write_bytes(body)
    with suppress(RadarError):
        parse_mapping(None, file)


def _csv() -> bytes:
    return (",".join(ROW) + "\n" + ",".join(f'"{value}"' for value in ROW.values()) + "\n").encode()


def _parquet() -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table({n: [v, v] for n, v in ROW.items()} | {"at": pa.array([NOON] * 2)}), out)
    return out.getvalue()


def _xlsx() -> bytes:
    from openpyxl import Workbook

    book, out = Workbook(), io.BytesIO()
    book.active.append(list(ROW))
    book.active.append(list(ROW.values()))
    book.save(out)
    return out.getvalue()


def _zipped(name: str, content: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr(name, content)
    return out.getvalue()


def _feeds() -> list[bytes]:
    from tests.sources.hostile_feeds import corpus

    return [body for _, body in corpus() if len(body) < 4_000][:150]


_TWEET = '{"tweet": {"id_str": "1", "full_text": "ramen", "created_at": "Mon May 04 10:00:00 +0000 2026"}}'
_LINE = json.dumps(ROW, ensure_ascii=False).encode() + b"\n"
_QUERY = (
    "0.05\x1f2\x1fTW\x1fJP-27\x1ftravel.air\x1fterm\x1frising\x1f7d\x1fall\x1f1h\x1fscore\x1fshown\x1f2026-05-04\x1fWzE"
)
TARGETS: dict[str, tuple[Target, Callable[[], list[bytes]]]] = {
    "csv": (partial(read_rows, "csv"), lambda: [
        _csv(), _csv().decode().encode("utf-16"), _csv().decode().encode("big5", "replace"), gzip.compress(_csv())]),
    "jsonl": (partial(read_rows, "jsonl"), lambda: [_LINE * 2, gzip.compress(_LINE)]),
    "parquet": (partial(read_rows, "parquet"), lambda: [_parquet()]),
    "xlsx": (partial(read_rows, "xlsx"), lambda: [_xlsx()]),
    "x-archive": (partial(read_export, "x-archive"), lambda: [
        f"window.YTD.tweets.part0 = [{_TWEET}]".encode(),
        _zipped("data/tweets.js", f"window.YTD.tweets.part0 = [{_TWEET}]")]),
    "instagram-archive": (partial(read_export, "instagram-archive"), lambda: [
        b'[{"media": [{"uri": "a.jpg", "creation_timestamp": 1777888800, "title": "ramen"}]}]',
        _zipped("content/posts_1.json", '[{"media": [{"creation_timestamp": 1777888800, "title": "ramen"}]}]')]),
    "youtube-trending": (partial(read_export, "youtube-trending"), lambda: [
        b"video_id,title,publishedAt,channelId,channelTitle,view_count,likes,description\n1,t,2026-05-04T10:00:00Z,c,n,3,,d\n"]),
    "push": (
        read_push,
        lambda: [json.dumps([PUSHED, PUSHED | more]).encode() for more in ({"deleted": True}, {"text": "b"})],
    ),
    "feed": (read_any_feed, _feeds),
    "brief": (read_any_brief, lambda: [
        "大阪の薬\x1fshop.drugstore\x1f合利他命\x1finstagram\x1fmicro\x1fsulwhasoo\x1fJP\x1fTW\x1f100".encode()]),
    "filters": (read_filters, lambda: [_QUERY.encode()]),
    "mapping": (read_mapping, lambda: [b"market = 'KR'\nplatform = 'x'\n[map]\ntext = 'review'\n"]),
}  # fmt: skip


def found() -> Iterator[tuple[str, bytes]]:
    """Inputs that once did more than be refused."""
    yield "xlsx", _xlsx().replace(b"PK\x01\x02\x14\x03\x14\x00", b"PK\x01\x02\x14\x03\xe7\x00")  # of a version to come
    yield "instagram-archive", base64.b64decode(_BEGINS_BEFORE)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("data/account.js", '[{"account": []}]')
        packed.writestr("data/tweets.js", f"[{_TWEET}]")
    yield "x-archive", out.getvalue()


_BEGINS_BEFORE = (
    "UEsDBBQA12CtBCPqQwAAAEMAAAAUAAAAY29udGVudC9wb3N0c18xLmpzb25beyJtZWRpYSI6IFt7ImNyZWF0aW9uX3RpbWVzdGFt"
    "cCI6IDE3Nzc4ODg4MDAsICJ0aXRsZSI6ICJyYW1lbiJ9XX1dUEsBAhQDFAAAAAAAXLZ7Xa0EI+pDAAAAQwAAABQAAAAAAAAAAAAA"
    "AIABAAAAAGNvbnRlbnQvcG9zdHNfMS5qc29uUEsFBgAAAAABAAEAQgAAAHUAAAAAAA=="
)
"""An archive whose directory begins before the file."""


def mutated(body: bytes, rng: random.Random) -> bytes:
    """The same with some bytes flipped, cut out, doubled, or something else put in."""
    for _ in range(rng.choice([1, 1, 2, 4, 8])):
        at = rng.randrange(len(body) + 1)
        to = min(len(body), at + rng.choice([1, 2, 8, 64]))
        put = rng.choice(
            [rng.choice(TOKENS), bytes(rng.randrange(256) for _ in range(rng.choice([1, 2, 4]))), body[at:to] * 2]
        )
        body = body[:at] + put + body[to if rng.random() < 0.6 else at :]
    return body


def main(name: str, options: list[str]) -> None:
    """Let atheris look for what a target does not foresee; it ends with the input that showed it."""
    import atheris  # type: ignore[import-not-found]

    target, seeds = TARGETS[name]
    corpus = Path(os.environ.get("RADAR_FUZZ_CORPUS") or tempfile.mkdtemp(prefix=f"radar-fuzz-{name}-"))
    corpus.mkdir(parents=True, exist_ok=True)
    for n, seed in enumerate(seeds()):
        (corpus / f"seed{n}").write_bytes(seed)
    for module in ("radar.file_rows", "radar.importing", "radar.row_reading", "radar.row_values",
                   "radar.column_values", "radar.exports", "radar.sources.feed_reading", "radar.api.push",
                   "radar.partners.brief", "radar.answers.question"):  # fmt: skip
        for found in vars(sys.modules[module]).values():
            if callable(found) and getattr(found, "__module__", "") == module and hasattr(found, "__code__"):
                vars(sys.modules[module])[found.__name__] = atheris.instrument_func(found)
    atheris.Setup([sys.argv[0], *options, str(corpus)], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
