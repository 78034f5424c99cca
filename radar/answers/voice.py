"""Keys that users track, and the share of voice of those in one group: who is spoken of by how many.

The share of a key is of the persons who mention any key of its group in the market and window, so shares may add up to
more than all: somebody can speak of two. It comes with Wilson's interval, and below FEWEST such persons with none.
"""

from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from radar.answers.ids import trend_id
from radar.answers.names import UnknownFilter
from radar.answers.question import parse_window, window_words
from radar.answers.standing import shipped, standing
from radar.errors import CallerError
from radar.markets import MARKETS, day_start, local_day, market
from radar.store import tracked as store
from radar.store.diffusion import onsets_of
from radar.store.engine import world_of
from radar.store.promotion import active_model
from radar.store.tracked import Mentioned, Tracked
from radar.trends.evaluation import wilson

FEWEST = 10
"""Persons who mention any key of a group, below which no share is told."""
LONGEST = timedelta(days=400)
LATELY = 90
"""Days over which the list of tracked keys counts who mentioned them."""
VOICE_WINDOWS = ("7d", "30d", "90d")
Item = dict[str, Any]


def tracked_keys(session: Session) -> Item:
    """Everything that is tracked, by group: how far stored posts are looked through, how many mention it of late."""
    keys = [one for one in store.tracked_keys(session) if one.deleted_at is None]
    spans = _spans(session, list(MARKETS.values()), LATELY) if keys else {}
    known = store.mentioned(session, [one.key_hash for one in keys], spans)
    items = [
        tracked_shown(one) | {"persons": sum(m.persons for m in known.values() if m.key_hash == one.key_hash)}
        for one in keys
    ]
    return {"items": items, "next": None, "groups": groups_of(keys), "simulated": world_of(session) == "simulated"}


def tracked_shown(one: Tracked) -> Item:
    """A tracked key as answers show it."""
    progress = 1.0 if one.swept_to >= one.sweep_until else one.swept_to / one.sweep_until
    return {
        "id": one.id,
        "name": one.name,
        "kind": one.kind,
        "group": one.group_name,
        "forms": [{"language": language or None, "text": text} for language, text in one.forms],
        "who": one.who,
        "created_at": one.created_at,
        "changed_at": one.changed_at,
        "progress": round(progress, 4),
        "persons": 0,
    }


def groups_of(keys: "list[Tracked]") -> list[str]:
    """Groups by name."""
    return sorted({one.group_name for one in keys}, key=str.casefold)


def share_of_voice(
    session: Session, *, group: str | None = None, market_code: str | None = None, window: str | None = None
) -> Item:
    """Tracked keys of a group against each other, by market: distinct persons and posts, share and interval.

    group   the first one if left out;    window  whole local days, up to 400d; 30d if left out

    Raises UnknownName and CallerError.
    """
    only = market(market_code) if market_code else None
    length = parse_window(window or "30d")
    if length % timedelta(days=1) or length > LONGEST:
        raise CallerError(f"window: '{window}' is no whole number of days.", "Ask for 7d, 30d or 90d.")
    all_keys = [one for one in store.tracked_keys(session) if one.deleted_at is None]
    names = groups_of(all_keys)
    chosen = _group(group, names) if group else (names[0] if names else None)
    keys = [one for one in all_keys if one.group_name == chosen]
    spans = _spans(session, [only] if only else list(MARKETS.values()), length // timedelta(days=1))
    found = store.mentioned(session, [one.key_hash for one in keys], spans) if keys else {}
    on = _came_on(session, keys, spans) if keys and spans else {}
    items = [_market(code, span, keys, found, on) for code, span in spans.items()] if keys else []
    told = [row for row in items if row["status"] == "ok"]
    words = window_words(window or "30d")
    if not names:
        message = 'Nothing is tracked yet: `radar track add "Donki" --form ja=ドンキ`.'
    elif told:
        message = f"{chosen}: {len(keys)} keys in {len(told)} markets over {words}."
    else:
        message = f"{chosen}: not enough people mention it in {words}; {FEWEST} of a market are needed."
    return {
        "items": items,
        "next": None,
        "group": chosen,
        "groups": names,
        "market": only.code if only else None,
        "window": window or "30d",
        "fewest": FEWEST,
        "message": message,
        "simulated": world_of(session) == "simulated",
        "everywhere": _everywhere(items, keys) if len(items) > 1 else None,
        "is_whole": all(one.swept_to >= one.sweep_until for one in keys),
    }


def _group(asked: str, names: list[str]) -> str:
    for name in names:
        if name.casefold() == asked.strip().casefold():
            return name
    raise UnknownFilter("group", asked[:60], names)


def _spans(session: Session, markets: "list[Any]", days: int) -> dict[str, tuple[date, date]]:
    """The last local days of each market that are counted."""
    spans = {}
    for about in markets:
        latest = standing(session, about).latest
        if latest is not None:
            last = local_day(latest - timedelta(microseconds=1), about.tz)
            spans[about.code] = (last - timedelta(days=days - 1), last)
    return spans


def _came_on(
    session: Session, keys: "list[Tracked]", spans: dict[str, tuple[date, date]]
) -> dict[tuple[int, str], Item]:
    """Of each key in each market, its trend in the window: the one that is on, else the newest."""
    model_id = active_model(session) or shipped()
    first = min(day_start(span[0], MARKETS[code].tz) for code, span in spans.items())
    last = max(day_start(span[1] + timedelta(days=1), MARKETS[code].tz) for code, span in spans.items())
    found: dict[tuple[int, str], Item] = {}
    for seen in onsets_of(session, model_id, [one.key_hash for one in keys], first, last):
        known = found.get((seen.key_hash, seen.audience_market))
        if known is None or known["is_over"] or seen.ended_at is None:
            began = min(seen.onset_at, known["onset_at"]) if known and not known["is_over"] else seen.onset_at
            found[seen.key_hash, seen.audience_market] = {
                "id": trend_id(seen.id), "stage": seen.stage, "onset_at": began, "is_over": seen.ended_at is not None,
            }  # fmt: skip
    return found


def _market(
    code: str,
    span: tuple[date, date],
    keys: "list[Tracked]",
    found: dict[tuple[int, str], Mentioned],
    on: dict[tuple[int, str], Item],
) -> Item:
    anybody = found[0, code]
    lines = [_line(one, anybody, found.get((one.key_hash, code))) for one in keys]
    for line, one in zip(lines, keys, strict=True):
        line["trend"] = on.get((one.key_hash, code))
    return {"market": code, "first_day": span[0], "last_day": span[1]} | _sums(anybody, lines)


def _everywhere(items: "list[Item]", keys: "list[Tracked]") -> Item:
    """The markets together: a person speaks to one market, so they add up."""
    anybody = Mentioned(0, "", sum(row["persons"] for row in items), sum(row["mentions"] for row in items))
    lines = []
    for one in keys:
        mine = [line for row in items for line in row["keys"] if line["id"] == one.id]
        told = Mentioned(one.key_hash, "", sum(x["persons"] for x in mine), sum(x["posts"] for x in mine))
        lines.append(_line(one, anybody, told) | {"markets": sum(x["persons"] > 0 for x in mine)})
    return _sums(anybody, lines)


def _sums(anybody: Mentioned, lines: "list[Item]") -> Item:
    lines.sort(key=lambda line: (-line["persons"], line["name"]))
    return {
        "persons": anybody.persons,
        "mentions": anybody.posts,
        "status": "ok" if anybody.persons >= FEWEST else "not_enough",
        "keys": lines,
    }


def _line(one: Tracked, anybody: Mentioned, mine: Mentioned | None) -> Item:
    enough = anybody.persons >= FEWEST
    persons, posts = (mine.persons, mine.posts) if mine else (0, 0)
    line = {"id": one.id, "name": one.name, "kind": one.kind, "persons": persons, "posts": posts}
    share = wilson(persons, anybody.persons) if enough else None
    return line | {
        "share": round(share.value, 4) if share else None,
        "low": round(share.low, 4) if share else None,
        "high": round(share.high, 4) if share else None,
        "mention_share": round(posts / anybody.posts, 4) if enough and anybody.posts else None,
    }
