"""`account`: users, keys and organizations of an embedded platform, on its state folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from avatar_gitops.app.serve import not_installed
from avatar_gitops.errors import UsageError
from avatar_gitops.report.accounts import KeyRow, OrganizationRow, UserRow

if TYPE_CHECKING:
    from avatar_gitops.server.administration import Installation


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to create; without an organization, in the only one."""

    email: str
    role: str = "user"
    organization: str | None = None
    password: str | None = field(default=None, repr=False)


@contextmanager
def installation(state_dir: Path) -> Iterator[Installation]:
    """The platform in that folder; what it refuses becomes an error of usage that says how to go on.

    Raises:
        UsageError: the extra is missing, there is no platform, or it refuses.
    """
    try:
        from avatar_gitops.server.accounts import EmailTaken, LastAdministrator, NameTaken, WeakPassword
        from avatar_gitops.server.administration import open_installation
    except ImportError as error:
        raise not_installed(error) from None
    try:
        with open_installation(state_dir) as opened:
            yield opened
    except EmailTaken:
        raise UsageError("There is a user with this address already.") from None
    except NameTaken:
        raise UsageError("There is an organization of this name already.") from None
    except WeakPassword as error:
        raise UsageError(str(error)) from None
    except UnicodeEncodeError:
        raise UsageError("An address, a name or an id is not text in UTF-8.") from None
    except LastAdministrator:
        raise UsageError(
            "This is the last administrator of an organization that has other users.",
            hint="Make another administrator first: avatar-gitops account create EMAIL --role admin",
        ) from None


def create(state_dir: Path, new: NewUser) -> UserRow:
    """Add a user, whose address counts as confirmed because the operator vouches for it."""
    with installation(state_dir) as opened:
        from avatar_gitops.server.accounts import create_user, hash_new_password

        hashed = None if new.password is None else hash_new_password(new.password)
        organization = opened.organization(new.organization)
        try:
            account = create_user(opened.engine, new.email, new.role, organization, verified=True, password_hash=hashed)
        except ValueError as error:
            raise UsageError(str(error)) from None
        opened.note("user.create", "user", account.id)
    return next(row for row in list_users(state_dir) if row.id == account.id)


def list_users(state_dir: Path, organization: str | None = None) -> list[UserRow]:
    """The users, oldest first; of one organization when it is named."""
    with installation(state_dir) as opened:
        from avatar_gitops.server.administration import describe_users

        if organization is not None:
            opened.organization(organization)
        rows = [UserRow(**row) for row in describe_users(opened.engine)]
    return [row for row in rows if organization in {None, row.organization}]


def create_key(state_dir: Path, email: str, name: str, days: int) -> str:
    """A new API key of a user; its text is not stored anywhere."""
    with installation(state_dir) as opened:
        from avatar_gitops.server.accounts import issue_key

        user = opened.active_user(email)
        key, text = issue_key(opened.engine, user.id, name, days)
        opened.note("api_key.create", "api_key", key["id"])
    return text


def list_keys(state_dir: Path, email: str) -> list[KeyRow]:
    """The keys of a user, oldest first."""
    with installation(state_dir) as opened:
        from avatar_gitops.server.accounts import list_keys as find
        from avatar_gitops.server.administration import key_state

        found = find(opened.engine, opened.user(email).id)
    return [KeyRow(key["id"], key["name"], key_state(key), key["expires_at"], key["last_used_at"]) for key in found]


def revoke_keys(state_dir: Path, email: str, key_id: str | None) -> int:
    """Revoke one key of a user, or all; returns how many were valid.

    Raises:
        UsageError: the user has no such key that is not revoked yet.
    """
    with installation(state_dir) as opened:
        from avatar_gitops.server.accounts import revoke_keys as revoke

        user = opened.user(email)
        number = revoke(opened.engine, user.id, key_id)
        if key_id is not None and number == 0:
            raise UsageError(
                "The user has no such key, or it is revoked already.",
                hint=f"List them: avatar-gitops account key list {user.email}",
            )
        opened.note("api_key.delete", "api_key", key_id or user.id)
    return number


def reset_token(state_dir: Path, email: str) -> tuple[str, str]:
    """A token to set a new password with, and when it ends; for users whom no mail reaches."""
    with installation(state_dir) as opened:
        from avatar_gitops.server.accounts import Purpose, issue_mail_token

        user = opened.active_user(email)
        token, until = issue_mail_token(opened.engine, user.id, Purpose.RESET)
        opened.note("password.token", "user", user.id)
    return token, f"{until:%Y-%m-%d %H:%M} UTC"


def set_password(state_dir: Path, email: str, password: str) -> None:
    """Give a user a password; whoever is signed in with the old one no longer is."""
    with installation(state_dir) as opened:
        from avatar_gitops.server.accounts import replace_password

        user = opened.user(email)
        replace_password(opened.engine, user.id, password)
        opened.note("user.update", "user", user.id)


def disable(state_dir: Path, email: str) -> None:
    """Let a user sign in no more."""
    _switch(state_dir, email, disabled=True)


def enable(state_dir: Path, email: str) -> None:
    """Let a user sign in again."""
    _switch(state_dir, email, disabled=False)


def delete(state_dir: Path, email: str) -> None:
    """Remove a user and all that belongs to them."""
    with installation(state_dir) as opened:
        from avatar_gitops.server.accounts import delete_user

        user = opened.user(email)
        delete_user(opened.storage, user)
        opened.note("user.delete", "user", user.id)


def create_organization(state_dir: Path, name: str) -> None:
    """Add an organization, which has no users yet."""
    with installation(state_dir) as opened:
        from avatar_gitops.server.accounts import create_organization as create

        try:
            opened.note("organization.create", "organization", create(opened.engine, name).id)
        except ValueError as error:
            raise UsageError(str(error)) from None


def list_organizations(state_dir: Path) -> list[OrganizationRow]:
    """The organizations by name."""
    with installation(state_dir) as opened:
        from avatar_gitops.server.accounts import list_organizations as find

        return [OrganizationRow(item.id, item.name, item.users) for item in find(opened.engine)]


def delete_organization(state_dir: Path, name: str) -> None:
    """Remove an organization that has no users.

    Raises:
        UsageError: it has users, or there is none of this name.
    """
    with installation(state_dir) as opened:
        from avatar_gitops.server.accounts import delete_organization as remove

        organization = opened.organization(name)
        if not remove(opened.engine, organization):
            raise UsageError(
                "The organization has users.", hint="Delete them first: avatar-gitops account delete EMAIL"
            )
        opened.note("organization.delete", "organization", organization)


def _switch(state_dir: Path, email: str, *, disabled: bool) -> None:
    with installation(state_dir) as opened:
        from avatar_gitops.server.accounts import set_disabled

        user = opened.user(email)
        set_disabled(opened.engine, user, disabled)
        opened.note("user.disable" if disabled else "user.enable", "user", user.id)
