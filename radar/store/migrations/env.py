"""Alembic's entry: the connection comes from radar.store.migrate, never from a file."""

from alembic import context

from radar.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
