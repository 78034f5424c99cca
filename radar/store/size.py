"""How large a store is: of the whole, and of each table with its indexes."""

import sqlalchemy as sa

from radar.store.tables import metadata


def bytes_by_table(engine: sa.Engine) -> dict[str, int]:
    """Bytes of each table, its indexes and overflow, the largest first; of SQLite the whole file is read."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "sqlite":
            page = sa.table("dbstat", *map(sa.column, ("name", "pgsize", "aggregate")))
            thing = sa.table("sqlite_master", *map(sa.column, ("name", "tbl_name")))
            sizes = sa.select(thing.c.tbl_name, sa.func.sum(page.c.pgsize)).join_from(
                page, thing, thing.c.name == page.c.name
            )
            rows = connection.execute(sizes.where(page.c.aggregate == 1).group_by(thing.c.tbl_name)).all()
            found = {name: int(n) for name, n in rows}
        else:
            whole = sa.func.to_regclass(sa.bindparam("name"))
            months = sa.func.pg_partition_tree(whole).table_valued("relid")  # none of a table that has no months
            of_months = sa.select(sa.func.sum(sa.func.pg_total_relation_size(months.c.relid))).scalar_subquery()
            size = sa.select(sa.func.coalesce(of_months, sa.func.pg_total_relation_size(whole)))
            found = {name: int(connection.scalar(size, {"name": name}) or 0) for name in metadata.tables}
    return dict(sorted(found.items(), key=lambda row: -row[1]))


def tidy(engine: sa.Engine) -> None:
    """Give back the room of rows that are gone: all tables are written anew, which others wait for."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("VACUUM")
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM FULL")
