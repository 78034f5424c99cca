"""The whole store out and in by columns, table after table: for files that another database takes in as well.

Rows keep their numbers: what names another row, also inside of JSON, names the same one afterwards. So a store is
taken in by an empty one alone.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import Session

from radar.errors import RadarError
from radar.markets import MARKETS
from radar.store import months, source_days
from radar.store.copying import _set_sequences
from radar.store.engine import _converted, upsert
from radar.store.tables import meta as meta_table
from radar.store.tables import metadata, post, post_signal
from radar.store.version import NAME as ANSWERS
from radar.store.version import REMOVALS, answers_changed

BATCH, BATCH_OF_JSON, BATCH_OF_BLOBS = 10_000, 1_000, 50
"""Rows that are held at a time; of tables with answers in JSON, and with whole days or states in a cell."""
DAILY = ("post", "post_signal", "post_topic", "engagement_observation")
"""Tables of what posts are and what was read in them: by market and local day."""
SECRET = {
    "api_key": "API keys", "member": "users and their passwords", "login_session": "logins",
    "alert_target": "where alerts go, with what they are signed by", "alert_delivery": "deliveries to those",
    "hub_subscription": "subscriptions at hubs",
}  # fmt: skip
"""Tables that are left out unless they are asked for: whoever holds their rows may do something with them."""
PASSING = ("run", "work", "lease", "pushed_batch", "login_failure")
"""Tables that say what goes on at this moment, here."""
MARK = "transfer"
"""Name in `meta` of how far an import has come."""
_OWN_META = (MARK, ANSWERS, REMOVALS)


class RowsRefused(RadarError):
    """The database takes some of these rows not."""


def told_tables(*, secrets: bool) -> list[sa.Table]:
    """Tables that are written out, those first that others name."""
    left_out = {*PASSING, *(() if secrets else SECRET)}
    return [table for table in metadata.sorted_tables if table.name not in left_out]


# ---- out ----


def days_of(session: Session, market: str) -> list[date]:
    """Local days of a market that hold posts, the first first."""
    c = post.c
    statement = sa.select(c.local_day).where(c.audience_market == market).group_by(c.local_day).order_by(c.local_day)
    return list(session.scalars(statement))


def print_of(session: Session, market: str, day: date) -> str:
    """What changes when a day's posts, their counts or their readings do."""
    p, s = post.c, post_signal.c
    figures = [
        sa.func.count(), sa.func.max(p.id), sa.func.sum(p.revision), sa.func.count(p.text), sa.func.count(p.deleted_at),
        sa.func.count(p.classified_at), sa.func.sum(p.like_count), sa.func.sum(p.comment_count),
        sa.func.sum(p.share_count), sa.func.sum(p.view_count), sa.func.count(s.post_id), sa.func.min(s.model_id),
        sa.func.max(s.model_id), sa.func.sum(sa.func.length(s["keys"])), sa.func.max(p.fetched_at),
        sa.func.max(p.classified_at),
    ]  # fmt: skip
    statement = sa.select(*figures).select_from(post.outerjoin(post_signal, s.post_id == p.id))
    row = session.execute(statement.where(p.audience_market == market, p.local_day == day)).one()
    return " ".join(str(value) for value in row)


def rows_out(
    session: Session, table: sa.Table, names: Sequence[str], of: tuple[str, date] | None = None
) -> Iterator[list[Sequence[Any]]]:
    """Rows in the order of their keys, some at a time; JSON as text. of: only those of a market's day (of DAILY)."""
    columns = [_told(table.c[name]) for name in names]
    statement = sa.select(*columns).order_by(*table.primary_key.columns)
    if of is not None:
        if table is not post:
            statement = statement.join(post, post.c.id == table.c.post_id)
        statement = statement.where(post.c.audience_market == of[0], post.c.local_day == of[1])
    elif table is meta_table:
        statement = statement.where(meta_table.c.name.not_in(_OWN_META))
    with session.execute(statement.execution_options(yield_per=batch_of(table))) as found:
        yield from found.partitions()  # type: ignore[misc]


def batch_of(table: sa.Table) -> int:
    """Rows of a table that are held at a time."""
    kinds = [column.type for column in table.columns]
    if table.name not in DAILY and any(isinstance(kind, sa.LargeBinary) for kind in kinds):
        return BATCH_OF_BLOBS
    return BATCH_OF_JSON if any(isinstance(kind, sa.JSON) for kind in kinds) else BATCH


def _told(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    return sa.cast(column, sa.Text) if isinstance(column.type, sa.JSON) else column


# ---- in ----


def rows_in(session: Session, table: sa.Table, columns: Mapping[str, Sequence[Any]]) -> None:
    """Insert rows, given by column. Raises RowsRefused, and nothing of them is there then.

    JSON comes as text; what is in `meta` already gives way.
    """
    try:
        with session.begin_nested():
            if table is meta_table:
                rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
                upsert(session, table, rows, on=["name"], update=["value"])
            else:
                _insert(session, table, columns)
    except (sa.exc.IntegrityError, sa.exc.DataError) as error:
        raise RowsRefused(_said(error.orig or error)) from error
    except (psycopg.IntegrityError, psycopg.DataError) as error:
        raise RowsRefused(_said(error)) from error


def _said(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]


def _insert(session: Session, table: sa.Table, columns: Mapping[str, Sequence[Any]]) -> None:
    connection = session.connection()
    names = ", ".join(f'"{name}"' for name in columns)
    values = [_values(table.c[name], connection.dialect, list(cells)) for name, cells in columns.items()]
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(values))
        text = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'
        connection.exec_driver_sql(text, list(zip(*values, strict=True)))
        return
    cursor = connection.connection.cursor()
    with cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:  # type: ignore[attr-defined]
        for row in zip(*values, strict=True):
            copy.write_row(row)


def _values(column: sa.Column[Any], dialect: sa.Dialect, cells: list[Any]) -> list[Any]:
    return cells if isinstance(column.type, sa.JSON) else _converted(column.type, dialect, cells)


def mark_of(session: Session) -> dict[str, Any] | None:
    """How far an import has come; None where there never was one."""
    said = session.scalar(sa.select(meta_table.c.value).where(meta_table.c.name == MARK))
    found: dict[str, Any] | None = json.loads(said) if said else None
    return found


def set_mark(session: Session, mark: Mapping[str, Any]) -> None:
    """Say how far an import has come, in the transaction that came so far."""
    upsert(session, meta_table, [{"name": MARK, "value": json.dumps(dict(mark))}], on=["name"], update=["value"])


def finish(session: Session) -> None:
    """Let new rows be numbered from behind those that came in, and answers be made anew."""
    if session.get_bind().dialect.name == "postgresql":
        _set_sequences(session.connection())
        months.spread(session.connection())
    if not source_days.is_kept(session):  # an export of before it was
        fill_source_days(session)
    answers_changed(session)


def fill_source_days(session: Session) -> None:
    """Keep what sources gave on all days of stored posts."""
    for market in MARKETS:
        days = days_of(session, market)
        source_days.put(session, market, {day: source_days.given(session, market, day) for day in days})
