"""Rights of the listed: an author is corrected, hidden, shown again or erased, by one call each.

**Erasing** leaves no trace of the account: its posts with their texts, readings, mentions and counts seen, the posts in
the evidence of trends, its measures, notes and places in lists, its followers, what was set aside of it, labels that
people gave its posts, weekly reports that are kept and name it, and its line in a watch list. The days it posted on are
counted anew without it (days that were sealed keep their numbers, which name nobody). What stays is a keyed hash by
which later posts of the account are refused. Files that an operator keeps elsewhere (what was imported, exports,
people gave its posts, and its line in a watch list. Where others mention it (`@ann`, or its address) in posts, profiles
and notes, they mention nobody; an `@ann` in what comes later neither. The days it posted on are counted anew without it
(days that were sealed keep their numbers, which name nobody). What stays are keyed hashes, by which later posts of the
account are refused and mentions of it known. Files that an operator keeps elsewhere (what was imported, exports,
backups) are the operator's.

Killed half-way, the same call goes on: the account is refused first and its row goes last.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from radar.errors import CallerError
from radar.markets import market
from radar.reports.keeping import drop_reports
from radar.sources.base import LONGEST_HANDLE
from radar.store import posts
from radar.store import rights as store
from radar.store.engine import one_writer, reading, writing
from radar.store.rights import CORRECTABLE, Listed

MARKET = "audience_market"


@dataclass(frozen=True, slots=True)
class Erased:
    """What went: posts, lines of files in the data folder (labels and rejects), and texts of others naming it."""

    posts: int
    lines: int
    mentions: int = 0


def erase(engine: sa.Engine, data_dir: Path, author_id: int, *, now: datetime) -> Erased:
    """Erase an author, its posts first, some hundred a transaction."""
    with writing(engine) as session, session.begin():
        one_writer(session, "ingest")
        who = store.identity(session, author_id)
        if who is None:
            return Erased(0, 0)
        store.refuse_from_now(session, who, now)
    done, lines, names = 0, 0, [""]
    while names:
        with writing(engine) as session, session.begin():
            one_writer(session, "ingest")
            names = store.erase_posts(session, author_id)
            # before they are committed: a call that goes on after a kill no longer knows their names
            lines += _forget_in_files(data_dir, who, set(names))
        done += len(names)
    mentions = 0
    with reading(engine) as session:
        for found in store.texts_naming(session, who):
            with writing(engine) as to, to.begin():
                mentions += store.forget_mentions(to, who, found)
        for rejects in store.rejects_naming(session, who):
            with writing(engine) as to, to.begin():
                store.forget_rejects(to, rejects)
    is_left = True
    while is_left:
        with writing(engine) as to, to.begin():
            is_left = store.forget_answers(to)
    with writing(engine) as session, session.begin():
        one_writer(session, "ingest")
        store.erase_author(session, who)
    return Erased(done, lines, mentions)


def hide(engine: sa.Engine, author_id: int, *, now: datetime, hidden: bool = True) -> None:
    """Hide an author from every answer, or show it again."""
    with writing(engine) as session, session.begin():
        (store.hide if hidden else store.show)(session, author_id, now)


def correct(engine: sa.Engine, author_id: int, values: dict[str, Any], *, now: datetime) -> None:
    """Correct what is stored of an author; sources leave it alone afterwards.

    values  of CORRECTABLE and audience_market; None for what is not to be stored. Raises CallerError for others.
    """
    for name, value in values.items():
        _check(name, value)
    rest = {name: value for name, value in values.items() if name != MARKET}
    with writing(engine) as session, session.begin():
        one_writer(session, "ingest")
        if MARKET in values:
            code = market(str(values[MARKET])).code
            posts.mark_dirty(session, posts.move_authors(session, {author_id: code}))
        store.correct(session, author_id, rest | ({MARKET: code} if MARKET in values else {}), now)


def _check(name: str, value: Any) -> None:
    known = (*CORRECTABLE, MARKET)
    if name not in known:
        raise CallerError(f"'{name[:60]}' cannot be corrected.", f"What can: {', '.join(known)}.")
    if name == "follower_count":
        if value is not None and (type(value) is not int or not 0 <= value < 2**53):
            raise CallerError(f"follower_count: {str(value)[:60]!r} is not a count.", "Give a whole number, or none.")
    elif value is not None and not isinstance(value, str):
        raise CallerError(f"{name}: {str(value)[:60]!r} is not a text.", "Give a text, or none.")
    elif name == "handle" and value is not None and len(value) > LONGEST_HANDLE:
        raise CallerError(f"handle: {len(value)} characters.", f"Give {LONGEST_HANDLE} at most.")


# ---- files in the data folder ----


def _forget_in_files(data_dir: Path, who: Listed, post_names: set[str]) -> int:
    """Take lines that name the author or its posts out of labels and rejects; how many. A file is replaced whole.

    A weekly report that names them goes whole: its figures are made anew when it is asked for.
    """
    labelled = {f"{who.platform}:{name}" for name in post_names}
    names = {name for name in (who.native_id, who.handle, who.url, *post_names) if name}
    n = 0
    for path in sorted((data_dir / "labels").glob("*.jsonl")):
        n += _filter(path, labelled)
    for path in sorted((data_dir / "rejects").glob("*.jsonl")):
        n += _filter(path, names)
    drop_reports(data_dir, lambda text: _holds(text, names | {who.name or who.native_id}))
    return n


def _filter(path: Path, names: set[str]) -> int:
    """Drop the lines of a file of JSON that hold one of the names as a value."""
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        lines = list(file)  # a text may hold other breaks of lines than the one behind a row
    kept = [line for line in lines if not _holds(line, names)]
    if len(kept) < len(lines):
        aside = path.with_name(f".{path.name}.tmp")
        aside.write_text("".join(kept), encoding="utf-8", newline="\n")
        os.replace(aside, path)
    return len(lines) - len(kept)


def _holds(line: str, names: set[str]) -> bool:
    if not any(name in line or json.dumps(name)[1:-1] in line for name in names):
        return False
    try:
        return any(value in names for value in _values(json.loads(line)))
    except ValueError:
        return True  # damaged, and it names the author


def _values(found: Any) -> Iterable[str]:
    """Every text in what was read from JSON."""
    if isinstance(found, dict):
        found = list(found.values())
    if isinstance(found, list):
        for inner in found:
            yield from _values(inner)
    elif found is not None:
        yield str(found)
