"""Which market moves first: known worlds are read rightly, chance is not, and the clock alone is no lead."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radar.lead_lag import COLUMNS, pair_table
from tests import spreading

CN = Path(__file__).parents[2] / "shared/data/trends/cn_first_seen.parquet"


@pytest.mark.skipif(not CN.exists(), reason="needs ../shared/data")
def test_weibo_is_before_kuaishou_and_douyin() -> None:
    frame = pd.read_parquet(CN)
    found = pair_table(frame, step="1h").set_index(["first", "second"])
    assert found.loc[("WEIBO", "KUAISHOU"), "share_first"] == pytest.approx(0.855, abs=0.001)
    assert found.loc[("WEIBO", "DOUYIN"), "share_first"] == pytest.approx(0.831, abs=0.001)
    assert found["lead"].all()
    raw = pair_table(frame, step="1s").set_index(["first", "second"])["share_first"]
    assert raw["WEIBO", "KUAISHOU"] == pytest.approx(0.770, abs=0.001)
    assert raw["WEIBO", "DOUYIN"] == pytest.approx(0.773, abs=0.001)


def test_independent_markets_show_a_lead_in_5_in_100_at_most() -> None:
    shown = [pair_table(spreading.apart(seed=n, wakes=(n % 24, n * 7 % 24)))["lead"].any() for n in range(100)]
    assert np.mean(shown) <= 0.05


def test_the_clock_alone_is_no_lead() -> None:
    rows = [pair_table(spreading.apart(trends=150, seed=n, wakes=(0, 12), by_day=True)).iloc[0] for n in range(20)]
    assert np.mean([row["q"] <= 0.05 for row in rows]) > 0.5  # the sign test alone would show most
    assert np.mean([row["lead"] for row in rows]) <= 0.05
    assert any("hours of the day" in row["answer"] for row in rows)


def test_known_lags_are_recovered() -> None:
    leads = (0, 30, 50, 76)
    right, inside = [], []
    for seed in range(20):
        found = pair_table(spreading.chains(60, seed=seed, leads=leads))
        for row in found[found["lead"]].itertuples():
            one, other = int(row.first[1:]), int(row.second[1:])
            right.append(one < other)
            inside.append(row.low_hours <= leads[other] - leads[one] <= row.high_hours)
    assert len(right) > 60
    assert np.mean(right) >= 0.95
    assert np.mean(inside) >= 0.75


def test_what_is_looked_at_hourly_shows_no_lead_of_20_minutes() -> None:
    at = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(90) * 7.37, "h")
    frame = pd.DataFrame({"A": at, "B": at + pd.Timedelta("20min")})
    assert pair_table(frame, step="1min").iloc[0]["lead"]
    hourly = pair_table(frame, step={"A": "1h", "B": "1min"}).iloc[0]
    assert hourly["ties"] > 50
    assert not hourly["lead"]
    assert "sampling step" in hourly["answer"]


def test_too_few_shared_trends_show_nothing() -> None:
    frame = spreading.chains(400).query("trend in @few", local_dict={"few": [f"t{n}" for n in range(9)]})
    found = pair_table(frame)
    assert not found["lead"].any()
    assert found["answer"].str.startswith("no lead shown").all()
    assert found[["share_first", "q", "median_lag_hours"]].isna().all().all()


def test_groups_stand_beside_the_whole() -> None:
    one = spreading.chains(80, seed=1, leads=(0, 30)).assign(group="travel")
    other = spreading.chains(80, seed=2, leads=(30, 0.0)).assign(group="shop")
    other["trend"] += "s"
    found = pair_table(pd.concat([one, other])).set_index("group")
    assert set(found.index) == {"all", "travel", "shop"}
    assert found.loc["all", "shared"] == found.loc["travel", "shared"] + found.loc["shop", "shared"]
    assert found.loc["travel", "first"] == "M00"


def test_frames_as_they_come() -> None:
    frame = spreading.chains(60)
    tidy = pair_table(frame)
    naive = frame.assign(onset_at=frame["onset_at"].dt.tz_localize(None))
    doubled = pd.concat([frame, frame.head(40)]).sample(frac=1, random_state=1)
    written = frame.assign(onset_at=frame["onset_at"].map(lambda at: at.isoformat()))
    for other in (naive, doubled, written):
        pd.testing.assert_frame_equal(pair_table(other).drop(columns="null_p"), tidy.drop(columns="null_p"), rtol=0.2)
    assert list(pair_table(frame.head(0)).columns) == list(COLUMNS)
    assert pair_table(frame[frame["market"] == "M00"]).empty
    with pytest.raises(ValueError, match="expected columns"):
        pair_table(pd.DataFrame({"x": [1]}))
    with pytest.raises(ValueError, match="step"):
        pair_table(frame, step="0h")
    with pytest.raises(ValueError, match="onset_at"):
        pair_table(frame.assign(onset_at="yesterday-ish"))
