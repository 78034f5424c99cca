"""Search among KOLs: every filter, sort and page as looking at each of them one by one would give it."""

from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from radar.bench.kol import _question, fill
from radar.keys import Kind
from radar.scheduling import silent
from radar.store import search
from radar.store import tables as t
from radar.store.authors import author_named
from radar.store.bulk import analyse
from radar.store.engine import reading
from radar.store.measures import facet
from radar.store.search import Place, Query, find_authors

COUNT = 1_500


def _everybody(engine: sa.Engine) -> list[dict[str, Any]]:
    with engine.connect() as c:
        g = t.peer_group.c
        rows = [
            dict(row._mapping)
            for row in c.execute(
                sa.select(t.author_measure, g.platform, g.tier).join(t.peer_group, g.id == t.author_measure.c.group_id)
            )
        ]
        for name, table, column in (("facets", t.author_facet, "facet"), ("words", t.author_word, "word")):
            held: dict[int, set[Any]] = {}
            for i, value in c.execute(sa.select(table.c.author_id, table.c[column])):
                held.setdefault(i, set()).add(value)
            for row in rows:
                row[name] = held.get(row["author_id"], set())
    return rows


def _matches(row: dict[str, Any], q: Query) -> bool:
    market, rank, paid = row["audience_market"], row["engagement_percentile"], row["sponsored_share"]
    return (
        q.market in (None, market)
        and row["platform"] in (q.platforms or (row["platform"],))
        and row["tier"] in (q.tiers or (row["tier"],))
        and (q.topic is None or facet(market, Kind.TOPIC, q.topic) in row["facets"])
        and (q.place is None or facet(market, Kind.PLACE, q.place) in row["facets"])
        and all(any(w.startswith(word) for w in row["words"]) for word in q.words)
        and (q.least is None or (rank is not None and rank >= q.least))
        and (q.most is None or (rank is not None and rank <= q.most))
        and (q.sponsored is None or (paid > 0) == q.sponsored)
    )


def _expected(rows: list[dict[str, Any]], q: Query) -> list[int]:
    found = [Place(row[q.sort], row["author_id"]) for row in rows if _matches(row, q)]
    return [place.author_id for place in sorted(found, key=search._order)]


@pytest.mark.parametrize("most_driven", [10_000, 5])
def test_pages_hold_what_matches_in_order(engine: sa.Engine, most_driven: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_DRIVEN", most_driven)  # both ways to a page: from the rarest filter, and walking
    fill(engine, COUNT, silent)
    rows = _everybody(engine)
    rng = np.random.default_rng(5)
    seen = 0
    for n in range(60):
        kind, query = _question(rng, n)
        expected = _expected(rows, query)
        pages: list[int] = []
        after: Place | None = None
        with reading(engine) as session:
            for _ in range(4):
                page = find_authors(session, Query(**_fields(query), after=after), 40)
                pages += [place.author_id for place in page]
                after = page[-1] if page else None
                if len(page) < 40:
                    break
        assert pages == expected[: len(pages)], kind
        assert len(pages) == min(len(expected), 160), kind
        seen += len(pages)
    assert seen > 1_000


def _fields(query: Query) -> dict[str, Any]:
    return {name: getattr(query, name) for name in Query.__slots__ if name != "after"}


def test_a_kol_is_found_by_a_handle_alone_without_reading_all(engine: sa.Engine) -> None:
    fill(engine, COUNT, silent)
    analyse(engine)
    with engine.connect() as c:
        number, handle = c.execute(sa.select(t.author.c.id, t.author.c.handle).limit(1).offset(700)).one()
        plan = str(
            sa.select(t.author.c.id)
            .where(sa.or_(t.author.c.native_id == handle, t.author.c.handle == handle))
            .compile(engine, compile_kwargs={"literal_binds": True})
        )
        how = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
        said = " ".join(str(row) for row in c.exec_driver_sql(f"{how} {plan}"))
    assert "ix_author_handle" in said
    assert "ix_author_native_id" in said
    with reading(engine) as session:
        assert number in author_named(session, None, handle)
