"""Bringing a store's schema up to date with Alembic; migrations are numbered, transactional, never edited later."""

from pathlib import Path

import sqlalchemy as sa

from radar.errors import StoreError

HEAD = "0157"
FOLDER = Path(__file__).parent / "migrations"


def current(engine: sa.Engine) -> str | None:
    """The version a store is at; None for an empty one."""
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        version: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return version


def upgrade(engine: sa.Engine) -> None:
    """Migrate to the newest schema; does nothing when it is there. Raises StoreError for a newer store."""
    found = current(engine)
    if found == HEAD:
        return
    if found is not None and found > HEAD:
        raise StoreError(f"The store's schema is {found}, newer than this radar's {HEAD}.", "Upgrade radar.")
    with engine.execution_options(radar_writes=True).begin() as connection:
        migrate(connection)


def migrate(connection: sa.Connection, revision: str = "head") -> None:
    """Bring a schema up to a revision within the transaction that is open: the whole way or not at all."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    if connection.dialect.name == "postgresql":  # first starts at the same time: the second finds it done
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('radar migration'))")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def revisions() -> list[str]:
    """Every revision that this radar knows, the oldest first."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]
