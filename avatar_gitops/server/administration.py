"""Administrative work without a running server: on the database that a server uses, whether one runs or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from avatar_gitops.errors import UsageError
from avatar_gitops.server.accounts import Account, find_users, is_disabled, list_organizations
from avatar_gitops.server.audit_log import AuditLog, Entry
from avatar_gitops.server.database import (
    api_keys,
    now_text,
    passwords,
    reading,
    users,
)
from avatar_gitops.server.objects import Storage
from avatar_gitops.server.places import find_places, installation_secret, open_storage, prepare
from avatar_gitops.server.state import StateFolder

OPERATOR: Final = "operator"  # who the audit log names: whoever can write to the state folder


@dataclass(slots=True, frozen=True)
class Installation:
    """The database and files of a platform, for administrative work."""

    engine: sa.Engine
    storage: Storage
    audit_log: AuditLog

    def note(self, event: str, object_type: str, object_id: str) -> None:
        """Write into the audit log what was done from the command line."""
        self.audit_log.write(Entry(event, actor=OPERATOR, object_type=object_type, object_id=object_id))

    def user(self, email: str) -> Account:
        """The user with this address, disabled or not.

        Raises:
            UsageError: there is none.
        """
        found = find_users(self.engine, email=email, disabled=True)
        if not found:
            raise UsageError("There is no user with this address.", hint="List them: avatar-gitops account list")
        return found[0]

    def active_user(self, email: str) -> Account:
        """The same, for what a disabled user could not use.

        Raises:
            UsageError: there is none, or the user is disabled.
        """
        account = self.user(email)
        if is_disabled(self.engine, account.id):
            raise UsageError("The user is disabled.", hint=f"First: avatar-gitops account enable {account.email}")
        return account

    def organization(self, name: str | None) -> str:
        """Id of the organization with this name; without a name, of the only one.

        Raises:
            UsageError: there is none of this name, or more than one to choose from.
        """
        found = list_organizations(self.engine)
        named = [item for item in found if name is None or name in {item.name, item.id}]
        if len(named) == 1:
            return named[0].id
        if name is None:
            raise UsageError(
                f"There are {len(found)} organizations.",
                hint="Choose one with --organization; list them: avatar-gitops account organization list",
            )
        raise UsageError(
            "There is no organization of this name.", hint="Make it: avatar-gitops account organization create NAME"
        )


@contextmanager
def open_installation(state_dir: Path) -> Iterator[Installation]:
    """The platform whose state is in that folder.

    Raises:
        UsageError: there is none.
    """
    state = StateFolder(state_dir.resolve())
    places = find_places(None, None)
    if places.database is None and not state.database.is_file():
        raise UsageError(
            f"There is no platform in {state_dir}.",
            hint="Name its folder with --state-dir, or start it once: avatar-gitops serve",
        )
    storage = open_storage(state, places)
    try:
        prepare(storage, places)
        yield Installation(storage.engine, storage, AuditLog(state.audit_log, installation_secret(storage)))
    finally:
        storage.engine.dispose()


def describe_users(engine: sa.Engine) -> list[dict[str, Any]]:
    """All users, oldest first, with what an administrator wants to know of them."""
    names = {item.id: item.name for item in list_organizations(engine)}
    valid = (api_keys.c.revoked_at.is_(None)) & (api_keys.c.expires_at > now_text())
    keys = sa.select(api_keys.c.user_id, sa.func.count().label("keys")).where(valid).group_by(api_keys.c.user_id)
    with reading(engine) as connection:
        counted = {row.user_id: row.keys for row in connection.execute(keys)}
        having = set(connection.execute(sa.select(passwords.c.user_id)).scalars())
        rows = list(connection.execute(sa.select(users).order_by(users.c.created_at)))
    return [
        {
            "id": row.id,
            "email": row.email,
            "role": row.role,
            "organization": names[row.organization_id],
            "state": "disabled" if row.disabled_at else "active" if row.verified_at else "unconfirmed",
            "has_password": row.id in having,
            "keys": counted.get(row.id, 0),
        }
        for row in rows
    ]


def key_state(key: dict[str, Any]) -> str:
    """Whether a key is valid, expired or revoked."""
    if key["revoked_at"] is not None:
        return "revoked"
    return "valid" if key["expires_at"] > now_text() else "expired"
