# ruff: noqa: INP001 - Alembic loads it by its path
"""Runs migrations on the connection that it is handed, inside the caller's transaction."""

from alembic import context

from mediahost.store.tables import Record

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Record.metadata,
    # SQLite can't alter most things: tables are made anew and rows copied.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
