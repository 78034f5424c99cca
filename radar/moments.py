"""What is written down of a market's trends at a moment: one snapshot for each, with its working.

Keys that mostly the same persons used are one trend: the best-known name leads it, the others are its variants.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from radar.crowds import Crowds
from radar.keys import Kind, kind_of, kinds_of
from radar.markets import MARKETS, day_start, local_day
from radar.recurrence import Recurrence, Recurring
from radar.support import Support
from radar.trends.distinct import mix
from radar.trends.diversity import NARROW
from radar.trends.kernels import PHI
from radar.trends.lookup import Groups
from radar.trends.naming import Candidate, best_known
from radar.trends.overlap import merge_numbered
from radar.trends.stages import Q_OFF
from radar.trends.tail import burst_ps
from radar.watch import TICK, Moment, Past, Watch, Written, tick_of
from radar.windows import Bucket

FEWEST, FEW = 4, 10
"""Distinct persons in the window below which nothing is shown (the floor of three is under 1: no rise is sure), and
below which they must be a surprise by themselves."""

WORDS = (Kind.TERM, Kind.HASHTAG)
NAMES = (*WORDS, Kind.PRODUCT, Kind.TRACKED)
EXPLAINED = (*WORDS, Kind.TOPIC, Kind.PLACE)
"""What may have risen for what others name: not products and what is tracked, which are asked for by name."""

NOVELTY_DAYS = 20
"""Days before the window that are looked at for an earlier use of the key; less than what every watch remembers."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Writes the snapshots of one market at one bucket length. topics: topic id by key."""

    market: str
    bucket: Bucket
    topics: Mapping[int, str]
    recurrence: Recurrence

    def recurs(self, day: date, key: int, place: int) -> bool:
        """Whether a key comes every year at this time and is about as large as then; `day` is complete."""
        found = self.recurrence.of(key, place, day)
        return found is not None and found.is_recurring

    def write(
        self,
        watch: Watch,
        crowds: Crowds,
        past: Past,
        moments: Mapping[int, Moment],
        as_of: datetime,
        tests: int,
        *,
        is_daily: bool,
        out: Written,
    ) -> None:
        """Snapshots of the trends among these moments (by series), as of a moment, into `out`."""
        spans = {s: (m.at - m.window * self.bucket.length, m.at) for s, m in moments.items()}
        rows = list(moments)
        starts, ends = (np.array([spans[s][n].timestamp() for s in rows], float) for n in (0, 1))
        found = dict(zip(rows, crowds.supports(watch.keys[rows], watch.places[rows], starts, ends), strict=True))
        series = sorted(s for s in moments if _is_crowd(moments[s], len(found[s].persons)))
        factors = dict(zip(series, crowds.engagement_factors([found[s] for s in series]), strict=True))
        scores = {s: moments[s].score * factors[s] for s in series}
        merged = self._merged(watch, found, scores, moments)
        for members in self._explained(watch, crowds, found, moments, merged):
            lead = members[0]
            lead_id = _episode_id(watch, out, lead, moments[lead])
            if lead_id is None:
                continue
            others = []
            for s in members:
                number = _episode_id(watch, out, s, moments[s])
                if s != lead and number is not None:
                    others.append({"episode_id": number, "key": int(watch.keys[s]), "place": int(watch.places[s])})
                if s in watch.open:
                    watch.open[s].leader_id = None if s == lead else lead_id
                    out.episodes[watch.open[s].id]["leader_id"] = watch.open[s].leader_id
            key, own_place = int(watch.keys[lead]), int(watch.places[lead])
            described = crowds.described(found[lead], *spans[lead])
            working = _figures(moments[lead], spans[lead][0], tests) | {
                "engagement_factor": round(factors[lead], 3),
                "variants": others,
                "season": self._season(key, own_place, as_of),
                "novelty": self._novelty(watch, past, lead, spans[lead][0]),
                **described,
            }
            score = scores[lead] * (NARROW if described["narrow"] else 1.0)
            out.snapshots[lead_id, as_of] = {
                "episode_id": lead_id, "as_of": as_of, "audience_market": self.market, "bucket": self.bucket.value,
                "place": own_place or crowds.place_of(found[lead]), "kind": int(kind_of(key)),
                "topic_id": self.topics.get(key) or crowds.topic_of(found[lead], self.topics),
                "stage": out.episodes[lead_id]["stage"], "is_on": lead in watch.open, "is_daily": is_daily,
                "q": moments[lead].q, "score": round(score, 4), "working": working,
            }  # fmt: skip

    def _merged(
        self,
        watch: Watch,
        found: Mapping[int, Support],
        scores: Mapping[int, float],
        moments: Mapping[int, Moment],
    ) -> list[list[int]]:
        """Series that are one trend together, the best-known name first; the best score's trend first."""
        series = sorted(scores)
        is_name = np.isin(kinds_of(watch.keys[series]), [int(kind) for kind in NAMES])
        leaders = merge_numbered(
            Groups.of([found[s].persons for s in series]),
            Groups.of([found[s].posts for s in series]),
            np.array([scores[s] for s in series], float),
            np.where(is_name, [moments[s].lift for s in series], 0.0),
        )
        groups: dict[int, list[int]] = {}
        for s, leader in zip(series, leaders, strict=True):
            groups.setdefault(leader, []).append(s)
        merged = []
        for members in sorted(groups.values(), key=lambda members: (-max(scores[s] for s in members), members)):
            if len(members) > 1:
                names = [self._candidate(watch, s, len(found[s].persons), scores[s]) for s in members]
                members.insert(0, members.pop(best_known(names)))
            merged.append(members)
        return merged

    def _explained(
        self,
        watch: Watch,
        crowds: Crowds,
        found: Mapping[int, Support],
        moments: Mapping[int, Moment],
        merged: list[list[int]],
    ) -> list[list[int]]:
        """Keys that rose only in posts about other trends join the one that they share most posts with.

        A word is tested again without the posts of better trends: "queued" rises when three crazes are queued for, and
        is no fourth. Topics and places are tested without those of all names, better or not, unless one trend has half
        of their posts: that one is theirs, but who is told of two crazes in Singapore need not be told of Singapore.
        """
        kept: list[list[int]] = []
        naming: list[list[int]] = []
        claimed = crowds.holding(np.zeros(0, np.int64))
        for members in sorted(merged, key=lambda members: kind_of(int(watch.keys[members[0]])) not in NAMES):
            lead = members[0]
            posts = found[lead].posts
            kind = kind_of(int(watch.keys[lead]))
            if kind in EXPLAINED and naming:
                left = posts[~claimed[posts]]
                persons = len(found[lead].persons)
                if 4 * len(left) < 3 * len(posts) and not _is_surprise(moments[lead], crowds.persons_of(left), persons):
                    mine = crowds.holding(posts)
                    shared = [int(mine[found[other[0]].posts].sum()) for other in naming]
                    if kind in WORDS or 2 * max(shared) < len(posts):
                        naming[int(np.argmax(shared))] += members
                        continue
            kept.append(members)
            if kind in NAMES:
                naming.append(members)
                claimed[posts] = True
        return kept

    def _candidate(self, watch: Watch, series: int, persons: int, score: float) -> Candidate:
        key = int(watch.keys[series])
        name = self.recurrence.name(key)
        return Candidate(kind_of(key), name.text if name else "", persons, score)

    def _season(self, key: int, place: int, as_of: datetime) -> dict[str, Any] | None:
        last = local_day(as_of, MARKETS[self.market].tz) - timedelta(days=1)
        known: Recurring | None = self.recurrence.of(key, place, last)
        return known.shown if known else None

    def _novelty(self, watch: Watch, past: Past, series: int, start: datetime) -> dict[str, Any]:
        """On how many of the days before the window the key was used at all."""
        tick = tick_of(start)
        mixed = mix(watch.keys[[series]], watch.places[[series]])[0]
        ticks = past.ticks_of(mixed, tick - 96 * NOVELTY_DAYS, tick)
        days = np.searchsorted(_midnights(local_day(start, zone := MARKETS[self.market].tz), zone), ticks, side="right")
        known = int(watch.seen * self.bucket.length / timedelta(days=1))
        return {"days_used": len(set(days.tolist())), "days": min(NOVELTY_DAYS, known)}


@lru_cache(512)
def _midnights(day: date, zone: ZoneInfo) -> npt.NDArray[np.int64]:
    """When a local day and those before it began that are looked at for an earlier use, in ticks.

    A tick that a midnight lies in, which no market has, would be of the day before it.
    """
    begun = (day_start(day - timedelta(days=back), zone) for back in range(NOVELTY_DAYS + 1, -1, -1))
    return np.array([-(-int(at.timestamp()) // TICK) for at in begun], np.int64)


def _is_crowd(moment: Moment, persons: int) -> bool:
    """Whether persons, and not one person's days, make the moment: tests sum over days, so somebody can count daily.

    Fewer than ten persons are tested again, each counted once.
    """
    if persons < FEWEST:
        return False
    return persons >= min(FEW, moment.observed) or _is_surprise(moment, persons, moment.observed)


def _is_surprise(moment: Moment, persons: int, of: float) -> bool:
    """Whether so many persons, instead of so many, would still be on; q is scaled by what that does to p."""
    if persons < FEWEST or persons <= moment.expected:
        return False
    expected, phi = np.full(2, float(moment.expected)), np.full(2, PHI)
    alone, counted = burst_ps(np.array([persons, max(persons, of)], float), expected, phi).tolist()
    return bool(moment.q * alone / counted <= Q_OFF)


def _figures(moment: Moment, start: datetime, tests: int) -> dict[str, Any]:
    return {
        "at": moment.at.isoformat(),
        "window_start": start.isoformat(),
        "window_buckets": moment.window,
        "observed": moment.observed,
        "expected": round(moment.expected, 3),
        "p": moment.p,
        "lift": round(moment.lift, 2),
        "lift_floor": round(moment.lift_floor, 2),
        "tests": tests,
    }


def _episode_id(watch: Watch, out: Written, series: int, moment: Moment) -> int | None:
    """The episode of a series at a moment: the open one, or the one that closed today."""
    if series in watch.open:
        return watch.open[series].id
    key, place = int(watch.keys[series]), int(watch.places[series])
    ended = [
        row["id"]
        for row in out.episodes.values()
        if row["key_hash"] == key and row["place"] == place and row["onset_at"] <= moment.at
    ]
    return ended[-1] if ended else None
