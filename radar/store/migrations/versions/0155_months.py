"""On PostgreSQL, tables that grow with time are partitioned by month; rows go into the months that they are of.

What tables had of constraints and indexes is read from the database and given to what takes their place. All in one
transaction, as every migration: it needs room for a copy of the largest of them.
"""

from alembic import op

from radar.errors import StoreError

revision = "0155"
down_revision = "0154"

TABLES = {
    "day_count": ("local_day", False),
    "tracked_mention": ("local_day", False),
    "follower_observation": ("observed_on", False),
    "engagement_observation": ("observed_at", True),
    "snapshot": ("as_of", True),
}
"""Column and whether it is an instant, by table."""

CONSTRAINTS = (
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
    "WHERE conrelid = to_regclass('{table}') AND contype IN ('p', 'f') ORDER BY contype DESC, conname"
)
INDEXES = (
    "SELECT pg_get_indexdef(i.indexrelid) FROM pg_index AS i WHERE i.indrelid = to_regclass('{table}') "
    "AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid AND c.contype = 'p')"
)
MONTHS = (
    "SELECT DISTINCT to_char(month, 'YYYY_MM'), month::date::text, (month + INTERVAL '1 month')::date::text FROM ("
    "SELECT date_trunc('month', {told}) AS month FROM {schema}.{table} "
    "WHERE {column} >= '2000-01-01' AND {column} < '2100-01-01' UNION "
    "SELECT date_trunc('month', now() AT TIME ZONE 'UTC') + n * INTERVAL '1 month' FROM generate_series(0, 2) AS n"
    ") AS found ORDER BY 1"
)


def _run(text: str, **names: str):
    return op.get_bind().exec_driver_sql(text.format(**names))


def _begin() -> str | None:
    """The schema of the months; None on SQLite."""
    bind = op.get_bind()
    if bind.dialect.name != "postgresql":
        return None
    schema = bind.exec_driver_sql("SELECT current_schema()").scalar_one()
    return bind.dialect.identifier_preparer.quote(f"{schema}_months")


def upgrade() -> None:
    schema = _begin()
    if schema is None:
        return
    if not _run("SELECT to_regnamespace('{schema}') IS NOT NULL", schema=schema).scalar_one():
        if not _run("SELECT has_database_privilege(current_database(), 'CREATE')").scalar_one():
            raise StoreError(
                f"The database's role may not make the schema {schema}, which months of tables are kept in.",
                "Let the database's owner say: GRANT CREATE ON DATABASE ... TO the role, or make that schema for it.",
            )
        _run("CREATE SCHEMA {schema}", schema=schema)
    for table, (column, is_instant) in TABLES.items():
        names = {"schema": schema, "table": table, "column": column}
        told, zone = (f"{column} AT TIME ZONE 'UTC'", " 00:00:00+00") if is_instant else (f"{column}::timestamp", "")
        constraints, indexes = _run(CONSTRAINTS, **names).all(), _run(INDEXES, **names).all()
        _run("ALTER TABLE {table} SET SCHEMA {schema}", **names)
        _run(
            "CREATE TABLE {table} (LIKE {schema}.{table} INCLUDING DEFAULTS) PARTITION BY RANGE ({column})", **names
        )
        _run("CREATE TABLE {schema}.{table}_default PARTITION OF {table} DEFAULT", **names)
        for month, first, end in _run(MONTHS, told=told, **names).all():
            _run(
                "CREATE TABLE {schema}.{table}_{month} PARTITION OF {table} FOR VALUES FROM ('{first}') TO ('{end}')",
                month=month, first=first + zone, end=end + zone, **names,
            )  # fmt: skip
        _run("INSERT INTO {table} SELECT * FROM {schema}.{table}", **names)
        _run("DROP TABLE {schema}.{table}", **names)
        _give(table, constraints, indexes)


def downgrade() -> None:
    schema = _begin()
    if schema is None:
        return
    for table in TABLES:
        names = {"schema": schema, "table": table}
        constraints, indexes = _run(CONSTRAINTS, **names).all(), _run(INDEXES, **names).all()
        _run("CREATE TABLE {schema}.{table} (LIKE {table} INCLUDING DEFAULTS)", **names)
        _run("INSERT INTO {schema}.{table} SELECT * FROM {table}", **names)
        _run("DROP TABLE {table}", **names)
        _run("ALTER TABLE {schema}.{table} SET SCHEMA {home}", home=schema_of_tables(), **names)
        _give(table, constraints, indexes)
    _run("DROP SCHEMA {schema}", schema=schema)


def schema_of_tables() -> str:
    bind = op.get_bind()
    quoted: str = bind.dialect.identifier_preparer.quote(bind.exec_driver_sql("SELECT current_schema()").scalar_one())
    return quoted


def _give(table: str, constraints, indexes) -> None:
    for name, told in constraints:
        _run("ALTER TABLE {table} ADD CONSTRAINT {name} {told}", table=table, name=name, told=told)
    for (told,) in indexes:
        op.get_bind().exec_driver_sql(told.replace(" ON ONLY ", " ON "))
