"""The demo: a store of its own, filled from a simulated world by the same jobs; and how well truth was found."""

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from radar.config import Settings
from radar.keys import kinds_of
from radar.markets import MARKETS, local_day
from radar.scheduling import Context, Progress, run_line
from radar.sources.catalogue import open_source
from radar.store import posts, runs
from radar.store import trends as store
from radar.store.engine import claim_world, open_store, reading, writing
from radar.support import PostsOfDay, WindowPosts

DAYS = 75
SEED = 7
NAME = "world"
TRUTH = "truth.json"


def prepare(settings: Settings, now: datetime, *, seed: int = SEED, days: int = DAYS) -> sa.Engine:
    """The demo's store, its world configured: some days that end now. Raises MixedWorlds where real posts live."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = open_store(settings.url)
    starts_at = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=days)
    with writing(engine) as session, session.begin():
        claim_world(session, "simulated")
        config = {"seed": seed, "starts_at": starts_at.isoformat(), "days": days}
        runs.add_source(session, NAME, "world", config, is_simulated=True)
    return engine


def fill(engine: sa.Engine, settings: Settings, now: datetime, progress: Progress) -> dict[str, str]:
    """Bring the world in up to now, run the whole line, write the truth beside the store; what each job did."""
    context = Context(engine, settings, now, progress)
    done = {name: outcome.detail for name, outcome in run_line(context).items()}
    path = settings.data_dir / TRUTH
    if not path.exists():
        with reading(engine) as session:
            state = next(s for s in runs.source_states(session) if s.name == NAME)
        world: Any = open_source(state.kind, state.name, state.config)
        world.write_truth(path, now)
    return done


@dataclass(frozen=True, slots=True)
class TruthScore:
    """How a simulated world's injections were found.

    found, injections  by size (persons): how many of how many       recall_16  share found of those with 16 or more
    false_share        of trends with q at most 0.05, those of which no injection explains half of the persons
    spam               trends of which one spammer's account explains half of the persons
    delay_hours        median time from an injection's first post to its first trend
    """

    injections: dict[int, int]
    found: dict[int, int]
    recall_16: float
    trends: int
    false_share: float
    spam: int
    delay_hours: float | None
    false_examples: list[str]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def score_truth(engine: sa.Engine, truth_path: Path) -> TruthScore:
    """Score every stored trend against the truth file (simulated).

    A trend is a snapshot's leader; it is true when at least half of its window's persons posted for one injection.
    """
    truth = json.loads(truth_path.read_text(encoding="utf-8"))
    with reading(engine) as session:
        native = posts.native_ids(session)
        snapshots = store.all_snapshots(session, q=0.05)
    injection_of = {tuple(p): i for i, item in enumerate(truth["injections"]) for p in item["post_ids"]}
    spam_of = {tuple(p): i for i, item in enumerate(truth["spam"]) for p in item["post_ids"]}
    first_seen: dict[int, datetime] = {}
    trends: dict[int, bool] = {}
    names: dict[int, str] = {}
    spam: set[int] = set()
    for market in MARKETS:
        mine = [s for s in snapshots if s.audience_market == market]
        days: dict[date, PostsOfDay] = {}
        for snapshot in mine:
            window_posts = _window(engine, market, snapshot, days)
            start, end = (datetime.fromisoformat(snapshot.working[k]) for k in ("window_start", "at"))
            support = window_posts.support(snapshot.key_hash, snapshot.series_place, start, end)
            by_injection: dict[int, set[int]] = {}
            by_spam: dict[int, set[int]] = {}
            for i in support.posts:
                item = window_posts.posts[i]
                identity = native[item.id]
                if identity in injection_of:
                    by_injection.setdefault(injection_of[identity], set()).add(item.person_id)
                if identity in spam_of:
                    by_spam.setdefault(spam_of[identity], set()).add(item.person_id)
            enough = max(len(support.persons), 1) / 2
            best = max(by_injection, key=lambda k: len(by_injection[k]), default=-1)
            is_true = best >= 0 and len(by_injection[best]) >= enough
            trends[snapshot.episode_id] = trends.get(snapshot.episode_id, False) or is_true
            names[snapshot.episode_id] = (
                f"{market} {snapshot.key_text} {start:%m-%d %H}h..{end:%m-%d %H}h persons {len(support.persons)} "
                f"expected {snapshot.working['expected']} kind {int(kinds_of(_one(snapshot.key_hash))[0])}"
            )
            if is_true and (best not in first_seen or end < first_seen[best]):
                first_seen[best] = end
            if any(len(p) >= enough for p in by_spam.values()):
                spam.add(snapshot.episode_id)
    sizes = sorted({item["size"] for item in truth["injections"]})
    count = {z: sum(1 for i in truth["injections"] if i["size"] == z) for z in sizes}
    hit = {z: sum(1 for k in first_seen if truth["injections"][k]["size"] == z) for z in sizes}
    delays = sorted(
        (at - datetime.fromisoformat(truth["injections"][k]["starts_at"])) / timedelta(hours=1)
        for k, at in first_seen.items()
    )
    large = sum(n for z, n in count.items() if z >= 16)
    false = [names[e] for e, true in trends.items() if not true]
    return TruthScore(
        count, hit, round(sum(n for z, n in hit.items() if z >= 16) / max(large, 1), 3), len(trends),
        round(len(false) / max(len(trends), 1), 3), len(spam), delays[len(delays) // 2] if delays else None, false[:40],
    )  # fmt: skip


def _one(key: int) -> Any:
    import numpy as np

    return np.array([key])


def _window(engine: sa.Engine, market: str, snapshot: store.SnapshotRow, days: dict[date, PostsOfDay]) -> WindowPosts:
    zone = MARKETS[market].tz
    start, end = (datetime.fromisoformat(snapshot.working[k]) for k in ("window_start", "at"))
    first, last = local_day(start, zone), local_day(end, zone)
    wanted = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    for day in wanted:
        if day not in days:
            with reading(engine) as session:
                days[day] = PostsOfDay(posts.day_posts(session, market, day, day))
    return WindowPosts([days[day] for day in wanted])
