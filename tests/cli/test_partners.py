"""radar partners gives on the terminal what the API answers."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from radar.api import create_app
from radar.cli import main
from radar.config import Settings
from radar.store.engine import open_store

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], demo_dir: Path) -> Run:
    """Call the command in this process on the demo's store: (exit code, output, errors)."""

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["radar", "partners", *words])
        monkeypatch.setattr("radar.cli.app._overrides", {})
        monkeypatch.setenv("RADAR_DATA_DIR", str(demo_dir / "demo"))
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, " ".join(err.split())

    return call


def _same(answer: Any) -> Any:
    """An answer but for the moment it was asked at."""
    for item in answer["items"]:
        item["parts"] = [part | {"value": None, "factor": None, "numbers": {}} for part in item["parts"]]
        item.pop("score")
    return {name: value for name, value in answer.items() if name != "as_of"}


def test_json_is_the_apis(run: Run, demo_dir: Path) -> None:
    settings = Settings(data_dir=demo_dir / "demo")
    engine = open_store(settings.url)
    with TestClient(create_app(engine, settings)) as client:
        asked = {"text": "日本藥妝", "from": "JP", "to": "TW", "limit": 3}
        before = _same(client.post("/v1/partners", json=asked).json())
        code, out, _ = run("--from", "JP", "--to", "TW", "--limit", "3", "--format", "json", "日本藥妝")
        after = _same(client.get("/v1/partners", params=asked).json())
    engine.dispose()
    assert code == 0
    assert _same(json.loads(out)) in (before, after)  # another test may let the world go on between the two


def test_csv_has_a_line_a_kol_and_the_table_says_why(run: Run) -> None:
    words = ("--from", "JP", "--to", "TW", "--topic", "shop.drugstore", "--limit", "4")
    code, out, err = run(*words, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert [row["rank"] for row in rows if row["review"] == "False"] == ["1", "2", "3", "4"]
    assert all(0 <= float(row["topic"]) <= 1 and row["why"] and row["currency"] == "TWD" for row in rows)
    assert "Simulated data." in err
    table = run(*words)[1]
    assert "about" in table  # a narrow column parts its words
    assert "rules of thumb" in table


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--to", "TW"], "Add topics"),
        (["--to", "TV", "--topic", "travel.air"], "Did you mean: TW"),
        (["--to", "TW", "--topic", "travel.ear"], "Did you mean: travel.air"),
        (["--to", "TW", "--topic", "travel.air", "--exclude-topic", "travel.air"], "both wanted and excluded"),
        (["--to", "TW", "--topic", "travel.air", "--weight", "topics:3"], "There is no part 'topics'"),
        (["--to", "TW", "--topic", "travel.air", "--exclude-author", "nobody_at_all"], "There is no KOL"),
    ],
)
def test_a_mistake_is_exit_code_2_with_what_to_do(run: Run, words: list[str], named: str) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert named in err
