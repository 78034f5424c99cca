"""Files that platforms and tools give are read as they come: spellings, archives, encodings, spreadsheets, a folder."""

import csv
import io
import json
import os
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from openpyxl import Workbook

from radar.drop_folder import import_dropped
from radar.errors import CallerError, UnknownName, UnreadableInput
from radar.file_encoding import sniff
from radar.file_rows import rows_of
from radar.importing import Imported, Mapping, import_file
from radar.store.tables import author, post
from tests.builders import fresh_store

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TEXTS = {
    "big5": ["台北美食推薦，日本藥妝必買清單", "小美愛旅行：韓國首爾咖啡廳探店與東京迪士尼攻略"],
    "shift_jis": ["大阪のラーメンがおいしい！", "渋谷カフェ巡り、台湾旅行の準備"],
    "euc-kr": ["서울 맛집 추천 일본여행", "홍대카페투어 여행하는지니"],
    "tis-620": ["ไปเที่ยวญี่ปุ่นกินราเมนอร่อยมาก", "ร้านกาแฟน่านั่งในกรุงเทพ"],
    "utf-8": ["台北 서울 กรุงเทพ", "大阪のラーメン"],
    "utf-8-sig": ["台北 서울 กรุงเทพ", "大阪のラーメン"],
    "utf-16": ["台北 서울 กรุงเทพ", "大阪のラーメン"],
}


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    opened = fresh_store(tmp_path / "radar.db")
    yield opened
    opened.dispose()


def take(engine: sa.Engine, path: Path, **mapping: Any) -> Imported:
    return import_file(
        engine,
        str(path),
        Mapping(**({"market": "TW"} | mapping)),
        format_name=None,
        rejects_folder=path.parent,
        now=NOW,
    )


def stored(engine: sa.Engine, *columns: Any) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        statement = sa.select(*columns).join(author, author.c.id == post.c.author_id).order_by(post.c.id)
        return [tuple(row) for row in connection.execute(statement)]


@pytest.mark.parametrize("encoding", TEXTS)
def test_a_table_is_read_in_the_encoding_it_is_written_in(engine: sa.Engine, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "posts.csv"
    lines = [f'{n},ann,2026-05-0{n + 1},"{text}"' for n, text in enumerate(TEXTS[encoding])]
    path.write_bytes("\n".join(["native_id,author,published_at,text", *lines, ""]).encode(encoding))
    assert take(engine, path).posts.new == 2
    assert [text for (text,) in stored(engine, post.c.text)] == TEXTS[encoding]


@pytest.mark.parametrize("encoding", [e for e in TEXTS if not e.startswith("utf-")])
def test_short_texts_are_told_apart_too(encoding: str) -> None:
    names = {"big5": "cp950", "shift_jis": "cp932", "euc-kr": "cp949", "tis-620": "cp874"}
    right = [sniff(f"handle,text\n{text[:n]}\n".encode(encoding)) for text in TEXTS[encoding] for n in range(8, 15)]
    assert right.count(names[encoding]) >= 0.9 * len(right)


def test_a_broken_line_of_a_utf_8_file_stays_one_reject(engine: sa.Engine, tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    good = "".join(f"{n},ann,2026-05-01,台北拉麵 {n}\n" for n in range(9)).encode()
    path.write_bytes(b"native_id,author,published_at,text\n" + good + b"x,ann,2026-05-01,\xa5x\xa5_\n")
    done = take(engine, path)
    assert (done.posts.new, done.rejected) == (9, 1)


@pytest.mark.parametrize(
    "spelling", ["publishedAt,channelId,channelTitle,view_count", "publish_time,,channel_title,views"]
)
def test_trending_videos_come_in_both_spellings_and_hidden_likes_stay_unknown(
    engine: sa.Engine, tmp_path: Path, spelling: str
) -> None:
    at, channel, name, views = spelling.split(",")
    path = tmp_path / "videos.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        identity = [channel, name] if channel else [name]
        header = [
            "video_id",
            "title",
            at,
            *identity,
            views,
            "likes",
            "comment_count",
            "ratings_disabled",
            "description",
        ]
        writer.writerow(header)
        for n, hidden in enumerate(("False", "True")):
            who = ["UC1", "Ann films"] if channel else ["Ann films"]
            writer.writerow([f"v{n}", "Ramen", "2026-05-01T10:00:00.000Z", *who, 900, 5, 2, hidden, "Ten bowls"])
    assert take(engine, path, export="youtube-trending").posts.new == 2
    columns = (post.c.platform, post.c.text, post.c.view_count, post.c.like_count, author.c.native_id)
    who = "UC1" if channel else "Ann films"
    text = "Ramen\nTen bowls"
    assert stored(engine, *columns) == [("youtube", text, 900, 5, who), ("youtube", text, 900, None, who)]


TWEETS = [
    {"tweet": {"id_str": "9007199254740993", "full_text": "ramen in Osaka", "favorite_count": "3", "retweet_count": "1",
               "created_at": "Fri May 01 10:00:00 +0000 2026", "lang": "en"}},
    {"tweet": {"id_str": "2", "full_text": "RT @bo: not mine", "created_at": "Fri May 01 10:00:00 +0000 2026"}},
    "nonsense",
]  # fmt: skip


def test_an_archive_of_x_tells_its_owner(engine: sa.Engine, tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    account = [{"account": {"accountId": "77", "username": "ann", "accountDisplayName": "Ann"}}]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data/account.js", f"window.YTD.account.part0 = {json.dumps(account)}")
        archive.writestr("data/tweets.js", f"window.YTD.tweets.part0 = {json.dumps(TWEETS)}")
        archive.writestr("data/like.js", "window.YTD.like.part0 = []")
    done = take(engine, path, export="x-archive")
    assert (done.posts.new, done.rejected) == (1, 1)
    columns = (
        post.c.native_id,
        post.c.text,
        post.c.like_count,
        post.c.published_at,
        author.c.native_id,
        author.c.handle,
    )
    at = datetime(2026, 5, 1, 10, tzinfo=UTC)
    assert stored(engine, *columns) == [("9007199254740993", "ramen in Osaka", 3, at, "77", "ann")]


def test_a_part_of_an_archive_needs_its_author(engine: sa.Engine, tmp_path: Path) -> None:
    path = tmp_path / "tweets.js"
    path.write_text(f"window.YTD.tweets.part0 = {json.dumps(TWEETS[:1])}")
    with pytest.raises(UnreadableInput, match="author"):
        take(engine, path, export="x-archive")
    assert take(engine, path, export="x-archive", author="77").posts.new == 1


def test_an_archive_of_instagram_is_mended(engine: sa.Engine, tmp_path: Path) -> None:
    path = tmp_path / "instagram.zip"
    broken = "台北拉麵 #ramen".encode().decode("latin-1")
    person = {"profile_user": [{"string_map_data": {"Username": {"value": "ann"}, "Name": {"value": "Ann"}}}]}
    posts = [
        {"media": [{"uri": "media/1.jpg", "creation_timestamp": 1777629600, "title": broken}]},
        {"media": [{"uri": "a"}, {"uri": "b"}], "title": "two", "creation_timestamp": 1777629700},
        {"media": 7},
    ]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("personal_information/personal_information/personal_information.json", json.dumps(person))
        archive.writestr("your_instagram_activity/media/posts_1.json", json.dumps(posts))
    done = take(engine, path, export="instagram-archive")
    assert (done.posts.new, done.rejected) == (2, 1)
    assert sorted(stored(engine, post.c.text, author.c.name)) == [("two", "Ann"), ("台北拉麵 #ramen", "Ann")]


@pytest.mark.parametrize("kind", ["x-archive", "instagram-archive"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 damaged", b"{}", b"[]", b"\xff\xfe\x00", b"[" * 100_000])
def test_a_file_that_is_no_archive_says_so(engine: sa.Engine, tmp_path: Path, kind: str, content: bytes) -> None:
    path = tmp_path / "archive.zip"
    path.write_bytes(content)
    with pytest.raises(CallerError, match=r"archive\.zip"):
        take(engine, path, export=kind)


def test_an_unknown_export_names_the_known_ones(engine: sa.Engine, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="x-archive"):
        take(engine, tmp_path / "x", export="x-archiv")


def sheet(*rows: list[Any]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr]
    book.save(out)
    return out.getvalue()


def test_a_spreadsheet_is_read_with_whole_numbers_and_times(engine: sa.Engine, tmp_path: Path) -> None:
    path = tmp_path / "posts.xlsx"
    path.write_bytes(
        sheet(
            [], ["native_id", "author", "published_at", "text", "like_count", None],
            [123456789012345.0, "ann", datetime(2026, 5, 1, 18), "ramen", 5.0, "stray"], [],
            [2, "bo", "2026-05-01", "soba", None],
        )
    )  # fmt: skip
    assert take(engine, path).posts.new == 2
    columns = (post.c.native_id, post.c.published_at, post.c.like_count)
    assert stored(engine, *columns)[0] == ("123456789012345", datetime(2026, 5, 1, 10, tzinfo=UTC), 5)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no sheet", sheet(["a"])[:-200]])
def test_a_damaged_spreadsheet_says_so(content: bytes) -> None:
    with pytest.raises(UnreadableInput):
        list(rows_of(io.BytesIO(content), "xlsx", "x.xlsx"))


def test_a_folder_takes_what_is_dropped_and_moves_it(engine: sa.Engine, tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir()
    (folder / "mapping.toml").write_text('market = "TW"\n')
    (folder / "good.csv").write_text("native_id,author,published_at,text\n1,ann,2026-05-01,ramen\n")
    (folder / "bad.csv").write_text("nothing,of,use\n1,2,3\n")
    (folder / "tweets.js").write_text(json.dumps(TWEETS[:1]))
    (folder / "tweets.js.toml").write_text('market = "JP"\nas = "x-archive"\nauthor = "77"\n')
    assert import_dropped(engine, folder, tmp_path, now=NOW).done == 0, "they may not be whole yet"
    for path in folder.iterdir():
        os.utime(path, (time.time() - 60, time.time() - 60))
    done = import_dropped(engine, folder, tmp_path, now=NOW)
    assert (done.done, done.failed, done.new) == (2, 1, 2)
    assert sorted(p.name for p in (folder / "done").iterdir()) == ["good.csv", "tweets.js"]
    assert "no column" in (folder / "failed" / "bad.csv.reason.txt").read_text()
    assert import_dropped(engine, folder, tmp_path, now=NOW).done == 0
