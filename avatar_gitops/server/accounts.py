"""Users, API keys and storage credentials. A key's secret is shown once; only its hash is stored."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from avatar_gitops.server.database import api_keys, now_text, reading, users, writing

KEY_PREFIX: Final = "octopize_apikey"
KEY_PATTERN: Final = re.compile(rf"{KEY_PREFIX}\.([0-9a-f-]{{36}})\.([A-Za-z0-9_-]{{43}})")
EXPIRATION_DAYS: Final = (30, 60, 120, 365, 3650)
ADMINISTRATOR: Final = "administrator@localhost"
LAST_USED_RESOLUTION: Final = timedelta(minutes=1)


@dataclass(slots=True, frozen=True)
class Account:
    """A signed-in user."""

    id: str
    organization_id: str
    email: str
    role: str

    @property
    def is_administrator(self) -> bool:
        return self.role == "admin"

    def to_plain(self) -> dict[str, str]:
        """The user as the API shows it."""
        return {"id": self.id, "organization_id": self.organization_id, "email": self.email, "role": self.role}


@dataclass(slots=True, frozen=True)
class StorageKey:
    """The stable key pair of one user for the object storage."""

    access_key_id: str
    secret_access_key: str


def hash_secret(secret: str) -> str:
    """Hash of an API key's secret; a plain hash is enough because the secret is 256 random bits."""
    return hashlib.sha256(secret.encode("ascii")).hexdigest()


def create_user(engine: sa.Engine, email: str, role: str, organization_id: str | None = None) -> Account:
    """Add a user; the organization of the first user is new, that of the others is given."""
    account = Account(str(uuid.uuid4()), organization_id or str(uuid.uuid4()), email, role)
    with writing(engine) as connection:
        connection.execute(users.insert().values(**account.to_plain(), created_at=now_text()))
    return account


def find_users(engine: sa.Engine, *, user_id: str | None = None, email: str | None = None) -> list[Account]:
    """The users with that id or e-mail address, or all of them."""
    query = sa.select(users).order_by(users.c.created_at)
    if user_id is not None:
        query = query.where(users.c.id == user_id)
    if email is not None:
        query = query.where(users.c.email == email)
    with reading(engine) as connection:
        return [_account(row) for row in connection.execute(query)]


def issue_key(engine: sa.Engine, user_id: str, name: str, days: int) -> tuple[dict[str, Any], str]:
    """Create an API key; returns its public description and, for the only time, its text."""
    key_id, secret = str(uuid.uuid4()), secrets.token_urlsafe(32)
    created = datetime.now(UTC)
    row = {
        "id": key_id,
        "user_id": user_id,
        "name": name,
        "secret_hash": hash_secret(secret),
        "created_at": created.isoformat(timespec="microseconds"),
        "expires_at": (created + timedelta(days=days)).isoformat(timespec="microseconds"),
        "revoked_at": None,
        "last_used_at": None,
    }
    with writing(engine) as connection:
        connection.execute(api_keys.insert().values(**row))
    return describe_key(row), f"{KEY_PREFIX}.{key_id}.{secret}"


def describe_key(row: dict[str, Any]) -> dict[str, Any]:
    """What the API shows of a stored key."""
    shown = ("id", "name", "created_at", "expires_at", "revoked_at", "last_used_at")
    return {name: row[name] for name in shown}


def list_keys(engine: sa.Engine, user_id: str) -> list[dict[str, Any]]:
    """The user's keys, oldest first."""
    query = sa.select(api_keys).where(api_keys.c.user_id == user_id).order_by(api_keys.c.created_at)
    with reading(engine) as connection:
        return [describe_key(dict(row._mapping)) for row in connection.execute(query)]


def revoke_keys(engine: sa.Engine, user_id: str, key_id: str | None = None) -> int:
    """Revoke one key of the user, or all; returns how many were valid until now."""
    query = api_keys.update().where(api_keys.c.user_id == user_id, api_keys.c.revoked_at.is_(None))
    if key_id is not None:
        query = query.where(api_keys.c.id == key_id)
    with writing(engine) as connection:
        return connection.execute(query.values(revoked_at=now_text())).rowcount


def account_of_key(engine: sa.Engine, text: str) -> Account | None:
    """The user whose valid API key this is, or None."""
    match = KEY_PATTERN.fullmatch(text)
    if match is None:
        return None
    query = sa.select(users, api_keys).join_from(api_keys, users).where(api_keys.c.id == match[1])
    with reading(engine) as connection:
        row = connection.execute(query.set_label_style(sa.LABEL_STYLE_TABLENAME_PLUS_COL)).one_or_none()
    # The comparison is made even for an unknown key, so that the time taken tells nothing.
    stored = row.api_keys_secret_hash if row is not None else ""
    same = hmac.compare_digest(stored, hash_secret(match[2]))
    now = datetime.now(UTC)
    if row is None or not same or row.api_keys_revoked_at is not None:
        return None
    if datetime.fromisoformat(row.api_keys_expires_at) <= now:
        return None
    last = row.api_keys_last_used_at
    if last is None or now - datetime.fromisoformat(last) > LAST_USED_RESOLUTION:
        with writing(engine) as connection:
            used = api_keys.update().where(api_keys.c.id == match[1])
            connection.execute(used.values(last_used_at=now_text()))
    return Account(row.users_id, row.users_organization_id, row.users_email, row.users_role)


def ensure_administrator(engine: sa.Engine) -> Account:
    """The administrator, created at the first start."""
    found = [account for account in find_users(engine) if account.is_administrator]
    return found[0] if found else create_user(engine, ADMINISTRATOR, "admin")


def storage_key(installation_secret: bytes, user_id: str) -> StorageKey:
    """The user's storage key pair, derived so that the database never holds a usable secret."""
    digest = hmac.new(installation_secret, f"storage:{user_id}".encode(), hashlib.sha256).digest()
    secret = base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")
    return StorageKey(f"AG{user_id.replace('-', '').upper()}", secret)


def user_of_access_key(access_key_id: str) -> str | None:
    """The user id inside an access key id; whether that user exists is for the caller to check."""
    try:
        return str(uuid.UUID(hex=access_key_id.removeprefix("AG"))) if access_key_id.startswith("AG") else None
    except ValueError:
        return None


def _account(row: sa.Row[Any]) -> Account:
    return Account(row.id, row.organization_id, row.email, row.role)
