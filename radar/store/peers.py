"""Peer groups: accounts of one market, platform and tier, and how their measures are spread."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.kol.peers import PEER_MEASURES, Sketch
from radar.store.engine import upsert
from radar.store.tables import author_measure, peer_group


def group_ids(session: Session, groups: Collection[tuple[str, str, str]]) -> dict[tuple[str, str, str], int]:
    """Ids of peer groups (market, platform, tier); those that are missing are added."""
    names, counts = ("audience_market", "platform", "tier"), ("member_count", "author_count", "changed_count")
    rows: list[dict[str, Any]] = [
        dict(zip(names, group, strict=True)) | dict.fromkeys(counts, 0) | {"sketches": {}} for group in sorted(groups)
    ]
    upsert(session, peer_group, rows, on=names)
    markets = {group[0] for group in groups}
    statement = sa.select(peer_group.c.id, *[peer_group.c[name] for name in names])
    found = session.execute(statement.where(peer_group.c.audience_market.in_(markets)))
    return {(m, p, t): i for i, m, p, t in found if (m, p, t) in groups}


class PeerGroup(NamedTuple):
    """Accounts of a market, platform and tier: how many are rated, and how their measures are spread."""

    id: int
    audience_market: str
    platform: str
    tier: str
    member_count: int
    author_count: int
    changed_count: int
    sketches: dict[str, Sketch]


def groups(session: Session, ids: Sequence[int] | None = None) -> dict[int, PeerGroup]:
    """Peer groups by id; all of them by default."""
    statement = sa.select(*[peer_group.c[name] for name in PeerGroup._fields]).order_by(peer_group.c.id)
    if ids is not None:
        statement = statement.where(peer_group.c.id.in_(ids))
    return {
        row.id: PeerGroup._make(row)._replace(
            sketches={name: Sketch(n, tuple(values)) for name, (n, values) in row.sketches.items()}
        )
        for row in session.execute(statement)
    }


def group_values(session: Session, group_id: int) -> list[dict[str, Any]]:
    """What a group's sketches are made from: author_id and the peer measures of each of its authors."""
    columns = [author_measure.c[name] for name in PEER_MEASURES if name in author_measure.c]
    c = author_measure.c
    statement = sa.select(c.author_id, c.low_confidence, *columns, c.profile["signals"].label("signals"))
    rows = []
    for row in session.execute(statement.where(author_measure.c.group_id == group_id)):
        values = dict(row._mapping)
        signals = values.pop("signals") or {}
        rows.append(values | {name: signals.get(name, [None])[0] for name in PEER_MEASURES if name not in values})
    return rows


def rebase(session: Session, group_id: int, sketches: dict[str, Sketch], percentiles: dict[int, float | None]) -> None:
    """Give a group new sketches, and each of its authors the percentile that follows from them."""
    told = {name: [s.n, list(s.values)] for name, s in sketches.items()}
    rated = max((sketches[name].n for name in ("er_followers", "er_views") if name in sketches), default=0)
    values = {"sketches": told, "member_count": len(percentiles), "author_count": rated, "changed_count": 0}
    session.execute(sa.update(peer_group).where(peer_group.c.id == group_id).values(values))
    c = author_measure.c
    statement = (
        sa.update(author_measure)
        .where(c.author_id == sa.bindparam("b_id"), c.group_id == group_id)
        .where(c.engagement_percentile.is_distinct_from(sa.bindparam("b_share", type_=sa.Float)))
        .values(engagement_percentile=sa.bindparam("b_share", type_=sa.Float))
    )
    if percentiles:
        session.connection().execute(statement, [{"b_id": i, "b_share": p} for i, p in percentiles.items()])
