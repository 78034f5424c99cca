"""Measures of authors: who waits for them, what they are made from, and reading them back in pages."""

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.keys import Kind, key_number
from radar.kol import AuthorMeasures, BrandWork, Rhythm, Share, TopPost
from radar.kol.peers import Sketch, best_rate
from radar.store.author_facts import AccountRow
from radar.store.engine import SQL_VARIABLES, chunks, one_of, upsert, upsert_columns, upsert_from
from radar.store.peers import group_ids, groups
from radar.store.tables import (
    author,
    author_due,
    author_facet,
    author_measure,
    author_word,
    meta,
    peer_group,
)
from radar.text.names import words_of

LEAST_POSTS, LEAST_SHARE = 2, 0.05
"""Posts about a topic or place, and the shrunken share of all, from which an author is found by it."""

COLUMNS = (
    "follower_count", "last_post_at", "post_count", "rated_count", "low_confidence", "engagement", "er_followers",
    "er_views", "views_count", "engagement_percentile", "growth", "growth_days", "posts_per_week", "sponsored_count",
    "sponsored_share", "paid_over_organic", "negative_share", "told_count", "early", "early_low", "early_high",
    "early_p", "early_null", "early_count", "measured_at",
)  # fmt: skip
"""Fields of AuthorMeasures that are columns under the same name."""


AT_ONCE = datetime(1990, 1, 1, tzinfo=UTC)
"""When authors are due whom something changed that knows of no clock."""

TIERS = "tiers"

# ---- who waits ----


def mark_authors(session: Session, author_ids: Iterable[int], due_at: datetime) -> None:
    """Ask for authors to be measured at a moment or as soon after, in the transaction that changed them."""
    due, mark = sa.literal(due_at, author_due.c.due_at.type), sa.literal(secrets.randbits(31))
    for some in chunks(sorted(set(author_ids)), SQL_VARIABLES // 2):
        who = sa.select(author.c.id, due, mark).where(one_of(session, author.c.id, some)).order_by(author.c.id)
        upsert_from(session, author_due, ["author_id", "due_at", "mark"], who, on=["author_id"])


def mark_told_authors(session: Session, author_ids: Iterable[int], due_at: datetime) -> None:
    """The same for authors that this transaction has read or written: they are there."""
    ids = sorted(set(author_ids))
    if ids:
        columns: dict[str, list[Any]] = {
            "author_id": ids,
            "due_at": [due_at] * len(ids),
            "mark": [secrets.randbits(31)] * len(ids),
        }
        upsert_columns(session, author_due, columns, on=["author_id"], update=["due_at", "mark"])


def mark_persons(session: Session, person_ids: Collection[int], due_at: datetime) -> None:
    """The same for all accounts of persons."""
    for some in chunks(sorted(person_ids), SQL_VARIABLES):
        mark_authors(session, session.scalars(sa.select(author.c.id).where(author.c.person_id.in_(some))), due_at)


def mark_for_tiers(session: Session, tiers: str) -> None:
    """Ask for everybody to be measured anew where what is measured by other tiers than these: silent accounts too."""
    if session.scalar(sa.select(meta.c.value).where(meta.c.name == TIERS)) == tiers:
        return
    after = 0
    while ids := session.scalars(
        sa.select(author_measure.c.author_id)
        .where(author_measure.c.author_id > after)
        .order_by(author_measure.c.author_id)
        .limit(SQL_VARIABLES)
    ).all():
        mark_authors(session, ids, AT_ONCE)
        after = ids[-1]
    upsert(session, meta, [{"name": TIERS, "value": tiers}], on=["name"], update=["value"])


def due_authors(session: Session, now: datetime, after: int, limit: int) -> dict[int, int]:
    """Authors that wait to be measured, by id from `after` on: id -> mark."""
    c = author_due.c
    statement = sa.select(c.author_id, c.mark).where(c.due_at <= now, c.author_id > after)
    return dict(session.execute(statement.order_by(c.author_id).limit(limit)).all())


def settle_due(session: Session, seen: dict[int, int], next_at: dict[int, datetime]) -> None:
    """Take measured authors off the list, or put them where time alone will change them, unless they changed again."""
    c = author_due.c
    gone = [{"b_id": i, "b_mark": mark} for i, mark in seen.items() if i not in next_at]
    later = [{"b_id": i, "b_mark": mark, "b_at": next_at[i]} for i, mark in seen.items() if i in next_at]
    mine = sa.and_(c.author_id == sa.bindparam("b_id"), c.mark == sa.bindparam("b_mark"))
    connection = session.connection()
    if gone:
        connection.execute(sa.delete(author_due).where(mine), gone)
    if later:
        at = sa.bindparam("b_at", type_=c.due_at.type)
        connection.execute(sa.update(author_due).where(mine).values(due_at=at), later)


# ---- writing ----


def write_measures(session: Session, measured: Sequence[AuthorMeasures], names: dict[int, AccountRow]) -> None:
    """Put measures in place of what stood there, with what authors are found by.

    The percentile is taken from the group's sketch as it is; `rebase` renews both when enough of the group changed.
    """
    ids = group_ids(session, {(m.audience_market, m.platform, m.tier) for m in measured})
    sketches = {i: group.sketches for i, group in groups(session, list(ids.values())).items()}
    rows, changed = [], dict.fromkeys(ids.values(), 0)
    for m in measured:
        group_id = ids[m.audience_market, m.platform, m.tier]
        changed[group_id] += 1
        row = {name: getattr(m, name) for name in COLUMNS}
        row |= {"author_id": m.author_id, "group_id": group_id, "audience_market": m.audience_market}
        row["engagement_percentile"] = _engagement_percentile(m.er_followers, m.er_views, sketches[group_id])
        row["profile"] = _profile(m)
        rows.append(row)
    update = [name for name in (rows[0] if rows else ()) if name != "author_id"]
    upsert(session, author_measure, rows, on=["author_id"], update=update)
    for group_id, n in changed.items():
        mine = peer_group.c.id == group_id
        session.execute(sa.update(peer_group).where(mine).values(changed_count=peer_group.c.changed_count + n))
    _write_found_by(session, measured, names)


def _write_found_by(session: Session, measured: Sequence[AuthorMeasures], names: dict[int, AccountRow]) -> None:
    for some in chunks([m.author_id for m in measured], SQL_VARIABLES):
        for table in (author_facet, author_word):
            session.execute(sa.delete(table).where(table.c.author_id.in_(some)))
    facets = [{"facet": facet, "author_id": m.author_id} for m in measured for facet in sorted(facets_of(m))]
    words = [
        {"word": word, "author_id": i}
        for i in (m.author_id for m in measured)
        for word in sorted(words_of(names[i].handle, names[i].name))
    ]
    upsert(session, author_facet, facets, on=["facet", "author_id"])
    upsert(session, author_word, words, on=["word", "author_id"])


def forget_measures(session: Session, author_ids: Sequence[int]) -> None:
    """Take away what is measured of authors and what they are found by; their peers are compared anew."""
    for some in chunks(list(author_ids), SQL_VARIABLES):
        left = sa.select(author_measure.c.group_id).where(author_measure.c.author_id.in_(some))
        changed = peer_group.c.changed_count + peer_group.c.member_count + 1
        session.execute(sa.update(peer_group).where(peer_group.c.id.in_(left)).values(changed_count=changed))
        for table in (author_facet, author_word, author_measure):
            session.execute(sa.delete(table).where(table.c.author_id.in_(some)))


def facet(market: str, kind: Kind, name: str) -> int:
    """What authors of a market who post about a topic or a place are found by."""
    return key_number(kind, f"{market} {name}")


def facets_of(m: AuthorMeasures) -> set[int]:
    """The facets of an author: topics and place markets with at least 2 posts and a share of 5 %."""
    return {
        facet(m.audience_market, kind, share.name)
        for kind, some in ((Kind.TOPIC, m.topics), (Kind.PLACE, m.places))
        for share in some
        if share.posts >= LEAST_POSTS and share.share >= LEAST_SHARE
    }


def _engagement_percentile(
    er_followers: float | None, er_views: float | None, known: dict[str, Sketch]
) -> float | None:
    name = best_rate(er_followers, er_views)
    value = er_followers if name == "er_followers" else er_views
    return known[name].percentile(value) if name in known else None


def _profile(m: AuthorMeasures) -> dict[str, Any]:
    """What is stored as JSON."""
    return {
        "topics": [[s.name, s.posts, s.share] for s in m.topics],
        "places": [[s.name, s.posts, s.share] for s in m.places],
        "rhythm": asdict(m.rhythm),
        "top_posts": [[t.post_id, t.engagement, t.ratio] for t in m.top_posts],
        "brands": [[b.product_id, b.posts, b.first_on.isoformat(), b.last_on.isoformat()] for b in m.brands],
        "signals": {name: list(said) for name, said in m.signals.items()},
    }


# ---- reading ----


def measures_of(session: Session, author_ids: Sequence[int]) -> dict[int, AuthorMeasures]:
    """Measures by author id; of authors that are hidden or not measured yet there are none."""
    found: dict[int, AuthorMeasures] = {}
    for some in chunks(list(author_ids), SQL_VARIABLES):
        found |= {m.author_id: m for m in _read(session, author_measure.c.author_id.in_(some))}
    return found


def measures_page(
    session: Session,
    *,
    market: str | None = None,
    platforms: Collection[str] = (),
    tiers: Collection[str] = (),
    topics: Collection[str] = (),
    places: Collection[str] = (),
    after: int = 0,
    limit: int = 1_000,
) -> list[AuthorMeasures]:
    """A page of authors by id, those above `after`; ask again with the last one's id until a page is empty.

    market      audience market; all by default       platforms, tiers  any of them
    topics, places  posts about any of the topics, and about any of the place markets: see facets_of
    """
    c = author_measure.c
    wanted = [c.author_id > after]
    if market is not None:
        wanted.append(c.audience_market == market)
    group = [peer_group.c[n].in_(some) for n, some in (("platform", platforms), ("tier", tiers)) if some]
    if group:
        wanted.append(c.group_id.in_(sa.select(peer_group.c.id).where(*group)))
    markets = [market] if market else list(session.scalars(sa.select(peer_group.c.audience_market).distinct()))
    for kind, some in ((Kind.TOPIC, topics), (Kind.PLACE, places)):
        if some:
            codes = [facet(code, kind, name) for code in markets for name in some]
            wanted.append(c.author_id.in_(sa.select(author_facet.c.author_id).where(author_facet.c.facet.in_(codes))))
    return _read(session, *wanted, limit=limit)


def _read(session: Session, *wanted: sa.ColumnElement[bool], limit: int | None = None) -> list[AuthorMeasures]:
    c = author_measure.c
    columns = [c.author_id, c.audience_market, *[c[name] for name in COLUMNS], c.profile]
    statement = (
        sa.select(*columns, peer_group.c.platform, peer_group.c.tier, peer_group.c.author_count)
        .join(peer_group, peer_group.c.id == c.group_id)
        .where(*wanted)
        .order_by(c.author_id)
        .limit(limit)
    )
    return [_measures(dict(row._mapping)) for row in session.execute(statement)]


def _measures(row: dict[str, Any]) -> AuthorMeasures:
    profile = row.pop("profile")
    rhythm = profile["rhythm"]
    return AuthorMeasures(
        peer_count=row.pop("author_count"),
        topics=tuple(Share(*share) for share in profile["topics"]),
        places=tuple(Share(*share) for share in profile["places"]),
        rhythm=Rhythm(
            tuple(rhythm["by_hour"]), tuple(rhythm["by_weekday"]), rhythm["gap_hours"], rhythm["active_days"]
        ),
        top_posts=tuple(TopPost(*top) for top in profile["top_posts"]),
        brands=tuple(
            BrandWork(name, n, date.fromisoformat(first), date.fromisoformat(last))
            for name, n, first, last in profile["brands"]
        ),
        signals={name: (value, n) for name, (value, n) in profile["signals"].items()},
        **row,
    )
