"""The truth file of a simulated world against what the API answers over HTTP."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from fastapi.testclient import TestClient

from radar.markets import MARKETS, day_start, local_day
from radar.store.tables import author, post
from radar.windows import RANKED, Bucket

Identity = tuple[str, str]


@dataclass
class TruthScore:
    """How injections were found (simulated).

    A trend is true when at least half of its window's persons posted for one injection, and spam when at least half
    posted for one spammer. delay  hours from an injection's first post to the onset of its first trend, median;
    by the length of the buckets that trends were found in, in such buckets, medians of those found:
    delay_in   from the first post of the injection to onset;    windows  the same, in the windows it was found with
    oracle_in  from there to when an oracle could have told. It knows that nothing at all is expected of an injection's
               names, so that three persons within the longest window are proof; of fewer nothing is ever said
    behind     from the oracle to onset
    """

    sizes: dict[int, int] = field(default_factory=dict)
    found: dict[int, int] = field(default_factory=dict)
    trends: int = 0
    false: list[str] = field(default_factory=list)
    spam: list[str] = field(default_factory=list)
    delay: dict[int, float] = field(default_factory=dict)
    delay_in: dict[str, float] = field(default_factory=dict)
    windows: dict[str, float] = field(default_factory=dict)
    oracle_in: dict[str, float] = field(default_factory=dict)
    behind: dict[str, float] = field(default_factory=dict)

    @property
    def recall_16(self) -> float:
        return sum(n for z, n in self.found.items() if z >= 16) / sum(n for z, n in self.sizes.items() if z >= 16)

    @property
    def false_share(self) -> float:
        return len(self.false) / self.trends


def score_truth(client: TestClient, truth_path: Path, engine: sa.Engine) -> TruthScore:
    """Ask for every market's list week by week, and for all posts of every trend listed; `engine` is the oracle's."""
    truth = json.loads(truth_path.read_text(encoding="utf-8"))
    injections = truth["injections"]
    injection_of = {tuple(p): i for i, item in enumerate(injections) for p in item["post_ids"]}
    spam_of = {tuple(p): i for i, item in enumerate(truth["spam"]) for p in item["post_ids"]}
    onset: dict[int, datetime] = {}
    onset_in: dict[tuple[int, Bucket], tuple[datetime, int]] = {}
    judged: dict[str, bool] = {}
    names: dict[str, str] = {}
    spam: set[str] = set()
    for trend, as_of in _trends(client):
        persons: dict[str, set[Identity]] = {}
        for said in _pages(client, f"/v1/trends/{trend['id']}/posts", {"as_of": as_of, "window": "7d", "limit": 100}):
            identity = (said["platform"], said["native_id"])
            persons.setdefault(said["author"]["person_id"], set()).add(identity)
        best = _most(persons, injection_of)
        judged[trend["id"]] = judged.get(trend["id"], False) or best is not None
        names[trend["id"]] = f"{trend['market']} {trend['name']} {trend['sentence']} {as_of}"
        if best is not None:
            at = max(datetime.fromisoformat(trend["onset_at"]), datetime.fromisoformat(injections[best]["starts_at"]))
            onset[best] = min(onset.get(best, at), at)
            found_in = best, Bucket(trend["window"]["bucket"])
            first = at, int(trend["window"]["buckets"])
            onset_in[found_in] = min(onset_in.get(found_in, first), first)
        if _most(persons, spam_of) is not None:
            spam.add(trend["id"])
    score = TruthScore(trends=len(judged), spam=[names[i] for i in spam])
    score.false = [names[i] for i, true in judged.items() if not true]
    for size in sorted({item["size"] for item in injections}):
        mine = [i for i, item in enumerate(injections) if item["size"] == size]
        score.sizes[size], score.found[size] = len(mine), sum(i in onset for i in mine)
        late = [onset[i] - datetime.fromisoformat(injections[i]["starts_at"]) for i in mine if i in onset]
        score.delay[size] = round(median(d / timedelta(hours=1) for d in late), 1) if late else float("nan")
    proofs = _proofs(engine, injections)
    for bucket in RANKED:
        mine = [(i, *first) for (i, b), first in onset_in.items() if b is bucket]
        starts = [datetime.fromisoformat(injections[i]["starts_at"]) for i, _, _ in mine]
        delays = [(at - start) / bucket.length for (_, at, _), start in zip(mine, starts, strict=True)]
        told = [(proofs[i, bucket], at, start) for (i, at, _), start in zip(mine, starts, strict=True)]
        known = [(proof, at, start) for proof, at, start in told if proof is not None]
        score.delay_in[bucket.value] = _median(delays)
        score.windows[bucket.value] = _median([d / length for d, (_, _, length) in zip(delays, mine, strict=True)])
        score.oracle_in[bucket.value] = _median([(proof - start) / bucket.length for proof, _, start in known])
        score.behind[bucket.value] = _median([(at - proof) / bucket.length for proof, at, _ in known])
    return score


def _median(numbers: list[float]) -> float:
    return round(median(numbers), 2) if numbers else float("nan")


def _proofs(engine: sa.Engine, injections: list[dict[str, Any]]) -> dict[tuple[int, Bucket], datetime | None]:
    """When the bucket ended in which three persons had posted for an injection within the longest window."""
    posted = sa.select(post.c.platform, post.c.native_id, post.c.published_at, author.c.person_id)
    with engine.connect() as connection:
        rows = connection.execute(posted.join(author, author.c.id == post.c.author_id)).all()
    when = {(platform, native_id): (person, at) for platform, native_id, at, person in rows}
    proofs: dict[tuple[int, Bucket], datetime | None] = {}
    for i, item in enumerate(injections):
        first: dict[int, datetime] = {}
        for person, at in (when[tuple(p)] for p in item["post_ids"] if tuple(p) in when):
            first[person] = min(first.get(person, at), at)
        for bucket in RANKED:
            zone = MARKETS[item["market"]].tz
            ends = sorted(_end(at, bucket, zone) for at in first.values())
            longest = bucket.windows[-1] * bucket.length
            close = (ends[n] for n in range(2, len(ends)) if ends[n] - ends[n - 2] < longest)
            proofs[i, bucket] = next(close, None)
    return proofs


def _end(at: datetime, bucket: Bucket, zone: ZoneInfo) -> datetime:
    """When the bucket of an instant ends."""
    if bucket is Bucket.DAY:
        return day_start(local_day(at, zone) + timedelta(days=1), zone)
    return at.replace(minute=0, second=0, microsecond=0) + bucket.length


def _most(persons: dict[str, set[Identity]], group_of: dict[Identity, int]) -> int | None:
    """The group that at least half of the persons posted for."""
    votes: dict[int, int] = {}
    for identities in persons.values():
        for group in {group_of[i] for i in identities if i in group_of}:
            votes[group] = votes.get(group, 0) + 1
    best = max(votes, key=lambda g: votes[g], default=None)
    return best if best is not None and 2 * votes[best] >= len(persons) else None


def _trends(client: TestClient) -> Iterator[tuple[dict[str, Any], str]]:
    for market in client.get("/v1/markets").json()["items"]:
        path = f"/v1/markets/{market['code']}/trends"
        newest = datetime.fromisoformat(client.get(path).json()["as_of"])
        for back in range(-(-market["days"] // 7)):
            as_of = (newest - timedelta(days=7 * back)).isoformat()
            for trend in _pages(client, path, {"as_of": as_of, "scope": "all", "window": "7d", "limit": 100}):
                yield trend, as_of


def _pages(client: TestClient, path: str, query: dict[str, Any]) -> Iterator[dict[str, Any]]:
    cursor: dict[str, str] = {}
    while True:
        answer = client.get(path, params=query | cursor)
        assert answer.status_code == 200, answer.text
        yield from answer.json()["items"]
        if answer.json()["next"] is None:
            return
        cursor = {"cursor": answer.json()["next"]}
