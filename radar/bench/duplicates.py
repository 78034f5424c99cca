"""How many lines of a list say what another line says, before and after variants are merged.

Measured on the store of RADAR_DATA_DIR, over each market's newest daily lists. Before: every series that was on stands
by itself, as leaders and their variants do in the stored working. After: one line a trend. A line is a duplicate when a
line above it rests on mostly the same posts: at least half of the posts of the smaller of the two in the window (the
overlap coefficient of Szymkiewicz and Simpson). That is wider than what merges trends, persons with Jaccard 0.5 or four
in five posts, so what is left after merging is counted too.

Of the Korean reviews of a year (190,116 of 20 August 2014 to 19 August 2015, the newest 28 daily lists), 41.2 % of 97
lines repeat another before variants are merged, and none of 55 after.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

from sqlalchemy.orm import Session

from radar.config import load_settings
from radar.markets import MARKETS, local_day
from radar.scheduling import Progress
from radar.store.engine import open_store, reading
from radar.store.posts import day_posts
from radar.store.promotion import active_model
from radar.store.trends import DailyLine, daily_lines
from radar.support import PostsOfDay, WindowPosts

DAYS = 28
Line = tuple[int, int, datetime, datetime]
"""Key, place, and the window that its leader was seen in."""


def measure(report: Progress) -> dict[str, object]:
    """lists, lines_* in them, and the share of these that repeat another one; nothing is listed in an empty store."""
    engine = open_store(load_settings().url)
    lines, duplicates, lists = {"before": 0, "after": 0}, {"before": 0, "after": 0}, 0
    for code in MARKETS:
        with reading(engine) as session:
            model_id = active_model(session)
            for items in _lists(session, model_id, code) if model_id else ():
                report(f"lists of {code}", lists, None)
                posts = _posts(session, str(model_id), code, items)
                for when in lines:
                    mine = _lines(items, with_variants=when == "before")
                    lines[when] += len(mine)
                    duplicates[when] += repeated(posts, mine)
                lists += 1
    engine.dispose()
    shares = {f"duplicates_{when}": round(duplicates[when] / n, 3) for when, n in lines.items() if n}
    return {"lists": lists, **{f"lines_{when}": n for when, n in lines.items()}, **shares}


def _lists(session: Session, model_id: str, market: str) -> list[list[DailyLine]]:
    """The lists of the newest days, one for each bucket length, the best line first."""
    lines = daily_lines(session, model_id, market)
    days = sorted({line.as_of for line in lines})[-DAYS:]
    return [list(items) for (as_of, _), items in groupby(lines, key=lambda x: (x.as_of, x.bucket)) if as_of in days]


def _lines(items: Sequence[DailyLine], *, with_variants: bool = False) -> list[Line]:
    lines: list[Line] = []
    for item in items:
        start, end = (datetime.fromisoformat(item.working[name]) for name in ("window_start", "at"))
        lines.append((item.key_hash, item.place, start, end))
        if with_variants:
            lines += [(other["key"], other["place"], start, end) for other in item.working["variants"]]
    return lines


def _posts(session: Session, model_id: str, market: str, items: Sequence[DailyLine]) -> WindowPosts:
    zone = MARKETS[market].tz
    first: date = min(local_day(datetime.fromisoformat(item.working["window_start"]), zone) for item in items)
    last = local_day(items[0].as_of - timedelta(microseconds=1), zone)
    return WindowPosts([PostsOfDay.of(day_posts(session, model_id, market, first, last))])


def repeated(posts: WindowPosts, lines: Sequence[Line]) -> int:
    """Lines that rest on mostly the same posts as a line above them."""
    above: list[set[int]] = []
    count = 0
    for key, place, start, end in lines:
        mine = set(posts.support(key, place, start, end).posts.tolist())
        count += any(2 * len(mine & other) >= min(len(mine), len(other)) > 0 for other in above)
        above.append(mine)
    return count
