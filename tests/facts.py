"""Everything a store holds, by natural keys: what two ways to the same end are compared by."""

from typing import Any

import numpy as np
import sqlalchemy as sa

from radar.store import tables as t
from radar.store.day_blob import DayCounts
from radar.store.engine import open_store
from radar.store.posts import key_array

SIGNAL = ("post_id", "keys", "places", "language", "sponsored", "text_hash")
COUNT = ("audience_market", "local_day", "counts", "person_count", "post_count", "is_sealed", "detected")


def facts_of(url: str) -> dict[str, Any]:
    """Everything the store holds, by natural keys; runs and the moments of the work itself are aside."""
    engine = open_store(url)
    with engine.connect() as c:

        def rows(*columns: sa.ColumnElement[Any]) -> list[tuple[Any, ...]]:
            return sorted((tuple(row) for row in c.execute(sa.select(*columns))), key=repr)

        posts = dict(rows(t.post.c.id, t.post.c.native_id))
        authors = dict(rows(t.author.c.id, t.author.c.native_id))
        p, a, e, s = t.post.c, t.author.c, t.episode.c, t.snapshot.c
        facts: dict[str, Any] = {
            "posts": sorted(
                (authors[i], *rest)
                for i, *rest in rows(
                    p.author_id, p.native_id, p.text, p.audience_market, p.local_day, p.published_at, p.like_count
                )
            ),
            "authors": rows(a.platform, a.native_id, a.audience_market, a.follower_count),
            "persons": len(rows(t.person.c.id)),
            "likes seen": sorted(
                (posts[i], likes)
                for i, likes in rows(t.engagement_observation.c.post_id, t.engagement_observation.c.like_count)
            ),
            "unread": [name for name, at in rows(p.native_id, p.classified_at) if at is None],
            "dirty": rows(t.dirty_day.c.audience_market, t.dirty_day.c.local_day),
            "signals": sorted(
                (posts[i], key_array(bytes(keys)).tolist(), *rest)
                for i, keys, *rest in rows(*[t.post_signal.c[n] for n in SIGNAL])
            ),
            "topics": sorted(
                (posts[i], *rest)
                for i, *rest in rows(t.post_topic.c.post_id, t.post_topic.c.topic_id, t.post_topic.c.probability)
            ),
            "keys": rows(t.key.c.hash, t.key.c.kind, t.key.c.text),
            "counts": [
                (market, day, *_columns(DayCounts.from_bytes(bytes(blob))), *rest)
                for market, day, blob, *rest in rows(*[t.day_count.c[n] for n in COUNT])
            ],
            "states": rows(*t.detector_state.c),
            "episodes": rows(*e),
            "changes": rows(*t.stage_change.c),
            "snapshots": [
                (*rest, sorted((working | {"evidence": [posts[i] for i in working["evidence"]]}).items()))
                for working, *rest in rows(s.working, s.episode_id, s.as_of, s.is_daily, s.stage, s.q, s.score)
            ],
        }
    engine.dispose()
    return facts


def _columns(counts: DayCounts) -> list[Any]:
    return [counts.day_persons, *(np.asarray(column).tolist() for column in counts._columns)]
