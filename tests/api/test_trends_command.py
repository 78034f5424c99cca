"""radar trends gives on the terminal what the API answers."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest
import typer
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

import radar.cli.trends  # noqa: F401
from radar.config import Settings
from tests.api.small_store import SmallStore


@pytest.fixture
def run(filled: SmallStore, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    module = sys.modules["radar.cli.trends"]  # radar.cli.trends itself is the command
    monkeypatch.setattr(module, "open_engine", lambda: (Settings(), filled.engine))
    app = typer.Typer()
    app.command()(module.trends)
    return lambda *words: CliRunner().invoke(app, list(words), catch_exceptions=False, env={"COLUMNS": "200"})


def test_json_is_the_apis(run: Callable[..., Result], client: TestClient) -> None:
    printed = json.loads(run("--market", "TW", "--place", "JP", "--format", "json").stdout)
    assert printed == client.get("/v1/markets/TW/trends", params={"place": "JP"}).json()


def test_csv_has_a_line_a_trend(run: Callable[..., Result]) -> None:
    lines = run("--market", "TW", "--format", "csv").stdout.splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("rank,id,name")
    assert ",shop.drugstore,JP,3.2," in lines[1]
    assert lines[0].endswith(",simulated")
    assert lines[1].endswith(",False")


def test_table_says_what_it_rests_on(run: Callable[..., Result]) -> None:
    printed = run("--market", "TW").stdout
    assert "#大阪必買" in printed
    assert "At most 5 in 100" in printed.replace("\n", " ")


def test_a_list_without_trends_says_nothing_of_their_chance(run: Callable[..., Result], client: TestClient) -> None:
    printed = run("--market", "TW", "--q", "0.0001").stdout
    page = client.get("/markets/TW?q=0.0001", headers={"accept": "text/html"}).text
    for said in (printed, page):
        assert "Topics by" in said
        assert "At most" not in said


def test_an_empty_market_says_why(run: Callable[..., Result]) -> None:
    assert "No posts are stored for Thailand" in run("--market", "TH").stdout


def test_a_list_is_printed_without_loading_the_server() -> None:
    loads = "import sys, radar.cli.trends, radar.answers, radar.api.trend_shapes, radar.alerts, radar.web.letters"
    said = f"{loads}; print(*sys.modules.keys() & {('fastapi', 'radar.api.app', 'scipy')})"
    assert subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True).stdout == "\n"
