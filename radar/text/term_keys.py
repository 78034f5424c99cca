"""Keys of the terms of many texts in one compiled pass: the numbers of what `radar.text.terms.scan` finds.

What a segment is for (its role, and the form that it has in a term) is asked of `radar.text.terms` once and kept in a
table by the hash of its signs; terms are put together as UTF-8 and hashed, and never become strings.
"""

import threading
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from radar._jit import jit
from radar.keys import Keys, Kind, key_number
from radar.text.codes import ABSENT, SEED, Codes, Hashes, HashTable, Joined, grown, look_up
from radar.text.key_rows import KeyRows, Offsets
from radar.text.lexicon import function_words
from radar.text.segment import Breaks
from radar.text.terms import GLUE, LINK, MAX_LENGTH, REMEMBERED, SPACE, TAIL, WHOLE, role_of
from radar.text.xxh3 import Bytes, xxh3

Table = npt.NDArray[np.int32]

_END = -3
"""What stands for a role at the end of a text."""
_TERM = np.uint64(int(Kind.TERM) << 60)
_HASHED = np.uint64((1 << 60) - 1)
_MOST_TERMS = 4
"""Terms that end in one segment."""
_ROOM = 4 * 4 * (MAX_LENGTH + 1)
"""Bytes of four words, with what joins them."""


class _Roles:
    """Roles of segments seen lately, for compiled code; they start anew where there are more than REMEMBERED.

    rows   (roles, 9): role, script, part, then first byte, bytes and signs of the form, and of the form inside
    forms  UTF-8
    """

    def __init__(self, room: int = REMEMBERED) -> None:
        self.count, self.used = 0, 0
        self.table = HashTable.of(np.empty(0, np.uint64), [], room)
        self.rows = np.empty((room, 9), np.int32)
        self.forms = np.empty(16 * room, np.uint8)

    def add(self, words: Sequence[str], hashes: Hashes) -> None:
        """Learn segments that it does not know."""
        rows: list[tuple[int, ...]] = []
        forms: list[bytes] = []
        for word in words:
            role, form, inside, script, part = role_of(word)
            rows.append((role, script, part, *self._kept(form, forms), *self._kept(inside, forms)))
        said = b"".join(forms)
        last = self.count + len(rows)
        if self.used > len(self.forms):
            self.forms = np.concatenate([self.forms, np.empty(max(len(self.forms), len(said)), np.uint8)])
        self.forms[self.used - len(said) : self.used] = np.frombuffer(said, np.uint8)
        self.rows[self.count : last] = rows
        self.table.add(hashes, np.arange(self.count, last, dtype=np.int32))
        self.count = last

    def _kept(self, form: str, forms: list[bytes]) -> tuple[int, int, int]:
        said = form.encode()
        forms.append(said)
        self.used += len(said)
        return self.used - len(said), len(said), len(form)


_roles: _Roles | None = None
_one_at_a_time = threading.Lock()


@cache
def _never() -> HashTable:
    """Keys of what is no term."""
    keys = np.array([key_number(Kind.TERM, word) for word in sorted(function_words().never)], np.int64)
    return HashTable.of(keys.astype(np.uint64), np.zeros(len(keys)))


def term_keys(joined: Joined, breaks: Breaks) -> KeyRows:
    """Keys of each text's terms, in order and as often as they occur.

    >>> from radar.text.segment import breaks_of
    >>> joined = Joined.of(["月光列車", "moon train"])
    >>> keys = term_keys(joined, breaks_of(["月光列車", "moon train"], joined))
    >>> key_number(Kind.TERM, "月光列車") in keys[0].tolist(), len(keys[1])
    (True, 3)
    """
    role = np.empty(len(breaks), np.int32)
    found = np.empty(_MOST_TERMS * len(breaks), np.int64)
    offsets = np.empty(len(joined.offsets), np.int64)
    never = _never()
    with _one_at_a_time:
        roles = _known(joined, breaks, role)
        _scan(role, roles.rows, roles.forms, never.hashes, never.values, found, offsets)
    return KeyRows(found[: offsets[-1]], offsets)


def _known(joined: Joined, breaks: Breaks, role: Table) -> _Roles:
    """The table of roles, with all segments' in it; where each one's stands is filled in."""
    global _roles
    roles = _roles = _roles or _Roles()
    hashes = np.empty(len(breaks), np.uint64)
    if _look_up_all(joined.codes, breaks, roles.table.hashes, roles.table.values, hashes, role):
        new = _strange(joined, breaks, hashes, role)
        if roles.count + len(new) > len(roles.rows):
            _look_up_all(joined.codes, breaks, np.zeros(16, np.uint64), np.zeros(16, np.int32), hashes, role)
            new = _strange(joined, breaks, hashes, role)
            roles = _roles = _Roles(max(REMEMBERED, len(new)))
        roles.add(list(new.values()), np.array(list(new), np.uint64))
        _look_up_all(joined.codes, breaks, roles.table.hashes, roles.table.values, hashes, role)
    return roles


def _strange(joined: Joined, breaks: Breaks, hashes: Hashes, role: Table) -> dict[int, str]:
    """Hash -> segment of those without a role."""
    at = np.flatnonzero(role == ABSENT)
    _, first = np.unique(hashes[at], return_index=True)
    at = at[first]
    starts = np.where(at > 0, breaks[at - 1], 0).tolist()
    said = joined.codes.tobytes()
    return {
        number: said[4 * start : 4 * end].decode("utf-32-le")
        for number, start, end in zip(hashes[at].tolist(), starts, breaks[at].tolist(), strict=True)
    }


@jit
def _look_up_all(codes: Codes, breaks: Breaks, slots: Hashes, kept: Table, hashes: Hashes, role: Table) -> int:
    """Fill the hash of each segment and where its role stands, ABSENT where that is unknown; how many are."""
    start, unknown = 0, 0
    for i in range(breaks.size):
        state = SEED
        if codes[start] == np.uint32(10):
            role[i] = _END
        else:
            for at in range(start, breaks[i]):
                state = grown(state, codes[at])
            role[i] = look_up(slots, kept, state)
            if role[i] == ABSENT:
                unknown += 1
        hashes[i] = state
        start = breaks[i]
    return unknown


@jit
def _put(into: Bytes, n: int, of: Bytes, first: int, size: int) -> int:
    """Put bytes behind the first n; how many there are then."""
    for i in range(size):
        into[n + i] = of[first + i]
    return n + size


@jit
def _keep(
    begun: Bytes, n: int, signs: int, forms: Bytes, row: Table, slots: Hashes, kept: Table, found: Keys, at: int
) -> int:
    """Put a form behind what was begun, and the key of both among those found; how many there are then.

    row  first byte, bytes and signs of the form
    """
    if signs + row[2] > MAX_LENGTH:
        return at
    _put(begun, n, forms, row[0], row[1])
    key = xxh3(begun, n + row[1]) & _HASHED | _TERM
    if look_up(slots, kept, key) != ABSENT:
        return at
    found[at] = np.int64(key)
    return at + 1


@jit
def _scan(
    role: Table, rows: Table, forms: Bytes, never: Hashes, never_kept: Table, found: Keys, offsets: Offsets
) -> None:
    """`radar.text.terms.scan`, over roles; the last words as beginnings of longer terms are rows of `begun`.

    begun[k]  k + 1 words in UTF-8, `size` bytes and `signs` signs of them; `parts`: how many parts and links they hold
    """
    begun = np.empty((4, _ROOM), np.uint8)
    size, signs, parts = np.zeros(4, np.int64), np.zeros(4, np.int64), np.zeros(4, np.int64)
    n, text, glue, was_space, before = 0, 0, -1, False, 0
    offsets[0] = 0
    for piece in role:
        if piece == _END:
            text += 1
            offsets[text] = n
            size[:] = 0
            glue, was_space, before = -1, False, 0
            continue
        row = rows[piece]
        kind, script, part = row[0], row[1], row[2]
        if kind < LINK:
            if kind == SPACE and glue < 0:
                was_space = True
            elif kind == GLUE and not was_space and script == before:
                glue = piece
            else:
                size[:] = 0
                glue, was_space = -1, False
            continue
        if (was_space and glue < 0) and not (script or before):
            size[:] = 0
        for k in range(3):
            if size[k]:
                if glue >= 0:
                    size[k] = _put(begun[k], size[k], forms, rows[glue, 3], rows[glue, 4])
                    signs[k] += rows[glue, 5]
                elif script or before:
                    begun[k, size[k]] = 32
                    size[k] += 1
                    signs[k] += 1
        if kind != LINK:
            form = row[3:6]
            if kind == WHOLE:
                n = _keep(begun[3], 0, 0, forms, form, never, never_kept, found, n)
            if size[0] and signs[0] + form[2] > (3 if script else 1) and not (kind == TAIL and parts[0]):
                n = _keep(begun[0], size[0], signs[0], forms, form, never, never_kept, found, n)
            # signs of two words: without what joins them to the form
            joint = 0 if not size[1] else rows[glue, 5] if glue >= 0 else 1 if script or before else 0
            is_short = signs[1] - joint + form[2] <= 8
            if size[1] and (script or parts[1] + part or is_short) and kind != TAIL:
                n = _keep(begun[1], size[1], signs[1], forms, form, never, never_kept, found, n)
            if size[2] and parts[2] + part > (3 if script else 5) and kind != TAIL:
                n = _keep(begun[2], size[2], signs[2], forms, form, never, never_kept, found, n)
        if kind != LINK and row[7] == 0:
            size[:] = 0
        else:
            for k in (2, 1):
                if size[k - 1]:
                    size[k] = _put(begun[k], 0, begun[k - 1], 0, size[k - 1])
                    size[k] = _put(begun[k], size[k], forms, row[6], row[7])
                    signs[k], parts[k] = signs[k - 1] + row[8], parts[k - 1] + part
                else:
                    size[k] = 0
            size[0] = 0
            if kind != LINK and kind != TAIL:
                size[0] = _put(begun[0], 0, forms, row[6], row[7])
                signs[0], parts[0] = row[8], part
        glue, was_space, before = -1, False, script
