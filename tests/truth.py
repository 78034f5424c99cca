"""The truth file of a simulated world against what the API answers over HTTP."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from fastapi.testclient import TestClient

from radar.windows import RANKED, Bucket

Identity = tuple[str, str]


@dataclass
class TruthScore:
    """How injections were found (simulated).

    A trend is true when at least half of its window's persons posted for one injection, and spam when at least half
    posted for one spammer. delay  hours from an injection's first post to the onset of its first trend, median;
    delay_in  the same by the length of the buckets that trends were found in, in such buckets
    """

    sizes: dict[int, int] = field(default_factory=dict)
    found: dict[int, int] = field(default_factory=dict)
    trends: int = 0
    false: list[str] = field(default_factory=list)
    spam: list[str] = field(default_factory=list)
    delay: dict[int, float] = field(default_factory=dict)
    delay_in: dict[str, float] = field(default_factory=dict)

    @property
    def recall_16(self) -> float:
        return sum(n for z, n in self.found.items() if z >= 16) / sum(n for z, n in self.sizes.items() if z >= 16)

    @property
    def false_share(self) -> float:
        return len(self.false) / self.trends


def score_truth(client: TestClient, truth_path: Path) -> TruthScore:
    """Ask for every market's list week by week, and for all posts of every trend listed."""
    truth = json.loads(truth_path.read_text(encoding="utf-8"))
    injections = truth["injections"]
    injection_of = {tuple(p): i for i, item in enumerate(injections) for p in item["post_ids"]}
    spam_of = {tuple(p): i for i, item in enumerate(truth["spam"]) for p in item["post_ids"]}
    onset: dict[int, datetime] = {}
    onset_in: dict[tuple[int, Bucket], datetime] = {}
    judged: dict[str, bool] = {}
    names: dict[str, str] = {}
    spam: set[str] = set()
    for trend, as_of in _trends(client):
        persons: dict[str, set[Identity]] = {}
        for post in _pages(client, f"/v1/trends/{trend['id']}/posts", {"as_of": as_of, "window": "7d", "limit": 100}):
            identity = (post["platform"], post["native_id"])
            persons.setdefault(post["author"]["person_id"], set()).add(identity)
        best = _most(persons, injection_of)
        judged[trend["id"]] = judged.get(trend["id"], False) or best is not None
        names[trend["id"]] = f"{trend['market']} {trend['name']} {trend['sentence']} {as_of}"
        if best is not None:
            at = max(datetime.fromisoformat(trend["onset_at"]), datetime.fromisoformat(injections[best]["starts_at"]))
            onset[best] = min(onset.get(best, at), at)
            found_in = best, Bucket(trend["window"]["bucket"])
            onset_in[found_in] = min(onset_in.get(found_in, at), at)
        if _most(persons, spam_of) is not None:
            spam.add(trend["id"])
    score = TruthScore(trends=len(judged), spam=[names[i] for i in spam])
    score.false = [names[i] for i, true in judged.items() if not true]
    for size in sorted({item["size"] for item in injections}):
        mine = [i for i, item in enumerate(injections) if item["size"] == size]
        score.sizes[size], score.found[size] = len(mine), sum(i in onset for i in mine)
        late = [onset[i] - datetime.fromisoformat(injections[i]["starts_at"]) for i in mine if i in onset]
        score.delay[size] = round(median(d / timedelta(hours=1) for d in late), 1) if late else float("nan")
    for bucket in RANKED:
        late = [
            at - datetime.fromisoformat(injections[i]["starts_at"]) for (i, b), at in onset_in.items() if b is bucket
        ]
        score.delay_in[bucket.value] = round(median(d / bucket.length for d in late), 2) if late else float("nan")
    return score


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
