"""Labels from a sheet: good rows go in once, bad rows are set aside with line and reason, nothing is ever lost."""

import csv
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from radar.errors import CallerError, RadarError, UnreadableInput
from radar.labelling.agreeing import COLUMNS, disagreed_rows, pairs
from radar.labelling.imports import ImportedLabels, import_labels
from radar.labelling.sheets import write_sheet
from radar.labels import decided, history
from radar.registry import load_frozen, load_taxonomy

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
TAXONOMY = load_taxonomy()
HEADER = ("platform", "native_id", "text", "topics")
ROWS = [
    ("ig", "1", "唐吉訶德藥妝必買", "shop.drugstore"),
    ("ig", "2", "今天好累", "none"),
    ("ig", "3", "onsen and ramen", "travel.onsen_spa travel.dining"),
    ("ig", "4", "nobody looked at this", ""),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "labels"


def test_a_text_with_other_breaks_of_lines_is_read_again(folder: Path, tmp_path: Path) -> None:
    text = "one\u2028two\u0085three\u2029four"
    done = take(sheet(tmp_path / "s.csv", [("ig", "9", text, "none")]), folder)
    assert done.new == 1
    assert [label.text for label in history(folder)] == [text]


def sheet(path: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def take(path: Path, folder: Path, by: str | None = "ann", now: datetime = NOW) -> ImportedLabels:
    return import_labels(
        str(path), folder, TAXONOMY.ids, load_frozen(TAXONOMY).texts, by=by, now=now, rejects_folder=folder / "rejects"
    )


def test_good_rows_go_in_with_who_when_and_where_from(folder: Path, tmp_path: Path) -> None:
    done = take(sheet(tmp_path / "a.csv", ROWS), folder)
    assert (done.new, done.blank, done.rejected) == (3, 1, 0)
    label = history(folder)[-1]
    assert (label.post, label.topics) == ("ig:3", ("travel.dining", "travel.onsen_spa"))
    assert (label.by, label.at, label.source, label.line, label.language) == ("ann", NOW, "a.csv", 4, "en")
    assert history(folder)[1].topics == ()


def test_the_same_sheet_again_changes_nothing_even_after_another(folder: Path, tmp_path: Path) -> None:
    first = sheet(tmp_path / "a.csv", ROWS)
    take(first, folder)
    again = take(first, folder, now=NOW + timedelta(hours=1))
    assert (again.new, again.changed, again.unchanged) == (0, 0, 3)
    changed = take(
        sheet(tmp_path / "b.csv", [("ig", "2", "今天好累", "travel.hotel")]), folder, now=NOW + timedelta(hours=2)
    )
    assert (changed.new, changed.changed) == (0, 1)
    before = sorted(folder.glob("*.jsonl"))
    take(first, folder, now=NOW + timedelta(hours=3))
    assert sorted(folder.glob("*.jsonl")) == before
    assert [label.topics for label in decided(history(folder)) if label.post == "ig:2"] == [("travel.hotel",)]
    assert len(history(folder)) == 4, "the label before stays in the history"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("ig", "9", "text", "shop.drugstor"), "did you mean shop.drugstore"),
        (("ig", "9", " ", "shop.drugstore"), "text: empty"),
        (("ig", "9", "text", "none shop.drugstore"), "'none' stands alone"),
        (("ig", "9", load_frozen(TAXONOMY).texts[0], "travel.air"), "never train"),
        (("ig", "9", "text"), "fewer than 4 fields"),
    ],
)
def test_a_bad_row_is_set_aside_with_line_and_reason(
    folder: Path, tmp_path: Path, row: Sequence[str], reason: str
) -> None:
    done = take(sheet(tmp_path / "a.csv", [*ROWS, row]), folder)
    assert (done.new, done.rejected) == (3, 1)
    assert done.rejects_path is not None
    (said,) = map(json.loads, done.rejects_path.read_text(encoding="utf-8").splitlines())
    assert said["line"] == 6 + ROWS[-1][2].count("\n")
    assert reason in said["reason"]
    assert len(history(folder)) == 3


def test_a_sheet_that_lacks_a_column_is_refused_whole(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CallerError, match=r"no column 'topics'.*Columns: text, topic"):
        take(sheet(tmp_path / "a.csv", [("text", "shop.drugstore")], ("text", "topic")), folder)
    with pytest.raises(CallerError, match="--by NAME"):
        take(sheet(tmp_path / "a.csv", ROWS), folder, by=None)
    with pytest.raises(UnreadableInput, match="none of its 1 rows"):
        take(sheet(tmp_path / "a.csv", [("ig", "1", "text", "shop.nothing")]), folder)
    broken = tmp_path / "a.xlsx"
    broken.write_bytes(b"PK no workbook")
    with pytest.raises(UnreadableInput, match="not a workbook"):
        take(broken, folder)
    assert history(folder) == []


def test_a_damaged_history_is_named(folder: Path, tmp_path: Path) -> None:
    take(sheet(tmp_path / "a.csv", ROWS), folder)
    (file,) = folder.glob("*.jsonl")
    file.write_text(file.read_text(encoding="utf-8")[:-40], encoding="utf-8")
    with pytest.raises(RadarError, match="line 3 is damaged"):
        history(folder)


def test_a_tie_goes_to_the_later_label_and_most_decide_among_three(folder: Path, tmp_path: Path) -> None:
    post = ("ig", "1", "唐吉訶德藥妝必買")
    for hour, (who, topics) in enumerate([("ann", "shop.drugstore shop.skincare"), ("bob", "shop.drugstore")]):
        take(sheet(tmp_path / f"{who}.csv", [(*post, topics)]), folder, who, NOW + timedelta(hours=hour))
    (label,) = decided(history(folder))
    assert label.topics == ("shop.drugstore",)
    take(sheet(tmp_path / "cho.csv", [(*post, "shop.skincare")]), folder, "cho", NOW + timedelta(hours=3))
    (label,) = decided(history(folder))
    assert label.topics == ("shop.drugstore", "shop.skincare")


def test_two_people_see_where_they_disagree(folder: Path, tmp_path: Path) -> None:
    take(sheet(tmp_path / "a.csv", ROWS), folder, "ann")
    theirs = [*ROWS[:1], ("ig", "2", "今天好累", "travel.hotel"), ROWS[2], ("ig", "4", "a walk", "travel.nature")]
    take(sheet(tmp_path / "b.csv", theirs), folder, "bob")
    (pair,) = pairs(history(folder), TAXONOMY.ids)
    assert (pair.first, pair.second, pair.agreement.posts, pair.agreement.same) == ("ann", "bob", 3, 2)
    by_topic = {topic.topic: topic.kappa for topic in pair.agreement.by_topic}
    assert by_topic["shop.drugstore"] == pytest.approx(1.0)
    assert by_topic["travel.hotel"] == pytest.approx(0.0)
    path = tmp_path / "disagreements.xlsx"
    rows = disagreed_rows(pair)
    assert [(row["native_id"], row["said"], row["said_too"]) for row in rows] == [("2", "none", "travel.hotel")]
    write_sheet(path, COLUMNS, [row | {"topics": "travel.hotel", "by": "cho"} for row in rows], TAXONOMY)
    assert take(path, folder, None, NOW + timedelta(hours=1)).new == 1
    assert {label.by for label in history(folder)} == {"ann", "bob", "cho"}


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_text_like_a_formula_stays_a_text(folder: Path, tmp_path: Path, ending: str) -> None:
    texts = ['=HYPERLINK("https://example.com")', "@mei look", "+1 ramen", "'quoted'", "two\nlines, a comma"]
    path = tmp_path / f"a.{ending}"
    rows = [{"text": text, "topics": "none"} for text in texts]
    write_sheet(path, ("text", "topics"), rows, TAXONOMY)
    if ending == "csv":
        assert "\n=" not in path.read_text(encoding="utf-8-sig")
    take(path, folder)
    assert [label.text for label in history(folder)] == texts


def test_another_ending_than_a_sheets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CallerError, match=r"neither \.csv nor \.xlsx"):
        write_sheet(tmp_path / "a.txt", ("text",), [], TAXONOMY)
