"""Run by alembic: applies the revisions over the connection that the server hands over."""

from __future__ import annotations

from alembic import context

from avatar_gitops.server.database import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite can, too: a migration happens completely or not at all
)
with context.begin_transaction():
    context.run_migrations()
