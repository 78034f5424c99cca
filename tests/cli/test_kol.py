"""radar kol: what a person types, and what it does to the store."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from radar.cli import cli
from radar.errors import RadarError
from radar.kol import Tiers
from radar.measure import measure_authors
from tests.api.test_kols import NOW, _posts
from tests.builders import fresh_store, put


@pytest.fixture
def radar(tmp_path: Path) -> Callable[..., str]:
    """Run `radar kol ...` over a store of seven KOLs; what it prints. Mistakes are raised."""
    engine = fresh_store(tmp_path / "radar.db")
    for n in range(1, 8):
        put(engine, *_posts(n, 9))
    measure_authors(engine, "none", [], Tiers(), now=NOW)
    engine.dispose()

    def run(*words: str) -> str:
        done = CliRunner().invoke(cli, ["kol", *words], env={"RADAR_DATA_DIR": str(tmp_path), "COLUMNS": "160"})
        if isinstance(done.exception, RadarError):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output

    return run


def test_search_show_compare_and_export(radar: Callable[..., str], tmp_path: Path) -> None:
    found = radar("search", "number", "--market", "TW", "--sort", "followers", "--limit", "2", "--format", "csv")
    assert [line.split(",")[2] for line in found.splitlines()] == ["handle", "kol07", "kol06"]
    shown = radar("show", "test:kol04")
    assert "er_followers" in shown
    assert "50 % of 7" in shown  # the fourth of seven
    assert "Paid: 3 of 9 posts" in shown
    assert "kol02" in radar("compare", "kol01", "kol02")
    assert "7 KOLs" in radar("export", str(tmp_path / "kols.csv"))
    assert len((tmp_path / "kols.csv").read_text(encoding="utf-8-sig").splitlines()) == 8
    with pytest.raises(RadarError, match=r"no KOL 'kol9'.*Did you mean: kol0"):
        radar("show", "kol9")


def test_lists_notes_and_rights(radar: Callable[..., str]) -> None:
    assert "kol01" in radar("list", "short", "--add", "kol01", "--add", "kol02")
    assert "kol01" not in radar("list", "short", "--remove", "kol01")
    assert "short" in radar("list")
    assert "Note 1." in radar("note", "kol02", "met in May")
    assert "met in May" in radar("show", "kol02")
    assert "gone" in radar("note", "kol02", "--delete", "1")
    radar("correct", "kol02", "name=Right Name", "bio=", "follower_count=77")
    assert "Right Name" in radar("show", "kol02")
    radar("hide", "kol02")
    with pytest.raises(RadarError, match="no KOL 'kol02'"):
        radar("show", "kol02")
    radar("hide", "kol02", "--show")
    assert "9 posts" in radar("erase", "kol02", "--yes")
    with pytest.raises(RadarError, match="no KOL 'kol02'"):
        radar("hide", "kol02")
    with pytest.raises(RadarError, match="cannot be corrected"):
        radar("correct", "kol01", "id=3")
    assert "gone" in radar("list", "short", "--delete")


def test_who_is_like_a_kol_and_who_carries_a_trend(demo_dir: Path) -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(cli, [*words], env={"RADAR_DATA_DIR": str(demo_dir / "demo"), "COLUMNS": "160"})
        assert done.exit_code == 0, done.output
        return done.output

    trend = json.loads(run("trends", "--market", "TW", "--limit", "1", "--format", "json"))["items"][0]["id"]
    carried = json.loads(run("kol", "trend", trend, "--order", "engagement", "--format", "json"))["items"]
    earned = [item["engagement"] for item in carried]
    assert earned == sorted(earned, reverse=True)
    assert run("kol", "trend", trend, "--format", "csv").startswith("rank,id,platform,handle")
    told = run("kol", "trend", trend)
    assert "came before" in told
    assert "Simulated data" in told
    like = json.loads(run("kol", "similar", carried[0]["author"]["id"], "--limit", "3", "--format", "json"))
    assert [item["author"]["market"]["code"] for item in like["items"]] == ["TW"] * 3
    assert "Overlap of commenters is not known" in run("kol", "similar", carried[0]["author"]["id"])
