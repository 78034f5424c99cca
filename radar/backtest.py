"""The back-test: the lists of the past as they were known then, and what came of them.

A list is replayed as of the end of a local day, by the code that answers `radar trends`: episodes on in the 7 days
before, by their best score, out of snapshots with as_of <= that moment. The detector is causal (a bucket is judged by
the state before it), so a stored snapshot is what was known then, with two reservations that the answer counts:

- Posts that came late, edits and recounts rewind detection to the midnight before them, and what it says of that day
  from then on is what it would have said of the counts as they are now. Days that were counted, or recounted, more than
  a day after they ended are `recounted_days`; in a store that was filled by an import at once they are all.
- Snapshots older than 7 days are kept one a day, by the day's best moment and dated its end, and for as long as
  RADAR_SNAPSHOT_DAYS. So everything here is exact to the day and begins with the first snapshot kept (`kept_from`).

What "became large" means, and the intervals, are in `radar.trends.evaluation`. By market, kind and bucket:

precision at k     of the first k lines of all lists together, those whose series became large in the horizon. n counts
                   lines, `trends` different series. The interval is that of as many draws as there are trends: a trend
                   that stands in three lists is one piece of evidence. `already`: those that were large in the
                   list's own week; they were chosen for it, so this is no forecast, but it tells a trend that was
                   over by the time of the list from one that never was large.
emerging           trends that began (were first emerging) in the period and were listed; those that became large in the
                   horizon after the day they began. A series that begins again within 7 days counts once.
lead_days          large movers that were listed: peak day - last day known at the first listing. 0: that day was the
                   peak, below 0: listed after it. The first listing in the horizon before the peak or the week after.
coverage           large movers (keys whose peak came after a list's moment); those listed before the peak day began,
                   and, as `by_peak_day`, at its end. A key is listed where a list's line is led by it or has it as
                   variant. The whole list counts, not its first lines.

Fewer than 10 different trends under a figure answer "not enough history" in place of it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.answers import trend_id, trend_posts
from radar.answers.items import Ranked
from radar.answers.listing import ranked
from radar.answers.names import key_shown, place_market
from radar.answers.question import ask
from radar.answers.standing import Standing, standing
from radar.errors import CallerError
from radar.keys import Kind, kinds_of
from radar.markets import MARKETS, Market, day_start, local_day
from radar.markets import market as market_of
from radar.store import answers as answers_store
from radar.store import trends as store
from radar.store.counts import counted_days, key_names
from radar.store.engine import reading
from radar.trends.evaluation import (
    BASELINE_DAYS,
    DEPTHS,
    LEAST_BASELINE_DAYS,
    LEAST_PERSONS,
    LIST_DAYS,
    TIMES,
    TOO_LITTLE,
    DayRows,
    History,
    Line,
    Outcome,
    Records,
    median_figure,
    precision_figures,
    share_figure,
)
from radar.trends.stages import Stage
from radar.windows import RANKED, Bucket

HORIZON_DAYS, STEP_DAYS = 14, 7
Q = 0.05
_CHUNK_DAYS = 24

Progress = Callable[[str, int, int], None]
Truth = Mapping[str, Any]
Groups = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to replay. first, last  local days whose end is looked back from; None: as far as can be judged.

    horizon, step  days;    times  how many times its usual a trend must reach;    scope  as of `radar trends`
    """

    first: date | None = None
    last: date | None = None
    horizon: int = HORIZON_DAYS
    step: int = STEP_DAYS
    times: float = TIMES
    scope: str = "all"

    def __post_init__(self) -> None:
        if self.first and self.last and self.first > self.last:
            raise CallerError(f"from: {self.first} is after to: {self.last}.", "Turn them round.")
        if not 1 <= self.horizon <= 90 or not 1 <= self.step <= 90:
            raise CallerError("horizon and step are 1 to 90 days.", "Ask for horizon 14d and step 7d.")
        if not 1 < self.times <= 1000:
            raise CallerError(f"large: {self.times:g} times the usual is not large.", "Ask for large=3.")


Cell = tuple[Kind | None, Bucket | None]


def backtest(
    engine: sa.Engine,
    plan: Plan | None = None,
    *,
    market: str | None = None,
    kind: str | None = None,
    truth: Truth | None = None,
    progress: Progress = lambda what, done, of: None,
) -> dict[str, Any]:
    """Replay lists and say what came of them, by market, kind and bucket; all markets together where none is named.

    truth  what was injected into a simulated store (its truth.json): lists are then held against it as well

    Raises UnknownName and CallerError.
    """
    plan = plan or Plan()
    asked = [market_of(market)] if market else list(MARKETS.values())
    only = ask(market_code=asked[0].code, kind=kind, scope=plan.scope).kind
    groups = _groups(truth) if truth else None
    about: list[dict[str, Any]] = []
    cells: list[dict[str, Any]] = []
    together: dict[Cell, Records] = {cell: Records() for cell in _cells(only)}
    for one in asked:
        with reading(engine) as session:
            replay = _Replay(session, one, plan)
            found = {cell: Records() for cell in _cells(only)}
            for done in replay.run(found, groups):
                progress(one.name, done, len(found))
            about.append(replay.about())
        if replay.moments:
            cells += [_cell(one.code, cell, records) for cell, records in found.items()]
            for cell, records in found.items():
                together[cell].add(records)
    if len([m for m in about if m["status"] == "ok"]) > 1:
        cells = [_cell(None, cell, records) for cell, records in together.items()] + cells
    simulated = any(m["simulated"] for m in about)
    return {
        "simulated": simulated,
        "status": "ok" if cells else TOO_LITTLE,
        "horizon_days": plan.horizon,
        "step_days": plan.step,
        "large_times": plan.times,
        "scope": plan.scope,
        "q": Q,
        "baseline": {"days": BASELINE_DAYS, "least_days": LEAST_BASELINE_DAYS, "left_out_days": LIST_DAYS},
        "definition": _definition(plan),
        "markets": about,
        "cells": cells,
        "truth": _truth_cells(asked, together, only) if truth and simulated and cells else None,
    }


def replay_list(
    engine: sa.Engine, market: str, on: date, plan: Plan | None = None, *, kind: str | None = None, limit: int = 20
) -> dict[str, Any]:
    """One list as of the end of a local day, line by line with what came of it. Raises UnknownName, CallerError."""
    plan = plan or Plan()
    about = market_of(market)
    with reading(engine) as session:
        replay = _Replay(session, about, Plan(on, on, plan.horizon, 1, plan.times, plan.scope))
        only = ask(market_code=about.code, kind=kind, scope=plan.scope).kind
        lines = replay.lines(on, only, None)[:limit] if replay.can_list(on) else []
        names = key_names(session, [line.seen.key_hash for line in lines])
        items = [
            replay.described(on, line, key_shown(names.get(line.seen.key_hash), about.languages[0])) for line in lines
        ]
        return replay.about() | {"on": on, "horizon_days": plan.horizon, "items": items}


class _Replay:
    """One market's lists and history over the days that a plan can judge."""

    def __init__(self, session: Session, about: Market, plan: Plan) -> None:
        self.session, self.market, self.plan = session, about, plan
        self.stand: Standing = standing(session, about)
        self.counted = store.counted_days_of(session, self.stand.model_id, about.code)
        self.kept_from = store.oldest_snapshot(session, self.stand.model_id, about.code, RANKED)
        self.moments: list[date] = []
        self.skipped = {"too_early": 0, "too_late": 0}
        self._histories: dict[Kind, History] = {}
        self._outcomes: dict[tuple[Kind, int], Outcome] = {}
        self._standings: dict[date, Standing] = {}
        self._listings: list[store.Listing] | None = None
        self._choose()

    # ---- which moments ----

    def _choose(self) -> None:
        """The moments: back from the last in steps, those that can be judged; the others are counted."""
        self.earliest, self.latest = self._bounds()
        if self.earliest is None or self.latest is None:
            return
        first, last = self.plan.first or self.earliest, self.plan.last or self.latest
        asked = [last - timedelta(days=n) for n in range(0, (last - first).days + 1, self.plan.step)]
        self.skipped = {
            "too_early": sum(d < self.earliest for d in asked), "too_late": sum(d > self.latest for d in asked),
        }  # fmt: skip
        self.moments = sorted(d for d in asked if self.earliest <= d <= self.latest)

    def _bounds(self) -> tuple[date | None, date | None]:
        """First and last day whose lists can be judged."""
        whole = [d for d in self.counted if d.detected and d.person_count]
        if not whole or self.kept_from is None:
            return None, None
        days = {d.local_day for d in whole}
        day = max(whole[0].local_day + timedelta(days=LEAST_BASELINE_DAYS + LIST_DAYS - 1), self._day(self.kept_from))
        while sum(day - timedelta(days=LIST_DAYS + n) in days for n in range(BASELINE_DAYS)) < LEAST_BASELINE_DAYS:
            day += timedelta(days=1)
            if day > whole[-1].local_day:
                break
        return day, whole[-1].local_day - timedelta(days=self.plan.horizon)

    def can_list(self, on: date) -> bool:
        return on in self.moments

    def _day(self, at: datetime) -> date:
        """The last local day known at a moment."""
        return local_day(at - timedelta(microseconds=1), self.market.tz)

    def _end(self, day: date) -> datetime:
        return day_start(day + timedelta(days=1), self.market.tz)

    # ---- what came after ----

    def _load(self) -> None:
        """Read the counts of the days that the moments reach back and forward to."""
        self._first = self.moments[0] - timedelta(days=BASELINE_DAYS + LIST_DAYS - 1)
        last = self.moments[-1] + timedelta(days=self.plan.horizon)
        heard = [0] * ((last - self._first).days + 1)
        rows: dict[Kind, list[DayRows]] = {kind: [] for kind in Kind}
        for back in range(0, len(heard), _CHUNK_DAYS):
            start = self._first + timedelta(days=back)
            end = min(last, start + timedelta(days=_CHUNK_DAYS - 1))
            for day, counts in counted_days(self.session, self.stand.model_id, self.market.code, start, end).items():
                n = (day - self._first).days
                heard[n] = counts.day_persons
                kinds = kinds_of(counts.keys)
                for kind in Kind:
                    mine = (kinds == kind) & (counts.persons > 0)
                    rows[kind].append(DayRows(n, counts.keys[mine], counts.places[mine], counts.persons[mine]))
        self._histories = {kind: History.of(heard, blocks) for kind, blocks in rows.items()}

    def history(self, kind: Kind) -> History:
        if not self._histories:
            self._load()
        return self._histories[kind]

    def outcome(self, kind: Kind, day: date) -> Outcome | None:
        """What became of a kind's series after a day; None where it cannot be judged."""
        history = self.history(kind)
        n = (day - self._first).days
        if not history.can_judge(n, self.plan.horizon):
            return None
        if (kind, n) not in self._outcomes:
            self._outcomes[kind, n] = history.outcome(n, self.plan.horizon, self.plan.times)
        return self._outcomes[kind, n]

    def judged(self, kind: Kind, key: int, place: int, day: date) -> tuple[bool | None, bool]:
        """Whether a series became large (None where that cannot be judged), and whether it was so already."""
        outcome = self.outcome(kind, day)
        if outcome is None:
            return None, False
        series = self.history(kind).find(key, place)
        return (bool(outcome.large[series]), bool(outcome.already[series])) if series >= 0 else (False, False)

    # ---- lists ----

    def lines(self, on: date, kind: Kind | None, bucket: Bucket | None) -> list[Ranked]:
        """The list as of the end of a day."""
        if on not in self._standings:
            self._standings[on] = standing(self.session, self.market, self._end(on))
        stand = self._standings[on]
        question = ask(
            market_code=self.market.code, kind=kind.name.lower() if kind is not None else None,
            bucket=bucket.value if bucket else None, window=f"{LIST_DAYS}d", q=Q, scope=self.plan.scope,
        )  # fmt: skip
        return ranked(self.session, question, stand) if stand.status == "ok" else []

    def listings(self) -> list[store.Listing]:
        """All moments at which trends were listed that matter to the period's movers."""
        if self._listings is None:
            after = self._end(self.moments[0]) - timedelta(days=self.plan.horizon + LIST_DAYS)
            upto = self._end(self.moments[-1] + timedelta(days=self.plan.horizon + LIST_DAYS))
            self._listings = store.listings(
                self.session, self.stand.model_id, self.market.code, after, upto, q=Q, buckets=RANKED
            )
        return self._listings

    # ---- records ----

    def run(self, found: dict[Cell, Records], groups: Groups | None) -> Iterator[int]:
        """Fill the records of each cell; tells how many are done. groups: injections, of a simulated store."""
        groups = groups if self.stand.simulated else None
        for n, ((kind, bucket), records) in enumerate(found.items(), start=1):
            if self.moments:
                for day in self.moments:
                    self._judge_list(day, kind, bucket, records, groups if n == 1 else None)
                records.emerging = self._emerging(kind, bucket)
                records.leads = self._leads(kind, bucket)
            yield n

    def _judge_list(
        self, day: date, kind: Kind | None, bucket: Bucket | None, records: Records, groups: Groups | None
    ) -> None:
        lines = self.lines(day, kind, bucket)
        records.lists += bool(lines)
        for line in lines[: DEPTHS[-1]]:
            seen = line.seen
            name = (self.market.code, seen.key_hash, seen.own_place)
            large, already = self.judged(Kind(seen.kind), seen.key_hash, seen.own_place, day)
            records.lines.append(Line(line.rank, name, bool(large), already))
            if groups is not None:
                records.true.append(Line(line.rank, name, self._was_injected(seen.episode_id, day, groups)))

    def _emerging(self, kind: Kind | None, bucket: Bucket | None) -> list[bool]:
        """Of each trend that began in the period and was listed, whether it became large."""
        mine = {
            one.episode_id: one
            for one in self.listings()
            if (kind is None or one.kind == kind) and (bucket is None or one.bucket == bucket.value)
        }
        changes = answers_store.stage_changes(self.session, list(mine), self._end(self.moments[-1]))
        began = sorted(
            (self._day(at), number)
            for number, stages in changes.items()
            for at in [next((at for at, stage in stages if stage == Stage.EMERGING), None)]
            if at is not None and self._day(at) >= self.moments[0]
        )
        before: dict[tuple[int, int], date] = {}
        result = []
        for day, number in began:
            one = mine[number]
            last = before.get((one.key_hash, one.place))
            before[one.key_hash, one.place] = day
            if last is None or day - last > timedelta(days=LIST_DAYS):
                large, _ = self.judged(Kind(one.kind), one.key_hash, one.place, day)
                result += [large] if large is not None else []
        return result

    def movers(self, kind: Kind | None) -> set[tuple[int, date]]:
        """Keys that became large with the peak still to come at some moment, with the day of the peak."""
        found: set[tuple[int, date]] = set()
        for one in [kind] if kind is not None else list(Kind):
            history = self.history(one)
            for day in self.moments:
                outcome = self.outcome(one, day)
                if outcome is None:
                    continue
                best: dict[int, int] = {}
                for series in np.flatnonzero(outcome.large & (outcome.peak > outcome.day)).tolist():
                    key = int(history.keys[series])
                    if key not in best or outcome.gain[series] > outcome.gain[best[key]]:
                        best[key] = series
                found |= {(key, self._first + timedelta(days=int(outcome.peak[s]))) for key, s in best.items()}
        return found

    def _leads(self, kind: Kind | None, bucket: Bucket | None) -> list[int | None]:
        """Days from the first listing of each large mover to its peak; None where it was not listed."""
        listed: dict[int, list[date]] = {}
        for one in self.listings():
            if bucket is None or one.bucket == bucket.value:
                for key in {one.key_hash, *(v["key"] for v in one.variants)}:
                    listed.setdefault(key, []).append(self._day(one.as_of))
        leads: list[int | None] = []
        for key, peak in sorted(self.movers(kind)):
            since, until = peak - timedelta(days=self.plan.horizon), peak + timedelta(days=LIST_DAYS)
            days = [day for day in listed.get(key, ()) if since <= day <= until]
            leads.append((peak - min(days)).days if days else None)
        return leads

    def _was_injected(self, episode_id: int, day: date, groups: Groups) -> bool:
        """Whether at least half of the persons behind a line posted for one injection (simulated)."""
        persons: dict[str, set[int]] = {}
        cursor = None
        while True:
            page = trend_posts(self.session, episode_id, self._end(day), f"{LIST_DAYS}d", limit=100, cursor=cursor)
            for post in page["items"]:
                mine = persons.setdefault(post["author"]["person_id"], set())
                group = groups.get((post["platform"], post["native_id"]))
                mine |= {group} if group is not None else set()
            cursor = page["next"]
            if cursor is None:
                break
        votes = Counter(group for mine in persons.values() for group in mine)
        return bool(votes) and 2 * max(votes.values()) >= len(persons)

    # ---- answers ----

    def described(self, on: date, line: Ranked, key: dict[str, Any]) -> dict[str, Any]:
        """A line of a past list with what came of it."""
        seen = line.seen
        item: dict[str, Any] = {
            "rank": line.rank, "id": trend_id(seen.episode_id), "name": key["name"], "gloss": key["gloss"],
            "kind": key["kind"], "bucket": seen.bucket, "place_market": place_market(seen.place),
            "stage": line.stages[-1][1] if line.stages else seen.stage, "onset_at": seen.onset_at,
            "lift": seen.working["lift"], "q": seen.q, "score": seen.score, "persons": seen.working["persons"],
        }  # fmt: skip
        outcome = self.outcome(Kind(seen.kind), on)
        series = self.history(Kind(seen.kind)).find(seen.key_hash, seen.own_place)
        if outcome is None or series < 0:
            return item | {
                "large": False,
                "already": False,
                "times_usual": 0.0,
                "usual_per_day": None,
                "gain": None,
                "peak_on": None,
            }
        peak = int(outcome.peak[series])
        return item | {
            "large": bool(outcome.large[series]),
            "already": bool(outcome.already[series]),
            "times_usual": round(float(outcome.times[series]), 2),
            "usual_per_day": round(float(outcome.usual[series]), 3),
            "gain": round(float(outcome.gain[series]), 1),
            "peak_on": self._first + timedelta(days=peak) if peak >= 0 else None,
        }

    def about(self) -> dict[str, Any]:
        """What the figures of this market rest on."""
        since = self.moments[0] - timedelta(days=BASELINE_DAYS + LIST_DAYS - 1) if self.moments else None
        until = self.moments[-1] + timedelta(days=self.plan.horizon) if self.moments else None
        used = [d for d in self.counted if since and until and since <= d.local_day <= until]
        late = [d for d in used if d.counted_at > self._end(d.local_day) + timedelta(days=1)]
        return {
            "market": self.market.code,
            "name": self.market.name,
            "zone": self.market.zone,
            "model_id": self.stand.model_id,
            "simulated": self.stand.simulated,
            "status": "ok" if self.moments else TOO_LITTLE if self.counted else "no_data",
            "message": self._message(),
            "lists_on": self.moments,
            "skipped": self.skipped,
            "days": {"first": used[0].local_day if used else None, "last": until, "counted": len(used)},
            "recounted_days": len(late),
            "kept_from": self.kept_from,
            "series": {
                kind.name.lower(): outcome.field
                for kind in (self._histories if self.moments else ())
                if (outcome := self.outcome(kind, self.moments[-1])) is not None
            },
        }

    def _message(self) -> str:
        n = len(self.moments)
        if n:
            return f"{n} list{'' if n == 1 else 's'}, as of the ends of {self.moments[0]} to {self.moments[-1]}."
        if not self.counted:
            return self.stand.reason or f"Nothing is counted for {self.market.name}."
        need = LEAST_BASELINE_DAYS + LIST_DAYS + self.plan.horizon
        days = sum(d.person_count > 0 for d in self.counted)
        if self.kept_from is None:
            return f"Not enough history: {days} days counted, and no trend was ever listed."
        if self.earliest and self.latest and self.earliest <= self.latest:
            return (
                f"Not enough history in the span asked for: lists of {self.earliest} to {self.latest} can be judged "
                f"over {self.plan.horizon} days."
            )
        first = self.earliest + timedelta(days=self.plan.horizon + 1) if self.earliest else None
        when = f" The first list can be judged on {first}, if posts keep coming." if first else ""
        return f"Not enough history: {days} days counted; a list, its baseline and its horizon need {need}.{when}"


def _groups(truth: Truth) -> Groups:
    """The injection that each injected post belongs to."""
    return {(p[0], p[1]): i for i, injected in enumerate(truth["injections"]) for p in injected["post_ids"]}


def _cells(kind: Kind | None) -> list[Cell]:
    """The whole list first, then by bucket, then by kind and bucket."""
    kinds: list[Kind | None] = [kind] if kind is not None else [None, *Kind]
    return [(kinds[0], None), *((k, bucket) for k in kinds for bucket in RANKED)]


def _cell(market: str | None, cell: Cell, records: Records) -> dict[str, Any]:
    """The figures of one market (None: all together), kind and bucket."""
    kind, bucket = cell
    leads = [lead for lead in records.leads if lead is not None]
    n = len(records.leads)
    figures: dict[str, Any] = {
        "precision": precision_figures(records.lines),
        "emerging": share_figure(sum(records.emerging), len(records.emerging), len(records.emerging)),
        "lead_days": median_figure(leads),
        "coverage": share_figure(sum(lead > 0 for lead in leads), n, n)
        | {"by_peak_day": share_figure(sum(lead >= 0 for lead in leads), n, n)},
    }
    parts = [*figures["precision"], figures["emerging"], figures["lead_days"], figures["coverage"]]
    status = "ok" if any(part["status"] == "ok" for part in parts) else TOO_LITTLE
    return {
        "market": market, "kind": kind.name.lower() if kind is not None else None,
        "bucket": bucket.value if bucket else None, "status": status, "lists": records.lists,
    } | figures  # fmt: skip


def _truth_cells(asked: Sequence[Market], together: Mapping[Cell, Records], kind: Kind | None) -> dict[str, Any]:
    """Precision against what was injected; only a simulated store has such a thing."""
    return {
        "simulated": True,
        "definition": "A line is true where at least half of the persons behind it posted for one injected burst. "
        "Simulated: it says how the arithmetic works, not how it does on your posts.",
        "markets": [market.code for market in asked],
        "precision": precision_figures(together[kind, None].true, is_truth=True),
    }


def figures(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A back-test's figures one a row: market, kind, bucket (None: all), measure, k, status, n, value, low, high.

    measure  precision, already (large in the list's week), emerging, coverage, coverage_by_peak_day, lead_days, and
             truth_precision of a simulated store
    """
    found: list[dict[str, Any]] = []
    for cell in answer["cells"]:
        where = {name: cell[name] for name in ("market", "kind", "bucket")}
        found += [_figure(where, "precision", part) for part in cell["precision"]]
        found += [_figure(where, "already", part["already"] | {"k": part["k"]}) for part in cell["precision"]]
        found += [_figure(where, name, cell[name]) for name in ("emerging", "coverage", "lead_days")]
        found.append(_figure(where, "coverage_by_peak_day", cell["coverage"]["by_peak_day"]))
    if answer["truth"]:
        where = {"market": None, "kind": None, "bucket": None}
        found += [_figure(where, "truth_precision", part) for part in answer["truth"]["precision"]]
    return found


def _figure(where: Mapping[str, Any], measure: str, part: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **where, "measure": measure, "k": part.get("k"), "status": part["status"], "n": part["n"],
        "trends": part.get("trends", part["n"]), "hits": part.get("hits"),
        "value": part.get("share", part.get("median")), "low": part["low"], "high": part["high"],
    }  # fmt: skip


def _definition(plan: Plan) -> str:
    return (
        f"Large: in the {plan.horizon} days after a list, on some day at least {LEAST_PERSONS} persons and surely "
        f"{plan.times:g} times the usual (mean of the {BASELINE_DAYS} days that end a week before the list, for the "
        "persons heard), and among the tenth of the market's keys of that kind that gained most persons."
    )
