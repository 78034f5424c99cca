"""Much work goes to several processes, and posts are read while a file comes in: the store is as it would be else."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from radar import classify, count, read_along
from radar.config import Settings
from radar.count import count_mentions
from radar.registry import TopicScorer
from radar.scheduling import Context, run_job
from radar.store.day_columns import living_columns
from radar.store.engine import open_store, reading
from tests.builders import NOON, a_post, put
from tests.facts import facts_of

TEXTS = [
    "ramen in Osaka #foodie",
    "東京 溫泉 泡湯 #日本旅遊",
    "明洞 面膜 三組 #韓國美妝",
    "nothing much today",
    "沖縄 そば 旅行",
]


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classify, "MANY", 10_000)
    monkeypatch.setattr(classify, "MANY_COMING", 100)
    monkeypatch.setattr(read_along, "_LOOKS", 0.05)
    monkeypatch.setattr(classify, "workers", lambda: 2)
    monkeypatch.setattr(count, "workers", lambda: 2)
    monkeypatch.setattr(count, "MANY_DAYS", 5)


def _posts(first: int, last: int) -> list[Any]:
    return [
        a_post(
            str(n), f"{TEXTS[n % 5]} {n % 7}", author=f"a{n % 40}", published_at=NOON - timedelta(hours=3 * (n % 200))
        )
        for n in range(first, last)
    ]


def test_posts_are_read_while_more_come_in(url: str, tmp_path: Path, fitted_dir: Path) -> None:
    settings = Settings(data_dir=fitted_dir, database_url=url)
    engine = open_store(url)
    with read_along.read_along(Context(engine, settings, NOON)) as along:
        for first in range(0, 900, 150):
            put(engine, *_posts(first, first + 150))
            time.sleep(0.15)
    assert along.posts >= 100
    context = Context(engine, settings, NOON)
    left = run_job("classify_posts", context).rows_in
    assert along.posts + left == 900
    run_job("count_mentions", context)
    calm = f"sqlite:///{tmp_path / 'calm.db'}"
    other = open_store(calm)
    put(other, *_posts(0, 900))
    for job in ("classify_posts", "count_mentions"):
        run_job(job, Context(other, settings, NOON))
    expected, found = facts_of(calm), facts_of(url)
    assert found["counts"]
    assert {name: found[name] for name in expected} == expected
    engine.dispose()
    other.dispose()


def test_days_are_counted_alike_in_one_process_and_in_several_and_with_few_posts_at_a_time(
    engine: sa.Engine, scorer: TopicScorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classify, "MANY", 10_000)
    put(engine, *_posts(0, 400))
    classify.classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOON)
    several, _ = count_mentions(engine, scorer.model_id, scorer.topic_ids, now=NOON)
    url = engine.url.render_as_string(hide_password=False)
    expected = facts_of(url)["counts"]
    monkeypatch.setattr(count, "MANY_DAYS", 10_000)
    for most in (50_000, 30):
        monkeypatch.setattr(count, "CHUNK_POSTS", most)
        with engine.begin() as connection:
            connection.execute(sa.text("DELETE FROM day_count"))
            for market, day in sorted({(row[0], row[1]) for row in expected}):
                connection.execute(
                    sa.text("INSERT INTO dirty_day (audience_market, local_day, mark) VALUES (:m, :d, 1)"),
                    {"m": market, "d": day},
                )
        one, _ = count_mentions(engine, scorer.model_id, scorer.topic_ids, now=NOON)
        assert one == several > 5
        assert facts_of(url)["counts"] == expected


def test_so_many_days_are_counted_together_as_memory_holds_and_a_large_one_alone(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(count, "CHUNK_POSTS", 10)
    sizes = [4, 6, 1, 0, 25, 3, 3]
    days = [NOON.date() - timedelta(days=len(sizes) - n) for n in range(len(sizes))]
    at = [NOON - timedelta(days=len(sizes) - n) for n in range(len(sizes))]
    put(engine, *[a_post(f"{n}-{i}", published_at=at[n]) for n, size in enumerate(sizes) for i in range(size)])
    runs = list(count.runs_of_days(engine, "TW", days))
    assert [len(run) for run in runs] == [2, 2, 1, 2]
    assert [day for run in runs for day in run] == days
    assert [len(run) for run in count.runs_of_days(engine, "JP", days)] == [len(days)]
    with reading(engine) as session:
        apart = living_columns(session, "m", "TW", [days[0], days[6]])
    assert len(apart) == sizes[0] + sizes[6]  # nothing of the days between them
