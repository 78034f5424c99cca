"""What came of the lists of a market: every line, every beginning and every large mover with its outcome."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from radar.answers import trend_posts
from radar.backtest.plan import Cell, Groups
from radar.backtest.replay import Replay
from radar.keys import Kind
from radar.store import answers as answers_store
from radar.trends.evaluation import (
    DEPTHS,
    LIST_DAYS,
    Line,
    Records,
)
from radar.trends.stages import Stage
from radar.windows import Bucket


def judge(replay: Replay, found: dict[Cell, Records], groups: Groups | None) -> Iterator[int]:
    """Fill the records of each cell; tells how many are done. groups: injections, of a simulated store."""
    groups = groups if replay.stand.simulated else None
    for n, ((kind, bucket), records) in enumerate(found.items(), start=1):
        if replay.moments:
            for day in replay.moments:
                _judge_list(replay, day, kind, bucket, records, groups if n == 1 else None)
            records.emerging = _emerging(replay, kind, bucket)
            records.leads = _leads(replay, kind, bucket)
        yield n


def _judge_list(
    replay: Replay, day: date, kind: Kind | None, bucket: Bucket | None, records: Records, groups: Groups | None
) -> None:
    lines = replay.lines(day, kind, bucket)
    records.lists += bool(lines)
    for line in lines[: DEPTHS[-1]]:
        seen = line.seen
        name = (replay.market.code, seen.key_hash, seen.own_place)
        large, already = replay.judged(Kind(seen.kind), seen.key_hash, seen.own_place, day)
        records.lines.append(Line(line.rank, name, bool(large), already))
        if groups is not None:
            records.true.append(Line(line.rank, name, _was_injected(replay, seen.episode_id, day, groups)))


def _emerging(replay: Replay, kind: Kind | None, bucket: Bucket | None) -> list[bool]:
    """Of each trend that began in the period and was listed, whether it became large."""
    mine = {
        one.episode_id: one
        for one in replay.listings()
        if (kind is None or one.kind == kind) and (bucket is None or one.bucket == bucket.value)
    }
    changes = answers_store.stage_changes(replay.session, list(mine), replay.end(replay.moments[-1]))
    began = sorted(
        (replay.day_of(at), number)
        for number, stages in changes.items()
        for at in [next((at for at, stage in stages if stage == Stage.EMERGING), None)]
        if at is not None and replay.day_of(at) >= replay.moments[0]
    )
    before: dict[tuple[int, int], date] = {}
    result = []
    for day, number in began:
        one = mine[number]
        last = before.get((one.key_hash, one.place))
        before[one.key_hash, one.place] = day
        if last is None or day - last > timedelta(days=LIST_DAYS):
            large, _ = replay.judged(Kind(one.kind), one.key_hash, one.place, day)
            result += [large] if large is not None else []
    return result


def movers(replay: Replay, kind: Kind | None) -> set[tuple[int, date]]:
    """Keys that became large with the peak still to come at some moment, with the day of the peak."""
    found: set[tuple[int, date]] = set()
    for one in [kind] if kind is not None else list(Kind):
        history = replay.history(one)
        for day in replay.moments:
            outcome = replay.outcome(one, day)
            if outcome is None:
                continue
            best: dict[int, int] = {}
            for series in np.flatnonzero(outcome.large & (outcome.peak > outcome.day)).tolist():
                key = int(history.keys[series])
                if key not in best or outcome.gain[series] > outcome.gain[best[key]]:
                    best[key] = series
            found |= {(key, replay.first + timedelta(days=int(outcome.peak[s]))) for key, s in best.items()}
    return found


def _leads(replay: Replay, kind: Kind | None, bucket: Bucket | None) -> list[int | None]:
    """Days from the first listing of each large mover to its peak; None where it was not listed."""
    listed: dict[int, list[date]] = {}
    for one in replay.listings():
        if bucket is None or one.bucket == bucket.value:
            for key in {one.key_hash, *(v["key"] for v in one.variants)}:
                listed.setdefault(key, []).append(replay.day_of(one.as_of))
    leads: list[int | None] = []
    for key, peak in sorted(movers(replay, kind)):
        since, until = peak - timedelta(days=replay.plan.horizon), peak + timedelta(days=LIST_DAYS)
        days = [day for day in listed.get(key, ()) if since <= day <= until]
        leads.append((peak - min(days)).days if days else None)
    return leads


def _was_injected(replay: Replay, episode_id: int, day: date, groups: Groups) -> bool:
    """Whether at least half of the persons behind a line posted for one injection (simulated)."""
    persons: dict[str, set[int]] = {}
    cursor = None
    while True:
        page = trend_posts(replay.session, episode_id, replay.end(day), f"{LIST_DAYS}d", limit=100, cursor=cursor)
        for post in page["items"]:
            mine = persons.setdefault(post["author"]["person_id"], set())
            group = groups.get((post["platform"], post["native_id"]))
            mine |= {group} if group is not None else set()
        cursor = page["next"]
        if cursor is None:
            break
    votes = Counter(group for mine in persons.values() for group in mine)
    return bool(votes) and 2 * max(votes.values()) >= len(persons)
