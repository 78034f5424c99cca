"""What each source gave each market, by local day, and in which languages: kept beside a day's counts.

A day's rows are replaced whole by whoever takes it off the list of dirty days, in that transaction, from its living
posts; so they hold for sealed days and unread posts too. What is asked for is summed over these rows, which are as
many however many posts a day has, and over the posts of the days that still wait: it is always of all that is stored.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.store.day_columns import DayColumns, Truths, instant
from radar.store.engine import SQL_VARIABLES, chunks, one_of, upsert
from radar.store.tables import author, dirty_day, language_day, post, post_signal, source_day

ALL = ""
"""Stands for all sources of a market together: a person whom two of them gave counts once there."""
DAYS = 28
"""KOLs are told as of an average one of the last so many days with posts."""


class SourceDay(NamedTuple):
    """What a source, or ALL, gave of a local day; inferred_count: accounts whose market nobody declared."""

    local_day: date
    source: str
    post_count: int
    author_count: int
    person_count: int
    inferred_count: int
    first_post_at: datetime
    last_post_at: datetime
    last_fetched_at: datetime


class LanguageDay(NamedTuple):
    """Posts of a local day by the language that was read in them."""

    local_day: date
    language: str
    post_count: int


class Given(NamedTuple):
    """What was given to a market on some days."""

    sources: list[SourceDay]
    languages: list[LanguageDay]


# ---- from posts ----


def given(session: Session, market: str, day: date) -> Given:
    """What the living posts of a market's local day say."""
    mine = [post.c.audience_market == market, post.c.local_day == day]
    rows = [SourceDay(*row[1:]) for row in session.execute(_of_posts(mine, post.c.source))]
    rows += [SourceDay(*row[1:]) for row in session.execute(_of_posts(mine))]
    spoken = [LanguageDay(*row[1:]) for row in session.execute(_of_readings(mine))]
    return Given(sorted(rows), sorted(spoken))


def given_of(day: date, items: DayColumns) -> Given:
    """The same of one day, from all its living posts in time order."""
    sources = items.source
    rows = [
        _source_day(day, sources.names[code] or "", items, sources.code == code) for code in np.unique(sources.code)
    ]
    if len(rows) == 1:
        rows.append(rows[0]._replace(source=ALL))
    elif rows:
        rows.append(_source_day(day, ALL, items, np.ones(len(items), bool)))
    spoken = zip(items.language.names, np.bincount(items.language.code).tolist(), strict=False)
    told = sorted((language, n) for language, n in spoken if language is not None and n)
    return Given(sorted(rows), [LanguageDay(day, *some) for some in told])


def _source_day(day: date, source: str, items: DayColumns, mine: Truths) -> SourceDay:
    authors, at = items.author[mine], items.at[mine]
    persons, inferred = items.person[mine], authors[items.is_inferred[mine]]
    n, of, guessed = (len(np.unique(ids)) for ids in (authors, persons, inferred))
    times = instant(at[0]), instant(at[-1]), instant(items.fetched_at[mine].max())
    return SourceDay(day, source, len(at), n, of, guessed, *times)


def _of_posts(mine: Sequence[sa.ColumnElement[bool]], source: sa.Column[Any] | None = None) -> sa.Select[Any]:
    """Rows of source_day from posts; source: by source too, else of all."""
    p, a = post.c, author.c
    inferred = sa.case((a.market_source == "inferred", a.id))
    statement = sa.select(
        p.audience_market,
        p.local_day,
        (sa.literal(ALL) if source is None else source).label("source"),
        sa.func.count().label("post_count"),
        sa.func.count(p.author_id.distinct()).label("author_count"),
        sa.func.count(a.person_id.distinct()).label("person_count"),
        sa.func.count(inferred.distinct()).label("inferred_count"),
        sa.func.min(p.published_at).label("first_post_at"),
        sa.func.max(p.published_at).label("last_post_at"),
        sa.func.max(p.fetched_at).label("last_fetched_at"),
    )
    statement = statement.join(author, a.id == p.author_id).where(*mine, p.deleted_at.is_(None))
    return statement.group_by(p.audience_market, p.local_day, *([] if source is None else [source]))


def _of_readings(mine: Sequence[sa.ColumnElement[bool]]) -> sa.Select[Any]:
    """Rows of language_day, the same way."""
    p, language = post.c, post_signal.c.language
    statement = sa.select(p.audience_market, p.local_day, language, sa.func.count().label("post_count"))
    statement = statement.join(post_signal, post_signal.c.post_id == p.id).where(*mine, p.deleted_at.is_(None))
    return statement.group_by(p.audience_market, p.local_day, language)


# ---- kept ----


def put(session: Session, market: str, days: Mapping[date, Given]) -> None:
    """Put what was given to a market on these days in place of what stood there."""
    for table, name in ((source_day, "sources"), (language_day, "languages")):
        for part in chunks(sorted(days), SQL_VARIABLES):
            session.execute(sa.delete(table).where(table.c.audience_market == market, table.c.local_day.in_(part)))
        rows = [row for day in sorted(days) for row in getattr(days[day], name)]
        values = [row._asdict() | {"audience_market": market} for row in rows]
        figures = [c.name for c in table.columns if not c.primary_key]
        upsert(session, table, values, on=[c.name for c in table.primary_key], update=figures)


def kept(session: Session, market: str, day: date) -> Given:
    """What is kept of a day."""
    s, g = source_day.c, language_day.c
    sources = sa.select(*[s[name] for name in SourceDay._fields]).where(s.audience_market == market, s.local_day == day)
    spoken = sa.select(*[g[name] for name in LanguageDay._fields]).where(
        g.audience_market == market, g.local_day == day
    )
    found = session.execute(sources).all(), session.execute(spoken).all()
    return Given(sorted(SourceDay(*row) for row in found[0]), sorted(LanguageDay(*row) for row in found[1]))


def is_kept(session: Session) -> bool:
    """Whether it is kept of any day."""
    return session.scalar(sa.select(source_day.c.source).limit(1)) is not None


# ---- asked for ----


class Held(NamedTuple):
    """What one source, or ALL, gave to one market.

    authors, persons, inferred  on an average one of the last DAYS days with posts, rounded up
    """

    audience_market: str
    source: str
    posts: int
    authors: int
    persons: int
    inferred: int
    first_post_at: datetime
    last_post_at: datetime
    last_fetched_at: datetime


def held(session: Session, market: str | None = None) -> list[Held]:
    """What the store holds, by market and source, ALL among them; deleted posts left out."""
    waiting = _waiting(session, market)
    counted = sa.select(source_day).where(*_settled(session, source_day, market, waiting))
    mine = [_of_day(session, post, *some) for some in waiting.items()]
    by_source, whole = [_of_posts([of], post.c.source) for of in mine], [_of_posts([of]) for of in mine]
    d = sa.union_all(counted, *by_source, *whole).subquery().c
    nth = sa.func.row_number().over(partition_by=(d.audience_market, d.source), order_by=d.local_day.desc())
    days = sa.select(*d, (nth <= DAYS).label("is_late")).subquery().c
    late = sa.case((days.is_late, 1), else_=0)
    statement = (
        sa.select(
            days.audience_market,
            days.source,
            sa.func.sum(days.post_count),
            sa.func.sum(late),
            *[sa.func.sum(late * days[name]) for name in ("author_count", "person_count", "inferred_count")],
            sa.func.min(days.first_post_at),
            sa.func.max(days.last_post_at),
            sa.func.max(days.last_fetched_at),
        )
        .group_by(days.audience_market, days.source)
        .order_by(days.audience_market, days.source)
    )
    found = []
    for code, source, posts, of, *sums, first, last, fetched in session.execute(statement):
        authors, persons, inferred = (-(-int(n) // int(of)) for n in sums)
        found.append(Held(code, source, int(posts), authors, persons, inferred, first, last, fetched))
    return found


def languages(session: Session, market: str | None = None) -> dict[str, dict[str, int]]:
    """Posts by market and the language that was read in them, most first; deleted posts left out."""
    waiting = _waiting(session, market)
    counted = sa.select(language_day).where(*_settled(session, language_day, market, waiting))
    spoken = [_of_readings([_of_day(session, post, *some)]) for some in waiting.items()]
    d = sa.union_all(counted, *spoken).subquery().c
    posts = sa.func.sum(d.post_count)
    statement = sa.select(d.audience_market, d.language, posts).group_by(d.audience_market, d.language)
    found: dict[str, dict[str, int]] = {}
    for code, language, n in session.execute(statement.order_by(posts.desc(), d.language)):
        found.setdefault(code, {})[language] = int(n)
    return found


def _waiting(session: Session, market: str | None) -> dict[str, list[date]]:
    """Days that wait for a count, by market: what is kept of them is not asked, whatever happens to it meanwhile."""
    c, found = dirty_day.c, dict[str, list[date]]()
    statement = sa.select(c.audience_market, c.local_day).order_by(c.audience_market, c.local_day)
    for code, day in session.execute(statement.where(c.audience_market == market) if market else statement):
        found.setdefault(code, []).append(day)
    return found


def _of_day(session: Session, table: sa.Table, market: str, days: list[date]) -> sa.ColumnElement[bool]:
    """Rows of a market's days, which are found one by one in an index, however many there are."""
    return sa.and_(table.c.audience_market == market, one_of(session, table.c.local_day, days))


def _settled(
    session: Session, table: sa.Table, market: str | None, waiting: dict[str, list[date]]
) -> list[sa.ColumnElement[bool]]:
    """Rows of days that do not wait."""
    only = [table.c.audience_market == market] if market else []
    return [*(sa.not_(_of_day(session, table, *some)) for some in waiting.items()), *only]
