"""A day that holds an unread post keeps everything until it is read, as forget_texts promises."""

from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from radar.classify import classify_posts
from radar.config import Settings
from radar.count import count_mentions
from radar.prune import prune
from radar.registry import TopicScorer
from radar.store.tables import day_count
from tests.builders import NOON, a_post, put

OLD = NOON - timedelta(days=40)


def _classify(engine: sa.Engine, scorer: TopicScorer) -> None:
    classify_posts(engine, Path(scorer.model_id), lambda: scorer, now=NOON)


def _count(engine: sa.Engine, scorer: TopicScorer) -> None:
    count_mentions(engine, scorer.model_id, scorer.topic_ids, now=NOON)


def test_a_day_with_an_unread_post_keeps_its_texts(engine: sa.Engine, scorer: TopicScorer) -> None:
    put(engine, a_post("1", "#sweet", author="ann", published_at=OLD))
    _classify(engine, scorer)
    _count(engine, scorer)
    put(engine, a_post("2", "#sweet too", author="bob", published_at=OLD))
    _count(engine, scorer)  # counting runs between ingest and classification: the day waits no more
    assert prune(engine, Settings(retention_days=30), now=NOON)["texts"] == 0
    _classify(engine, scorer)
    _count(engine, scorer)
    with engine.connect() as connection:
        assert connection.scalar(sa.select(day_count.c.person_count)) == 2
