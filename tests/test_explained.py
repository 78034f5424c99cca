"""A topic that is spoken of because of what its posts name is no trend beside those."""

import random
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from radar.keys import Kind, key_number
from radar.sources.base import RawPost
from radar.store.answers import best_snapshots
from radar.store.engine import reading
from radar.windows import Bucket
from tests.builders import a_post, fresh_store, put
from tests.trends.test_line_invariants import BEGINS, DAYS, WordScorer, detect, found, read_and_count, talk

END = BEGINS + timedelta(days=DAYS)
SPIRITS = ("sake", "gin", "rum", "whisky", "vodka", "brandy", "soju", "mezcal", "grappa", "ouzo", "raki", "calvados")
MODEL = WordScorer("old", spirits=SPIRITS)
TOPIC = key_number(Kind.TOPIC, "test.spirits")


def said(text: str, persons: Sequence[int], day: int) -> list[RawPost]:
    """Each says it once on a day, with one spirit or another."""
    r = random.Random(f"{text} {day}")
    return [
        a_post(
            f"{text} {day} {n}", f"{text} {r.choice(SPIRITS)} note {n}", f"p{n}",
            published_at=BEGINS + timedelta(days=day, minutes=r.randrange(1440)),
        )
        for n in persons
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("crazes", "alone", "is_listed"),
    [
        pytest.param(((10, 1), (10, 1), (10, 1)), 0, False, id="three crazes and no more"),
        pytest.param(((10, 1), (10, 1), (10, 1)), 28, True, id="others too"),
        pytest.param(((14, 2), (10, 1), (10, 1)), 0, True, id="mostly one craze"),
    ],
)
def test_a_topic_is_listed_beside_crazes_if_it_rose_without_them_or_is_mostly_one_of_them(
    tmp_path: Path, crazes: Sequence[tuple[int, int]], alone: int, is_listed: bool
) -> None:
    """crazes: how many persons each has, and how often they post of it; half of the persons would make it a variant."""
    usual = [post for day in range(DAYS) for post in said("a", random.Random(day).sample(range(60), 2), day)]
    names, first = ("moonlantern", "suncake", "starboat")[: len(crazes)], 0
    for name, (persons, times) in zip(names, crazes, strict=True):
        for n in range(times):
            usual += said(f"{'so ' * n}#{name}", range(first, first + persons), 40)
        first += persons
    usual += said("some", range(first, first + alone), 40)
    engine = fresh_store(tmp_path / "radar.db")
    put(engine, *talk(), *usual, now=END)
    read_and_count(engine, MODEL, END)
    detect(engine, MODEL, END)
    rose = {key for key, *_ in found(engine, "old")}
    with reading(engine) as session:
        rows = best_snapshots(session, "old", "TW", END - timedelta(days=7), END, q=0.05, buckets=[Bucket.DAY.value])
    engine.dispose()
    listed = {row.key_hash for row in rows}
    assert TOPIC in rose
    assert listed >= {key_number(Kind.HASHTAG, name) for name in names}
    assert (TOPIC in listed) is is_listed
