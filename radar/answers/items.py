"""Trends as answers show them: names, evidence, days around, and a sentence a person can repeat."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from radar.answers.curation import Curated, curated, shown, variants_into
from radar.answers.ids import trend_id
from radar.answers.names import key_shown, place_market, topic
from radar.markets import MARKETS, Market, local_day
from radar.store import answers as store
from radar.store.answers import Seen
from radar.store.counts import counted_days, key_names
from radar.store.curation import Decision
from radar.store.day_blob import DayCounts
from radar.store.posts import evidence
from radar.support import TIERS
from radar.text.tones import tone_name
from radar.windows import Bucket

_BY_SIZE = (*(name for name, _ in TIERS), "below", "unknown")

SPARK_DAYS = 28
Item = dict[str, Any]
Days = Mapping[date, DayCounts]


@dataclass(frozen=True, slots=True)
class Ranked:
    """A line of a list: its best snapshot, its place in it, and its stages so far."""

    seen: Seen
    rank: int
    group: int
    stages: Sequence[tuple[datetime, str]]


def describe(session: Session, rows: Sequence[Ranked], as_of: datetime, days: Days | None = None) -> list[Item]:
    """The full lines; reads names, posts and the last 28 days' counts for all of them at once."""
    if not rows:
        return []
    about = MARKETS[rows[0].seen.audience_market]
    last = local_day(as_of - timedelta(microseconds=1), about.tz)
    if days is None:
        first = last - timedelta(days=SPARK_DAYS - 1)
        days = counted_days(session, rows[0].seen.model_id, about.code, first, last)
    found = [row.seen for row in rows]
    decided, merged = curated(session, found), variants_into(session, found)
    hashes = {row.seen.key_hash for row in rows} | {v["key"] for row in rows for v in row.seen.working["variants"]}
    hashes |= {one.key_hash for some in merged.values() for one in some}
    names = key_names(session, sorted(hashes))
    wanted = sorted({i for row in rows for i in row.seen.working["evidence"]})
    posts = {p["id"]: p for p in evidence(session, wanted)} if wanted else {}
    items = [_item(row, about, as_of, names, posts, days, last) for row in rows]
    for row, item in zip(rows, items, strict=True):
        _curate(item, row.seen, decided, merged.get(row.seen.episode_id, ()), names)
    return items


def _curate(item: Item, seen: Seen, decided: Curated, merged: Sequence[Decision], names: Mapping[int, Any]) -> None:
    """Say of a line what editors decided: its other name, what they made its variants, and why."""
    name = decided.name(seen.episode_id)
    if name is not None:
        item |= {"name": name, "name_before": item["name"]}
    item["curation"] = [shown(one) for one in decided.of(seen.episode_id)]
    known = {variant["id"] for variant in item["variants"]}
    language = MARKETS[seen.audience_market].languages[0]
    for one in merged:
        if one.episode_id is not None and trend_id(one.episode_id) not in known:
            series = {"episode_id": one.episode_id, "key": one.key_hash, "place": seen.place}
            item["variants"].append(_variant(series, names, language) | {"merged": True})


def _item(
    row: Ranked,
    about: Market,
    as_of: datetime,
    names: Mapping[int, Any],
    posts: Mapping[int, Any],
    days: Days,
    last: date,
) -> Item:
    seen, working = row.seen, row.seen.working
    bucket = Bucket(seen.bucket)
    stage_since, stage = row.stages[-1] if row.stages else (seen.onset_at, seen.stage)
    language = about.languages[0]
    key = key_shown(names.get(seen.key_hash), language)
    ended = seen.ended_at if seen.ended_at and seen.ended_at <= as_of else None
    return {
        "id": trend_id(seen.episode_id),
        "rank": row.rank,
        "name": key["name"],
        "name_before": None,
        "key": {part: key[part] for part in ("text", "kind", "gloss")},
        "topic": topic(seen.topic_id),
        "market": about.code,
        "place_market": place_market(seen.place),
        "stage": stage,
        "stage_since": stage_since,
        "onset_at": seen.onset_at,
        "ended_at": ended,
        "seen_at": seen.as_of,
        "observed": working["observed"],
        "expected": working["expected"],
        "lift": working["lift"],
        "lift_floor": working["lift_floor"],
        "p": working["p"],
        "q": seen.q,
        "score": seen.score,
        "engagement_factor": working["engagement_factor"],
        "tests": working["tests"],
        "window": {
            "start": _instant(working["window_start"]),
            "end": _instant(working["at"]),
            "buckets": working["window_buckets"],
            "bucket": bucket.value,
        },
        "persons": working["persons"],
        "heard": working["heard"],
        "posts": working["posts"],
        "platforms": working["platforms"],
        "tiers": {name: working["tiers"][name] for name in _BY_SIZE if name in working["tiers"]},
        "sponsored_share": working["sponsored_share"],
        "complaints": complaints_shown(working.get("complaints")),
        "novelty": working["novelty"],
        "season": working["season"],
        "narrow": [sign | {"sentence": narrow_words(sign)} for sign in working["narrow"]],
        "variants": _variants(working["variants"], seen.key_hash, names, language),
        "evidence": [shown_post(posts[i]) for i in working["evidence"] if i in posts],
        "sparkline": sparkline(days, seen.key_hash, seen.own_place, last),
        "sentence": sentence(working, bucket, about),
    }


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _variants(variants: Iterable[Mapping[str, Any]], own: int, names: Mapping[int, Any], language: str) -> list[Item]:
    """One for each key; of those about a place and about all, the one about all."""
    by_key: dict[int, Mapping[str, Any]] = {}
    for variant in sorted(variants, key=lambda v: v["place"]):
        if variant["key"] != own:
            by_key.setdefault(variant["key"], variant)
    return [_variant(variant, names, language) for variant in by_key.values()]


def _variant(variant: Mapping[str, Any], names: Mapping[int, Any], language: str) -> Item:
    key = key_shown(names.get(variant["key"]), language)
    return {
        "id": trend_id(variant["episode_id"]),
        "name": key["name"],
        "kind": key["kind"],
        "place_market": place_market(variant["place"]),
        "merged": False,
    }


def shown_post(row: Mapping[str, Any]) -> Item:
    """A post as evidence; counts are null when hidden, the text is null once pruned."""
    return {
        "id": str(row["id"]),
        "platform": row["platform"],
        "native_id": row["native_id"],
        "text": row["text"],
        "language": row["language"],
        "url": row["url"],
        "published_at": row["published_at"],
        "author": {
            "id": str(row["author_id"]),
            "handle": row["handle"],
            "name": row["name"],
            "follower_count": row["follower_count"],
            "person_id": str(row["person_id"]),
            "complaints": None,
            "market": {
                "code": row["audience_market"],
                "source": row["market_source"],
                "confidence": row["market_confidence"],
                "reasons": row["market_reasons"],
            },
        },
        "like_count": row["like_count"],
        "comment_count": row["comment_count"],
        "share_count": row["share_count"],
        "view_count": row["view_count"],
        "sponsored": row["sponsored"],
        "tone": tone_name(row["tone"]),
    }


def complaints_shown(counted: Mapping[str, int] | None) -> Item | None:
    """How many of some posts blame; None where no tone was read in them.

    >>> complaints_shown({"negative": 5, "posts": 40})["sentence"]
    'share of complaints 12 % of 40 posts'
    """
    if not counted or not counted["posts"]:
        return None
    share = counted["negative"] / counted["posts"]
    said = f"share of complaints {100 * share:.0f} % of {_counted(counted['posts'], 'post')}"
    return {"share": round(share, 3), "posts": counted["posts"], "sentence": said}


def persons_of(counts: DayCounts, key: int, place: int) -> int:
    """Persons of a key (about a place market; 0: any) on a day."""
    low, high = np.searchsorted(counts.keys, [key, key + 1])
    return int(counts.persons[low:high][counts.places[low:high] == place].sum())


def sparkline(days: Days, key: int, place: int, last: date) -> list[int | None]:
    """Persons a day for the 28 days that end with `last`; None where nothing is counted."""
    span = [last - timedelta(days=back) for back in range(SPARK_DAYS - 1, -1, -1)]
    return [persons_of(days[day], key, place) if day in days else None for day in span]


def sentence(working: Mapping[str, Any], bucket: Bucket, about: Market) -> str:
    """What a person can repeat.

    >>> told = {"lift": 4.1, "lift_floor": 2.79, "persons": 17, "platforms": 4, "window_buckets": 3}
    >>> window = {"window_start": "2026-11-24T09:00:00+00:00", "at": "2026-11-24T12:00:00+00:00"}
    >>> sentence(told | window, Bucket.HOUR, MARKETS["TW"])
    'at least 2.7x the usual for a Tuesday evening, 17 KOLs, 4 platforms'
    """
    floor = at_least(working["lift_floor"])
    lift = f"at least {floor:.1f}x the usual" if floor > 1 else f"likely {working['lift']:.1f}x the usual"
    start, end = (datetime.fromisoformat(working[name]).astimezone(about.tz) for name in ("window_start", "at"))
    when = time_words(start, end)
    return ", ".join(
        [f"{lift} {when}", _counted(working["persons"], "KOL"), _counted(working["platforms"], "platform")]
    )


_PARTS = ((5, "night"), (12, "morning"), (17, "afternoon"), (22, "evening"), (24, "night"))


def time_words(start: datetime, end: datetime) -> str:
    """A window in words, by local time.

    >>> at = datetime(2026, 11, 24)
    >>> time_words(at, at + timedelta(days=1)), time_words(at, at + timedelta(days=3))
    ('for a Tuesday', 'for 3 days')
    """
    length = end - start
    if length > timedelta(hours=25):
        return f"for {round(length / timedelta(days=1))} days"
    if length > timedelta(hours=6):
        return f"for a {start:%A}" if start.hour == 0 else "for 24 hours"
    middle = start + length / 2
    return f"for a {middle:%A} {next(name for hour, name in _PARTS if middle.hour < hour)}"


_NARROW = {
    "same_words": "{share:.0%} of these KOLs posted nearly the same text",
    "same_taste": "{share:.0%} of these KOLs post the same about everything else too",
    "same_minutes": "{share:.0%} of these KOLs posted within the same ten minutes",
    "new_accounts": "{share:.0%} of these accounts are new to us, far more than usual here",
}


def narrow_words(sign: Mapping[str, Any]) -> str:
    """Why a trend is called narrow.

    >>> narrow_words({"reason": "same_words", "share": 0.75})
    '75% of these KOLs posted nearly the same text'
    """
    return _NARROW[sign["reason"]].format(share=sign["share"])


def at_least(lift_floor: float) -> float:
    """A floor to one digit, never rounded up.

    >>> at_least(2.19), at_least(2.2)
    (2.1, 2.2)
    """
    return math.floor(lift_floor * 10 + 1e-9) / 10


def _counted(n: int, word: str) -> str:
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def stages_of(session: Session, ids: Iterable[int], as_of: datetime) -> dict[int, list[tuple[datetime, str]]]:
    """Stage histories up to a moment."""
    return store.stage_changes(session, sorted(set(ids)), as_of)
