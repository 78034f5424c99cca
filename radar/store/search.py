"""Finding authors among a million: by the beginning of a name, by what they are filtered and sorted by, in pages.

Two ways lead to a page. *Walking*: down the index of the sort column, which holds what is filtered by too, until the
page is full, market by market and merged, because that index begins with the market; topics, places and names are
looked up for each row passed. *Driving*: the authors of rare topics, places and names first, then the rest of the
filters and a sort. Which is less work is reckoned from how many authors each filter leaves (counted up to
`MOST_COUNTED`), so that neither a rare nor a common filter reads the whole. PostgreSQL, left to itself, would turn a
walk into a join of all that a filter leaves: `OFFSET 0` in what is looked up keeps it from that.

A page begins after (value, id) of the one before; authors of whom the value is not known come last.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice
from math import prod
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.keys import Kind
from radar.store.engine import one_of
from radar.store.measures import facet
from radar.store.tables import SORTS, author, author_facet, author_measure, author_word, list_member, peer_group

MOST_DRIVEN, MOST_COUNTED = 10_000, 40_000
_DRIVE_COST = 3.0
"""A row looked up by its id, in rows of an index passed."""


@dataclass(frozen=True, slots=True)
class Query:
    """What authors are asked for.

    words       each begins a word of handle or name       topic, place   they post about it
    least, most engagement percentile in [0, 1]            sponsored  True: some of their posts are paid
    list_id     members of a list only                     sort           one of SORTS, largest first unless ascending
    """

    market: str | None = None
    words: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    topic: str | None = None
    place: str | None = None
    least: float | None = None
    most: float | None = None
    sponsored: bool | None = None
    list_id: int | None = None
    sort: str = SORTS[0]
    ascending: bool = False
    after: "Place | None" = field(default=None)


class Place(NamedTuple):
    """Where a page ended: the sort value (None: not known) and the id of its last author."""

    value: Any
    author_id: int


def find_authors(session: Session, query: Query, limit: int) -> list[Place]:
    """A page of authors, the largest sort value first, or the smallest; at most `limit`."""
    groups, everybody = _groups(session, query)
    if not groups:
        return []
    sets = _sets(query, list(groups))
    sizes = [_size(session, ids) for ids in sets]
    if 0 in sizes:
        return []
    filters = _filters(query, [i for ids in groups.values() for i in ids.ids])
    rare = [ids for ids, size in zip(sets, sizes, strict=True) if size <= MOST_DRIVEN]
    here = sum(ids.members for ids in groups.values())
    shares = [size / max(here if ids.in_markets else everybody, 1) for ids, size in zip(sets, sizes, strict=True)]
    shares.append(_share_passing(query, sum(ids.left for ids in groups.values()), here))
    at_once = limit // len(groups) + 3
    if rare and min(sizes) * _DRIVE_COST < min(at_once * len(groups) / prod(shares), here):
        filters += [_holds(ids) for ids in sets if ids not in rare]
        if query.market is not None:
            filters.append(author_measure.c.audience_market.concat("") == query.market)  # "": by no index
        return _driven(session, query, filters, _together(session, rare), limit)
    streams = []
    for market in sorted(groups):
        held = [_holds(ids) for ids in _sets(query, [market])]
        streams.append(_walk(session, query, market, [*filters, *held], at_once))
    return list(islice(merge(*streams, key=_order(query)), limit))


def _order(query: Query) -> Callable[[Place], tuple[Any, ...]]:
    """Largest first (or smallest), unknown last, then the newest id."""
    sign = 1 if query.ascending else -1

    def key(place: Place) -> tuple[Any, ...]:
        value = place.value
        number = value.timestamp() if hasattr(value, "timestamp") else value
        return (value is None, sign * number if number is not None else 0, -place.author_id)

    return key


def _share_passing(query: Query, left: int, here: int) -> float:
    """About which share of authors pass the filters on groups and percentile, which is spread evenly among peers."""
    spread = (1 if query.most is None else query.most) - (query.least or 0)
    return max(left, 1) / max(here, 1) * min(max(spread, 0.01), 1)


class _Groups(NamedTuple):
    """Peer groups of a market that a query leaves, everybody there is in the market, and how many are in those."""

    ids: list[int]
    members: int
    left: int


def _groups(session: Session, query: Query) -> tuple[dict[str, _Groups], int]:
    """The peer groups that the query leaves, by market, and how many authors there are in all markets."""
    c = peer_group.c
    everybody = 0
    found: dict[str, _Groups] = {}
    statement = sa.select(c.id, c.audience_market, c.platform, c.tier, c.member_count)
    for group_id, market, platform, tier, members in session.execute(statement):
        everybody += members
        if query.market not in (None, market):
            continue
        before = found.get(market, _Groups([], 0, 0))
        is_left = platform in (query.platforms or (platform,)) and tier in (query.tiers or (tier,))
        found[market] = _Groups(
            before.ids + [group_id] * is_left, before.members + members, before.left + members * is_left
        )
    return {market: groups for market, groups in found.items() if groups.ids}, everybody


def _filters(query: Query, group_ids: Sequence[int]) -> list[sa.ColumnElement[bool]]:
    c = author_measure.c
    found: list[sa.ColumnElement[bool]] = []
    if query.platforms or query.tiers:
        found.append((c.group_id + 0).in_(group_ids))  # + 0: the index of the sort column is the one to walk
    rank = c.engagement_percentile if query.sort == "engagement_percentile" else c.engagement_percentile + 0
    if query.least is not None:
        found.append(rank >= query.least)
    if query.most is not None:
        found.append(rank <= query.most)
    if query.sponsored is not None:
        found.append(c.sponsored_share > 0 if query.sponsored else c.sponsored_share == 0)
    return found


class _Set(NamedTuple):
    """Authors that something is true of: a table with author_id, which of its rows, and whether of all markets."""

    table: sa.Table
    where: sa.ColumnElement[bool]
    in_markets: bool = False
    rows: int = 1  # of the table, for an author


def _sets(query: Query, markets: Sequence[str]) -> list[_Set]:
    found = [
        _Set(author_facet, _among(author_facet.c.facet, [facet(market, kind, name) for market in markets]), True)
        for kind, name in ((Kind.TOPIC, query.topic), (Kind.PLACE, query.place))
        if name is not None
    ]
    w = author_word.c.word
    found += [_Set(author_word, sa.and_(w >= word, w < word + "\U0010ffff"), rows=2) for word in query.words]
    if query.list_id is not None:
        found.append(_Set(list_member, list_member.c.list_id == query.list_id))
    return found


def _among(column: sa.ColumnElement[Any], values: Sequence[int]) -> sa.ColumnElement[bool]:
    return column == values[0] if len(values) == 1 else column.in_(values)


def _size(session: Session, ids: _Set) -> int:
    """About how many authors are in a set."""
    some = sa.select(sa.literal(1)).select_from(ids.table).where(ids.where).limit(MOST_COUNTED).subquery()
    rows = int(session.scalar(sa.select(sa.func.count()).select_from(some)) or 0)
    return -(-rows // ids.rows)


def _holds(ids: _Set) -> sa.ColumnElement[bool]:
    """Looked up for each author that is passed."""
    mine = sa.select(sa.literal(1)).where(ids.table.c.author_id == author_measure.c.author_id, ids.where)
    return sa.exists(mine.offset(0))


def _together(session: Session, sets: Sequence[_Set]) -> list[int]:
    """Ids of the authors that are in each of the sets, none of which is large."""
    found: set[int] | None = None
    for some in sets:
        ids = set(session.scalars(sa.select(some.table.c.author_id).where(some.where)))
        found = ids if found is None else found & ids
    return sorted(found or ())


def _driven(
    session: Session, query: Query, filters: list[sa.ColumnElement[bool]], ids: Sequence[int], limit: int
) -> list[Place]:
    """Those of the authors that pass the filters, sorted."""
    c = author_measure.c
    value, after = c[query.sort], query.after
    filters = [one_of(session, c.author_id, ids), *filters]
    if after is not None and after.value is None:
        filters += [value.is_(None), c.author_id < after.author_id]
    elif after is not None:
        filters.append(sa.or_(value.is_(None), _beyond(value, after, ascending=query.ascending)))
    order = value.asc() if query.ascending else value.desc()
    statement = sa.select(value, c.author_id).where(*filters).order_by(order.nulls_last(), c.author_id.desc())
    return [Place(*row) for row in session.execute(statement.limit(limit))]


def _walk(
    session: Session, query: Query, market: str, filters: list[sa.ColumnElement[bool]], at_once: int
) -> Iterator[Place]:
    """Down a market's index of the sort column, some at a time: no further than the page that is made of it asks."""
    after = query.after
    while True:
        found = _next(session, query, market, filters, after, at_once)
        yield from found
        if len(found) < at_once:
            return
        after = found[-1]


def _next(
    session: Session, query: Query, market: str, filters: list[sa.ColumnElement[bool]], after: Place | None, limit: int
) -> list[Place]:
    """The next authors after a place: those of a known value, then those of an unknown one."""
    c = author_measure.c
    value = c[query.sort]
    here = sa.select(value, c.author_id).where(c.audience_market == market, *filters)
    found: list[Place] = []
    if after is None or after.value is not None:
        known = here.where(value.is_not(None))
        if after is not None:
            known = known.where(_beyond(value, after, ascending=query.ascending))
        order = value.asc() if query.ascending else value.desc()
        found = [Place(*row) for row in session.execute(known.order_by(order, c.author_id.desc()).limit(limit))]
    if len(found) < limit:
        unknown = here.where(value.is_(None))
        if after is not None and after.value is None:
            unknown = unknown.where(c.author_id < after.author_id)
        # all of one value, which is named for PostgreSQL: this is the order of the index, read backwards
        unknown = unknown.order_by(value.desc(), c.author_id.desc())
        rest = session.execute(unknown.limit(limit - len(found)))
        found += [Place(*row) for row in rest]
    return found


def _beyond(value: Any, after: Place, *, ascending: bool) -> sa.ColumnElement[bool]:
    """Whether an author comes after a place of a known value."""
    c, bound = author_measure.c.author_id, sa.literal(after.value, value.type)
    if ascending:
        return sa.and_(value >= bound, sa.or_(value > bound, c < after.author_id))
    return sa.tuple_(value, c) < sa.tuple_(bound, sa.literal(after.author_id, sa.BigInteger))


class Listed(NamedTuple):
    """What an author says of itself."""

    id: int
    platform: str
    native_id: str
    person_id: int
    handle: str | None
    name: str | None
    url: str | None
    bio: str | None
    languages: str | None
    audience_market: str
    market_source: str
    market_confidence: float
    market_reasons: str | None
    corrected: str | None
    first_seen_at: Any
    first_post_at: Any


def listed(session: Session, author_ids: Sequence[int]) -> dict[int, Listed]:
    """What authors say of themselves, by id; hidden ones are left out."""
    statement = sa.select(*[author.c[name] for name in Listed._fields])
    rows = session.execute(statement.where(author.c.id.in_(author_ids), author.c.hidden_at.is_(None)))
    return {row.id: Listed(*row) for row in rows}


def accounts_named(session: Session, text: str, limit: int = 8) -> list[str]:
    """Handles that begin like a text: what somebody may have meant."""
    c = author_word.c
    ids = sa.select(c.author_id).where(c.word >= text, c.word < text + "\U0010ffff").limit(limit)
    handles = session.scalars(sa.select(author.c.handle).where(author.c.id.in_(ids), author.c.handle.is_not(None)))
    return sorted(set(handles))
