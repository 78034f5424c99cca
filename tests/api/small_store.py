"""A small real store: posts through ingest, classification and counting; trends through the store's own writers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import sqlalchemy as sa

from radar.classify import classify_posts
from radar.count import count_mentions
from radar.ingest import ingest_posts
from radar.keys import Kind, key_number
from radar.registry import load_taxonomy, model_id
from radar.sources.base import RawAuthor, RawPost
from radar.store import trends
from radar.store.engine import claim_world, writing
from radar.text.normalise import Normal
from tests.builders import fresh_store

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>"
TW, JP, KR = 158, 392, 410


class KeywordScorer:
    """A scorer that knows topics by a word."""

    WORDS: ClassVar = {"藥妝": "shop.drugstore", "機票": "travel.air"}

    def __init__(self) -> None:
        self.model_id = model_id()
        self.topic_ids = load_taxonomy().ids
        self.thresholds = np.full(len(self.topic_ids), 0.5)

    def score(self, texts: list[str]) -> np.ndarray:
        found = np.zeros((len(texts), len(self.topic_ids)))
        for i, text in enumerate(texts):
            for word, topic in self.WORDS.items():
                if word in text:
                    found[i, self.topic_ids.index(topic)] = 0.9
        return found

    def tones(self, texts: list[str]) -> np.ndarray:
        """Whoever writes of a rip-off blames."""
        return np.array([[0.9, 0.1, 0.0] if "雷" in text else [0.0, 0.9, 0.1] for text in texts])

    def judge(self, texts: list[str], normal: Normal) -> tuple[np.ndarray, np.ndarray]:
        """Both at once."""
        return self.score(texts), self.tones(texts)


@dataclass
class SmallStore:
    """A store that a test fills; `now` is when everything happens."""

    engine: sa.Engine
    now: datetime = NOW
    ids: dict[str, int] = field(default_factory=dict)

    def ingest(self, posts: list[RawPost], world: str = "real") -> None:
        with writing(self.engine) as session, session.begin():
            claim_world(session, world)
            ingest_posts(session, posts, source="file:small.csv", now=self.now)

    def work(self) -> None:
        """Classify and count what waits."""
        scorer = KeywordScorer()
        classify_posts(self.engine, Path(scorer.model_id), lambda: scorer, now=self.now)
        count_mentions(self.engine, scorer.model_id, scorer.topic_ids, now=self.now)

    def trend(
        self,
        name: str,
        kind: Kind,
        text: str,
        *,
        evidence: Sequence[int] = (),
        variants: Sequence[dict[str, Any]] = (),
        **more: Any,
    ) -> int:
        """An episode with its stages and one snapshot (`more` replaces what the snapshot and its working say)."""
        number = self.ids[name] = 1000 + len(self.ids)
        at = more.pop("at", self.now - timedelta(hours=2))
        own_place = more.pop("own_place", 0)
        row = {
            "id": number, "model_id": model_id(), "audience_market": more.get("market", "TW"), "place": own_place,
            "key_hash": key_number(kind, text), "bucket": more.get("bucket", "1h"), "onset_at": at - timedelta(hours=5),
            "ended_at": more.pop("ended_at", None), "stage": more.get("stage", "rising"), "stage_since": at,
            "leader_id": more.pop("leader_id", None),
        }  # fmt: skip
        working = {
            "at": at.isoformat(), "window_start": (at - timedelta(hours=24)).isoformat(), "window_buckets": 24,
            "observed": 9.0, "expected": 2.1, "p": 1e-6, "lift": more.pop("lift", 3.2),
            "lift_floor": more.pop("lift_floor", 2.19), "tests": 1200, "engagement_factor": 1.0,
            "variants": list(variants),
            "persons": 9, "posts": 11, "platforms": 2, "sponsored_share": 0.0,
            "complaints": more.pop("complaints", {"negative": 5, "posts": 40}), "evidence": list(evidence),
            "heard": 120, "tiers": {"macro": 1, "mega": 1, "nano": 6, "unknown": 1},
            "novelty": {"days_used": 2, "days": 20}, "season": None,
            "narrow": more.pop("narrow", []),
        }  # fmt: skip
        shown = {
            "episode_id": number, "as_of": at, "audience_market": more.pop("market", "TW"),
            "bucket": more.pop("bucket", "1h"),
            "place": JP, "kind": int(kind), "topic_id": "shop.drugstore", "stage": more.pop("stage", "rising"),
            "is_on": True, "is_daily": False, "q": 0.001, "score": 8.0, "working": working,
        } | more  # fmt: skip
        with writing(self.engine) as session, session.begin():
            trends.write_episodes(session, [row])
            changes = [("emerging", at - timedelta(hours=5)), (shown["stage"], at - timedelta(hours=1))]
            trends.write_changes(
                session, [{"episode_id": number, "changed_at": when, "stage": stage} for stage, when in changes]
            )
            if not more.get("no_snapshot"):
                trends.write_snapshots(session, [shown])
        return number

    def variant_only(self, name: str, kind: Kind, text: str, leader: int) -> int:
        """An episode that never led."""
        number = self.ids[name] = 1000 + len(self.ids)
        at = self.now - timedelta(hours=3)
        row = {
            "id": number, "model_id": model_id(), "audience_market": "TW", "place": 0,
            "key_hash": key_number(kind, text),
            "bucket": "1h", "onset_at": at, "ended_at": None, "stage": "rising", "stage_since": at, "leader_id": leader,
        }  # fmt: skip
        with writing(self.engine) as session, session.begin():
            trends.write_episodes(session, [row])
        return number


def post(n: int, author: str, text: str, at: datetime, market: str = "TW", **more: Any) -> RawPost:
    """A post on one of two platforms."""
    platform = more.pop("platform", "instagram" if n % 2 else "youtube")
    who = RawAuthor(author, market, handle=more.pop("handle", author), name=more.pop("name", None))
    return RawPost(platform, f"p{n}", who, text, at, **more)


def open_small(folder: Path) -> SmallStore:
    """An empty store with its schema."""
    return SmallStore(fresh_store(folder / "radar.db"))


def fill(store: SmallStore, world: str = "real") -> SmallStore:
    """TW with 40 days of posts and five trends; one day of KR; nothing of the others."""
    posts, n = [], 0
    for back in range(40, 0, -1):
        for who in range(6):
            n += 1
            at = store.now - timedelta(days=back) + timedelta(hours=who)
            posts.append(post(n, f"kol{who}", f"藥妝 機票 日本 電影 {back} {who}", at))
    recent = []
    for who in range(9):
        n += 1
        at = store.now - timedelta(hours=20 - who)
        recent.append(n)
        text = f"藥妝 日本 大阪 #大阪必買 #首爾 {HOSTILE} {who}"
        link = "javascript:alert(1)" if who == 0 else f"https://example.com/{who}"
        posts.append(
            post(n, f"kol{who}", text, at, url=link, name=HOSTILE, handle='"><img src=x>', like_count=10 + who)
        )
    for who in range(5):
        n += 1
        posts.append(post(n, f"kr{who}", f"오사카 여행 {who}", store.now - timedelta(hours=3 + who), "KR"))
    store.ingest(posts, world)
    store.work()
    with store.engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT native_id, id FROM post")).all()
    by_native = dict(rows)
    evidence = [by_native[f"p{i}"] for i in recent[:5]]
    child = {"episode_id": 1001, "key": key_number(Kind.PLACE, "JP"), "place": JP}
    store.trend("term", Kind.HASHTAG, "大阪必買", score=9.0, evidence=evidence, variants=[child], own_place=JP)
    store.variant_only("variant", Kind.PLACE, "JP", leader=1000)
    store.trend("place", Kind.PLACE, "JP-27", score=7.0, stage="emerging", at=store.now - timedelta(hours=60))
    store.trend("home", Kind.TOPIC, "travel.air", score=20.0, place=TW, topic_id="travel.air", own_place=0)
    store.trend("film", Kind.TERM, "電影", score=30.0, topic_id=None, place=0)
    store.trend(
        "kr", Kind.HASHTAG, "首爾", score=5.0, place=KR, lift=1.6, lift_floor=0.9, at=store.now - timedelta(days=5)
    )
    # the same key and place found by the day as well: to be shown once
    store.trend("term_by_day", Kind.HASHTAG, "大阪必買", score=6.0, own_place=JP, bucket="1d", is_daily=True)
    return store
