"""Files of real posts: every good row goes in, every bad one is set aside with its line and reason."""

import csv
import gzip
import json
import random
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from radar.answers import coverage
from radar.errors import CallerError, MixedWorlds
from radar.file_rows import parsed
from radar.importing import Imported, Mapping, import_file, parse_mapping
from radar.row_reading import Reader
from radar.store.engine import claim_world, open_store, reading, writing
from radar.store.tables import author, engagement_observation, metadata, post
from tests.builders import NOON
from tests.conftest import radar

HEADER = "text,published_at,author,native_id,like_count\n"
GOOD = '"ramen, with a comma",2026-05-01T10:00:00+08:00,ann,1,5\n'


def _import(engine: sa.Engine, path: Path, mapping: Mapping | None = None, **more: Any) -> Imported:
    rejects = path.parent / "rejects.jsonl"
    return import_file(
        engine, str(path), mapping or Mapping(market="TW"), format_name=None, rejects_folder=path.parent,
        **({"now": NOON, "rejects_path": rejects} | more),
    )  # fmt: skip


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


def test_a_file_that_is_no_parquet_is_named(engine: sa.Engine, tmp_path: Path) -> None:
    file = tmp_path / "posts.parquet"
    file.write_text(HEADER + GOOD)
    with pytest.raises(CallerError, match=r"posts\.parquet: not a Parquet file"):
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


def _set_aside(tmp_path: Path, name: str) -> list[str]:
    """What files of rejects of files of that name hold, in the data folder."""
    return [p.read_text("utf-8") for p in sorted((tmp_path / "rejects").glob(f"{name}.*.rejects.jsonl"))]


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
    (kept,) = _set_aside(tmp_path, "a.jsonl")
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
    (kept,) = map(json.loads, _set_aside(tmp_path, "quote.csv")[0].splitlines())
    assert kept["line"] == 5
    assert "stray" in str(kept["row"])


@pytest.mark.parametrize("line", ['last,2026-11-01T10:00:00Z,"p3', '"first,2026-11-01T10:00:00Z,p3'])
def test_a_quote_that_is_never_closed_loses_no_other_row(tmp_path: Path, line: str) -> None:
    lines = [f"line {n} {'x' * 2_000},2026-11-01T10:00:00Z,p{n}" for n in range(900)]  # beyond the longest field
    for count in (40, 900):
        some = [*lines[:3], line, "", *lines[3:count]]
        (tmp_path / "quote.csv").write_text("text,published_at,author\n" + "\n".join(some) + "\n", encoding="utf-8")
        found = {text for text, *_ in _take(tmp_path, tmp_path / "quote.csv")[1]}
        assert found >= {each.partition(",")[0] for each in lines[:count]}


def test_a_line_without_end_is_one_fault(engine: sa.Engine, tmp_path: Path) -> None:
    good = json.dumps({"text": "a", "published_at": "2026-05-01", "author": "p"})
    file = tmp_path / "long.jsonl"
    file.write_text(f'{good}\n["{"x" * 3_000_000}"]\n{good.replace("a", "b", 1)}\n')
    assert _import(engine, file).rejected == 1
    assert _rejects(tmp_path / "rejects.jsonl")[0] == (2, "longer than 1,000,000 bytes: is it one object a line?")


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.jsonl"])
def test_a_column_without_a_name_stands_for_none_that_is_missing(engine: sa.Engine, tmp_path: Path, name: str) -> None:
    """As pandas writes its index."""
    file = tmp_path / name
    table = pd.DataFrame(
        {"": [7, 8], "text": ["fine", "dull"], "published_at": ["2026-05-04"] * 2, "author": ["p", "q"]}
    )
    if file.suffix == ".csv":
        table.to_csv(file, index=False)
    elif file.suffix == ".parquet":
        table.to_parquet(file)
    else:
        table.to_json(file, orient="records", lines=True)
    assert _import(engine, file).posts.new == 2
    with engine.connect() as connection:
        found = connection.execute(sa.select(post.c.platform, sa.func.length(post.c.native_id))).all()
    assert set(found) == {("file", 32)}


@pytest.mark.parametrize(
    ("deleted", "name"), [(False, "like_count"), (False, "follower_count"), (True, "follower_count")]
)
def test_a_count_beyond_all_counts_sets_its_row_aside(
    engine: sa.Engine, tmp_path: Path, deleted: bool, name: str
) -> None:
    row = {"text": "a", "published_at": "2026-05-04", "author": "p", "native_id": "1"}
    rows = [row | {"deleted": deleted, name: 2**70}, row | {"native_id": "2"}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    done = _import(engine, tmp_path / "a.jsonl")
    assert (done.posts.new, done.rejected) == (1, 1)
    assert name in str(_rejects(tmp_path / "rejects.jsonl"))


@pytest.mark.parametrize("likes", [2**70, -1])
def test_a_deletion_is_taken_whatever_its_counts_say(engine: sa.Engine, tmp_path: Path, likes: int) -> None:
    row = {"text": "a", "published_at": "2026-05-04", "author": "p", "native_id": "1"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    (tmp_path / "b.jsonl").write_text(json.dumps(row | {"deleted": True, "like_count": likes}))
    _import(engine, tmp_path / "a.jsonl")
    assert _import(engine, tmp_path / "b.jsonl").posts.deleted == 1


def test_nanoseconds_of_parquet_are_taken(engine: sa.Engine, tmp_path: Path) -> None:
    at = pa.array([1_777_629_600_123_456_789], pa.timestamp("ns", "UTC"))
    pq.write_table(pa.table({"text": ["a"], "published_at": at, "author": ["p"]}), tmp_path / "ns.parquet")
    assert _import(engine, tmp_path / "ns.parquet").posts.new == 1
    with engine.connect() as connection:
        found = connection.scalars(sa.select(post.c.published_at)).all()
    assert found == [datetime(2026, 5, 1, 10, 0, 0, 123_456, UTC)]


def test_a_text_of_parquet_that_is_not_utf_8_is_set_aside_alone(engine: sa.Engine, tmp_path: Path) -> None:
    texts = pa.array([b"fine", b"Caf\xe9"])
    said = pa.Array.from_buffers(pa.string(), 2, texts.buffers())
    table = pa.table({"text": said, "published_at": ["2026-05-04", "2026-05-04"], "author": ["p", "p"]})
    pq.write_table(table, tmp_path / "a.parquet")
    done = _import(engine, tmp_path / "a.parquet")
    assert (done.rows, done.posts.new, done.rejected) == (2, 1, 1)
    assert done.rejects_path is not None
    assert "not UTF-8" in done.rejects_path.read_text(encoding="utf-8")


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
        (b"text,text,published_at,author\na,b,2026-11-01,p\n", "bad.csv: two columns are named 'text'"),
        ("文字,published_at,author\na,2026-11-01,p\n".encode("big5"), "Columns: 文字"),
        (b"\xff\x80\xfe,published_at,author\na,2026-11-01,p\n", "not UTF-8"),
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


VERSIONS = """native_id,author,published_at,text,like_count,author_name,follower_count,deleted
1,ann,2026-05-01T10:00:00Z,first words,5,Ann,100,
2,bob,2026-05-01T11:00:00Z,stays,,,,
3,eve,2026-05-01T12:00:00Z,is taken back,1,,,
1,ann,2026-05-01T10:00:00Z,second words,9,Anna,250,
3,eve,2026-05-01T12:00:00Z,,,,,true
2,bob,2026-05-01T11:00:00Z,stays,,,,
"""


def _everything(engine: sa.Engine) -> dict[str, list[Any]]:
    with engine.connect() as connection:
        return {
            t.name: sorted(map(repr, connection.execute(sa.select(t))))
            for t in metadata.sorted_tables
            if t.name != "imported_file"
        }


@pytest.mark.parametrize("batch", [1, 2, 4, 100])
def test_versions_of_a_post_in_one_file_are_taken_once(
    engine: sa.Engine, tmp_path: Path, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radar.importing.BATCH", batch)
    file = tmp_path / "versions.csv"
    file.write_text(VERSIONS)
    _import(engine, file)
    with engine.connect() as connection:
        assert set(connection.execute(sa.select(post.c.native_id, post.c.text, post.c.like_count))) == {
            ("1", "second words", 9),
            ("2", "stays", None),
        } | ({("3", None, 1)} if batch < 5 else set())
        ann = sa.select(author.c.name, author.c.follower_count).where(author.c.native_id == "ann")
        assert connection.execute(ann).one() == ("Anna", 250)
        likes = sa.select(engagement_observation.c.like_count).join(post).where(post.c.native_id == "1")
        assert list(connection.scalars(likes)) == [9]
    before = _everything(engine)
    for later in (1, 2):  # on another day, so that an observation of followers would show
        again = _import(engine, file, now=NOON + timedelta(days=later)).posts
        assert (again.new, again.changed, again.deleted, again.unchanged) == (0, 0, 0, 6)
        assert _everything(engine) == before


def test_an_older_file_speaks_anew_after_another_one_has_spoken(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("radar.importing.BATCH", 2)
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text(VERSIONS)
    second.write_text(HEADER + "third words,2026-05-01T10:00:00Z,ann,1,\n")
    for file, text in ((first, "second words"), (second, "third words"), (first, "second words")):
        _import(engine, file)
        assert _stored(engine)[0] == ("1", text)
    assert _import(engine, first).posts.changed == 0


def test_another_mapping_of_the_same_file_speaks_anew(engine: sa.Engine, tmp_path: Path) -> None:
    file = tmp_path / "two.csv"
    file.write_text("native_id,author,published_at,title,body\n1,ann,2026-05-01,short,long\n")
    for column in ("title", "body", "title"):
        assert _import(engine, file, Mapping({"text": column}, "TW")).rejected == 0
        assert _stored(engine) == [("1", "short" if column == "title" else "long")]


def test_facts_of_an_author_told_by_several_rows_come_together(engine: sa.Engine, tmp_path: Path) -> None:
    file = tmp_path / "posts.jsonl"
    rows = [
        {"native_id": "1", "handle": "ann.travels", "follower_count": 10, "market": "TW"},
        {"native_id": "2", "author_name": "Ann", "market": "JP"},
        {"native_id": "3", "follower_count": 20, "market": "JP"},
    ]
    file.write_text(
        "\n".join(json.dumps({"author": "ann", "text": "a", "published_at": "2026-05-01"} | r) for r in rows)
    )
    assert _import(engine, file, Mapping()).posts.elsewhere == 2
    a = author.c
    with engine.connect() as connection:
        (found,) = connection.execute(sa.select(a.handle, a.name, a.follower_count, a.audience_market))
    assert found == ("ann.travels", "Ann", 20, "TW")


def test_files_of_one_name_keep_their_own_rejects(tmp_path: Path) -> None:
    for folder, reason in (("a", "yesterday"), ("b", "tomorrow"), ("a", "yesterday")):
        file = tmp_path / folder / "posts.csv"
        file.parent.mkdir(exist_ok=True)
        file.write_text(HEADER + GOOD + f"when?,{reason},a,3,1\n")
        assert _take(tmp_path, file)[0].returncode == 0
    kept = _set_aside(tmp_path, "posts.csv")
    assert sorted(word for text in kept for word in ("yesterday", "tomorrow") if word in text) == [
        "tomorrow",
        "yesterday",
    ]


def test_rejected_rows_of_files_are_counted_by_source(engine: sa.Engine, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(HEADER + GOOD + "when?,yesterday,a,3,1\n,2026-05-01,a,4,1\n")
    bad.write_text(HEADER + "when?,yesterday,a,3,1\n")
    for _ in range(2):
        _import(engine, good)
        with pytest.raises(CallerError):
            _import(engine, bad)
    with reading(engine) as session:
        found = coverage(session, now=NOON)
    assert [(line["source"], line["rejected"]) for line in found["items"]] == [("file:good.csv", 2)]
    assert [(line["source"], line["rejected"]) for line in found["silent_sources"]] == [("file:bad.csv", 1)]
    assert found["items"][0]["last_success_at"] == NOON


def test_standard_input_is_read_twice_as_a_file_is(tmp_path: Path) -> None:
    file = tmp_path / "far.csv"
    rows = [f"text {n},2026-05-01T10:00:00Z,p{n},{n},{n}\n" for n in range(5_100)]
    file.write_text(
        HEADER + "first words,2026-05-01T10:00:00Z,ann,x,1\n" + "".join(rows) + GOOD.replace(",1,5", ",x,5")
    )
    ways = (("-", file.read_text()), (str(file), None), ("-", file.read_text()))
    said = [
        radar(
            "import", way, "--format", "csv", "--market", "TW", "--only-import", data_dir=tmp_path, input=given
        ).stdout
        for way, given in ways
    ]
    assert "5,101 new posts, 1 changed" in said[0]
    assert all("0 new posts, 0 changed, 0 deleted, 5,102 unchanged" in each for each in said[1:])


def test_parquet_packed_and_piped_is_read(tmp_path: Path) -> None:
    table = pa.table({"text": ["a"], "published_at": [datetime(2026, 5, 1, 10, tzinfo=UTC)], "author": ["p"]})
    pq.write_table(table, tmp_path / "a.parquet")
    packed = tmp_path / "a.parquet.gz"
    packed.write_bytes(gzip.compress((tmp_path / "a.parquet").read_bytes()))
    assert [text for text, *_ in _take(tmp_path, packed)[1]] == ["a"]


@pytest.mark.parametrize(
    ("line", "native_id"),
    [
        (b'{"native_id": 123456789012345678901234567890}', "123456789012345678901234567890"),  # exactly
        (b'{"native_id": "a", "native_id": "b"}', "b"),
        (b'\xef\xbb\xbf{"native_id": "a", "like_count": NaN}', "a"),
        ('{"native_id": "a"}'.encode("utf-16"), "a"),
    ],
)
def test_odd_json_is_read_as_pythons_own_parser_reads_it(line: bytes, native_id: str) -> None:
    row = parsed(line)
    assert str(row["native_id"]) == native_id == str(json.loads(line)["native_id"])


def test_half_a_surrogate_pair_is_read_and_then_refused() -> None:
    assert parsed(b'{"text": "\\ud800"}') == {"text": "\ud800"}
    with pytest.raises(json.JSONDecodeError):
        parsed(b"{")


_ODD: dict[str, list[object]] = {
    "text": ["", None, 7, ["a"], "\ud800", " spaced "],
    "published_at": ["2026-03-02", "2026/03/02 10:00", "1772412345", 1772412345.5, "soon", "2026-03-02T10:00:00"],
    "author": ["", None, 7, True, "日本"],
    "market": ["tw", "XX", None, 3],
    "like_count": ["1,234", -1, 2.5, "²", True, "", None, "9" * 30],
    "sponsored": ["yes", "no", 1, "maybe", None, False],
    "deleted": [True, "true", None, "0"],
    "native_id": ["", None, 12],
    "author_name": [None, "Ann", 5],
    "url": [None, "https://x.example/1", ""],
}


def _refused(*_: object) -> None:
    """Nothing can be taken by column: rows are read one by one."""
    raise ValueError


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_row_is_read_the_same_whatever_stands_beside_it(
    kind: str, engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(7)
    rows: list[dict[str, Any]] = []
    for n in range(900):
        row: dict[str, Any] = {
            "text": f"text {n}", "published_at": f"2026-03-02T10:{n % 60:02}:00+00:00", "author": f"a{n % 90}",
            "market": "TW", "native_id": f"n{n}", "like_count": n, "sponsored": None, "deleted": False,
            "author_name": None, "url": None,
        }  # fmt: skip
        if n > 600 or n % 100 == 0:
            for name in rng.sample(list(_ODD), 2):
                row[name] = rng.choice(_ODD[name])
        rows.append(row)
    path = tmp_path / f"mixed.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    else:
        with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    told = {}
    for way, most in (("columns", 500), ("columns, alone", 1), ("rows", 500)):
        monkeypatch.setattr("radar.importing._TOGETHER", most)
        rejects = tmp_path / f"{way}.rejects"
        with monkeypatch.context() as patch:
            if way == "rows":
                patch.setattr(Reader, "columns", _refused)
            done = _import(engine, path, Mapping(), rejects_path=rejects)
        columns = [c for c in post.columns if c.name not in ("id", "author_id")]
        with engine.begin() as connection:
            stored = connection.execute(sa.select(*columns).order_by(post.c.platform, post.c.native_id)).all()
            for table in (engagement_observation, post):
                connection.execute(sa.delete(table))
        told[way] = done.rows, done.posts.new, stored, rejects.read_text("utf-8")
    assert told["rows"] == told["columns"] == told["columns, alone"]
    assert told["rows"][1] > 650
    assert told["rows"][3].count("\n") > 60
