"""Looking many keys up at once finds what is found one by one."""

from datetime import UTC, datetime, timedelta

import numpy as np

from radar.crowds import Crowds
from radar.markets import PLACE_NUMBERS
from radar.store.posts import HeardPost
from radar.support import PostsOfDay, WindowPosts
from radar.trends.diversity import MOST_PERSONS, signs
from radar.trends.lookup import Groups

BEGINS = datetime(2026, 4, 1, tzinfo=UTC)
KEYS = 40


def _days(rng: np.random.Generator) -> list[PostsOfDay]:
    """Two days of posts by few persons, some of them about one or two places."""
    days = []
    for day in range(2):
        ats = sorted(BEGINS + timedelta(days=day, minutes=int(m)) for m in rng.integers(0, 24 * 60, 200))
        days.append(PostsOfDay([_post(rng, 1000 * day + n, at) for n, at in enumerate(ats)]))
    return days


def _post(rng: np.random.Generator, number: int, at: datetime) -> HeardPost:
    keys = np.sort(rng.choice(KEYS, rng.integers(0, 9), replace=False)).astype("<i8").tobytes()
    places = " ".join(rng.choice(["JP", "TW", "KR"], rng.integers(0, 3), replace=False))
    likes = None if number % 3 == 0 else int(rng.integers(0, 50))
    person = 10**12 + int(rng.integers(0, 30)) * 7
    return HeardPost(
        number, person, "x", at, False, keys, places, False, None, likes, None, None, 100, BEGINS - timedelta(days=20)
    )


def test_many_keys_have_the_posts_and_persons_that_each_has_alone() -> None:
    rng = np.random.default_rng(8)
    days = _days(rng)
    one_by_one, at_once = WindowPosts(days), Crowds(days)
    persons = np.unique(np.concatenate([day.person for day in days]))
    keys = np.repeat(np.arange(KEYS + 2), 3)  # the last two nobody used
    places = np.tile(np.array([0, PLACE_NUMBERS["JP"], PLACE_NUMBERS["TW"]], np.int16), KEYS + 2)
    starts = [BEGINS + timedelta(minutes=int(m)) for m in rng.integers(0, 40 * 60, len(keys))]
    ends = [
        start + timedelta(minutes=int(m)) for start, m in zip(starts, rng.integers(1, 1200, len(keys)), strict=True)
    ]
    seconds = (np.array([at.timestamp() for at in some]) for some in (starts, ends))
    found = at_once.supports(keys, places, *seconds)
    for n, support in enumerate(found):
        alone = one_by_one.support(int(keys[n]), int(places[n]), starts[n], ends[n])
        assert support.posts.tolist() == alone.posts.tolist()
        assert sorted(persons[support.persons].tolist()) == alone.persons.tolist()
    assert sum(len(support.posts) for support in found) > 500


def test_an_engagement_factor_is_by_the_median_of_what_is_known() -> None:
    days = _days(np.random.default_rng(9))
    crowds = Crowds(days)
    found = crowds.supports(
        np.arange(KEYS + 1), np.zeros(KEYS + 1, np.int16), np.zeros(KEYS + 1), np.full(KEYS + 1, 1e12)
    )
    engagement = np.concatenate([day.engagement for day in days])
    usual = np.nanmedian(engagement)
    for support, factor in zip(found[:-1], crowds.engagement_factors(found)[:-1], strict=True):
        assert factor == 1.0 + min(2.0, np.log1p(np.nanmedian(engagement[support.posts]) / usual))
    assert crowds.engagement_factors(found)[-1] == 1.0


def test_whose_words_are_alike_is_by_their_jaccard_index() -> None:
    rng, told = np.random.default_rng(10), set[bool]()
    for _ in range(30):
        n = int(rng.integers(4, 90))
        sets = [rng.integers(0, 9, rng.integers(0, 20)) for _ in range(n)]
        said = [set(keys.tolist()) for keys in sets[:MOST_PERSONS]]
        alike = sum(
            any(
                len(one & other) >= 0.8 * len(one | other)
                for k, other in enumerate(said)
                if k != i and min(len(one), len(other)) >= 5
            )
            for i, one in enumerate(said)
        )
        share = round(alike / len(said), 3)
        found = signs(Groups.of(sets), Groups.of([np.zeros(0, np.int64)] * n), None, 0.0, 0.0)
        assert [(sign.reason, sign.share) for sign in found] == ([("same_words", share)] if share >= 0.5 else [])
        told.add(share >= 0.5)
    assert told == {True, False}
