"""API keys of the caller, and those of others for administrators."""

from __future__ import annotations

import uuid
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from avatar_gitops.server.accounts import EXPIRATION_DAYS, find_users, issue_key, list_keys, revoke_keys
from avatar_gitops.server.answers import Message, answers
from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.requests import CurrentPlatform, ManagingAccount, note, require_administrator
from avatar_gitops.wire.models import ApiKey, ApiKeyCreated, Text

router = APIRouter(tags=["API keys"])


class NewKey(BaseModel):
    """Body of `POST /api-keys`."""

    name: Text = Field(min_length=1, max_length=255)
    expiration_days: int = Field(json_schema_extra={"enum": list(EXPIRATION_DAYS)})


@router.get("/api-keys", **answers(list[ApiKey]))
def keys(platform: CurrentPlatform, account: ManagingAccount) -> list[dict[str, Any]]:
    """The caller's keys without their secrets."""
    return list_keys(platform.engine, account.id)


@router.post("/api-keys", **answers(ApiKeyCreated, 403, 404))
def create_key(
    request: Request,
    platform: CurrentPlatform,
    account: ManagingAccount,
    body: NewKey,
    user_id: uuid.UUID | None = None,
) -> dict[str, Any]:
    """A new key, its secret shown here and never again; an administrator may name a user of the same organization."""
    if body.expiration_days not in EXPIRATION_DAYS:
        raise ApiFault(422, f"expiration_days must be one of {', '.join(map(str, EXPIRATION_DAYS))}.")
    owner = str(user_id) if user_id is not None else account.id
    if owner != account.id:
        require_administrator(account)
        if not find_users(platform.engine, user_id=owner, organization_id=account.organization_id):
            raise ApiFault(404, "User not found")
    key, plaintext = issue_key(platform.engine, owner, body.name, body.expiration_days)
    note(request, account, "create", ("api_key", key["id"]))
    return {"api_key": {**key, "plaintext": plaintext}, "message": "Keep this key: it is shown only once."}


@router.delete("/api-keys", **answers(Message))
def revoke_all(request: Request, platform: CurrentPlatform, account: ManagingAccount) -> dict[str, str]:
    """Revoke all keys of the caller, the one in use included."""
    revoke_keys(platform.engine, account.id)
    note(request, account, "delete", ("api_key", None))
    return {"message": "All keys are revoked."}


@router.delete("/api-keys/admin", **answers(Message, 403))
def revoke_for(
    request: Request,
    platform: CurrentPlatform,
    account: ManagingAccount,
    user_id: uuid.UUID,
    api_key_id: uuid.UUID | None = None,
) -> dict[str, str]:
    """Revoke one key or all keys of another user of the administrator's organization."""
    require_administrator(account)
    key_id = str(api_key_id) if api_key_id is not None else None
    members = find_users(platform.engine, user_id=str(user_id), organization_id=account.organization_id, disabled=True)
    if not members or revoke_keys(platform.engine, str(user_id), key_id) == 0:
        raise ApiFault(403, "There is no such key.")
    note(request, account, "delete", ("api_key", key_id or str(user_id)))
    return {"message": "The keys are revoked."}


@router.get("/api-keys/{key_id}", **answers(ApiKey, 404))
def key(platform: CurrentPlatform, account: ManagingAccount, key_id: str) -> dict[str, Any]:
    """One key of the caller."""
    for found in list_keys(platform.engine, account.id):
        if found["id"] == key_id:
            return found
    raise ApiFault(404, "API key not found")


@router.delete("/api-keys/{key_id}", **answers(Message, 403))
def revoke(request: Request, platform: CurrentPlatform, account: ManagingAccount, key_id: str) -> dict[str, str]:
    """Revoke one key of the caller."""
    if revoke_keys(platform.engine, account.id, key_id) == 0:
        raise ApiFault(403, "There is no such key.")
    note(request, account, "delete", ("api_key", key_id))
    return {"message": "The key is revoked."}
