"""Migrations: they end in the schema that the code speaks to, and can be taken back."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from radar.errors import StoreError
from radar.store.engine import open_store
from radar.store.migrate import FOLDER, HEAD, current, upgrade
from radar.store.tables import metadata
from tests.builders import a_post, put


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
