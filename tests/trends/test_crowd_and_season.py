"""Whether a crowd is many people, and whether a rise comes every year."""

from datetime import date

import numpy as np

from radar.crowd_kernels import one_hand
from radar.keys import Kind
from radar.trends.diversity import MOST_PERSONS, Sign, signs
from radar.trends.lookup import Groups
from radar.trends.naming import Candidate, best_known
from radar.trends.seasons import calendar, compared, season_of

RNG = np.random.default_rng(4)


def _said(n: int, common: int, own: int) -> Groups:
    """Posts of n persons that share some keys and have some of their own."""
    shared = np.arange(common)
    return Groups.of([np.sort(np.concatenate([shared, RNG.integers(1_000, 10**6, own)])) for _ in range(n)])


def _together(some: Groups, more: Groups) -> Groups:
    return Groups(
        np.concatenate([some.members, more.members]), np.append(some.starts, more.starts[1:] + some.starts[-1])
    )


NOTHING = Groups.of([np.zeros(0, np.int64)] * 20)
EVENLY = np.linspace(0, 3_000, 20)


def _seen(
    said: Groups, others: Groups, minutes: np.ndarray, new: float, usual_new: float, *, is_long: bool = True,
    days: int = 0,
) -> list[Sign]:  # fmt: skip
    """Signs of persons with a post of the trend at those minutes, and another one each; so large a share is new.

    is_long  whether the window tells of minutes;    days  of how many posts only the day is known
    """
    n = len(said.starts) - 1
    posts, person, keys = np.arange(n), np.tile(np.arange(n), 2), _together(said, others)
    by_person, pairs = np.argsort(person, kind="stable"), np.arange(0, 2 * n + 1, 2)
    at, first_at = np.append(minutes[:n] * 60, np.zeros(n)), np.where(np.arange(2 * n) < round(new * n), 1.0, -1.0)
    out, row = np.zeros((1, 4)), np.array([0, n])
    one_hand(
        posts, np.argsort(at[:n], kind="stable"), row, posts, row, by_person, pairs, keys.members, keys.starts, person,
        at, first_at, np.arange(2 * n) < days, np.zeros(1), np.array([is_long]), np.zeros(2 * n, bool), out,
    )  # fmt: skip
    return signs(out[0].tolist(), usual_new)


def test_people_who_share_a_name_and_a_place_are_no_single_hand() -> None:
    assert _seen(_said(20, 6, 20), _said(20, 1, 30), EVENLY, new=0.1, usual_new=0.1) == []


def test_copies_of_one_text_are_named_with_their_share() -> None:
    crowd = _together(_said(12, 24, 2), _said(8, 6, 20))
    (sign,) = _seen(crowd, NOTHING, EVENLY, new=0.0, usual_new=0.0)
    assert (sign.reason, sign.share) == ("same_words", 0.6)


def test_copies_are_looked_for_among_so_many_persons_at_most() -> None:
    crowd = _together(_said(MOST_PERSONS, 6, 20), _said(MOST_PERSONS, 24, 2))
    every, nothing = np.linspace(0, 30_000, 2 * MOST_PERSONS), Groups.of([np.zeros(0, np.int64)] * 2 * MOST_PERSONS)
    assert _seen(crowd, nothing, every, new=0.0, usual_new=0.0) == []


def test_the_same_ten_minutes_new_accounts_and_one_taste_are_seen() -> None:
    rushed = np.concatenate([np.linspace(100, 108, 12), np.linspace(500, 3_000, 8)])
    assert [s.reason for s in _seen(_said(20, 6, 20), NOTHING, rushed, 0.0, 0.0)] == ["same_minutes"]
    assert _seen(_said(20, 6, 20), NOTHING, rushed, 0.0, 0.0, is_long=False) == []
    assert _seen(_said(20, 6, 20), NOTHING, rushed, 0.0, 0.0, days=1) == []
    assert [s.reason for s in _seen(_said(20, 6, 20), NOTHING, rushed[::-1], 0.0, 0.0)] == ["same_minutes"]
    assert [s.reason for s in _seen(_said(20, 6, 20), NOTHING, EVENLY, 0.9, 0.2)] == ["new_accounts"]
    assert _seen(_said(20, 6, 20), NOTHING, EVENLY, 0.9, 0.8) == []  # the market itself is new to us
    assert [s.reason for s in _seen(_said(20, 6, 20), _said(20, 20, 10), EVENLY, 0, 0)] == ["same_taste"]
    assert _seen(_said(3, 24, 0), NOTHING, EVENLY, 1.0, 0.0) == []  # three persons are too few to tell


def test_a_yearly_peak_recurs_and_one_of_twice_the_size_is_a_trend_again() -> None:
    last_year = [(12.0, 900.0), (60.0, 950.0), (30.0, 900.0)]
    same, double = compared(62, 980, last_year), compared(125, 980, last_year)
    assert same is not None
    assert same.is_recurring
    assert 0.9 < same.ratio < 1.1
    assert double is not None
    assert not double.is_recurring
    assert double.ratio_floor > 1.5
    assert compared(62, 980, [(2.0, 900.0)]) is None  # two persons last year say nothing


def test_seasons_by_words_of_five_languages_and_by_their_days() -> None:
    spring = date(2026, 3, 28)
    for text in ("賞櫻", "#京都桜", "벚꽃명소", "cherry blossom", "ซากุระญี่ปุ่น"):
        found = season_of(text, "JP", spring)
        assert found is not None
        assert found.id == "sakura", text
    assert season_of("賞櫻", "TH", spring) is None
    assert season_of("賞櫻", "JP", date(2026, 8, 1)) is None
    for year in range(2024, 2028):  # every moving day is found in every year
        for season in calendar().values():
            if season.holiday is not None:
                assert any(season.holds(date(year, month, day)) for month in range(1, 13) for day in range(1, 29))


def test_a_name_that_holds_its_parts_leads_and_a_rare_one_does_not() -> None:
    term, tag, place = Kind.TERM, Kind.HASHTAG, Kind.PLACE
    names = [Candidate(place, "JP:namba", 30, 9.0), Candidate(tag, "moonbeam", 26, 8.0)]
    assert best_known(names) == 1
    assert best_known([*names, Candidate(term, "moonbeam lantern", 27, 5.0), Candidate(term, "lantern", 28, 6.0)]) == 2
    assert best_known([*names, Candidate(Kind.PRODUCT, "rare", 9, 20.0)]) == 1
