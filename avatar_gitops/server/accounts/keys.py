"""API keys: the secret is shown once, only its hash is stored."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from avatar_gitops.server.accounts.users import Account, account_of_row
from avatar_gitops.server.database import api_keys, now_text, reading, text_of, users, writing

KEY_PREFIX: Final = "octopize_apikey"
KEY_PATTERN: Final = re.compile(rf"{KEY_PREFIX}\.([0-9a-f-]{{36}})\.([A-Za-z0-9_-]{{43}})")
EXPIRATION_DAYS: Final = (30, 60, 120, 365, 3650)


def hash_secret(secret: str) -> str:
    """Hash of a random secret; a plain hash is enough because the secret has 256 random bits."""
    return hashlib.sha256(secret.encode("ascii")).hexdigest()


def issue_key(engine: sa.Engine, user_id: str, name: str, days: int) -> tuple[dict[str, Any], str]:
    """Create an API key; returns its public description and, for the only time, its text."""
    key_id, secret = str(uuid.uuid4()), secrets.token_urlsafe(32)
    created = datetime.now(UTC)
    row = {
        "id": key_id,
        "user_id": user_id,
        "name": name,
        "secret_hash": hash_secret(secret),
        "created_at": text_of(created),
        "expires_at": text_of(created + timedelta(days=days)),
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
    """The user whose valid API key this is, or None. That it was used, `note_use` writes down."""
    match = KEY_PATTERN.fullmatch(text)
    if match is None:
        return None
    with reading(engine) as connection:
        stored = connection.execute(sa.select(api_keys.c.secret_hash).where(api_keys.c.id == match[1])).scalar()
        account = find_key(connection, match[1])
    # The comparison is made even for an unknown key, so that the time taken tells nothing.
    same = hmac.compare_digest(stored or "", hash_secret(match[2]))
    return account if same else None


def note_use(engine: sa.Engine, account: Account) -> None:
    """Write down that the API key that the account was found by is used now."""
    with writing(engine) as connection:
        mine = api_keys.update().where(api_keys.c.id == account.api_key_id)
        connection.execute(mine.values(last_used_at=now_text()))


def find_key(connection: sa.Connection, key_id: str) -> Account | None:
    """The active user of a key that is neither revoked nor expired, whoever asks."""
    query = (
        sa.select(users)
        .join_from(api_keys, users)
        .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None), api_keys.c.expires_at > now_text())
        .where(users.c.disabled_at.is_(None))
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else account_of_row(row, f"key:{key_id}")
