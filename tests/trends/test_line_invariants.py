"""What must hold from posts to trends: the order and number of posts, and the name of the model, make no trend.

On SQLite and with a scorer of words, so that it is quick; tests/test_line.py has both databases and the real model.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from radar.classify import classify_posts
from radar.count import count_mentions
from radar.detect import detect_trends
from radar.keys import Kind, key_number
from radar.registry import Floats, TopicScorer
from radar.sources.base import RawPost
from radar.store import counts, posts
from radar.store.day_blob import DayCounts
from radar.store.engine import reading, writing
from radar.store.tables import episode, post, snapshot
from radar.text.normalise import Normal
from tests.builders import NOON, a_post, fresh_store, put
from tests.conftest import IN_CI

DAY = date(2026, 5, 4)
BEGINS = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 45
WORDS = ["tea", "metro", "garden", "office", "camera", "coffee", "window", "bridge", "paper", "river"]


class WordScorer(TopicScorer):
    """A model whose topics are words: a post has a topic when it holds the word."""

    def __init__(self, model_id: str, **words: tuple[str, ...]) -> None:
        self.model_id, self.words = model_id, words
        self.topic_ids = [f"test.{name}" for name in words]
        self.thresholds = np.full(len(words), 0.5)

    def score(self, texts: list[str]) -> Floats:
        """1 where a word of the topic occurs, (texts, topics)."""
        found = [[float(any(w in text for w in of)) for of in self.words.values()] for text in texts]
        return np.array(found).reshape(len(texts), len(self.words))

    def judge(self, texts: Sequence[str], normal: Normal) -> tuple[Floats, Floats | None]:
        """Topics alone: it hears no tone."""
        return self.score(list(texts)), None


OLD = WordScorer("old", drinks=("tea",), places=("garden",))
NEW = WordScorer("new", drinks=("tea", "coffee", "river"), places=("garden",))
"""The same taxonomy, but three times the posts are about drinks."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty SQLite store."""
    opened = fresh_store(tmp_path / "radar.db")
    yield opened
    opened.dispose()


def read_and_count(engine: sa.Engine, scorer: TopicScorer, now: datetime) -> None:
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=now)
    count_mentions(engine, scorer.model_id, scorer.topic_ids, now=now)


def detect(engine: sa.Engine, scorer: TopicScorer, closed_at: datetime) -> None:
    detect_trends(engine, scorer.model_id, scorer.topic_ids, closed_at=closed_at)


def counted(engine: sa.Engine, scorer: TopicScorer) -> dict[date, DayCounts]:
    with reading(engine) as session:
        return counts.counted_days(session, scorer.model_id, "TW", date(2026, 1, 1), date(2026, 12, 31))


def same(one: dict[date, DayCounts], other: dict[date, DayCounts]) -> bool:
    return {day: found.to_bytes() for day, found in one.items()} == {d: found.to_bytes() for d, found in other.items()}


def empty(engine: sa.Engine) -> None:
    with engine.begin() as c:
        hanging = ("post_signal", "post_topic", "engagement_observation", "post", "author_due")
        for table in (*hanging, "author", "person", "day_count"):
            c.exec_driver_sql(f"DELETE FROM {table}")


def talk(days: int = DAYS, seed: int = 3) -> list[RawPost]:
    """60 persons who talk of three of ten words, some 40 times a day, round the clock, and never change."""
    rng = random.Random(seed)
    written = []
    for n in range(days * 40):
        at = BEGINS + timedelta(seconds=rng.uniform(0, days * 86_400))
        text = f"{' '.join(rng.sample(WORDS, 3))} note {n}"
        written.append(a_post(f"q{n}", text, author=f"p{rng.randrange(60)}", published_at=at))
    return written


def craze() -> list[RawPost]:
    """14 persons who all speak of one thing on day 40."""
    at = [BEGINS + timedelta(days=40, hours=2, minutes=40 * n) for n in range(14)]
    return [a_post(f"c{n}", f"{n} for the moonlantern", author=f"p{n}", published_at=at[n]) for n in range(14)]


def found(engine: sa.Engine, model_id: str, shown: bool = False) -> set[tuple[Any, ...]]:
    """Episodes of a model: (key, place, bucket, onset, end); `shown` only those with a snapshot."""
    columns = (episode.c.key_hash, episode.c.place, episode.c.bucket, episode.c.onset_at, episode.c.ended_at)
    statement = sa.select(*columns).where(episode.c.model_id == model_id)
    if shown:
        statement = statement.where(episode.c.id.in_(sa.select(snapshot.c.episode_id)))
    with engine.connect() as c:
        return {tuple(row) for row in c.execute(statement)}


# ---- posts ----


SMALL = st.lists(
    st.tuples(
        st.sampled_from("abcd"), st.integers(0, 30), st.sampled_from(["#one tea", "#two tea", "BUY #one", "bus"])
    ),
    min_size=1,
    max_size=14,
)


@settings(deadline=None, derandomize=IN_CI, max_examples=12)
@given(SMALL, st.randoms(use_true_random=False))
def test_the_order_and_repetition_of_posts_are_irrelevant(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, int, str]], r: Any
) -> None:
    """Ties in time included; and posts given again, in the same batch or in later ones, before and after a count."""
    engine = fresh_store(tmp_path_factory.mktemp("order") / "radar.db")
    written = [
        a_post(str(n), text, author=author, published_at=NOON + timedelta(hours=hour))
        for n, (author, hour, text) in enumerate(said)
    ]
    now = NOON + timedelta(days=2)
    put(engine, *written, now=now)
    read_and_count(engine, OLD, now)
    before = counted(engine, OLD)
    put(engine, *r.sample(written, len(written)), *written, now=now + timedelta(hours=1))
    read_and_count(engine, OLD, now + timedelta(hours=1))
    assert same(before, counted(engine, OLD))
    empty(engine)
    shuffled = r.sample(written, len(written))
    for start in range(0, len(shuffled), 4):
        put(engine, *shuffled[start : start + 4], *shuffled[: start + 1], now=now)
        if r.random() < 0.5:
            read_and_count(engine, OLD, now)
    read_and_count(engine, OLD, now)
    assert same(before, counted(engine, OLD))
    engine.dispose()


def test_a_thousand_posts_of_one_author_count_once(store: sa.Engine) -> None:
    now = NOON + timedelta(hours=3)
    others = [a_post(f"o{n}", f"#loud too {n}", author=f"o{n}", published_at=NOON) for n in range(3)]
    put(store, *others, a_post("0", "#loud tea", author="loud"), now=now)
    read_and_count(store, OLD, now)
    first = counted(store, OLD)[DAY]
    again = [a_post(str(n), f"#loud tea {n}", author="loud", published_at=NOON) for n in range(1, 1000)]
    put(store, *again, now=now)
    read_and_count(store, OLD, now)
    then = counted(store, OLD)[DAY]
    for name in (key_number(Kind.HASHTAG, "loud"), key_number(Kind.TOPIC, "test.drinks")):
        persons = [int(x.persons[(x.keys == name) & (x.places == 0)].sum()) for x in (first, then)]
        assert persons[0] == persons[1]
    assert then.posts[(then.keys == key_number(Kind.HASHTAG, "loud")) & (then.places == 0)].sum() == 1003
    assert then.day_persons == first.day_persons == 4
    assert then.by_hour.tolist() == first.by_hour.tolist()


def test_a_shout_changes_no_other_trend(store: sa.Engine) -> None:
    """One account posts 1,000 times on one day: no new episode, and the craze's stay to the minute.

    The account adds one to the market's exposure, so what chance alone has put at the very edge of q may go: here a
    word's quarter of an hour.
    """
    end = BEGINS + timedelta(days=DAYS)
    put(store, *talk(), *craze(), now=end)
    read_and_count(store, OLD, end)
    detect(store, OLD, end)
    before = found(store, "old")
    lantern = {row for row in before if row[0] == key_number(Kind.TERM, "moonlantern")}
    assert {row[2] for row in lantern} == {"15m", "1h", "1d"}
    shout = BEGINS + timedelta(days=41, hours=3)
    posts_ = [
        a_post(f"s{n}", f"#shoutshout tea {n}", author="p7", published_at=shout + timedelta(seconds=50 * n))
        for n in range(1000)
    ]
    put(store, *posts_, now=end)
    read_and_count(store, OLD, end)
    detect(store, OLD, end)
    after = found(store, "old")
    assert {row[:2] for row in after} <= {row[:2] for row in before}
    assert lantern <= after


# ---- models ----


def asked_again(engine: sa.Engine, *, read_again: bool) -> None:
    """Every day waits for a recount, and every post for another reading: what a promotion has to ask for."""
    with writing(engine) as session, session.begin():
        rows = session.execute(sa.select(post.c.audience_market, post.c.local_day).distinct()).all()
        posts.mark_dirty(session, {(market, day) for market, day in rows})
        if read_again:
            session.execute(sa.update(post).values(classified_at=None))


def test_more_new_names_in_an_hour_than_ever_before_stop_nobody(store: sa.Engine) -> None:
    """As where a large source is added to a small market: thirty names, said by eight persons each."""
    rng, end = random.Random(1), BEGINS + timedelta(days=41)
    usual = [
        a_post(f"q{n}", rng.choice(["tea", "garden"]), f"p{n % 60}", published_at=BEGINS + timedelta(minutes=36 * n))
        for n in range(41 * 40)
    ]
    hour = BEGINS + timedelta(days=40, hours=2)
    flood = [
        a_post(
            f"f{name}-{n}",
            f"{n * 7919} #new{name} {rng.random()}",
            f"p{n}",
            published_at=hour + n * timedelta(minutes=6),
        )
        for name in range(30)
        for n in range(8)
    ]
    put(store, *usual, *flood, now=end)
    read_and_count(store, OLD, end)
    detect(store, OLD, end)
    with store.connect() as c:
        tests = [working["tests"] for working in c.scalars(sa.select(snapshot.c.working))]
    assert max(tests, default=0) >= 30


def test_a_new_name_of_the_model_is_no_news(store: sa.Engine) -> None:
    """All days counted and judged under a second id: the same episodes at the same times, the old ones untouched."""
    end = BEGINS + timedelta(days=DAYS)
    put(store, *talk(), *craze(), now=end)
    read_and_count(store, OLD, end)
    detect(store, OLD, end)
    before = found(store, "old")
    assert before
    twin = WordScorer("twin", **OLD.words)
    asked_again(store, read_again=True)
    read_and_count(store, twin, end)
    detect(store, twin, end)
    assert found(store, "twin") == before
    assert found(store, "old") == before
    assert same(counted(store, OLD), counted(store, twin))


def test_promotion_alone_raises_no_trend(store: sa.Engine) -> None:
    """A model that sees a topic in three times the posts, all of which it has read: a level, not a rise."""
    end = BEGINS + timedelta(days=DAYS)
    put(store, *talk(), now=end)
    read_and_count(store, OLD, end)
    detect(store, OLD, end)
    asked_again(store, read_again=True)
    read_and_count(store, NEW, end)
    detect(store, NEW, end)
    drinks = key_number(Kind.TOPIC, "test.drinks")
    persons = [sum(int(d.persons[d.keys == drinks].sum()) for d in counted(store, m).values()) for m in (OLD, NEW)]
    assert persons[1] > 1.5 * persons[0]
    assert found(store, "new", shown=True) == found(store, "old", shown=True)
    assert not any(row[0] == drinks for row in found(store, "new"))


def test_a_model_that_starts_in_the_middle_waits_and_then_sees_no_rise(store: sa.Engine) -> None:
    """Only posts from day 20 on are read and counted under the new id, as when libraries were brought up to date."""
    written = talk(days=60)
    begins, end = BEGINS + timedelta(days=20), BEGINS + timedelta(days=60)
    put(store, *[p for p in written if p.published_at < begins], now=begins)
    read_and_count(store, OLD, begins)
    detect(store, OLD, begins)
    put(store, *[p for p in written if p.published_at >= begins], now=end)
    read_and_count(store, NEW, end)
    detect(store, NEW, end)
    assert min(counted(store, NEW)) >= date(2026, 3, 20)
    raised = found(store, "new")
    assert len(raised) <= 3  # by chance, of 115 keys in 1,000 lists
    assert all(row[0] != key_number(Kind.TOPIC, "test.drinks") for row in raised)
    assert all(row[3] >= begins + timedelta(hours=48) for row in raised)
