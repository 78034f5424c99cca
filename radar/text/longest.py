"""Which of many names texts hold, in one compiled pass: the matches of pyahocorasick's `iter_long`, one for one.

From left to right the longest name at each place, none overlapping another; where a longer name breaks off, the search
goes on from its end, as the library has it. A node is a beginning of names, its edges the signs that go on.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from radar._jit import jit
from radar.text.codes import Codes, Joined

Ints = npt.NDArray[np.int32]
Offsets = npt.NDArray[np.int64]

_NONE = -1
_PLANE = 0x10000


class Names:
    """Names to be found in texts; those that begin in ASCII as whole words only.

    names  in the order in which matches count them

    >>> found, offsets = Names(["東京", "京都", "go"]).find(Joined.of(["東京都", "", "go goes 京都"]))
    >>> found.tolist(), offsets.tolist()
    ([0, 2, 1], [0, 1, 1, 3])
    """

    def __init__(self, names: Iterable[str]) -> None:
        said = list(names)
        before, signs, depths, ends = _tree(said)
        order = np.argsort(before[1:], kind="stable")
        self._edges = np.searchsorted(np.array(before[1:])[order], np.arange(len(before) + 1)).astype(np.int32)
        self._codes = np.array(signs[1:], np.uint32)[order]
        self._nodes = (order + 1).astype(np.int32)
        self._first = np.full(_PLANE, _NONE, np.int32)
        is_near = self._codes[: self._edges[1]] < _PLANE
        self._first[self._codes[: self._edges[1]][is_near]] = self._nodes[: self._edges[1]][is_near]
        self._back = np.array(_behind(before, signs, depths), np.int32)
        self._name = np.full(len(before), _NONE, np.int32)
        self._name[[ends[name] for name in said]] = np.arange(len(said))
        self._whole = np.array([len(name) if name[0].isascii() else 0 for name in said], np.int32)

    def find(self, joined: Joined) -> tuple[Ints, Offsets]:
        """Names in texts, from left to right, and where each text's begin, (texts + 1,)."""
        found = np.empty(len(joined.codes), np.int32)
        offsets = np.empty(len(joined.offsets), np.int64)
        _find(
            joined.codes, joined.offsets, self._first, self._edges, self._codes, self._nodes, self._back, self._name,
            self._whole, found, offsets,
        )  # fmt: skip
        return found[: offsets[-1]], offsets


def _tree(names: list[str]) -> tuple[list[int], list[int], list[int], dict[str, int]]:
    """Of each node the one before it, the sign between them and its depth; and the node of each name.

    In the names' order, so that what goes on from a node mostly lies beside it.
    """
    before, signs, depths, ends = [_NONE], [0], [0], {}
    path, last = [0], ""
    for name in sorted(names):
        pairs = enumerate(zip(last, name, strict=False))
        same = next((i for i, (one, other) in pairs if one != other), min(len(last), len(name)))
        del path[same + 1 :]
        for sign in name[same:]:
            before.append(path[-1])
            signs.append(ord(sign))
            depths.append(len(path))
            path.append(len(before) - 1)
        ends[name] = path[-1]
        last = name
    return before, signs, depths, ends


def _behind(before: list[int], signs: list[int], depths: list[int]) -> list[int]:
    """Of each node that of the longest other end of what it stands for; of the first one, none."""
    nodes = {step: node for node, step in enumerate(zip(before, signs, strict=True))}
    back = [_NONE] * len(before)
    for node in sorted(range(1, len(before)), key=depths.__getitem__):
        at = back[before[node]]
        while at >= 0 and (at, signs[node]) not in nodes:
            at = back[at]
        back[node] = nodes[at, signs[node]] if at >= 0 else 0
    return back


@jit
def _is_latin(code: np.uint32) -> bool:
    """Whether a sign is an ASCII letter or digit."""
    lower = code | np.uint32(32)
    return bool((np.uint32(97) <= lower <= np.uint32(122)) or (np.uint32(48) <= code <= np.uint32(57)))


@jit
def _step(node: int, code: np.uint32, first: Ints, edges: Ints, signs: Codes, nodes: Ints) -> int:
    """The node behind another by one sign; negative where there is none."""
    if node == 0 and code < first.size:
        return int(first[code])
    for edge in range(edges[node], edges[node + 1]):
        if signs[edge] == code:
            return int(nodes[edge])
    return _NONE


@jit
def _find(
    codes: Codes,
    texts: Offsets,
    first: Ints,
    edges: Ints,
    signs: Codes,
    nodes: Ints,
    back: Ints,
    name: Ints,
    whole: Ints,
    found: Ints,
    offsets: Offsets,
) -> None:
    n = 0
    for text in range(texts.size - 1):
        offsets[text] = n
        at, begin, stop = texts[text], texts[text], texts[text + 1] - 1
        # match: the last name on the way; aside: the first place where a name ended beside it
        node, match, match_at, aside, aside_at = 0, -1, 0, -1, 0
        while at < stop or match >= 0:
            after = _step(node, codes[at], first, edges, signs, nodes) if at < stop else _NONE
            ended = after < 0 and match >= 0
            if after < 0 and aside >= 0 and not ended:
                after, at, aside = back[aside], aside_at, -1
            if after >= 0:
                if name[after] >= 0:
                    match, match_at = after, at
                elif match < 0 and aside < 0 and back[after] > 0 and name[back[after]] >= 0:
                    aside, aside_at = after, at
                node = after
                at += 1
            elif not ended:
                node = back[node]
                while node >= 0 and _step(node, codes[at], first, edges, signs, nodes) < 0:
                    node = back[node]
                if node < 0:
                    node = 0
                    at += 1
            if ended:
                size = whole[name[match]]
                before, behind = match_at - size, match_at + 1
                inside = size > 0 and (
                    (before >= begin and _is_latin(codes[before])) or (behind < stop and _is_latin(codes[behind]))
                )
                if not inside:
                    found[n] = name[match]
                    n += 1
                node, match, aside, at = 0, -1, -1, match_at + 1
    offsets[texts.size - 1] = n
