"""What each source gave each market, by local day, and in which languages: kept beside a day's counts.

A day's rows are replaced whole by whoever takes it off the list of dirty days, in that transaction, from its living
posts; so they hold for sealed days and unread posts too. What is asked for is summed over these rows, which are as
many however many posts a day has, and over the posts of the days that still wait, the newest days first, as far as
`LOOKED_AT` posts of a market go. Days beyond that are told as they were counted last (`stale_days` says how many), so
that an answer costs the same however much waits; of all that is stored it is as soon as no more than that waits.
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
LOOKED_AT = 2_000
"""Posts of a market's waiting days that are summed for a question."""


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
    looked_at = _looked_at(session, market)
    counted = sa.select(source_day).where(*_settled(session, source_day, market, looked_at))
    mine = [where for one in looked_at for where in one.posts(session)]
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
    looked_at = _looked_at(session, market)
    counted = sa.select(language_day).where(*_settled(session, language_day, market, looked_at))
    spoken = [_of_readings([where]) for one in looked_at for where in one.posts(session)]
    d = sa.union_all(counted, *spoken).subquery().c
    posts = sa.func.sum(d.post_count)
    statement = sa.select(d.audience_market, d.language, posts).group_by(d.audience_market, d.language)
    found: dict[str, dict[str, int]] = {}
    for code, language, n in session.execute(statement.order_by(posts.desc(), d.language)):
        found.setdefault(code, {})[language] = int(n)
    return found


def stale_days(session: Session, market: str | None = None) -> dict[str, int]:
    """Waiting days of more posts than are summed for a question, by market: they are told as they were counted last."""
    waiting = _waiting(session, market).items()
    return {code: n for code, kept in waiting if (n := len(kept) - len(_newest(session, code, kept).days))}


class _LookedAt(NamedTuple):
    """Waiting days of a market whose posts are summed; part: another one, never counted, and so many posts of it."""

    market: str
    days: list[date]
    part: tuple[date, int] | None

    def posts(self, session: Session) -> list[sa.ColumnElement[bool]]:
        """Which posts those are."""
        found = [_of_day(session, post, self.market, self.days)] if self.days else []
        if self.part is not None:
            some = sa.select(post.c.id).where(_of_day(session, post, self.market, [self.part[0]])).limit(self.part[1])
            found.append(post.c.id.in_(some))
        return found

    def rows(self, session: Session, table: sa.Table) -> sa.ColumnElement[bool]:
        """What is kept of these days: it is not asked, whatever happens to it meanwhile."""
        return _of_day(session, table, self.market, [*self.days, *(self.part or ())[:1]])


def _looked_at(session: Session, market: str | None) -> list[_LookedAt]:
    """By market, the newest waiting days that have LOOKED_AT posts together."""
    return [_newest(session, code, is_kept) for code, is_kept in _waiting(session, market).items()]


def _newest(session: Session, market: str, is_kept: Mapping[date, bool]) -> _LookedAt:
    """As many of the days, the newest first, as have few enough posts: all, or half, a quarter ... of them more."""
    days = list(is_kept)
    taken, left, more = 0, LOOKED_AT, len(days)
    while some := days[taken : taken + more]:
        mine = sa.select(sa.literal(1)).where(_of_day(session, post, market, some)).limit(left + 1)
        posts = session.execute(sa.select(sa.func.count()).select_from(mine.subquery())).scalar_one()
        if posts <= left:
            taken, left = taken + len(some), left - posts
        elif more > 1:
            more //= 2
        else:
            break
    part = None
    if taken < len(days) and left and not is_kept[days[taken]]:
        part = days[taken], left
    return _LookedAt(market, days[:taken], part)


def _waiting(session: Session, market: str | None) -> dict[str, dict[date, bool]]:
    """Days that wait for a count, by market, the newest first, and whether anything is kept of them."""
    c, s, found = dirty_day.c, source_day.c, dict[str, dict[date, bool]]()
    is_kept = sa.exists().where(s.audience_market == c.audience_market, s.local_day == c.local_day, s.source == ALL)
    statement = sa.select(c.audience_market, c.local_day, is_kept).order_by(c.audience_market, c.local_day.desc())
    for code, day, kept_before in session.execute(
        statement.where(c.audience_market == market) if market else statement
    ):
        found.setdefault(code, {})[day] = kept_before
    return found


def _of_day(session: Session, table: sa.Table, market: str, days: Sequence[date]) -> sa.ColumnElement[bool]:
    """Rows of a market's days, which are found one by one in an index, however many there are."""
    return sa.and_(table.c.audience_market == market, one_of(session, table.c.local_day, days))


def _settled(
    session: Session, table: sa.Table, market: str | None, looked_at: Sequence[_LookedAt]
) -> list[sa.ColumnElement[bool]]:
    """Rows of days whose posts are not summed."""
    only = [table.c.audience_market == market] if market else []
    return [*(sa.not_(one.rows(session, table)) for one in looked_at), *only]
