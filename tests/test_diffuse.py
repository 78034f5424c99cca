"""Diffusion over a store: known spreads are found in it, forecast, answered on every face, and chance is not."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from radar.answers import arrivals, trend_id
from radar.api import create_app
from radar.config import Settings
from radar.diffuse import forecast, onset_frame, refit, usual_lags
from radar.keys import Kind, key_number
from radar.markets import MARKETS
from radar.reports.next import expected_next
from radar.reports.week import Week, last_complete
from radar.store import diffusion as store
from radar.store import promotion, trends
from radar.store.counts import add_keys
from radar.store.diffusion import Onset
from radar.store.engine import reading, writing
from radar.store.tables import curation

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
MODEL = "topics-of-a-test"
DAY = timedelta(days=1)
CHAIN = {"JP": 0, "TW": 30, "HK": 50}


def episode(
    number: int, market: str, text: str, at: datetime, kind: Kind = Kind.HASHTAG, **more: object
) -> dict[str, object]:
    return {
        "id": number, "model_id": MODEL, "audience_market": market, "place": 0,
        "key_hash": key_number(kind, text), "bucket": "1h", "onset_at": at, "ended_at": at + timedelta(hours=40),
        "stage": "fading", "stage_since": at, "leader_id": None,
    } | more  # fmt: skip


def put(engine: sa.Engine, rows: list[dict[str, object]], names: dict[str, Kind]) -> None:
    with writing(engine) as session, session.begin():
        add_keys(
            session, [{"hash": key_number(k, t), "kind": int(k), "text": t, "gloss": None} for t, k in names.items()]
        )
        trends.write_episodes(session, rows)


def spread(engine: sa.Engine, count: int = 160) -> None:
    """Hashtags that go from JP to TW to HK or stay, over 200 days, and a last one that JP has had for 26 hours."""
    rng = np.random.default_rng(3)
    rows: list[dict[str, object]] = []
    names = {f"tag{n}": Kind.HASHTAG for n in range(count)} | {"yuzu": Kind.HASHTAG, "sale": Kind.TERM}
    for n in range(count):
        at = NOW - timedelta(days=float(rng.uniform(3, 200)))
        at = at.replace(minute=0, second=0, microsecond=0)
        goes = rng.random() < 0.5
        for market, hours in CHAIN.items():
            if market == "JP" or goes:
                when = at + timedelta(hours=round(hours * (1 + 0.1 * rng.normal())))
                rows.append(episode(len(rows) + 1, market, f"tag{n}", when))
                rows.append(episode(len(rows) + 1, market, f"tag{n}", when + timedelta(hours=9), place=392))
                rows.append(episode(len(rows) + 1, market, "sale", when, Kind.TERM))
    rows.append(episode(9001, "JP", "yuzu", NOW - timedelta(hours=26), ended_at=None))
    put(engine, rows, names)


@pytest.fixture
def client(engine: sa.Engine) -> Iterator[TestClient]:
    with writing(engine) as session, session.begin():
        promotion.name_active(session, MODEL)
    with TestClient(create_app(engine, Settings()), raise_server_exceptions=False) as made:
        yield made


def test_a_known_spread_is_found_forecast_and_answered(engine: sa.Engine, client: TestClient) -> None:
    spread(engine)
    for _ in range(2):  # the second run changes nothing
        found = refit(engine, MODEL, now=NOW)
        live, told = forecast(engine, MODEL, now=NOW, as_of=NOW)
        assert found.reason is None
        assert (found.leads, told > 0, live > 0) == (3, True, True)
    leads = {(i["first"], i["second"]): i for i in client.get("/v1/leads").json()["items"]}
    for pair, hours in {("JP", "TW"): 30, ("JP", "HK"): 50, ("TW", "HK"): 20}.items():
        assert leads[pair]["lead"]
        assert leads[pair]["low_hours"] <= hours <= leads[pair]["high_hours"]
        assert leads[pair]["window"]["start"] < leads[pair]["window"]["end"]
    assert client.get("/v1/leads", params={"market": "HK"}).json()["items"][0]["second"] == "HK"
    answer = client.get("/v1/markets/TW/arrivals").json()
    yuzu = next(item for item in answer["items"] if item["key"]["text"] == "yuzu")
    chances = {c["days"]: c["probability"] for c in yuzu["probabilities"]}
    assert 0.2 < chances[1.0] <= chances[3.0] <= chances[7.0] <= chances[14.0] < 0.9
    assert yuzu["sentence"].startswith("expected in TW: #yuzu, seen in JP 1 day ago, ")
    assert "n = " in yuzu["sentence"]
    assert yuzu["error"]["skill_floor"] > 0
    assert answer["model"]["errors"]
    path = client.get(f"/v1/trends/{trend_id(9001)}/path").json()
    assert [stop["market"] for stop in path["items"]] == ["JP"]
    assert {item["market"] for item in path["expected"]} >= {"TW", "HK"}
    some = next(row for row in leads.values())
    assert some["answer"] == f"{some['first']} before {some['second']}"


def test_each_days_last_forecast_is_kept_and_answers_the_reports_of_then(engine: sa.Engine, client: TestClient) -> None:
    spread(engine)
    refit(engine, MODEL, now=NOW)
    later = NOW + timedelta(days=2)
    for at in (NOW - timedelta(hours=1), NOW, later):
        forecast(engine, MODEL, now=at, as_of=at)
    path = "/v1/markets/TW/arrivals"
    newest, then = client.get(path).json(), client.get(path, params={"as_of": NOW.isoformat()}).json()
    assert (newest["as_of"][:10], then["as_of"][:16]) == (f"{later:%Y-%m-%d}", f"{NOW:%Y-%m-%dT%H:%M}")
    assert "yuzu" in {item["key"]["text"] for item in then["items"]}
    assert newest["total"] > 1
    assert newest["message"].startswith(f"{newest['total']} could arrive in Taiwan")
    assert client.get(path, params={"limit": 1}).json()["message"] == newest["message"]
    between = client.get(path, params={"as_of": (later - timedelta(days=1)).isoformat()}).json()
    assert between["items"] == then["items"]
    before = client.get(path, params={"as_of": (NOW - timedelta(hours=1)).isoformat()})
    assert (before.status_code, before.json()["type"]) == (410, "/problems/gone")  # that day's last one is of later
    assert f"each day's last since {NOW:%Y-%m-%d %H:%M} UTC" in before.json()["hint"]
    about = MARKETS["TW"]
    with reading(engine) as session:
        week = last_complete(about, NOW)
        told = expected_next(session, about, "JP", week, 90)
        older = expected_next(session, about, "JP", Week.of(week.first - timedelta(days=28), about), 90)
    assert (told["status"], told["as_of"], told["total"] > 0) == ("ok", NOW, True)
    assert told["message"].startswith(f"{told['total'] + told['from_elsewhere']} could arrive in Taiwan")
    assert (older["status"], older["items"], older["since"]) == ("not_kept", [], NOW)
    with writing(engine) as session, session.begin():
        assert store.prune_kept_forecasts(session, later.date()) == len(MARKETS)
    assert client.get(path, params={"as_of": NOW.isoformat()}).status_code == 410


def test_what_is_muted_is_not_counted_among_what_could_arrive(engine: sa.Engine) -> None:
    spread(engine)
    refit(engine, MODEL, now=NOW)
    forecast(engine, MODEL, now=NOW, as_of=NOW)
    with writing(engine) as session, session.begin():
        promotion.name_active(session, MODEL)
        all_told = arrivals(session, "TW", limit=None)
        last = all_told["items"][-1]["key"]["text"]
        muted = {
            "decided_at": NOW, "who": "ann", "action": "mute", "audience_market": "TW", "reason": "an advert",
            "key_hash": key_number(Kind.HASHTAG, last),
        }  # fmt: skip
        session.execute(sa.insert(curation).values(muted))
        for limit in (None, 1):
            told = arrivals(session, "TW", limit=limit)
            assert told["total"] == all_told["total"] - 1 > 0
            assert told["message"].startswith(f"{told['total']} could arrive")
            assert last not in [item["key"]["text"] for item in told["items"]]


def test_little_or_chance_says_so(engine: sa.Engine, client: TestClient) -> None:
    waits = client.get("/v1/markets/TW/arrivals").json()
    assert (waits["status"], waits["items"]) == ("not_fitted", [])
    assert client.get("/v1/leads").json()["items"] == []
    assert forecast(engine, MODEL, now=NOW) == (0, 0)  # a first one fits what it lacks
    assert client.get("/v1/markets/TW/arrivals").json()["status"] == "no_forecast"
    rows = [
        episode(n * 2 + m, market, f"tag{n}", NOW - timedelta(days=40, hours=7 * n + 30 * m))
        for n in range(9)
        for m, market in enumerate(("JP", "TW"))
    ]
    put(engine, rows, {f"tag{n}": Kind.HASHTAG for n in range(9)})
    assert "Not enough" in str(refit(engine, MODEL, now=NOW).reason)
    answer = client.get("/v1/markets/TW/arrivals").json()
    assert (answer["status"], answer["items"]) == ("no_forecast", [])
    (pair,) = client.get("/v1/leads").json()["items"]
    assert (pair["lead"], pair["shared"]) == (False, 9)
    assert pair["answer"].startswith("no lead shown")


def test_what_is_unknown_is_named(client: TestClient) -> None:
    assert client.get("/v1/markets/TV/arrivals").status_code == 404
    assert "TW" in client.get("/v1/markets/TV/arrivals").json()["near"]
    assert client.get("/v1/leads", params={"market": "Jp"}).status_code == 200
    wrong = client.get("/v1/leads", params={"group": "shops"})
    assert (wrong.status_code, wrong.json()["near"]) == (400, ["shop"])
    assert client.get(f"/v1/trends/{trend_id(5)}/path").status_code == 404
    assert client.get("/v1/markets/TW/arrivals", params={"limit": 0}).status_code == 400
    assert client.get("/v1/markets/TW/arrivals", params={"limits": 3}).status_code == 400


def test_a_variant_of_a_hashtag_is_one_trend_with_it(engine: sa.Engine, client: TestClient) -> None:
    at = NOW - timedelta(days=9)
    rows = [
        episode(1, "JP", "yuzu", at),
        episode(2, "JP", "yuzudrink", at, leader_id=1),
        episode(3, "TW", "yuzudrink", at + timedelta(hours=30)),
        episode(4, "HK", "yuzu", at - timedelta(days=50)),  # another time
    ]
    put(engine, rows, {"yuzu": Kind.HASHTAG, "yuzudrink": Kind.HASHTAG})
    path = client.get(f"/v1/trends/{trend_id(1)}/path").json()
    assert [(s["market"], s["hours_after_first"]) for s in path["items"]] == [("JP", 0.0), ("TW", 30.0)]
    assert refit(engine, MODEL, now=NOW).trends == 2


def test_a_day_is_known_at_its_end_and_days_that_fall_together_have_no_lag() -> None:
    ends = NOW.replace(hour=16, minute=0, second=0, microsecond=0)
    told = [("JP", "1d", ends), ("JP", "1h", ends + timedelta(hours=3)), ("TW", "1d", ends), ("HK", "1d", ends + DAY)]
    found = [
        Onset(n, market, 0, 7, bucket, at, None, "rising", None, "yuzu", None)
        for n, (market, bucket, at) in enumerate(told)
    ]
    frame = onset_frame(found).set_index("market")
    assert frame["known_at"].to_dict() == {"JP": ends, "TW": ends, "HK": ends + DAY}  # the hour came after the day
    assert frame.loc["TW", "onset_at"] == ends - DAY / 2
    assert {pair: n for pair, (n, *_) in usual_lags(frame.reset_index()).items()} == {"JP>HK": 1, "TW>HK": 1}


def test_a_trend_without_a_topic_beside_one_that_has_one_has_no_group() -> None:
    plain = Onset(1, "JP", 0, 7, "1h", NOW, None, "rising", None, "yuzu", None)
    groups = onset_frame([plain, plain._replace(id=2, key_hash=8, topic_id="shop.snacks")]).set_index("key")["group"]
    assert groups.to_dict() == {7: None, 8: "shop"}
