"""Alembic's environment: runs the revisions on the connection that ``migrate`` opened, inside its transaction."""

from __future__ import annotations

from alembic import context

from bjidp.storage.sql.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite can roll DDL back like PostgreSQL, once its driver is kept from committing on its own.
    transactional_ddl=True,
    # SQLite changes a table by making it anew; PostgreSQL is given plain ALTER statements.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
