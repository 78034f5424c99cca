"""A copy-paste campaign with small edits is not a crowd; people who talk about one thing are."""

import random
from datetime import timedelta
from pathlib import Path

import pytest

from radar.answers import list_trends
from radar.keys import Kind, key_number
from radar.sources.base import RawPost
from radar.store.engine import reading
from tests.builders import a_post, fresh_store, put
from tests.trends.test_line_invariants import BEGINS, DAYS, OLD, counted, detect, read_and_count, same, talk

END = BEGINS + timedelta(days=DAYS)
AT = BEGINS + timedelta(days=40, hours=3)
NAMES = [
    "Amy",
    "Ben",
    "Cleo",
    "Dan",
    "Eve",
    "Finn",
    "Gus",
    "Hana",
    "Ida",
    "Jo",
    "Kai",
    "Lea",
    "Max",
    "Nia",
    "Oli",
    "Pam",
]
TEMPLATE = "{} says: I have used the moonlantern serum for {} weeks now and honestly my skin looks ten years younger, "
TEMPLATE += "get it before friday with the code in the bio {}"
OPENINGS = ["Queued", "Walked past", "Dreamt of", "Read about", "Laughed at", "Paid too much for", "Lost", "Painted"]
PLACES = ["near the old bridge", "behind the museum", "on the ferry", "at my office", "in a tiny garden shop"]
ENDINGS = ["and the camera died", "which my aunt adored", "so no coffee today", "then rain again", "what a long river"]


def _campaign() -> list[RawPost]:
    return [
        a_post(
            f"m{n}", TEMPLATE.format(name, n + 2, "!" * (n % 4)), f"p{n}", published_at=AT + timedelta(minutes=9 * n)
        )
        for n, name in enumerate(NAMES)
    ]


def _crowd() -> list[RawPost]:
    rng = random.Random(4)
    said = [f"{o} the moonlantern serum {p}, {e}, more of {n}" for n, (o, p, e) in enumerate(
        rng.sample([(o, p, e) for o in OPENINGS for p in PLACES for e in ENDINGS], 16))]  # fmt: skip
    return [a_post(f"m{n}", t, f"p{n}", published_at=AT + timedelta(minutes=9 * n)) for n, t in enumerate(said)]


def _names(folder: Path, posts: list[RawPost]) -> list[str]:
    engine = fresh_store(folder / "radar.db")
    put(engine, *talk(), *posts, now=END)
    read_and_count(engine, OLD, END)
    detect(engine, OLD, END)
    with reading(engine) as session:
        items = list_trends(session, market="TW", scope="all", window="7d")["items"]
    engine.dispose()
    return [item["name"] for item in items]


def test_a_campaign_of_sixteen_accounts_is_no_trend(tmp_path: Path) -> None:
    assert not any("moonlantern" in name or "serum" in name for name in _names(tmp_path, _campaign()))


def test_sixteen_people_who_talk_of_it_are_one(tmp_path: Path) -> None:
    assert any("moonlantern" in name or "serum" in name for name in _names(tmp_path, _crowd()))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_first_account_counts_whatever_the_order(tmp_path: Path, seed: int) -> None:
    """And the day's counts are those of the campaign's first post alone, but for who was heard."""
    found = []
    for n, posts in enumerate((_campaign(), random.Random(seed).sample(_campaign(), 16))):
        engine = fresh_store(tmp_path / f"{n}.db")
        for start in range(0, 16, 5):
            put(engine, *posts[start : start + 5], now=END)
            read_and_count(engine, OLD, END + timedelta(minutes=start))
        found.append(counted(engine, OLD))
        engine.dispose()
    assert same(*found)
    (day,) = found[0].values()
    serum = key_number(Kind.TERM, "moonlantern")
    assert int(day.persons[(day.keys == serum) & (day.places == 0)].sum()) == 1
    assert day.day_persons == 16
