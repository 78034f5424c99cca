"""radar label: a sheet out, filled, and back in; the second person's shows how far both agree."""

import csv
import shutil
from pathlib import Path

import pytest

from tests.conftest import radar


@pytest.fixture(scope="module")
def imported(fitted_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the fitted model and thirty posts."""
    folder = tmp_path_factory.mktemp("imported")
    (folder / "models").symlink_to(fitted_dir / "models")
    rows = [f"u{n},2026-11-0{1 + n % 9}T10:00:00Z,{'a' * (n + 2)} 去泡湯住溫泉旅館" for n in range(30)]
    posts = folder / "posts.csv"
    posts.write_text("author,published_at,text\n" + "\n".join(rows) + "\n", encoding="utf-8")
    done = radar("import", str(posts), "--market", "TW", data_dir=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def data_dir(imported: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may write to."""
    return shutil.copytree(imported, tmp_path / "data", symlinks=True)


def fill(sheet: Path, to: Path, *topics: str) -> Path:
    """Fill the first rows with topics and leave the others empty."""
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, topic in zip(rows, topics, strict=False):
        row["topics"] = topic
    with to.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return to


def test_a_sheet_goes_out_and_comes_back_from_two_people(data_dir: Path) -> None:
    sheet = data_dir / "sheet.csv"
    out = radar("label", "export", str(sheet), "--rows", "10", data_dir=data_dir)
    assert out.returncode == 0, out.stderr
    assert "10 rows" in out.stdout
    first = fill(sheet, data_dir / "ann.csv", "travel.onsen_spa", "travel.onsen_spa", "none")
    done = radar("label", "import", str(first), "--by", "ann", data_dir=data_dir)
    assert "3 new labels, 0 changed, 0 unchanged, 7 left empty, 0 rejected" in done.stdout, done.stderr
    again = radar("label", "import", str(first), "--by", "ann", data_dir=data_dir)
    assert "0 new labels, 0 changed, 3 unchanged" in again.stdout
    second = fill(sheet, data_dir / "bob.csv", "travel.onsen_spa", "travel.hotel", "none", "travel.onsn_spa")
    done = radar("label", "import", str(second), "--by", "bob", data_dir=data_dir)
    assert "3 new labels" in done.stdout
    assert "1 rejected (see " in done.stdout
    assert "ann and bob: 3 posts, 2 alike, kappa 0." in done.stdout
    assert "ann: travel.onsen_spa | bob: travel.hotel" in done.stdout
    said = radar("label", "agreement", "--disagreements", str(data_dir / "both.csv"), data_dir=data_dir)
    assert "1 rows in" in said.stdout
    more = radar("label", "export", str(sheet), "--rows", "100", data_dir=data_dir)
    assert "27 rows" in more.stdout, "what somebody labelled is not asked again"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["export", "sheet.txt"], "neither .csv nor .xlsx"),
        (["export", "sheet.csv", "--quota", "ja"], "--quota ja=80"),
        (["export", "sheet.csv", "--market", "XX"], "There is no market 'XX'"),
        (["import", "no_such_file.csv", "--by", "ann"], "no_such_file.csv"),
        (["import", "posts.csv", "--by", "ann"], "no column 'topics'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_named_with_exit_code_2(data_dir: Path, words: list[str], named: str) -> None:
    done = radar("label", *words, data_dir=data_dir, cwd=data_dir)
    assert (done.returncode, named in done.stderr) == (2, True), done.stderr


def test_without_posts_there_is_nothing_to_label(tmp_path: Path) -> None:
    done = radar("label", "export", str(tmp_path / "sheet.csv"), data_dir=tmp_path)
    assert (done.returncode, "There are no posts yet" in done.stderr) == (2, True)
