"""The end of a user: everything that belongs to them is removed, whichever table it is in."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from avatar_gitops.server.accounts.sign_ins import end_sign_ins
from avatar_gitops.server.accounts.users import Account
from avatar_gitops.server.database import metadata, now_text, reading, users, writing
from avatar_gitops.server.objects import Storage, remove_blobs, unreferenced

AT_ONCE: Final = 500


class LastAdministrator(Exception):
    """The organization would be left with users and without anybody who manages them."""


def delete_user(storage: Storage, account: Account) -> None:
    """Remove a user with files, sets, jobs, results, keys, sign-ins and events, in one step. Running jobs stop.

    Raises:
        LastAdministrator: it is an administrator, others are left in the organization, and none of them is one.
    """
    blobs: set[str] = set()
    with writing(storage.engine) as connection:
        _keep_an_administrator(connection, account)
        for table in reversed(metadata.sorted_tables):
            where = _belongs(table, account.id)
            if where is None:
                continue
            if "blob" in table.c:
                blobs.update(connection.execute(sa.select(table.c.blob).where(where)).scalars())
            connection.execute(table.delete().where(where))
        unused = [name for some in _in_parts(sorted(blobs)) for name in unreferenced(connection, some)]
    remove_blobs(storage, unused)


def set_disabled(engine: sa.Engine, account: Account, disabled: bool) -> None:
    """Let a user sign in no more, by any key, token or password; or let them again, with the keys they had.

    Raises:
        LastAdministrator: it is an administrator, others are left in the organization, and none of them is one.
    """
    with writing(engine) as connection:
        if disabled:
            _keep_an_administrator(connection, account)
            end_sign_ins(connection, account.id)
        mine = users.update().where(users.c.id == account.id)
        connection.execute(mine.values(disabled_at=now_text() if disabled else None))


def is_disabled(engine: sa.Engine, user_id: str) -> bool:
    """Whether the user may not sign in."""
    with reading(engine) as connection:
        return connection.execute(sa.select(users.c.disabled_at).where(users.c.id == user_id)).scalar() is not None


def _keep_an_administrator(connection: sa.Connection, account: Account) -> None:
    if account.role != "admin":
        return
    others = (users.c.organization_id == account.organization_id) & (users.c.id != account.id)
    roles = list(connection.execute(sa.select(users.c.role).where(others, users.c.disabled_at.is_(None))).scalars())
    if roles and "admin" not in roles:
        raise LastAdministrator


def _belongs(table: sa.Table, user_id: str) -> sa.ColumnElement[bool] | None:
    """Which rows of a table belong to a user: they refer to the user, or to rows that do. None when no row can."""
    if table is users:
        return users.c.id == user_id
    found: list[sa.ColumnElement[bool]] = []
    for key in table.foreign_keys:
        parent = _belongs(key.column.table, user_id)
        if key.column.table is users:
            found.append(key.parent == user_id)
        elif parent is not None:
            found.append(key.parent.in_(sa.select(key.column).where(parent)))
    return sa.or_(*found) if found else None


def _in_parts(names: list[str]) -> list[list[str]]:
    return [names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE)]
