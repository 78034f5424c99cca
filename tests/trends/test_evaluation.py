"""What came of a list, on histories small enough to judge by eye."""

import numpy as np
import pytest

from radar.trends.evaluation import (
    LEAST_BASELINE_DAYS,
    LIST_DAYS,
    DayRows,
    History,
    Line,
    median_figure,
    median_interval,
    precision_figures,
    share_figure,
    wilson,
)

DAYS, DAY, HORIZON = 80, 50, 14
CROWD = 60
"""Series that never change, of which the tenth is taken."""


def _history(
    changes: dict[int, dict[int, int]],
    heard: int | list[int] = 100,
    days: int = DAYS,
    places: dict[int, int] | None = None,
) -> History:
    """Series 1000.. with 2 persons a day, and those named with (day -> persons)."""
    persons = [heard] * days if isinstance(heard, int) else heard
    rows = []
    for day in range(days):
        if persons[day]:
            mine = {1000 + n: 2 for n in range(CROWD)} | {k: c[day] for k, c in changes.items() if c.get(day)}
            keys = np.array(sorted(mine), np.int64)
            where = np.array([(places or {}).get(int(k), 0) for k in keys], np.int16)
            rows.append(DayRows(day, keys, where, np.array([mine[int(k)] for k in keys], np.uint32)))
    return History.of(persons, rows)


def _large(history: History, key: int, day: int = DAY, place: int = 0) -> bool:
    return bool(history.outcome(day, HORIZON).large[history.find(key, place)])


def test_a_series_that_rises_in_the_horizon_became_large_and_one_outside_it_did_not() -> None:
    history = _history(
        {
            1: {DAY + 3: 20},
            2: {DAY + HORIZON: 20},
            3: {DAY + HORIZON + 1: 20},
            4: {DAY: 20},
            5: dict.fromkeys(range(DAYS), 20),
        }
    )
    assert [_large(history, key) for key in (1, 2, 3, 4, 5)] == [True, True, False, False, False]
    outcome = history.outcome(DAY, HORIZON)
    assert [int(outcome.peak[history.find(k, 0)]) for k in (1, 2, 3)] == [DAY + 3, DAY + HORIZON, -1]
    assert [bool(outcome.already[history.find(k, 0)]) for k in (1, 4)] == [False, True]
    assert outcome.field == CROWD + 3


def test_the_weeks_own_burst_is_no_part_of_the_usual() -> None:
    burst = dict.fromkeys(range(DAY - LIST_DAYS + 1, DAY + 2), 20)
    history = _history({1: burst | {DAY + 1: 20}})
    outcome = history.outcome(DAY, HORIZON)
    series = history.find(1, 0)
    assert outcome.usual[series] == pytest.approx(0.5 / 28)
    assert outcome.large[series]
    assert outcome.peak[series] == DAY - LIST_DAYS + 1  # so it is no mover: its peak was over


def test_four_persons_are_not_large_and_chance_is_not_proof() -> None:
    usual = dict.fromkeys(range(DAYS), 2)
    history = _history({1: {DAY + 1: 4}, 2: {DAY + 1: 5}, 3: usual | {DAY + 1: 7}, 4: usual | {DAY + 1: 12}})
    assert [_large(history, key) for key in (1, 2, 3, 4)] == [False, True, False, True]
    assert history.outcome(DAY, HORIZON).times[history.find(3, 0)] > 3


def test_a_panel_that_grows_makes_nothing_large() -> None:
    grows = [100] * (DAY + 1) + [1000] * (DAYS - DAY - 1)
    same = {1: {d: 3 if d <= DAY else 30 for d in range(DAYS)}}
    assert not _large(_history(same, grows), 1)
    assert _large(_history(same), 1)


def test_only_the_tenth_that_gained_most_is_large_and_ties_are_in() -> None:
    steps = {n: {DAY + 1: 10 + 10 * n} for n in range(10)}
    history = _history(steps)  # 70 in the field
    assert [n for n in range(10) if _large(history, n)] == [3, 4, 5, 6, 7, 8, 9]
    ties = _history({n: {DAY + 1: 10} for n in range(10)})
    assert all(_large(ties, n) for n in range(10))


def test_a_place_market_is_a_field_of_its_own() -> None:
    steps = {n: {DAY + 1: 30} for n in range(10)} | {99: {DAY + 1: 8}}
    assert not _large(_history(steps), 99)
    assert _large(_history(steps, places={99: 392}), 99, place=392)


def test_what_lies_beyond_horizon_and_baseline_changes_nothing() -> None:
    some = {1: {DAY + 3: 20, DAY - 12: 3}}
    more = {1: some[1] | dict.fromkeys((2, 10, DAY - 35, DAY + HORIZON + 1), 50)}
    for name in ("large", "already", "times", "gain", "usual", "peak"):
        one, other = (getattr(_history(c).outcome(DAY, HORIZON), name) for c in (some, more))
        np.testing.assert_array_equal(one, other)


def test_too_little_before_or_after_cannot_be_judged() -> None:
    history = _history({})
    first = LEAST_BASELINE_DAYS + LIST_DAYS - 1
    assert not history.can_judge(first - 1, HORIZON)
    assert history.can_judge(first, HORIZON)
    assert history.can_judge(DAYS - 1 - HORIZON, HORIZON)
    assert not history.can_judge(DAYS - HORIZON, HORIZON)
    with pytest.raises(ValueError, match="cannot be judged"):
        history.outcome(DAYS - 1, HORIZON)
    outage = [100 if d % 4 == 0 else 0 for d in range(DAYS)]
    assert not _history({}, outage).can_judge(DAY, HORIZON)


def test_hours_of_a_day_add_up_and_a_word_of_one_person_is_no_series() -> None:
    hours = DayRows(0, np.array([7, 7, 8], np.int64), np.zeros(3, np.int16), np.array([1, 2, 1], np.uint32))
    history = History.of([5], [hours])
    assert history.keys.tolist() == [7]
    assert history.persons.tolist() == [3]
    assert history.find(8, 0) == history.find(7, 1) == -1
    assert History.of([0, 0], []).find(7, 0) == -1


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (50, 100, 0.4038, 0.5962)]
)
def test_wilson_agrees_with_published_values(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n) == pytest.approx((hits / n, low, high), abs=1e-4)


def test_a_median_is_held_between_order_statistics() -> None:
    rng = np.random.default_rng(1)
    held = [i.low <= 0 <= i.high for i in (median_interval(rng.normal(size=15).tolist()) for _ in range(1000))]
    assert 0.95 <= np.mean(held) < 0.99
    with pytest.raises(ValueError, match="too few"):
        median_interval([1, 2, 3])


def test_nine_trends_carry_no_figure_however_many_lines_they_stand_in() -> None:
    assert share_figure(20, 40, 9)["status"] == "not_enough_history"
    assert share_figure(20, 40, 9)["share"] is share_figure(20, 40, 9)["hits"] is None
    assert median_figure([1] * 9)["median"] is None
    assert median_figure([1] * 10)["median"] == 1
    assert share_figure(0, 0, 0)["status"] == "not_enough_history"


def test_a_trend_in_many_lists_is_one_piece_of_evidence() -> None:
    once = [Line(1, ("TW", n, 0), n % 2 == 0) for n in range(10)]
    first, thrice = precision_figures(once)[0], precision_figures(once * 3)[0]
    assert (thrice["n"], thrice["trends"], thrice["hits"]) == (30, 10, 15)
    assert (first["low"], first["high"]) == (thrice["low"], thrice["high"])
