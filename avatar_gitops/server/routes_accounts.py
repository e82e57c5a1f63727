"""Routes about the platform itself and its users."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from avatar_gitops.server.accounts import (
    MASK,
    Account,
    EmailTaken,
    LastAdministrator,
    create_user,
    delete_user,
    find_users,
    hash_new_password,
)
from avatar_gitops.server.answers import Message, answers
from avatar_gitops.server.audit_log import Entry
from avatar_gitops.server.correspondence import send_welcome
from avatar_gitops.server.database import reading
from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.limits import DEFAULTS, DIMENSIONS, LINES, run_limits
from avatar_gitops.server.offered import ENGINE, FEATURES, SCOPES
from avatar_gitops.server.requests import (
    CurrentAccount,
    CurrentAgent,
    CurrentPlatform,
    ManagingAccount,
    audit,
    note,
    require_administrator,
)
from avatar_gitops.wire.models import (
    Capabilities,
    Compatibility,
    CreditsInfo,
    Environment,
    Features,
    Member,
    Text,
    User,
)

router = APIRouter(tags=["platform and users"])


class NewUser(BaseModel):
    """Body of `POST /users`; the mask that clients 1.20 to 1.25 send for the password counts as none."""

    email: Text = Field(min_length=3, max_length=254)
    role: Literal["admin", "user"] = "user"
    password: Text | None = Field(default=None, repr=False)


@router.get("/check_client", **answers(Compatibility))
def check_client() -> Compatibility:
    """Every client is welcome; differences are handled where they matter."""
    return Compatibility(
        message="This platform serves every client from 1.19 on.", most_recent_compatible_client="1.30.0"
    )


@router.get("/", **answers(Message))
@router.get("/health", **answers(Message))
def health() -> dict[str, str]:
    """The server answers."""
    return {"message": "ok"}


@router.get("/health/db", **answers(Message))
def health_of_database(platform: CurrentPlatform) -> dict[str, str]:
    """The database answers."""
    with reading(platform.engine) as connection:
        connection.exec_driver_sql("SELECT 1")
    return {"message": "ok"}


@router.get("/capabilities", **answers(Capabilities))
def capabilities() -> Capabilities:
    """What the engine of this version can run."""
    return Capabilities(features=list(FEATURES), engine=ENGINE)


@router.get("/users/me", **answers(User))
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


@router.get("/users/credits_info", **answers(CreditsInfo))
def credits_info(_account: CurrentAccount) -> dict[str, Any]:
    """Nothing is billed."""
    return {"credits": None, "is_credit_enabled": False}


@router.get("/users/features_info", **answers(Features))
def features_info(_account: CurrentAccount, agent: CurrentAgent) -> dict[str, list[str]]:
    """The platform's own words for what this version offers."""
    return {"feature_scopes": [scope for scope in SCOPES if agent.knows_scope(scope)]}


@router.get("/users", **answers(list[Member]))
def users(platform: CurrentPlatform, account: ManagingAccount, email: str | None = None) -> list[dict[str, str]]:
    """Users of the caller's organization; people who are not administrators see themselves."""
    return [user.to_plain() for user in _visible(platform, account, email=email)]


@router.get("/users/{user_id}", **answers(Member, 404))
def user(platform: CurrentPlatform, account: ManagingAccount, user_id: str) -> dict[str, str]:
    """One user."""
    return _one_visible(platform, account, user_id).to_plain()


@router.post("/users", **answers(Member, 403, 409))
def create(request: Request, platform: CurrentPlatform, account: ManagingAccount, body: NewUser) -> dict[str, str]:
    """Add a user to the administrator's organization; where mail is sent, the address has to be confirmed first."""
    require_administrator(account)
    password = body.password if body.password not in {"", MASK} else None
    try:
        hashed = None if password is None else hash_new_password(password)
        created = create_user(
            platform.engine,
            body.email,
            body.role,
            account.organization_id,
            verified=platform.postman is None,
            password_hash=hashed,
        )
    except EmailTaken:
        raise ApiFault(409, "A user with this e-mail address exists already.") from None
    except ValueError as error:  # of the address or the password; both texts repeat nothing
        raise ApiFault(422, str(error)) from None
    note(request, account, "create", ("user", created.id))
    send_welcome(platform, created, has_password=password is not None)
    return created.to_plain()


@router.delete("/users/{user_id}", **answers(Member, 403, 404, 409))
def delete(request: Request, platform: CurrentPlatform, account: ManagingAccount, user_id: str) -> dict[str, str]:
    """Remove a user of the administrator's organization with files, sets, jobs, results, keys and events, for good."""
    require_administrator(account)
    found = _one_visible(platform, account, user_id)
    try:
        delete_user(platform.storage, found)
    except LastAdministrator:
        raise ApiFault(409, "This is the last administrator of the organization. Make another one first.") from None
    if found.id == account.id:
        audit(request, Entry("user.delete", actor=account.id, object_type="user", object_id=found.id))
    else:
        note(request, account, "delete", ("user", found.id))
    return found.to_plain()


def _visible(
    platform: CurrentPlatform, account: Account, *, user_id: str | None = None, email: str | None = None
) -> list[Account]:
    """Whom the caller may see: an administrator the whole organization, everybody else themselves."""
    found = find_users(
        platform.engine, user_id=user_id, email=email, organization_id=account.organization_id, disabled=True
    )
    return [user for user in found if account.is_administrator or user.id == account.id]


def _one_visible(platform: CurrentPlatform, account: Account, user_id: str) -> Account:
    found = _visible(platform, account, user_id=user_id)
    if not found:
        raise ApiFault(404, "User not found")
    return found[0]
