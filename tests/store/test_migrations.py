"""Migrations: they end in the schema that the code speaks to, and can be taken back."""

import shutil
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from radar.errors import StoreError
from radar.store.engine import open_store
from radar.store.migrate import FOLDER, HEAD, current, migrate, revisions, upgrade
from radar.store.tables import metadata, source_day
from tests.builders import NOON, a_post, put


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config


def _migrate(engine: sa.Engine, step: Callable[[Config, str], None], revision: str) -> None:
    config = _config()
    with engine.execution_options(radar_writes=True).begin() as connection:
        config.attributes["connection"] = connection
        step(config, revision)


def _differences(engine: sa.Engine) -> list[object]:
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))


def test_the_newest_migration_is_the_one_the_code_asks_for() -> None:
    assert ScriptDirectory.from_config(_config()).get_heads() == [HEAD]


def test_migrations_end_in_the_tables_of_the_code(engine: sa.Engine) -> None:
    assert current(engine) == HEAD
    assert _differences(engine) == []


def test_a_store_goes_down_to_nothing_and_up_again(engine: sa.Engine) -> None:
    put(engine, a_post("1"))
    _migrate(engine, command.downgrade, "base")
    assert sa.inspect(engine).get_table_names() == ["alembic_version"]
    upgrade(engine)
    assert _differences(engine) == []
    assert put(engine, a_post("1")).new == 1


def test_opening_again_keeps_what_is_stored(url: str) -> None:
    for expected in ((1, 0), (0, 1)):
        engine = open_store(url)
        done = put(engine, a_post("1"))
        engine.dispose()
        assert (done.new, done.unchanged) == expected


def test_a_newer_store_is_left_alone(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"9999.*Upgrade radar"):
        upgrade(engine)
    assert current(engine) == "9999"


def fill_all(connection: sa.Connection) -> dict[str, int]:
    """A row in each table as the schema is, whatever it is; rows by table."""
    there = sa.MetaData()
    there.reflect(connection)
    tables = [table for table in there.sorted_tables if table.name != "alembic_version"]
    for table in tables:
        is_given = [c for c in table.columns if not c.nullable or c.foreign_keys]
        connection.execute(sa.insert(table).values({c.name: _value(c) for c in is_given}))
    return {table.name: 1 for table in tables}


def _value(column: sa.Column[Any]) -> Any:
    if column.foreign_keys:
        return _value(next(iter(column.foreign_keys)).column)
    kinds: dict[type, Any] = {
        sa.Boolean: False, sa.Integer: 1, sa.Float: 1.0, sa.JSON: {}, sa.LargeBinary: b"1",
        sa.DateTime: datetime(2026, 5, 4, 12), sa.Date: date(2026, 5, 4), sa.String: "TW",
    }  # fmt: skip
    return next(value for kind, value in kinds.items() if isinstance(column.type, kind))


def test_a_store_that_took_the_days_of_sources_without_their_last_fetch_gets_it(engine: sa.Engine) -> None:
    """Revision 0156 came without that column at first."""
    put(engine, a_post("1"), a_post("2", published_at=NOON - timedelta(hours=1)), now=NOON + timedelta(hours=2))
    _migrate(engine, command.downgrade, "0155")
    _migrate(engine, command.upgrade, "0156")
    with engine.execution_options(radar_writes=True).begin() as connection:
        connection.exec_driver_sql("ALTER TABLE source_day DROP COLUMN last_fetched_at")
    upgrade(engine)
    with engine.connect() as connection:
        found = connection.execute(sa.select(source_day.c.source, source_day.c.last_fetched_at)).all()
    assert set(found) == {("test", NOON + timedelta(hours=2)), ("", NOON + timedelta(hours=2))}


@pytest.mark.parametrize("revision", revisions())
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_every_schema_comes_up_with_what_it_holds(url: str, revision: str) -> None:
    _comes_up(url, revision)


@pytest.mark.parametrize(
    "revision", [pytest.param(r, marks=pytest.mark.long) if n % 4 else r for n, r in enumerate(revisions()[:-1])]
)
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_schemas_come_up_with_what_they_hold_on_postgresql(url: str, revision: str) -> None:
    _comes_up(url, revision)


def _comes_up(url: str, revision: str) -> None:
    engine = open_store(url, migrate=False)
    with engine.execution_options(radar_writes=True).begin() as connection:
        migrate(connection, revision)
        held = fill_all(connection)
    upgrade(engine)
    with engine.connect() as connection:
        for name, rows in held.items():
            found = connection.scalar(sa.select(sa.func.count()).select_from(metadata.tables[name]))
            assert found >= rows if name == "meta" else found == rows, name  # migrations note things in it
    engine.dispose()


def test_the_newest_migration_goes_down_and_up_with_what_is_stored(engine: sa.Engine) -> None:
    put(engine, a_post("1"))
    _migrate(engine, command.downgrade, "-1")
    assert current(engine) == revisions()[-2]
    upgrade(engine)
    assert _differences(engine) == []
    assert put(engine, a_post("1")).unchanged == 1


BROKEN = """
revision, down_revision = "9990", "%s"

def upgrade():
    from alembic import op
    import sqlalchemy as sa
    op.create_table("half", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("UPDATE post SET text = 'changed'")
    with op.batch_alter_table("author_list") as table:
        table.add_column(sa.Column("colour", sa.Text))
    op.execute("UPDATE no_such_table SET id = 1")
"""


def test_a_migration_that_fails_half_way_leaves_the_old_schema_working(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(engine, a_post("1"))
    shutil.copytree(FOLDER, tmp_path / "migrations")
    (tmp_path / "migrations" / "versions" / "9990_broken.py").write_text(BROKEN % HEAD)
    monkeypatch.setattr("radar.store.migrate.FOLDER", tmp_path / "migrations")
    monkeypatch.setattr("radar.store.migrate.HEAD", "9990")
    with pytest.raises(sa.exc.DBAPIError, match="no_such_table"):
        upgrade(engine)
    assert current(engine) == HEAD
    assert _differences(engine) == []
    done = put(engine, a_post("1"), a_post("2"))
    assert (done.new, done.unchanged) == (1, 1)
