"""The same twenty posts are the same, whichever way they come."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from radar.api import create_app
from radar.collect import collect
from radar.config import Settings
from radar.importing import Mapping, import_file
from radar.sources.web import Web
from radar.store import tables
from tests.builders import fresh_store
from tests.sources.stages import NOW, FakeClock, on_stage

TEXTS = [
    "台北美食 推薦 #foodie", "ラーメン & 寿司 <大阪>", "line one\nline two", "서울 맛집 \"최고\" 'the best'",
    "ไปเที่ยวญี่ปุ่น 🍜",
    "https://blog.example/a?b=c&d=e ramen", "100% & more; &amp; literal",
    "emoji 👩‍👩‍👧 family", "  spaces   inside  ", "#tag1 #tag2",
]  # fmt: skip
POSTS = [(f"n{n:02}", f"{TEXTS[n % 10]} {n}".strip(), NOW - timedelta(hours=40 - n)) for n in range(20)]
Way = Callable[[sa.Engine, Path], None]


def from_platform(kind: str) -> Way:
    def bring(engine: sa.Engine, folder: Path) -> None:
        with on_stage(kind) as stage:
            for name, text, at in POSTS:
                stage.publish(name, text, at)
            stage.configure(engine)
            collect(engine, now=NOW, web=Web(clock=FakeClock()))

    return bring


def from_file(engine: sa.Engine, folder: Path) -> None:
    path = folder / "posts.jsonl"
    rows = [{"native_id": n, "author": "ann", "text": text, "published_at": at.isoformat()} for n, text, at in POSTS]
    path.write_text("\n".join(json.dumps(row) for row in rows))
    import_file(engine, str(path), Mapping(market="TW"), format_name=None, rejects_folder=folder, now=NOW)


def from_push(engine: sa.Engine, folder: Path) -> None:
    author = {"native_id": "ann", "audience_market": "TW"}
    posts: list[dict[str, Any]] = [
        {"platform": "p", "native_id": n, "author": author, "text": text, "published_at": at.isoformat()}
        for n, text, at in POSTS
    ]
    with TestClient(create_app(engine, Settings(data_dir=folder))) as client:
        assert client.post("/v1/posts", json={"posts": posts}).json()["created"] == 20


WAYS: dict[str, Way] = {kind: from_platform(kind) for kind in ("feed", "mastodon", "bluesky")}
WAYS |= {"file": from_file, "push": from_push}


@pytest.mark.parametrize("name", WAYS)
def test_twenty_posts_have_one_normal_form(name: str, tmp_path: Path) -> None:
    engine = fresh_store(tmp_path / "radar.db")
    WAYS[name](engine, tmp_path)
    p = tables.post.c
    with engine.connect() as connection:
        statement = sa.select(p.text, p.published_at, p.local_day, p.audience_market, p.day_only, p.platform_sponsored)
        found = [tuple(row) for row in connection.execute(statement.order_by(p.published_at))]
    engine.dispose()
    assert [(as_html_shows(text), at) for text, at, *_ in found] == [(as_html_shows(t), at) for _, t, at in POSTS]
    assert {row[3:] for row in found} == {("TW", False, None)}
    assert {type(row[1]) for row in found} == {datetime}


def as_html_shows(text: str) -> str:
    """HTML shows one space for several."""
    return "\n".join(" ".join(line.split()) for line in text.split("\n"))
