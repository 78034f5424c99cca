"""What is told of many keys' crowds at once, compiled: who is behind each, what they said, and how alike they are.

Rows are ranges of flat arrays (`radar.trends.lookup.Groups`), posts and persons are told by their numbers in
`radar.crowds.Crowds`.
"""

import numpy as np
import numpy.typing as npt

from radar._jit import jit
from radar.trends.diversity import FEWEST_PERSONS, MOST_PERSONS, SAME_TASTE, SAME_WORDS, alike, crowded
from radar.trends.lookup import I64

F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

EXAMPLES = 5
COPIED = 0.75  # Jaccard index of two posts' keys from which one is no further example


@jit
def behind(
    numbers: I64,  # (k,) of the keys, -1 where no post holds one
    places: I64,
    starts: F64,
    ends: F64,
    holders: I64,  # posts by key
    key_starts: I64,
    at: F64,
    about: I64,  # place markets by post
    about_starts: I64,
    person: I64,
    last: I64,  # (persons,) the key that each was met with last: -1
    posts: I64,  # out, by key
    post_starts: I64,
    persons: I64,  # out, by key
    person_starts: I64,
    firsts: I64,  # out: the first post of each of those persons
) -> None:
    """Posts and persons behind each key."""
    n = m = 0
    for k in range(numbers.size):
        first, end = (key_starts[numbers[k]], key_starts[numbers[k] + 1]) if numbers[k] >= 0 else (0, 0)
        for cell in range(first, end):
            i = holders[cell]
            if not starts[k] <= at[i] < ends[k]:
                continue
            if places[k] != 0:
                found = False
                for place in range(about_starts[i], about_starts[i + 1]):
                    found |= about[place] == places[k]
                if not found:
                    continue
            posts[n] = i
            n += 1
            if last[person[i]] != k:
                last[person[i]] = k
                persons[m], firsts[m] = person[i], i
                m += 1
        post_starts[k + 1], person_starts[k + 1] = n, m


@jit
def chosen(members: I64, starts: I64, rows: I64) -> tuple[I64, I64]:
    """Some of the rows: their members, and where each begins."""
    out = np.zeros(rows.size + 1, np.int64)
    for n in range(rows.size):
        out[n + 1] = out[n] + starts[rows[n] + 1] - starts[rows[n]]
    some = np.empty(out[-1], np.int64)
    for n in range(rows.size):
        for at in range(out[n], out[n + 1]):
            some[at] = members[starts[rows[n]] + at - out[n]]
    return some, out


@jit
def left_over(posts: I64, claimed: Flags, person: I64, met: I64, turn: int) -> tuple[int, int]:
    """How many of the posts are not claimed, and by how many persons they are. met: by person, of no turn yet."""
    left = persons = 0
    for i in posts:
        if not claimed[i]:
            left += 1
            if met[person[i]] != turn:
                met[person[i]] = turn
                persons += 1
    return left, persons


@jit
def shared_by(posts: I64, rows: I64, members: I64, starts: I64, mine: Flags) -> I64:
    """How many of the posts each of some rows has. mine: (posts,) all false, and again so at the end."""
    out = np.zeros(rows.size, np.int64)
    for i in posts:
        mine[i] = True
    for n in range(rows.size):
        for at in range(starts[rows[n]], starts[rows[n] + 1]):
            out[n] += mine[members[at]]
    for i in posts:
        mine[i] = False
    return out


PLATFORMS, SPONSORED, NEGATIVE, TOLD, PLACE, TOPIC, TIERS = range(7)
"""Columns of `told`: how many platforms, sponsored posts, posts that blame, and posts whose tone was read; the place
market that half of the posts are about, 0 where none is; the topic that most have, -1 where most have none; then how
many persons of each tier."""


@jit
def told(
    posts: I64,
    starts: I64,
    person: I64,
    tier: I64,
    platform: I64,
    sponsored: Flags,
    tone: F64,
    place: I64,  # by post
    place_starts: I64,
    topic: I64,  # by post, -1 where it has no name
    topic_starts: I64,
    last: I64,  # (persons,) -1
    met: I64,  # (platforms,) -1
    place_votes: I64,  # zeros
    topic_votes: I64,  # zeros
    out: I64,  # (k, TIERS + tiers) zeros
) -> None:
    """Counts over each row's posts. A person has the tier of the last post."""
    for k in range(starts.size - 1):
        untold = 0
        for at in range(starts[k + 1] - 1, starts[k] - 1, -1):
            i = posts[at]
            if last[person[i]] != k:
                last[person[i]] = k
                out[k, TIERS + tier[i]] += 1
            if met[platform[i]] != k:
                met[platform[i]] = k
                out[k, PLATFORMS] += 1
            out[k, SPONSORED] += sponsored[i]
            out[k, NEGATIVE] += tone[i] < 0
            out[k, TOLD] += not np.isnan(tone[i])
            for n in range(place_starts[i], place_starts[i + 1]):
                place_votes[place[n]] += 1
            named = False
            for n in range(topic_starts[i], topic_starts[i + 1]):
                if topic[n] >= 0:
                    topic_votes[topic[n]] += 1
                    named = True
            untold += not named
        best_place, best_topic = 0, -1
        for at in range(starts[k], starts[k + 1]):
            i = posts[at]
            for n in range(place_starts[i], place_starts[i + 1]):
                one = place[n]
                more = place_votes[one] - place_votes[best_place]
                if best_place == 0 or more > 0 or (more == 0 and one < best_place):
                    best_place = one
            for n in range(topic_starts[i], topic_starts[i + 1]):
                one = topic[n]
                if one < 0:
                    continue
                more = topic_votes[one] - topic_votes[best_topic]
                if best_topic < 0 or more > 0 or (more == 0 and one > best_topic):
                    best_topic = one
        size = starts[k + 1] - starts[k]
        out[k, PLACE] = best_place if size > 0 and 2 * place_votes[best_place] >= size else 0
        out[k, TOPIC] = best_topic if best_topic >= 0 and 2 * topic_votes[best_topic] > untold else -1
        place_votes[:], topic_votes[:] = 0, 0


@jit
def exemplary(
    by_weight: I64,
    starts: I64,
    person: I64,
    numbers: I64,
    key_starts: I64,
    last: I64,  # (persons,) -1
    held: I64,  # (keys,) -1
    counted: I64,  # (keys,) -1
    out: I64,  # (k, EXAMPLES) -1
) -> None:
    """Up to five posts of each row by different persons, as they come; those in other words before copies."""
    turn = 0
    others, sizes, copies = np.empty(EXAMPLES, np.int64), np.empty(EXAMPLES, np.int64), np.empty(EXAMPLES, np.int64)
    for k in range(starts.size - 1):
        found = copied = 0
        for at in range(starts[k], starts[k + 1]):
            i = by_weight[at]
            if last[person[i]] == k:
                continue
            last[person[i]] = k
            turn += 1
            mine, size = turn, 0
            for n in range(key_starts[i], key_starts[i + 1]):
                if held[numbers[n]] != mine:
                    held[numbers[n]] = mine
                    size += 1
            is_copy = False
            for j in range(found):
                turn += 1
                both = 0
                for n in range(key_starts[others[j]], key_starts[others[j] + 1]):
                    if held[numbers[n]] == mine and counted[numbers[n]] != turn:
                        counted[numbers[n]] = turn
                        both += 1
                if both >= COPIED * (size + sizes[j] - both):
                    is_copy = True
                    break
            if is_copy:
                if copied < EXAMPLES:
                    copies[copied] = i
                    copied += 1
                continue
            others[found], sizes[found] = i, size
            out[k, found] = i
            found += 1
            if found == EXAMPLES:
                break
        for n in range(min(copied, EXAMPLES - found)):
            out[k, found + n] = copies[n]


@jit
def heard(
    at: F64, first_at: F64, person: I64, start: float, end: float, new_from: float, met: Flags
) -> tuple[int, float]:  # fmt: skip
    """Persons who posted from a start to before an end, and the share of posts by accounts new since some time.

    met  (persons,) all false
    """
    persons = posts = new = 0
    for i in range(at.size):
        if start <= at[i] < end:
            posts += 1
            new += first_at[i] > new_from
            if not met[person[i]]:
                met[person[i]] = True
                persons += 1
    return persons, new / posts if posts > 0 else 0.0


@jit
def one_hand(
    firsts: I64,  # the first post of each person of a row, by person
    by_time: I64,  # the same, by time
    first_starts: I64,
    posts: I64,
    post_starts: I64,
    by_person: I64,  # all posts
    person_starts: I64,
    numbers: I64,
    key_starts: I64,
    person: I64,
    at: F64,
    first_at: F64,
    day_only: Flags,
    new_from: F64,
    is_long: Flags,  # windows long enough to tell whether posts came within minutes
    taken: Flags,  # (posts,) all false
    out: F64,  # (k, 4) zeros: the signs of `radar.trends.diversity`, in its order
) -> None:
    """Of each row the shares of persons who show that they are one hand."""
    for k in range(first_starts.size - 1):
        first, end = first_starts[k], first_starts[k + 1]
        if end - first < FEWEST_PERSONS:
            continue
        for at_post in range(post_starts[k], post_starts[k + 1]):
            taken[posts[at_post]] = True
        for sign in range(2):
            least = SAME_TASTE if sign else SAME_WORDS
            out[k, sign] = _same(
                sign == 1, least, firsts, first, min(end, first + MOST_PERSONS), person, taken, by_person,
                person_starts, numbers, key_starts,
            )  # fmt: skip
        for at_post in range(post_starts[k], post_starts[k + 1]):
            taken[posts[at_post]] = False
        timed, new = is_long[k], 0
        for n in range(first, end):
            timed &= not day_only[firsts[n]]
            new += first_at[firsts[n]] > new_from[k]
        if timed:
            out[k, 2] = crowded(by_time, first, end, at)
        out[k, 3] = new / (end - first)


@jit
def _same(
    is_taste: bool, least: float, firsts: I64, first: int, end: int, person: I64, taken: Flags, by_person: I64,
    person_starts: I64, numbers: I64, key_starts: I64,
) -> float:  # fmt: skip
    """Share of persons who said what another did in those first posts, or (is_taste) in all but the taken ones."""
    size, starts = 0, np.zeros(end - first + 1, np.int64)
    keys = np.empty(0, np.int64)
    for is_told in (False, True):
        n = most = 0
        for k in range(first, end):
            begin, stop = 0, 1
            if is_taste:
                begin, stop = person_starts[person[firsts[k]]], person_starts[person[firsts[k]] + 1]
            for cell in range(begin, stop):
                i = by_person[cell] if is_taste else firsts[k]
                if is_taste and taken[i]:
                    continue
                if is_told:
                    for at in range(key_starts[i], key_starts[i + 1]):
                        keys[n + at - key_starts[i]] = numbers[at]
                        most = max(most, numbers[at])
                n += key_starts[i + 1] - key_starts[i]
            starts[k - first + 1] = n
        if not is_told:
            size, keys = n, np.empty(n, np.int64)
    return alike(keys, starts, most + 1, least) if size > 0 else 0.0
