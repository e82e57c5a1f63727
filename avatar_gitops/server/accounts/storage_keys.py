"""Key pairs for the object storage: derived from the credential that asked for them, so they end with it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from avatar_gitops.server.accounts.keys import find_key
from avatar_gitops.server.accounts.sign_ins import find_sign_in
from avatar_gitops.server.accounts.users import Account
from avatar_gitops.server.database import reading

# First letters of an access key id, by the kind of the credential.
PREFIXES: Final = {"key": "AGK", "sign-in": "AGS"}


@dataclass(slots=True, frozen=True)
class StorageKey:
    """A key pair for the object storage, the same for the same credential."""

    access_key_id: str
    secret_access_key: str


def storage_key(installation_secret: bytes, credential: str) -> StorageKey:
    """The key pair of a credential, derived so that the database never holds a usable secret."""
    kind, _, identity = credential.partition(":")
    digest = hmac.new(installation_secret, f"storage:{credential}".encode(), hashlib.sha256).digest()
    secret = base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")
    return StorageKey(f"{PREFIXES[kind]}{uuid.UUID(identity).hex.upper()}", secret)


def account_of_access_key(engine: sa.Engine, access_key_id: str) -> Account | None:
    """The active user whose credential, still valid, this access key id was made for; the caller checks the secret."""
    finders = {PREFIXES["key"]: find_key, PREFIXES["sign-in"]: find_sign_in}
    finder = finders.get(access_key_id[:3])
    try:
        identity = str(uuid.UUID(hex=access_key_id[3:]))
    except ValueError:
        return None
    if finder is None:
        return None
    with reading(engine) as connection:
        return finder(connection, identity)
