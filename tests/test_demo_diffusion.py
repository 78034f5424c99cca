"""The demo's known lags between markets, against the lead table of its store (simulated)."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from radar.api import create_app
from radar.config import Settings
from radar.store.engine import open_store
from tests.conftest import radar


@pytest.fixture(scope="module")
def client(demo_dir: Path) -> Iterator[TestClient]:
    engine = open_store(f"sqlite:///{demo_dir / 'demo' / 'radar.db'}")
    yield TestClient(create_app(engine, Settings()))
    engine.dispose()


def test_known_lags_are_recovered(client: TestClient, demo_dir: Path) -> None:
    truth = json.loads((demo_dir / "demo" / "truth.json").read_text(encoding="utf-8"))
    known = {(lag["from"], lag["to"]): lag["median_hours"] for lag in truth["lags"]}
    items = client.get("/v1/leads").json()["items"]
    shown = [item for item in items if item["lead"]]
    right = [item for item in shown if (item["first"], item["second"]) in known]
    inside = [i["low_hours"] <= known[i["first"], i["second"]] <= i["high_hours"] for i in right]
    print(len(items), len(shown), len(right), sum(inside))
    assert len(shown) >= 6
    assert len(right) / len(shown) >= 0.95
    assert np.mean(inside) >= 0.75
    tested = [item for item in items if item["q"] is not None]
    apart = [i for i in tested if not {(i["first"], i["second"]), (i["second"], i["first"])} & known.keys()]
    assert apart
    assert not any(item["lead"] for item in apart)
    assert all(item["answer"].startswith("no lead shown") for item in items if not item["lead"])


def test_arrivals_are_forecast_better_than_by_each_markets_rate(client: TestClient) -> None:
    answer = client.get("/v1/markets/MY/arrivals").json()
    print(answer["message"], answer["model"]["errors"])
    assert answer["status"] == "ok"
    errors = answer["model"]["errors"]
    assert max(error["skill_floor"] for error in errors) > 0
    assert max(error["calibration_error"] for error in errors) <= 0.03


def test_the_terminal_and_the_page_show_arrivals_with_their_error(client: TestClient, demo_dir: Path) -> None:
    told = radar("arrivals", "--market", "MY", data_dir=demo_dir / "demo")
    assert told.returncode == 0, told.stderr
    assert "calibration error" in told.stdout or "no better than" in told.stdout
    assert "Simulated data" in told.stdout
    page = client.get("/markets/MY/arrivals")
    assert page.status_code == 200
    assert "Which market is first" in page.text
    leads = radar("leads", "--format", "csv", data_dir=demo_dir / "demo")
    assert leads.stdout.startswith("group,first,second,shared")
    unknown = radar("arrivals", "--market", "TWN", data_dir=demo_dir / "demo")
    assert (unknown.returncode, "Did you mean" in unknown.stderr) == (2, True)


def test_a_trends_page_lists_who_carried_it_beside_who_came_first(client: TestClient) -> None:
    """A trend of so many that who earned most are not all among the first twelve."""
    trends = [t for m in ("TW", "KR", "JP") for t in client.get(f"/v1/markets/{m}/trends?limit=50").json()["items"]]
    for trend in sorted(trends, key=lambda t: -t["persons"]):
        asked = f"/v1/trends/{trend['id']}/authors"
        most = client.get(asked, params={"order": "engagement", "limit": 3}).json()["items"]
        first = {line["author"]["id"] for line in client.get(asked, params={"limit": 12}).json()["items"]}
        later = [line["author"]["id"] for line in most if line["author"]["id"] not in first]
        if later:
            break
    assert later, "no trend here that others carried"
    page = client.get(f"/trends/{trend['id']}").text
    rows = [row for row in page.partition('id="carriers"')[2].partition("</section>")[0].split("<tr>") if "★" in row]
    for author in later:
        assert sum(f'href="/kols/{author}"' in row for row in rows) == 1
