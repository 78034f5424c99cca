"""Bytes a post in SQLite, by table with its indexes, and what forgetting gives back; simulated posts, the whole line.

Forgetting is `prune_posts` as it is two years later: texts are gone, hourly snapshots too, counts of days that are 60
days older than the last are by the hour. Sizes are of tables written anew, without gaps. Counts of all days are also
said as they would be in each form that they come into with age.
"""

import tempfile
from datetime import date, timedelta
from pathlib import Path

import sqlalchemy as sa

from radar.bench.ingest import BEGINS
from radar.bench.sizes import asked
from radar.classify import classify_posts
from radar.compacting import QUARTERS_KEPT
from radar.config import Settings, load_settings
from radar.count import count_mentions
from radar.detect import detect_trends
from radar.ingest import ingest_posts
from radar.markets import MARKETS
from radar.prune import prune
from radar.registry import load_scorer, model_folder
from radar.scheduling import Progress
from radar.sources.world import SimulatedWorld
from radar.store import size
from radar.store.answers import counted_model
from radar.store.counts import counted_days
from radar.store.engine import chunks, open_store, reading, writing
from radar.store.promotion import active_model, name_active

POSTS_A_DAY = 800
LARGEST = 6
LATER = timedelta(days=730)


def measure(progress: Progress) -> dict[str, object]:
    """bytes_a_post before and after, by table, and the share that pruning gives back."""
    days = max(-(-asked("POSTS", 60_000) // POSTS_A_DAY), QUARTERS_KEPT + 15)
    with tempfile.TemporaryDirectory() as folder:
        engine = open_store(f"sqlite:///{Path(folder) / 'radar.db'}")
        posts = _line(engine, days, progress)
        before, forms = _sizes(engine), _forms(engine)
        progress("steps", 3, 4)
        prune(engine, Settings(data_dir=Path(folder)), now=BEGINS + timedelta(days=days) + LATER)
        after = _sizes(engine)
        engine.dispose()
    progress("steps", 4, 4)
    whole, left = sum(before.values()), sum(after.values())
    return {
        "posts": posts,
        "bytes_a_post": round(whole / posts),
        **{f"bytes_a_post_in_{name}": round(n / posts) for name, n in list(before.items())[:LARGEST]},
        "bytes_a_post_after_pruning": round(left / posts),
        **{f"given_back_by_{name}": round((n - after[name]) / posts) for name, n in list(before.items())[:LARGEST]},
        **{f"bytes_of_counts_a_post_by_{name}": round(n / posts, 1) for name, n in forms.items()},
        "given_back": round(1 - left / whole, 3),
    }


def _line(engine: sa.Engine, days: int, progress: Progress) -> int:
    settings, until = load_settings(), BEGINS + timedelta(days=days)
    scorer = load_scorer(settings)
    world = SimulatedWorld(starts_at=BEGINS, days=days)
    posts = [post for batch in world.discover(None, until) for post in batch.posts]
    new = 0
    for some in chunks(posts, 2_000):
        with writing(engine) as session, session.begin():
            new += ingest_posts(session, some, source="bench", now=until).new
            name_active(session, scorer.model_id)
    progress("steps", 1, 4)
    classify_posts(engine, model_folder(settings), lambda: scorer, now=until)
    count_mentions(engine, scorer.model_id, scorer.topic_ids, now=until)
    progress("steps", 2, 4)
    detect_trends(engine, scorer.model_id, scorer.topic_ids, closed_at=until)
    return new


def _forms(engine: sa.Engine) -> dict[str, int]:
    """Bytes of all counts in each of the forms that they come into with age."""
    found = dict.fromkeys(("quarters", "hours", "days"), 0)
    with reading(engine) as session:
        for market in MARKETS:
            model_id = counted_model(session, market, active_model(session) or "")
            for counts in counted_days(session, model_id, market, date.min, date.max).values():
                forms = counts.to_bytes(), counts.by_the_hour().to_bytes(6), counts.by_the_day().to_bytes(6)
                for name, form in zip(found, forms, strict=True):
                    found[name] += len(form)
    return found


def _sizes(engine: sa.Engine) -> dict[str, int]:
    size.tidy(engine)
    return size.bytes_by_table(engine)
