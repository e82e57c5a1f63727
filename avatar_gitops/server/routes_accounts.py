"""Routes about the platform itself, its users and their API keys."""

from __future__ import annotations

import uuid
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from avatar_gitops.server.accounts import (
    EXPIRATION_DAYS,
    Account,
    EmailTaken,
    create_user,
    find_users,
    issue_key,
    list_keys,
    revoke_keys,
)
from avatar_gitops.server.database import reading, writing
from avatar_gitops.server.events import record
from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.limits import DEFAULTS, DIMENSIONS, LINES, run_limits
from avatar_gitops.server.offered import ENGINE, FEATURES
from avatar_gitops.server.requests import SIGN_IN_ADVICE, CurrentAccount, CurrentPlatform
from avatar_gitops.wire.models import Capabilities, Compatibility, Environment

router = APIRouter()


class NewUser(BaseModel):
    """Body of `POST /users`; a password, if any, is ignored because this platform signs in with keys."""

    email: str = Field(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")
    role: Literal["admin", "user"] = "user"


class NewKey(BaseModel):
    """Body of `POST /api-keys`."""

    name: str = Field(min_length=1, max_length=255)
    expiration_days: int


@router.get("/check_client")
def check_client() -> Compatibility:
    """Every client is welcome; differences are handled where they matter."""
    return Compatibility(
        message="This platform serves every client from 1.19 on.", most_recent_compatible_client="1.30.0"
    )


@router.get("/")
@router.get("/health")
def health() -> dict[str, str]:
    """The server answers."""
    return {"message": "ok"}


@router.get("/health/db")
def health_of_database(platform: CurrentPlatform) -> dict[str, str]:
    """The database answers."""
    with reading(platform.engine) as connection:
        connection.exec_driver_sql("SELECT 1")
    return {"message": "ok"}


@router.get("/capabilities")
def capabilities() -> Capabilities:
    """What the engine of this version can run."""
    return Capabilities(features=list(FEATURES), engine=ENGINE)


@router.post("/login")
@router.post("/refresh")
def login() -> dict[str, str]:
    """Passwords do not exist here: the official clients of the time cannot even send them."""
    raise ApiFault(401, SIGN_IN_ADVICE)


@router.get("/users/me")
def users_me(platform: CurrentPlatform, account: CurrentAccount) -> dict[str, Any]:
    """The caller, with the limits of this platform."""
    limits = run_limits()
    environment = Environment(
        dataset_expiration_days=platform.retention_days,
        max_allowed_dimensions_per_dataset=limits.dimensions or DEFAULTS[DIMENSIONS],
        max_allowed_lines_per_dataset=limits.rows or DEFAULTS[LINES],
        license_type=None,
    )
    return {**account.to_plain(), "environment": environment.model_dump()}


@router.get("/users/credits_info")
def credits_info(_account: CurrentAccount) -> dict[str, Any]:
    """Nothing is billed."""
    return {"credits": None, "is_credit_enabled": False}


@router.get("/users/features_info")
def features_info(_account: CurrentAccount) -> dict[str, list[str]]:
    """The platform's own words for what this version offers."""
    return {"feature_scopes": ["avatar_parameters", "single_table", "report", "privacy_assessment"]}


@router.get("/users")
def users(platform: CurrentPlatform, account: CurrentAccount, email: str | None = None) -> list[dict[str, str]]:
    """Users of the caller's organization; people who are not administrators see themselves."""
    found = find_users(platform.engine, email=email)
    return [user.to_plain() for user in found if _visible(account, user)]


@router.get("/users/{user_id}")
def user(platform: CurrentPlatform, account: CurrentAccount, user_id: str) -> dict[str, str]:
    """One user."""
    found = [user for user in find_users(platform.engine, user_id=user_id) if _visible(account, user)]
    if not found:
        raise ApiFault(404, "User not found")
    return found[0].to_plain()


@router.post("/users")
def create(platform: CurrentPlatform, account: CurrentAccount, body: NewUser) -> dict[str, str]:
    """Add a user to the administrator's organization."""
    _require_administrator(account)
    try:
        created = create_user(platform.engine, body.email, body.role, account.organization_id)
    except EmailTaken:
        raise ApiFault(409, "A user with this e-mail address exists already.") from None
    _record(platform, account, "create", ("user", created.id))
    return created.to_plain()


@router.get("/api-keys")
def keys(platform: CurrentPlatform, account: CurrentAccount) -> list[dict[str, Any]]:
    """The caller's keys without their secrets."""
    return list_keys(platform.engine, account.id)


@router.post("/api-keys")
def create_key(
    platform: CurrentPlatform, account: CurrentAccount, body: NewKey, user_id: uuid.UUID | None = None
) -> dict[str, Any]:
    """A new key, its secret shown here and never again; an administrator may name another user."""
    if body.expiration_days not in EXPIRATION_DAYS:
        raise ApiFault(422, f"expiration_days must be one of {', '.join(map(str, EXPIRATION_DAYS))}.")
    owner = str(user_id) if user_id is not None else account.id
    if owner != account.id:
        _require_administrator(account)
        if not find_users(platform.engine, user_id=owner):
            raise ApiFault(404, "User not found")
    key, plaintext = issue_key(platform.engine, owner, body.name, body.expiration_days)
    _record(platform, account, "create", ("api_key", key["id"]))
    return {"api_key": {**key, "plaintext": plaintext}, "message": "Keep this key: it is shown only once."}


@router.delete("/api-keys")
def revoke_all(platform: CurrentPlatform, account: CurrentAccount) -> dict[str, str]:
    """Revoke all keys of the caller, the one in use included."""
    revoke_keys(platform.engine, account.id)
    _record(platform, account, "delete", ("api_key", None))
    return {"message": "All keys are revoked."}


@router.delete("/api-keys/admin")
def revoke_for(
    platform: CurrentPlatform, account: CurrentAccount, user_id: uuid.UUID, api_key_id: uuid.UUID | None = None
) -> dict[str, str]:
    """Revoke one key or all keys of another user."""
    _require_administrator(account)
    key_id = str(api_key_id) if api_key_id is not None else None
    if revoke_keys(platform.engine, str(user_id), key_id) == 0:
        raise ApiFault(403, "There is no such key.")
    _record(platform, account, "delete", ("api_key", key_id))
    return {"message": "The keys are revoked."}


@router.get("/api-keys/{key_id}")
def key(platform: CurrentPlatform, account: CurrentAccount, key_id: str) -> dict[str, Any]:
    """One key of the caller."""
    for found in list_keys(platform.engine, account.id):
        if found["id"] == key_id:
            return found
    raise ApiFault(404, "API key not found")


@router.delete("/api-keys/{key_id}")
def revoke(platform: CurrentPlatform, account: CurrentAccount, key_id: str) -> dict[str, str]:
    """Revoke one key of the caller."""
    if revoke_keys(platform.engine, account.id, key_id) == 0:
        raise ApiFault(403, "There is no such key.")
    _record(platform, account, "delete", ("api_key", key_id))
    return {"message": "The key is revoked."}


def _visible(account: Account, other: Account) -> bool:
    same = other.organization_id == account.organization_id
    return other.id == account.id or (account.is_administrator and same)


def _require_administrator(account: Account) -> None:
    if not account.is_administrator:
        raise ApiFault(403, "Only an administrator may do this.")


def _record(platform: CurrentPlatform, account: Account, verb: str, what: tuple[str, str | None]) -> None:
    with writing(platform.engine) as connection:
        record(connection, account.id, verb, *what)
