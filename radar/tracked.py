"""Tracking keys of one's own: adding and changing them, reading posts by them, and finding them in stored posts.

A post that is read from now on is read with the present forms. Stored ones are swept once, batch by batch in order of
their ids, when forms change: a batch writes what changed in its posts, their days as dirty, and how far it came, all in
one transaction, so that it can be killed at any moment. Keys that begin at the same place are swept together. What a
count shows then is as if the key had always been there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.errors import CallerError, UnknownName
from radar.store import posts
from radar.store import tracked as store
from radar.store.engine import reading, writing
from radar.store.posts import key_array
from radar.store.tracked import Swept, Tracked
from radar.text.normalise import normalise
from radar.text.tracked import LONGEST, SHORTEST, Matcher, plain_form, tracked_number

KINDS = ("brand", "product", "competitor", "place")
LANGUAGES = ("zh-Hant", "zh-Hans", "ja", "ko", "th", "en")
MOST_KEYS, MOST_FORMS = 500, 40
NAME_LENGTH = 60
BATCH = 2_000
Form = tuple[str, str]
"""A language and a text in it."""
Forms = tuple[tuple[int, tuple[str, ...]], ...]
"""Keys' numbers with their forms, as texts are compared with them."""


@dataclass(frozen=True, slots=True)
class Reader:
    """The forms that posts are read by, and their version."""

    version: str
    matcher: Matcher


def open_reader(session: Session) -> Reader:
    """Present forms, ready to read by."""
    version, forms = open_forms(session)
    return Reader(version, matcher_of(forms))


def open_forms(session: Session) -> tuple[str, Forms]:
    """The version of present forms, and they themselves: what another process makes its own reader of."""
    version = store.version(session)
    keys = [one for one in store.tracked_keys(session) if one.deleted_at is None] if version != "0" else []
    return version, tuple((one.key_hash, tuple(plain_form(text) for _, text in one.forms)) for one in keys)


@lru_cache(maxsize=4)
def matcher_of(forms: Forms) -> Matcher:
    """What finds the forms in a text."""
    return Matcher(dict(forms))


# ---- what users do ----


def add(
    engine: sa.Engine, *, name: str, kind: str, group: str | None, forms: Sequence[Form], who: str, now: datetime
) -> Tracked:
    """Track another key; its name is one of its forms. Raises CallerError for what cannot be tracked."""
    called = _text("name", name)
    number = tracked_number(called)
    values = {
        "key_hash": number, "name": called, "kind": _kind(kind), "group_name": _text("group", group or called),
        "forms": _forms([("", called), *forms]), "who": who[:120], "created_at": now, "changed_at": now,
        "deleted_at": None,
    }  # fmt: skip
    with writing(engine) as session, session.begin():
        known = store.tracked_by_hash(session, number)
        if known and known.deleted_at is None:
            raise CallerError(f"'{known.name}' is tracked already, as {known.id}.", "Change that one, or remove it.")
        if len(store.tracked_keys(session)) >= MOST_KEYS:
            raise CallerError(f"There are {MOST_KEYS} tracked keys already.", "Remove one that nobody looks at.")
        return _kept(session, store.put(session, values, sweeps=True))


def change(
    engine: sa.Engine,
    number: int,
    *,
    kind: str | None = None,
    group: str | None = None,
    forms: Sequence[Form] | None = None,
    now: datetime,
) -> Tracked:
    """Change a tracked key's kind, group or forms; other forms are looked for in stored posts too.

    Raises UnknownName and CallerError.
    """
    with writing(engine) as session, session.begin():
        one = _known(session, number)
        values: dict[str, Any] = {"key_hash": one.key_hash, "changed_at": now}
        if kind is not None:
            values["kind"] = _kind(kind)
        if group is not None:
            values["group_name"] = _text("group", group)
        if forms is not None:
            values["forms"] = _forms([("", one.name), *forms])
        sweeps = forms is not None and _plain(values["forms"]) != _plain(one.forms)
        return _kept(session, store.put(session, values, sweeps=sweeps))


def remove(engine: sa.Engine, number: int, *, now: datetime) -> Tracked:
    """Track a key no more; it leaves stored posts and counts with the next runs of the jobs. Raises UnknownName."""
    with writing(engine) as session, session.begin():
        one = _known(session, number)
        values = {"key_hash": one.key_hash, "changed_at": now, "deleted_at": now, "forms": []}
        store.put(session, values, sweeps=True)
        return one


def find(session: Session, text: str) -> Tracked:
    """A tracked key by id or name. Raises UnknownName."""
    keys = [one for one in store.tracked_keys(session) if one.deleted_at is None]
    for one in keys:
        if text.strip() == str(one.id) or (normalise(text) and tracked_number(text) == one.key_hash):
            return one
    raise UnknownName("tracked key", text[:60], [one.name for one in keys])


def _known(session: Session, number: int) -> Tracked:
    found = store.tracked_by_id(session, number)
    if found is None:
        raise UnknownName("tracked key", str(number)[:60], [])
    return found


def _kept(session: Session, number: int) -> Tracked:
    found = store.tracked_by_id(session, number)
    assert found is not None
    return found


def _plain(forms: Sequence[Form]) -> set[str]:
    return {plain_form(text) for _, text in forms}


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise CallerError(f"kind: '{kind[:40]}' is none.", f"One of: {', '.join(KINDS)}.")
    return kind


def _text(what: str, text: str) -> str:
    told = " ".join(text.split())
    if not 1 <= len(told) <= NAME_LENGTH or not normalise(told) or not told.isprintable():
        raise CallerError(f"{what}: it needs 1 to {NAME_LENGTH} printable characters.", 'As "Donki".')
    return told


def _forms(forms: Sequence[Form]) -> list[list[str]]:
    """Forms as stored, each once; the name stands first, in no language. Raises CallerError."""
    found: dict[str, list[str]] = {}
    for language, text in forms:
        if language and language not in LANGUAGES:
            raise CallerError(f"form: '{language[:20]}' is no language here.", f"One of: {', '.join(LANGUAGES)}.")
        form = plain_form(text)
        if not SHORTEST <= len(form) <= LONGEST or not text.isprintable():
            hint = f"A form has {SHORTEST} to {LONGEST} characters, a letter among them: one Han character is no name."
            raise CallerError(f"form: '{text[:60]}' cannot be looked for.", hint)
        if form not in found or not found[form][0]:
            found[form] = [language, " ".join(text.split())]
    if len(found) > MOST_FORMS:
        raise CallerError(f"forms: {len(found)} are too many.", f"Give at most {MOST_FORMS}.")
    return list(found.values())


# ---- the job ----


@dataclass(slots=True)
class Sweep:
    """What a run of the sweep did."""

    posts: int = 0
    changed: int = 0
    keys: int = 0


def sweep(engine: sa.Engine, *, progress: Callable[[int], None] = lambda done: None) -> Sweep:
    """Look for keys whose forms changed in the posts that were stored by then. Nothing changed: nothing is read."""
    done = Sweep()
    while True:
        with reading(engine) as session:
            reader = open_reader(session)
            waiting = [one for one in store.tracked_keys(session) if one.swept_to < one.sweep_until or one.deleted_at]
            over = [one for one in waiting if one.swept_to >= one.sweep_until]
            behind = [one for one in waiting if one.swept_to < one.sweep_until]
            if not waiting:
                return done
            least = min((one.swept_to for one in behind), default=0)
            together = [one for one in behind if one.swept_to == least]
            ahead = [one.swept_to for one in behind if one.swept_to > least]  # joined there
            upto = min([one.sweep_until for one in together] + ahead, default=0)
            readings, last = store.readings_between(session, least, upto, BATCH) if together else ([], 0)
        changes = _changes(readings, reader.matcher, {one.key_hash for one in together})
        if _write(engine, reader.version, over, together, last, changes):
            done.posts += len({one.post_id for one in readings})
            done.changed += len({one.post_id for one, _ in changes})
            done.keys += sum(last >= one.sweep_until for one in together)
            progress(done.posts)


class _Changed(Exception):
    """Forms changed while a batch was looked through: it is looked through again."""


def _write(
    engine: sa.Engine,
    version: str,
    over: Sequence[Tracked],
    together: Sequence[Tracked],
    last: int,
    changes: Sequence[tuple[Swept, bytes]],
) -> bool:
    """Store a batch with how far it came, whole or not at all; whether it was."""
    try:
        with writing(engine) as session, session.begin():
            if store.version(session, hold=True) != version or not store.swept(session, together, last):
                raise _Changed
            for one in over:
                store.drop_swept(session, one)
            store.rewrite_keys(session, changes)
            posts.mark_dirty(session, {(one.audience_market, one.local_day) for one, _ in changes})
    except _Changed:
        return False
    return True


def _changes(readings: Sequence[Swept], matcher: Matcher, wanted: set[int]) -> list[tuple[Swept, bytes]]:
    """Readings whose keys are others by the present forms of the wanted keys."""
    found = []
    for one in readings:
        had = key_array(one.keys)
        if not one.keys and not normalise(one.text):
            continue  # a repost without words of its own mentions nothing
        before = set(had.tolist())
        after = (before - wanted) | (matcher.find(normalise(one.text)) & wanted)
        if after != before:
            found.append((one, np.array(sorted(after), dtype="<i8").tobytes()))
    return found
