"""The table of measurements in README: made from what `radar bench --json` prints, and readable as such."""

import json
import re
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from radar.bench import BENCHES
from radar.bench.table import BEGIN, END, machine, page_of, read_runs
from radar.cli import cli
from radar.errors import CallerError

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
RUN = {"line": {"posts": 60_000, "slowdown": 1.05, "bertopic": "not here | nor there"}}


def test_the_table_in_readme_says_when_and_where_and_holds_figures_of_known_benchmarks() -> None:
    told = README.partition(BEGIN)[2].partition(END)[0].strip().splitlines()
    said = re.fullmatch(r"Measured on (\d{4}-\d\d-\d\d): (.+), (\d+) CPUs, .+", told[0])
    assert said is not None
    assert date.fromisoformat(said[1]) >= date(2026, 11, 27)
    assert told[2:4] == ["| benchmark | figure | value |", "|---|---|--:|"]
    rows = [re.fullmatch(r"\| `([a-z]+)` \| ([a-z0-9 ]+) \| (.+) \|", line) for line in told[4:]]
    assert rows
    assert all(rows)
    assert {row[1] for row in rows if row} <= BENCHES.keys()


def test_a_page_takes_the_figures_between_its_markers(tmp_path: Path) -> None:
    page, run = tmp_path / "page.md", tmp_path / "run.json"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    run.write_text(json.dumps(RUN | machine()), encoding="utf-8")
    CliRunner().invoke(cli, ["bench", "--table", str(page), "--from", str(run)], catch_exceptions=False)
    said = page.read_text(encoding="utf-8")
    assert said.startswith("before\n")
    assert said.endswith("after\n")
    assert "| `line` | posts | 60,000 |\n| `line` | slowdown | 1.05 |" in said
    assert "not here \\| nor there" in said
    assert "old" not in said


def test_a_page_without_a_place_and_a_file_that_is_no_run_are_said(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for lacking in ("a page", f"{END} and {BEGIN}"):
        page.write_text(lacking, encoding="utf-8")
        with pytest.raises(CallerError, match="no place"):
            page_of(page)
    with pytest.raises(CallerError, match="no such page"):
        page_of(tmp_path / "no such page")
    (tmp_path / "run.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CallerError, match="when and where"):
        read_runs([tmp_path / "run.json"])
    with pytest.raises(CallerError, match="--from goes with --table"):
        CliRunner().invoke(cli, ["bench", "--from", "run.json"], catch_exceptions=False)
