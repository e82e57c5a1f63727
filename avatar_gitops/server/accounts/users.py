"""Users: who they are, which organization they belong to, whether they may sign in."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from avatar_gitops.server.accounts.organizations import add_organization
from avatar_gitops.server.database import now_text, organizations, passwords, reading, users, writing

ADMINISTRATOR: Final = "administrator@localhost"
FIRST_ORGANIZATION: Final = "default"
NOT_IN_ADDRESSES: Final = r"@\s\x00-\x1f\x7f<>,;:\"()\[\]\\\ud800-\udfff"
EMAIL: Final = re.compile(f"[^{NOT_IN_ADDRESSES}]{{1,64}}@[^{NOT_IN_ADDRESSES}]{{1,189}}")


@dataclass(slots=True, frozen=True)
class Account:
    """A user; `credential` names the API key or sign-in that the request came with, if it came with one."""

    id: str
    organization_id: str
    email: str
    role: str
    credential: str | None = None

    @property
    def is_administrator(self) -> bool:
        return self.role == "admin"

    @property
    def api_key_id(self) -> str | None:
        """The API key that the request came with, if it was one."""
        return self._credential_of("key")

    @property
    def sign_in_id(self) -> str | None:
        """The sign-in that the request came with, if it was one."""
        return self._credential_of("sign-in")

    def _credential_of(self, wanted: str) -> str | None:
        kind, _, identity = (self.credential or "").partition(":")
        return identity if kind == wanted else None

    def to_plain(self) -> dict[str, str]:
        """The user as the API shows it."""
        return {"id": self.id, "organization_id": self.organization_id, "email": self.email, "role": self.role}


class EmailTaken(Exception):
    """Another user has this address."""


def normal_email(email: str) -> str:
    """The address in the form that is stored and compared.

    Raises:
        ValueError: it is no address that mail could be sent to.
    """
    text = email.strip().lower()
    if not EMAIL.fullmatch(text):
        raise ValueError("This is not an e-mail address.")
    return text


def create_user(
    engine: sa.Engine,
    email: str,
    role: str,
    organization_id: str | None = None,
    *,
    verified: bool = False,
    password_hash: str | None = None,
) -> Account:
    """Add a user; without an organization, in a new one: `default` if it is the first, else called like the address.

    Raises:
        EmailTaken: there is a user with this address.
        ValueError: the address cannot be one.
    """
    address = normal_email(email)
    with writing(engine) as connection:
        if connection.execute(sa.select(users.c.id).where(_has_email(address))).first() is not None:
            raise EmailTaken
        organization = organization_id or add_organization(connection, _free_name(connection, address))
        account = Account(str(uuid.uuid4()), organization, address, role)
        now = now_text()
        row = {**account.to_plain(), "created_at": now, "verified_at": now if verified else None}
        try:
            connection.execute(users.insert().values(**row))
        except IntegrityError:
            raise EmailTaken from None
        if password_hash is not None:
            connection.execute(passwords.insert().values(user_id=account.id, hash=password_hash, changed_at=now))
    return account


def find_users(
    engine: sa.Engine,
    *,
    user_id: str | None = None,
    email: str | None = None,
    organization_id: str | None = None,
    disabled: bool = False,
) -> list[Account]:
    """The users with these properties, oldest first; those who are disabled only when asked for too."""
    query = sa.select(users).order_by(users.c.created_at)
    if user_id is not None:
        query = query.where(users.c.id == user_id)
    if email is not None:
        query = query.where(_has_email(email.strip().lower()))
    if organization_id is not None:
        query = query.where(users.c.organization_id == organization_id)
    if not disabled:
        query = query.where(users.c.disabled_at.is_(None))
    with reading(engine) as connection:
        return [account_of_row(row) for row in connection.execute(query)]


def ensure_administrator(engine: sa.Engine) -> Account | None:
    """The administrator of this installation, created at the first start; None when that one was disabled."""
    found = [account for account in find_users(engine) if account.is_administrator]
    own = [account for account in found if account.email == ADMINISTRATOR]
    if own or found:
        return (own or found)[0]
    if find_users(engine, email=ADMINISTRATOR, disabled=True):
        return None
    return create_user(engine, ADMINISTRATOR, "admin", verified=True)


def account_of_row(row: sa.Row[Any], credential: str | None = None) -> Account:
    """The account of a row of `users`."""
    return Account(row.id, row.organization_id, row.email, row.role, credential)


def _free_name(connection: sa.Connection, address: str) -> str:
    is_first = connection.execute(sa.select(organizations.c.id).limit(1)).first() is None
    return FIRST_ORGANIZATION if is_first else address


def _has_email(address: str) -> sa.ColumnElement[bool]:
    return sa.func.lower(users.c.email) == address
