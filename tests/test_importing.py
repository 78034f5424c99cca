"""Files of real posts: every good row goes in, every bad one is set aside with its line and reason."""

import gzip
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from radar.errors import CallerError, MixedWorlds
from radar.importing import Imported, Mapping, import_file, parse_mapping
from radar.store.engine import claim_world, open_store, writing
from radar.store.tables import post
from tests.builders import NOON
from tests.conftest import radar

HEADER = "text,published_at,author,native_id,like_count\n"
GOOD = '"ramen, with a comma",2026-05-01T10:00:00+08:00,ann,1,5\n'


def _import(engine: sa.Engine, path: Path, mapping: Mapping | None = None, **more: Any) -> Imported:
    rejects = path.parent / "rejects.jsonl"
    return import_file(
        engine, str(path), mapping or Mapping(market="TW"), format_name=None, rejects_path=rejects, now=NOON, **more
    )


def _rejects(path: Path) -> list[tuple[int, str]]:
    return [(row["line"], row["reason"]) for row in map(json.loads, path.read_text().splitlines())]


def _stored(engine: sa.Engine) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [
            tuple(row)
            for row in connection.execute(sa.select(post.c.native_id, post.c.text).order_by(post.c.native_id))
        ]


def test_bad_rows_are_set_aside_with_line_and_reason(engine: sa.Engine, tmp_path: Path) -> None:
    file = tmp_path / "posts.csv"
    rows = [
        GOOD,
        "short,2026-05-01\n",
        "long,2026-05-01,a,2,3,4,5\n",
        "when?,yesterday,a,3,1\n",
        "ok,2026-05-02,bob,4,\n",
    ]
    file.write_text("\ufeff" + HEADER + "".join(rows), encoding="utf-8")
    done = _import(engine, file)
    assert (done.rows, done.posts.new, done.rejected) == (5, 2, 3)
    assert [line for line, _ in _rejects(tmp_path / "rejects.jsonl")] == [3, 4, 5]
    assert "published_at: 'yesterday'" in _rejects(tmp_path / "rejects.jsonl")[2][1]
    assert _stored(engine) == [("1", "ramen, with a comma"), ("4", "ok")]


def test_importing_twice_changes_nothing(engine: sa.Engine, tmp_path: Path) -> None:
    file = tmp_path / "posts.csv"
    file.write_text(HEADER + GOOD + "no id,2026-05-02,bob,,\n")
    assert _import(engine, file).posts.new == 2
    again = _import(engine, file)
    assert (again.posts.new, again.posts.changed, again.posts.unchanged) == (0, 0, 2)


def test_lines_of_json_and_their_faults(engine: sa.Engine, tmp_path: Path) -> None:
    good = {"text": "面膜", "published_at": 1_777_000_000, "author": "ann", "native_id": "1", "market": "HK"}
    file = tmp_path / "posts.jsonl.gz"
    file.write_bytes(gzip.compress("\n".join([json.dumps(good), "{broken", "[1]", ""]).encode()))
    done = _import(engine, file, Mapping())
    assert (done.posts.new, done.rejected) == (1, 2)
    assert [line for line, _ in _rejects(tmp_path / "rejects.jsonl")] == [2, 3]


def test_parquet_with_midnights_only_knows_days(engine: sa.Engine, tmp_path: Path) -> None:
    file = tmp_path / "posts.parquet"
    days = pd.to_datetime(["2026-05-01", "2026-05-02"])
    pd.DataFrame({"review": ["a fine film", "dull"], "date": days, "user": ["x", "y"]}).to_parquet(file)
    columns = {"text": "review", "published_at": "date", "author": "user"}
    assert _import(engine, file, Mapping(columns, "KR")).posts.new == 2
    with engine.connect() as connection:
        assert set(connection.scalars(sa.select(post.c.day_only))) == {True}


@pytest.mark.parametrize(
    ("content", "mapping", "word"),
    [
        (HEADER + GOOD, Mapping(), "market"),
        (HEADER + GOOD, Mapping({"text": "review"}, "TW"), "review"),
        (HEADER, Mapping(market="TW"), "no rows"),
        ("", Mapping(market="TW"), "no rows"),
    ],
)
def test_a_file_that_cannot_work_is_refused(
    tmp_path: Path, engine: sa.Engine, content: str, mapping: Mapping, word: str
) -> None:
    file = tmp_path / "posts.csv"
    file.write_text(content)
    with pytest.raises(CallerError, match=word):
        _import(engine, file, mapping)


def test_damaged_gzip_says_so(engine: sa.Engine, tmp_path: Path) -> None:
    file = tmp_path / "posts.csv.gz"
    file.write_bytes(gzip.compress((HEADER + GOOD * 5000).encode())[:-20])
    with pytest.raises(CallerError, match="damaged"):
        _import(engine, file)


def test_mapping_faults_name_the_field() -> None:
    with pytest.raises(CallerError, match="txet"):
        parse_mapping("txet=review", None)
    with pytest.raises(CallerError, match="field=column"):
        parse_mapping("text", None)


def test_real_posts_never_join_simulated_ones(engine: sa.Engine, tmp_path: Path) -> None:
    with writing(engine) as session, session.begin():
        claim_world(session, "simulated")
    file = tmp_path / "posts.csv"
    file.write_text(HEADER + GOOD)
    with pytest.raises(MixedWorlds):
        _import(engine, file)
    assert _stored(engine) == []


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("import", "nowhere.csv", "--market", "TW"), "nowhere.csv"),
        (("import", "nowhere.csv", "--market", "XX"), "market"),
        (("import", "nowhere.csv", "--map", "text"), "field=column"),
        (("run", "detect_trend"), "detect_trends"),
        (("trends", "--market", "TWW"), "TW"),
    ],
)
def test_a_callers_mistake_is_told_without_a_traceback(arguments: tuple[str, ...], word: str, tmp_path: Path) -> None:
    done = radar(*arguments, data_dir=tmp_path)
    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_standard_input_takes_a_format(tmp_path: Path) -> None:
    done = radar(
        "import", "-", "--format", "csv", "--market", "TW", "--only-import", data_dir=tmp_path, input=HEADER + GOOD
    )
    assert done.returncode == 0, done.stderr
    assert "1 new posts" in done.stdout


def _take(tmp_path: Path, file: Path, *more: str) -> tuple[subprocess.CompletedProcess[str], list[Any]]:
    """Import a file for Taiwan, and the stored (text, day_only, likes) by text."""
    done = radar("import", str(file), "--only-import", "--market", "TW", "--platform", "x", *more, data_dir=tmp_path)
    assert "Traceback" not in done.stderr
    if not (tmp_path / "radar.db").exists():
        return done, []
    engine = open_store(f"sqlite:///{tmp_path / 'radar.db'}")
    with engine.connect() as connection:
        rows = connection.execute(sa.select(post.c.text, post.c.day_only, post.c.like_count).order_by(post.c.text))
        found = [tuple(row) for row in rows]
    engine.dispose()
    return done, found


def test_every_line_of_jsonl_speaks_for_itself(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    rows = [
        "{not json",
        '{"text": "no author", "published_at": "2026-11-01"}',
        '{"text": "a", "published_at": "2026-11-01", "author": "p"}',
        '{"text": "b", "published_at": "2026-11-01", "author": "p", "like_count": 5}',
        '{"text": {"x": 1}, "published_at": "2026-11-01", "author": "p"}',
    ]
    file.write_text("\n".join(rows), encoding="utf-8")
    done, found = _take(tmp_path, file)
    assert done.returncode == 0
    assert found == [("a", True, None), ("b", True, 5)]
    kept = (tmp_path / "rejects" / "a.jsonl.rejects.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line)["line"] for line in kept.splitlines()] == [1, 2, 5]
    assert "{not json" in kept


def test_what_could_be_read_of_a_damaged_file_is_kept(tmp_path: Path) -> None:
    rows = "".join(f"text {n} {'x' * n},2026-11-01T10:00:00Z,p{n}\n" for n in range(900))
    whole = gzip.compress(f"text,published_at,author\n{rows}".encode())
    file = tmp_path / "cut.csv.gz"
    file.write_bytes(whole[: len(whole) // 2])
    done, found = _take(tmp_path, file)
    assert done.returncode == 2
    assert 0 < len(found) < 900
    assert f"{len(found):,} of them are new posts" in done.stderr.replace("\n", " ")


def test_a_stray_quote_takes_one_line_and_no_more(tmp_path: Path) -> None:
    lines = [f"line {n},2026-11-01T10:00:00Z,p{n}" for n in range(40)]
    lines[3] = '"stray,2026-11-01T10:00:00Z,p3'
    file = tmp_path / "quote.csv"
    file.write_text("text,published_at,author\n" + "\n".join(lines) + "\n", encoding="utf-8")
    done, found = _take(tmp_path, file)
    assert done.returncode == 0
    assert len(found) == 39
    (kept,) = map(json.loads, (tmp_path / "rejects" / "quote.csv.rejects.jsonl").read_text("utf-8").splitlines())
    assert kept["line"] == 5
    assert "stray" in str(kept["row"])


def test_parquet_hours_after_a_thousand_midnights_are_hours(tmp_path: Path) -> None:
    at = [datetime(2026, 11, 1, tzinfo=UTC)] * 4_000 + [datetime(2026, 11, 2, 15, 30, tzinfo=UTC)]
    table = pa.table({"text": [f"{n:05}" for n in range(4_001)], "published_at": at, "author": ["p"] * 4_001})
    pq.write_table(table, tmp_path / "mixed.parquet")
    assert not any(day_only for _, day_only, _ in _take(tmp_path, tmp_path / "mixed.parquet")[1])


def test_times_beyond_the_calendar_are_set_aside(tmp_path: Path) -> None:
    file = tmp_path / "far.csv"
    file.write_text(
        "text,published_at,author\nfar,0001-01-01T00:00:00+08:00,p\nlast,9999-12-31T23:59:59-08:00,p\n"
        "slashed,2026/11/01 10:00,p\n",
        encoding="utf-8",
    )
    assert [row[0] for row in _take(tmp_path, file)[1]] == ["slashed"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"text,text,published_at,author\na,b,2026-11-01,p\n", "Two columns are named 'text'"),
        ("文字,published_at,author\na,2026-11-01,p\n".encode("big5"), "not UTF-8"),
        (b"text,published_at,author\n,2026-11-01,p\n", "none of its 1 rows could be taken"),
    ],
)
def test_a_file_of_which_nothing_can_be_taken_is_the_callers_mistake(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    done, found = _take(tmp_path, file)
    assert (done.returncode, found) == (2, [])
    assert said in done.stderr.replace("\n", " ")


def test_semicolons_and_utf16_are_read(tmp_path: Path) -> None:
    file = tmp_path / "excel.csv"
    file.write_bytes("text;published_at;author\n好吃;2026-11-01;p\n".encode("utf-16"))
    assert [row[0] for row in _take(tmp_path, file)[1]] == ["好吃"]


@pytest.mark.parametrize("line", ["markt = 'TW'", "market = 5", "map = 'text'", "[map]\ntext = ['a']"])
def test_a_mapping_file_of_another_kind_is_told_with_its_key(tmp_path: Path, line: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text("text,published_at,author\na,2026-11-01,p\n", encoding="utf-8")
    (tmp_path / "a.csv.toml").write_text(line, encoding="utf-8")
    done, _ = _take(tmp_path, file)
    assert done.returncode == 2
    assert "a.csv.toml" in done.stderr.replace("\n", "")
