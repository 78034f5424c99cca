"""Looking many keys up at once finds what is found one by one."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from radar.crowds import Behind, Crowds
from radar.markets import PLACE_NUMBERS
from radar.store.posts import HeardPosts
from radar.support import TIER_NAMES, PostsOfDay, WindowPosts
from radar.trends.diversity import FEWEST_KEYS, MOST_PERSONS, alike, crowded
from radar.trends.lookup import Groups

BEGINS = datetime(2026, 4, 1, tzinfo=UTC)
KEYS = 40


def _days(rng: np.random.Generator) -> list[PostsOfDay]:
    """Two days of posts by few persons, some of them about one or two places."""
    days = []
    for day in range(2):
        ats = sorted(BEGINS + timedelta(days=day, minutes=int(m)) for m in rng.integers(0, 24 * 60, 200))
        rows = [_post(rng, 1000 * day + n, at) for n, at in enumerate(ats)]
        days.append(PostsOfDay(HeardPosts._make(zip(*rows, strict=True))))
    return days


def _post(rng: np.random.Generator, number: int, at: datetime) -> tuple[Any, ...]:
    keys = np.sort(rng.choice(KEYS, rng.integers(0, 9), replace=False)).astype("<i8").tobytes()
    places = " ".join(rng.choice(["JP", "TW", "KR"], rng.integers(0, 3), replace=False))
    likes = None if number % 3 == 0 else int(rng.integers(0, 50))
    person = 10**12 + int(rng.integers(0, 30)) * 7
    return (
        number, person, "xyz"[number % 3], at, False, keys, places, number % 5 == 0, (None, -1, 0)[number % 7 % 3],
        likes, None, None, (100, 20_000, None)[number % 3], BEGINS - timedelta(days=20),
    )  # fmt: skip


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
    found = at_once.behind(keys, places, *seconds)
    for n, (first, end) in enumerate(zip(found.persons.starts, found.persons.starts[1:], strict=False)):
        alone = one_by_one.support(int(keys[n]), int(places[n]), starts[n], ends[n])
        assert found.posts_of(n).tolist() == alone.posts.tolist()
        assert sorted(persons[found.persons.members[first:end]].tolist()) == alone.persons.tolist()
        by = _column(days, "person")
        assert [by[i] for i in found.firsts[first:end]] == persons[found.persons.members[first:end]].tolist()
        assert all(by[i] not in by[[j for j in alone.posts if j < i]] for i in found.firsts[first:end])
    assert len(found.posts.members) > 500


def _column(days: list[PostsOfDay], name: str) -> Any:
    return np.concatenate([getattr(day, name) for day in days])


def _everywhere(crowds: Crowds, keys: int) -> Behind:
    return crowds.behind(np.arange(keys), np.zeros(keys, np.int16), np.zeros(keys), np.full(keys, 1e12))


def test_an_engagement_factor_is_by_the_median_of_what_is_known() -> None:
    days = _days(np.random.default_rng(9))
    crowds = Crowds(days)
    found = _everywhere(crowds, KEYS + 1)
    engagement = _column(days, "engagement")
    usual = np.nanmedian(engagement)
    factors = crowds.engagement_factors(found)
    for n, factor in enumerate(factors[:-1]):
        assert factor == 1.0 + min(2.0, np.log1p(np.nanmedian(engagement[found.posts_of(n)]) / usual))
    assert factors[-1] == 1.0


def test_what_a_trend_shows_is_counted_over_its_posts() -> None:
    days = _days(np.random.default_rng(12))
    for day in days:  # keys below are topics
        day.topics, day.topic_count = day.keys[day.keys < 4], np.bincount(day.post[day.keys < 4], minlength=len(day.at))
    crowds = Crowds(days, {1: "one", 2: "two", 3: "three"})
    found = _everywhere(crowds, KEYS + 1)
    rows = np.array([5, 11, 3, 30])
    ends = np.full(len(rows), BEGINS.timestamp() + 2 * 86_400)
    shown = crowds.described(found.some(rows), ends - 2 * 86_400, ends)
    ids, person, tier = (_column(days, name) for name in ("ids", "person", "tier"))
    engagement, countries = _column(days, "engagement"), [c for day in days for c in day.countries]
    held = [set(keys.tolist()) for day in days for keys in np.split(day.keys, np.cumsum(day.key_count)[:-1])]
    for row, told in zip(rows.tolist(), shown, strict=True):
        posts = found.posts_of(row).tolist()
        about = Counter(c for i in posts for c in countries[i])
        most = max(about, key=lambda c: (about[c], -c))
        assert told["place"] == (most if 2 * about[most] >= len(posts) else 0)
        named = Counter({2: "two", 1: "one", 3: "three"}[k] for i in posts for k in held[i] if 0 < k < 4)
        untold = sum(not held[i] & {1, 2, 3} for i in posts)
        best = max(named, key=lambda t: (named[t], t))
        assert told["topic_id"] == (best if 2 * named[best] > untold else None)
        last = {person[i]: TIER_NAMES[tier[i]] for i in posts}
        is_told = told["shown"]
        assert is_told["tiers"] == dict(sorted(Counter(last.values()).items()))
        assert (is_told["persons"], is_told["posts"]) == (len(last), len(posts))
        assert is_told["heard"] == len(set(person.tolist()))
        assert is_told["platforms"] == len({int(ids[i]) % 1000 % 3 for i in posts})
        assert is_told["sponsored_share"] == round(sum(int(ids[i]) % 5 == 0 for i in posts) / len(posts), 3)
        read = [n for i in posts if (n := int(ids[i]) % 7 % 3)]
        assert is_told["complaints"] == {"negative": read.count(1), "posts": len(read)}
        assert is_told["evidence"] == [int(ids[i]) for i in _examples(posts, person, engagement, held)]


def _examples(posts: list[int], person: Any, engagement: Any, held: list[set[int]]) -> list[int]:
    chosen, copies, persons = list[int](), list[int](), set[int]()
    for i in sorted(posts, key=lambda i: (-(-1 if np.isnan(engagement[i]) else engagement[i]), i)):
        if person[i] in persons or len(chosen) == 5:
            continue
        persons.add(person[i])
        is_copy = any(len(held[i] & held[j]) >= 0.75 * len(held[i] | held[j]) for j in chosen)
        (copies if is_copy else chosen).append(i)
    return (chosen + copies)[:5]


def test_posts_are_shared_with_others_or_left_over() -> None:
    days = _days(np.random.default_rng(13))
    crowds = Crowds(days)
    found = _everywhere(crowds, KEYS)
    person, claimed = _column(days, "person"), crowds.none()
    claimed[found.posts_of(3)] = True
    for row in range(20):
        mine, others = found.posts_of(row), [3, 7, row]
        assert crowds.shared(mine, others, found) == [len({*mine} & {*found.posts_of(n)}) for n in others]
        left = [i for i in mine if i not in found.posts_of(3)]
        assert crowds.left_over(mine, claimed) == (len(left), len({person[i] for i in left}))


def test_whose_words_are_alike_is_by_their_jaccard_index() -> None:
    rng, told = np.random.default_rng(10), set[bool]()
    for _ in range(30):
        n = int(rng.integers(4, 90))
        sets = [rng.integers(0, 9, rng.integers(0, 20)) for _ in range(n)]
        said = [set(keys.tolist()) for keys in sets[:MOST_PERSONS]]
        alike_ones = sum(
            any(
                len(one & other) >= 0.8 * len(one | other)
                for k, other in enumerate(said)
                if k != i and min(len(one), len(other)) >= FEWEST_KEYS
            )
            for i, one in enumerate(said)
        )
        assert alike(*Groups.of(sets[:MOST_PERSONS]), 9, 0.8) == alike_ones / len(said)
        told.add(2 * alike_ones >= len(said))
    assert told == {True, False}


def test_most_posts_within_ten_minutes_are_found_in_any_order() -> None:
    rng = np.random.default_rng(14)
    for _ in range(20):
        seconds = rng.integers(0, 6_000, 60).astype(float)
        posts = rng.permutation(60)
        some = posts[5:45]
        most = max(sum(0 <= seconds[j] - seconds[i] <= 600 for j in some) for i in some)
        assert crowded(posts, 5, 45, seconds) == most / 40
