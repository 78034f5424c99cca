"""The demo, as a newcomer runs it, and its truth file against what the radar found (simulated)."""

import json
from pathlib import Path

from fastapi.testclient import TestClient

from radar.api import create_app
from radar.config import Settings
from radar.store.engine import open_store
from tests.conftest import radar
from tests.truth import score_truth


def test_the_demo_shows_trends_for_taiwan(demo_dir: Path) -> None:
    shown = radar("trends", "--market", "TW", "--format", "json", data_dir=demo_dir / "demo")
    answer = json.loads(shown.stdout)
    assert shown.returncode == 0
    assert answer["simulated"] is True
    assert len(answer["items"]) >= 5


def test_a_second_start_brings_only_what_is_new(demo_dir: Path) -> None:
    again = radar("demo", "--once", data_dir=demo_dir)
    assert again.returncode == 0, again.stderr
    assert "Simulated" in again.stdout


def test_injected_bursts_are_found_and_spam_is_not(demo_dir: Path) -> None:
    engine = open_store(f"sqlite:///{demo_dir / 'demo' / 'radar.db'}")
    score = score_truth(TestClient(create_app(engine, Settings())), demo_dir / "demo" / "truth.json", engine)
    engine.dispose()
    print(score)
    assert sum(score.sizes.values()) == 300
    assert score.recall_16 >= 0.9
    assert score.spam == []
    # .027 to .041 measured at six hours, as the world moves with the hour it is made at; .007 and .014 of other seeds
    assert score.false_share <= 0.05
    # 1.03 to 1.09 days measured, none after the oracle, which needs three persons. By the hour 16 to 17.5 hours, for
    # these come an hour or two apart: .67 to .73 of the window that finds them, 5 to 6 hours after the oracle, whose
    # own delay is 7.7 to 8
    assert score.delay_in["1d"] <= 2
    assert score.behind["1d"] <= 1
    assert score.windows["1h"] <= 1
    assert score.behind["1h"] <= 8
    assert max(score.delay[size] for size in (8, 16, 32, 64)) <= 48  # whichever bucket found it first
    assert score.trends < 1.5 * sum(score.found.values())  # one line a craze, not one a word


def test_real_posts_are_refused_by_the_demo_store(demo_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "real.csv"
    file.write_text("text,published_at,author,market\nhello,2026-01-02T03:04:05Z,a,TW\n")
    refused = radar("import", str(file), data_dir=demo_dir / "demo")
    assert refused.returncode == 2
    assert "simulated" in refused.stderr
    assert "Traceback" not in refused.stderr
