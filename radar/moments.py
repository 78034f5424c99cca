"""What is written down of a market's trends at a moment: one snapshot for each, with its working.

Keys that mostly the same persons used are one trend: the best-known name leads it, the others are its variants.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from radar.crowds import Behind, Crowds
from radar.keys import Kind, kind_of, kinds_of
from radar.markets import MARKETS, day_start, local_day
from radar.past import TICK, Past, tick_of
from radar.recurrence import Recurrence, Recurring
from radar.trends.distinct import mix
from radar.trends.diversity import NARROW
from radar.trends.kernels import PHI
from radar.trends.naming import Candidate, best_known
from radar.trends.overlap import merge_numbered
from radar.trends.stages import Q_OFF
from radar.trends.tail import burst_ps
from radar.watch import Moment, Watch, Written
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
        found = self._found(watch, crowds, moments)
        episodes = _Episodes(watch, out)
        leads: list[tuple[int, int, list[dict[str, int]]]] = []
        for members in self._explained(crowds, found, self._merged(found)):
            lead = members[0]
            lead_id = episodes.id_of(found, lead)
            if lead_id is None:
                continue
            others = []
            for n in members:
                number = episodes.id_of(found, n)
                if n != lead and number is not None:
                    others.append({"episode_id": number, "key": found.keys[n], "place": found.places[n]})
                if (episode := watch.open.get(found.series[n])) is not None:
                    episode.leader_id = None if n == lead else lead_id
                    out.episodes[episode.id]["leader_id"] = episode.leader_id
            leads.append((lead, lead_id, others))
        if not leads:
            return
        rows = np.array([lead for lead, _, _ in leads], np.int64)
        described = crowds.described(found.behind.some(rows), found.starts[rows], found.ends[rows])
        for (lead, lead_id, others), told in zip(leads, described, strict=True):
            moment, key, own_place = found.moments[lead], found.keys[lead], found.places[lead]
            start = moment.at - moment.window * self.bucket.length
            working = _figures(moment, start, tests) | {
                "engagement_factor": round(found.factors[lead], 3),
                "variants": others,
                "season": self._season(key, own_place, as_of),
                "novelty": self._novelty(watch, past, found.series[lead], start),
                **told["shown"],
            }
            score = found.scores[lead] * (NARROW if working["narrow"] else 1.0)
            out.snapshots[lead_id, as_of] = {
                "episode_id": lead_id, "as_of": as_of, "audience_market": self.market, "bucket": self.bucket.value,
                "place": own_place or told["place"], "kind": int(kind_of(key)),
                "topic_id": self.topics.get(key) or told["topic_id"], "stage": out.episodes[lead_id]["stage"],
                "is_on": found.series[lead] in watch.open, "is_daily": is_daily, "q": moment.q,
                "score": round(score, 4), "working": working,
            }  # fmt: skip

    def _found(self, watch: Watch, crowds: Crowds, moments: Mapping[int, Moment]) -> "_Found":
        """Those of the moments that crowds make, by series."""
        rows, shown = np.fromiter(moments, np.int64, len(moments)), list(moments.values())
        ends = np.array([moment.at.timestamp() for moment in shown], float)
        lengths = np.array([moment.window for moment in shown], float) * self.bucket.length.total_seconds()
        behind = crowds.behind(watch.keys[rows], watch.places[rows], ends - lengths, ends)
        kept = np.flatnonzero(_are_crowds(shown, behind.sizes))
        kept = kept[np.argsort(rows[kept])]
        series, behind = rows[kept], behind.some(kept)
        some = [shown[n] for n in kept.tolist()]
        factors = crowds.engagement_factors(behind)
        scores = [moment.score * factor for moment, factor in zip(some, factors, strict=True)]
        keys = watch.keys[series]
        return _Found(
            series.tolist(), keys.tolist(), watch.places[series].tolist(), kinds_of(keys).tolist(), some, behind,
            factors, scores, (ends - lengths)[kept], ends[kept],
        )  # fmt: skip

    def _merged(self, found: "_Found") -> list[list[int]]:
        """Rows that are one trend together, the best-known name first; the best score's trend first."""
        scores = found.scores
        leaders = merge_numbered(
            found.behind.persons,
            found.behind.posts,
            np.array(scores, float),
            np.array([m.lift if kind in NAMES else 0.0 for kind, m in zip(found.kinds, found.moments, strict=True)]),
        )
        groups: dict[int, list[int]] = {}
        for n, leader in enumerate(leaders):
            groups.setdefault(leader, []).append(n)
        merged, sizes = [], found.behind.sizes.tolist()
        for members in sorted(groups.values(), key=lambda members: (-max(scores[n] for n in members), members)):
            if len(members) > 1:
                names = [self._candidate(found.keys[n], sizes[n], scores[n]) for n in members]
                members.insert(0, members.pop(best_known(names)))
            merged.append(members)
        return merged

    def _explained(self, crowds: Crowds, found: "_Found", merged: list[list[int]]) -> list[list[int]]:
        """Keys that rose only in posts about other trends join the one that they share most posts with.

        A word is tested again without the posts of better trends: "queued" rises when three crazes are queued for, and
        is no fourth. Topics and places are tested without those of all names, better or not, unless one trend has half
        of their posts: that one is theirs, but who is told of two crazes in Singapore need not be told of Singapore.
        """
        kept: list[list[int]] = []
        naming: list[list[int]] = []
        claimed, sizes = crowds.none(), found.behind.sizes.tolist()
        for members in sorted(merged, key=lambda members: found.kinds[members[0]] not in NAMES):
            lead = members[0]
            kind, posts = found.kinds[lead], found.behind.posts_of(lead)
            if kind in EXPLAINED and naming:
                left, persons = crowds.left_over(posts, claimed)
                if 4 * left < 3 * len(posts) and not _is_surprise(found.moments[lead], persons, sizes[lead]):
                    shared = crowds.shared(posts, [other[0] for other in naming], found.behind)
                    if kind in WORDS or 2 * max(shared) < len(posts):
                        naming[shared.index(max(shared))] += members
                        continue
            kept.append(members)
            if kind in NAMES:
                naming.append(members)
                claimed[posts] = True
        return kept

    def _candidate(self, key: int, persons: int, score: float) -> Candidate:
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


class _Found(NamedTuple):
    """Moments with the crowds behind them, a row for each series, ascending; starts and ends of windows in seconds."""

    series: list[int]
    keys: list[int]
    places: list[int]
    kinds: list[int]
    moments: list[Moment]
    behind: Behind
    factors: list[float]
    scores: list[float]
    starts: npt.NDArray[np.float64]
    ends: npt.NDArray[np.float64]


class _Episodes:
    """Which episode a moment belongs to: the open one, or the one that closed today."""

    def __init__(self, watch: Watch, out: Written) -> None:
        self._open, self._out = watch.open, out
        self._ended: dict[tuple[int, int], list[dict[str, Any]]] | None = None

    def id_of(self, found: _Found, row: int) -> int | None:
        """The episode of a row."""
        if (episode := self._open.get(found.series[row])) is not None:
            return episode.id
        if self._ended is None:
            self._ended = {}
            for ended in self._out.episodes.values():
                self._ended.setdefault((ended["key_hash"], ended["place"]), []).append(ended)
        at = found.moments[row].at
        mine = self._ended.get((found.keys[row], found.places[row]), ())
        return next((ended["id"] for ended in reversed(mine) if ended["onset_at"] <= at), None)


def _are_crowds(moments: Sequence[Moment], sizes: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Whether persons, and not one person's days, make each moment: tests sum over days, so somebody can count daily.

    Fewer than ten persons are tested again, each counted once.
    """
    found = sizes >= FEWEST
    observed = np.array([moment.observed for moment in moments], float)
    asked = np.flatnonzero(found & (sizes < np.minimum(FEW, observed)))
    found[asked] = _are_surprises([moments[n] for n in asked.tolist()], sizes[asked], observed[asked])
    return found


def _is_surprise(moment: Moment, persons: int, of: int) -> bool:
    if persons < FEWEST or persons <= moment.expected:
        return False
    return bool(_are_surprises([moment], np.array([persons]), np.array([of], float))[0])


def _are_surprises(
    moments: Sequence[Moment], persons: npt.NDArray[np.int64], of: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """Whether so many persons, instead of so many, would still be on; q is scaled by what that does to p."""
    expected = np.array([moment.expected for moment in moments], float)
    found: npt.NDArray[np.bool_] = (persons >= FEWEST) & (persons > expected)
    some = np.flatnonzero(found)
    if some.size:
        counts = np.concatenate([persons[some], np.maximum(persons[some], of[some])])
        alone, counted = np.split(burst_ps(counts, np.tile(expected[some], 2), np.full(len(counts), PHI)), 2)
        found[some] = np.array([moments[n].q for n in some.tolist()], float) * alone / counted <= Q_OFF
    return found


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
