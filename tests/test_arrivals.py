"""Arrivals: on worlds of different kinds, forecasts made before are held against what came."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from radar.arrivals import ArrivalModel, calibration_error
from tests import spreading

CN = Path(__file__).parents[2] / "shared/data/trends/cn_first_seen.parquet"
DAY = pd.Timedelta(days=1)


def told_and_come(model: ArrivalModel, frame: pd.DataFrame, since: pd.Timestamp, days: float) -> pd.DataFrame:
    """Forecasts of live trends every second day from `since` on, with what came of each."""
    last, parts = frame["onset_at"].max() - days * DAY, []
    first = frame.groupby(["trend", "market"])["onset_at"].min().rename("came_at").reset_index()
    for at in pd.date_range(since, last, freq="2D"):
        newest = frame[frame["onset_at"] <= at].groupby("trend")["onset_at"].max()
        live = frame[frame["trend"].isin(newest.index[newest > at - 14 * DAY])]  # later onsets are in it too
        told = model.predict(live, at=at, within=days * DAY).merge(first, how="left", on=["trend", "market"])
        parts.append(told.assign(came=told["came_at"] <= at + days * DAY, at=at))
    return pd.concat(parts)


@pytest.fixture(scope="module")
def cascade() -> tuple[pd.DataFrame, pd.Timestamp, ArrivalModel]:
    frame = spreading.cascade(1200, days=100)
    cut = frame["onset_at"].quantile(0.75)
    return frame, cut, ArrivalModel().fit(frame[frame["onset_at"] <= cut], until=cut)


def test_a_network_of_markets_is_forecast(cascade: tuple[pd.DataFrame, pd.Timestamp, ArrivalModel]) -> None:
    frame, cut, model = cascade
    assert model.reason is None
    told = told_and_come(model, frame, cut, 1)
    came, base = told["came"].to_numpy(), told["came"].mean()
    assert average_precision_score(came, told["probability"]) > 6 * base
    assert roc_auc_score(came, told["probability"]) > 0.82
    assert calibration_error(told["probability"].to_numpy(), came.astype(float)) < 0.03
    week = told_and_come(model, frame, cut, 7)
    assert calibration_error(week["probability"].to_numpy(), week["came"].to_numpy(float)) < 0.03
    arrived = week[(week["came_at"] <= week["at"] + 14 * DAY)]
    inside = (arrived["came_at"] >= arrived["low"]) & (arrived["came_at"] <= arrived["high"])
    assert 0.7 < inside.mean() < 0.92


def test_the_published_error_is_that_of_later_data(cascade: tuple[pd.DataFrame, pd.Timestamp, ArrivalModel]) -> None:
    frame, cut, model = cascade
    told = told_and_come(model, frame, cut, 1)
    error = model.errors[1.0]
    assert error.skill > error.skill_floor > 0
    assert error.auc == pytest.approx(roc_auc_score(told["came"], told["probability"]), abs=0.04)
    assert error.base_rate == pytest.approx(told["came"].mean(), rel=0.35)
    assert model.coverage == pytest.approx(0.8, abs=0.1)


def test_probabilities_grow_with_time_and_days_are_in_order(
    cascade: tuple[pd.DataFrame, pd.Timestamp, ArrivalModel],
) -> None:
    frame, cut, model = cascade
    told = [
        model.predict(frame, at=cut, within=within).set_index(["trend", "market"])["probability"].sort_index()
        for within in ("24h", 3 * DAY, 7.0, 14)
    ]
    for shorter, longer in pairwise(told):
        assert (longer >= shorter).all()
    found = model.predict(frame, at=cut)
    assert ((found["low"] <= found["expected_at"]) & (found["expected_at"] <= found["high"])).all()
    assert (found["low"] >= cut).all()
    assert found["probability"].between(0, 1).all()
    assert not found.duplicated(["trend", "market"]).any()


def test_what_comes_later_is_not_looked_at(cascade: tuple[pd.DataFrame, pd.Timestamp, ArrivalModel]) -> None:
    frame, cut, model = cascade
    past = frame[frame["onset_at"] <= cut]
    pd.testing.assert_frame_equal(model.predict(frame, at=cut), model.predict(past, at=cut))


def test_known_lags_are_expected_when_they_come() -> None:
    model = ArrivalModel().fit(spreading.chains(500))
    at = pd.Timestamp("2025-11-01", tz="UTC")
    seen = pd.DataFrame({"trend": ["new"], "market": ["M00"], "onset_at": [at - 6 * pd.Timedelta("1h")]})
    told = model.predict(seen, at=at, within="7d").set_index("market")
    hours = (told["expected_at"] - at) / pd.Timedelta("1h")
    assert hours["M01"] == pytest.approx(24, abs=8)
    assert hours["M03"] == pytest.approx(70, abs=14)
    assert told.loc["M01", "low"] < at + pd.Timedelta("24h") < told.loc["M01", "high"]
    assert told["probability"].between(0.2, 0.65).all()


def test_chance_is_not_forecast() -> None:
    for seed in range(2):
        model = ArrivalModel().fit(spreading.noise(600, seed=seed))
        assert "no better than the rate" in str(model.reason)
        assert model.predict(spreading.noise(50), at="2025-03-01").empty


def test_many_markets_are_quick_and_one_is_never_reached() -> None:
    frame = spreading.cascade(200, markets=30, days=30, reach=0.012)
    model = ArrivalModel().fit(frame)
    assert model.reason is None
    told = model.predict(frame, at=frame["onset_at"].max() - DAY, within=7)
    reached = told.groupby("market")["probability"].mean()
    assert reached["M29"] < 0.3 * reached.drop("M29").mean()


def test_frames_as_they_come(cascade: tuple[pd.DataFrame, pd.Timestamp, ArrivalModel]) -> None:
    frame, cut, model = cascade
    at = cut.tz_localize(None)
    plain = model.predict(frame, at=cut)
    naive = frame.assign(onset_at=frame["onset_at"].dt.tz_localize(None))
    pd.testing.assert_frame_equal(model.predict(pd.concat([naive, naive.head(50)]), at=at), plain)
    bare = model.predict(frame[["trend", "market", "onset_at"]], at=cut)
    assert len(bare) == len(plain)
    ours = frame[frame["trend"] == plain["trend"][0]]
    ours = ours[ours["onset_at"] <= cut]
    elsewhere = ours.head(1).assign(market="nowhere", trend="new")
    told = model.predict(pd.concat([ours, elsewhere]), at=cut)
    assert "nowhere" not in set(told["market"])
    assert model.predict(frame.head(0), at=cut).empty
    assert model.predict(frame, at="2001-01-01").empty
    for within in (0, 15, "15d"):
        with pytest.raises(ValueError, match="within"):
            model.predict(frame, at=cut, within=within)


@pytest.mark.parametrize("rows", [0, 1, 5, 60])
def test_tiny_frames_say_that_they_are_too_small(rows: int) -> None:
    frame = spreading.chains(400).head(rows)
    model = ArrivalModel().fit(frame)
    assert "Not enough" in str(model.reason) or "could not be tested" in str(model.reason)
    assert model.predict(spreading.chains(20), at="2025-03-01").empty


def test_an_unfitted_model_and_a_wrong_frame_say_so() -> None:
    assert ArrivalModel().predict(spreading.chains(20), at="2025-03-01").empty
    with pytest.raises(ValueError, match="expected columns"):
        ArrivalModel().fit(pd.DataFrame({"name": ["x"], "when": ["y"]}))


@pytest.mark.skipif(not CN.exists(), reason="needs ../shared/data")
def test_three_platforms_as_markets_are_forecast() -> None:
    frame = pd.read_parquet(CN).sample(4000, random_state=1)
    model = ArrivalModel().fit(frame)
    assert model.reason is None
    assert model.errors[1.0].skill_floor > 0
    assert model.errors[1.0].calibration_error < 0.03
    assert np.isfinite(model.predict(frame, at=model.until - 20 * DAY)["probability"]).all()  # type: ignore[operator]
