"""The schema of the database, from the first release to now.

A new database gets its tables from the metadata and is stamped with the newest revision; only one that is older needs
alembic. Whoever adds a table or column adds it to the metadata and to the newest unreleased revision; a test compares.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from avatar_gitops.errors import UsageError

BASELINE: Final = "0001"
HEAD: Final = "0002"
LOCATION: Final = "avatar_gitops.server:migrations"

_version = sa.table("alembic_version", sa.column("version_num", sa.String))


def bring_up_to_date(connection: sa.Connection, metadata: sa.MetaData) -> None:
    """Create or upgrade the tables inside a transaction that holds the write lock.

    Raises:
        UsageError: a newer version of this software has written the database.
    """
    present = sa.inspect(connection).get_table_names()
    revision = None
    if "alembic_version" in present:
        revision = connection.execute(sa.select(_version.c.version_num)).scalar()
    if revision == HEAD:
        return
    if revision is None and "users" not in present:
        metadata.create_all(connection)
        _stamp(connection)
        return
    _upgrade(connection, revision or BASELINE)


def _stamp(connection: sa.Connection) -> None:
    made = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True))
    made.create(connection, checkfirst=True)
    connection.execute(_version.insert().values(version_num=HEAD))


def _upgrade(connection: sa.Connection, revision: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", LOCATION)
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision not in known:
        raise UsageError(
            f"The database has the schema {revision!r}, which this version of avatar-gitops does not know.",
            hint="A newer version has written it: install that version, or restore the backup from before the upgrade.",
        )
    if revision == BASELINE:
        command.stamp(config, BASELINE)
    command.upgrade(config, HEAD)
