"""Two Lunar New Years on real hot-search titles: what comes every year is recurring, what grew is a trend again.

Nobody signs these titles, so different titles of a day stand for persons. The holiday was on 29 January 2025 and on 17
February 2026: the same ISO week of the year before lies three weeks after it.
"""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from radar.trends.seasons import YEAR, Compared, compared, days_before

FILE = Path(__file__).parents[3] / "shared" / "data" / "trends" / "weibo_hourly.parquet"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="the hot-search titles are kept outside the project")

EVE = date(2026, 2, 18)  # the week that ends here holds the eve, the gala and the first two days


@pytest.fixture(scope="module")
def titles() -> pd.DataFrame:
    found = pd.read_parquet(FILE, columns=["ts_cst", "title", "ads"])
    found = found[~found.ads.fillna(False).astype(bool)]
    return found.assign(day=found.ts_cst.dt.date).drop_duplicates(["day", "title"])


def _week(titles: pd.DataFrame, word: str, end: date) -> tuple[float, float]:
    inside = titles[(titles.day > end - timedelta(days=7)) & (titles.day <= end)]
    return float(inside.title.str.contains(word, regex=False).sum()), float(len(inside))


def _against(titles: pd.DataFrame, word: str, befores: list[date], day: date = EVE) -> Compared | None:
    """As radar.recurrence compares: the week, with the busiest around each day of last year that it answers to."""
    observed, heard = _week(titles, word, day)
    found = [
        compared(observed, heard, [_week(titles, word, before + timedelta(weeks=k)) for k in (-1, 0, 1)])
        for before in befores
    ]
    return max((one for one in found if one is not None), key=lambda one: one.expected, default=None)


@pytest.mark.parametrize("word", ["春晚", "过年", "拜年", "除夕"])
def test_words_of_the_holiday_recur_though_no_calendar_lists_them(titles: pd.DataFrame, word: str) -> None:
    found = _against(titles, word, days_before(EVE))
    assert found is not None
    assert found.is_recurring
    by_week = _against(titles, word, [EVE - YEAR])
    assert by_week is None or by_week.ratio > 5  # the same ISO week alone would have called it a surprise


def test_red_packets_grew_threefold_and_are_a_trend_again(titles: pd.DataFrame) -> None:
    found = _against(titles, "红包", days_before(EVE))
    assert found is not None
    assert not found.is_recurring
    assert found.ratio_floor > 1.5


def test_far_from_the_holiday_the_same_week_answers(titles: pd.DataFrame) -> None:
    labour_day = date(2026, 5, 3)
    assert days_before(labour_day) == [labour_day - YEAR]
    found = _against(titles, "五一", days_before(labour_day), labour_day)
    assert found is not None
    assert found.is_recurring
    assert np.isfinite(found.ratio_floor)
