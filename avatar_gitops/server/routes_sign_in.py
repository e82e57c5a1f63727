"""Signing in with a password, for clients that still do, and what belongs to it: refresh, sign-out."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from avatar_gitops.server.accounts import (
    MASK,
    MASKED_ADVICE,
    Tokens,
    check_password,
    end_sign_in,
    open_sign_in,
    refresh_sign_in,
)
from avatar_gitops.server.answers import Message, answers
from avatar_gitops.server.audit_log import Entry
from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.platform import Platform
from avatar_gitops.server.requests import CurrentAccount, CurrentPlatform, address_of, audit, note, small_body, take
from avatar_gitops.server.throttle import BY_ADDRESS, Claim, sign_in_claims
from avatar_gitops.wire.models import SignedIn

MAXIMUM_FORM: Final = 16 << 10
WRONG: Final = "Invalid username or password."
UNCONFIRMED: Final = (
    "Confirm your e-mail address first: use the token in the mail that you got, or reset your password to get another."
)
DEPRECATION: Final = (
    "Username/password authentication is deprecated and will be removed in a future release."
    " Please migrate to API key authentication: create a key with POST /api-keys and use Manager(api_key=...)."
)
SINCE: Final = "@1795824000"  # 28 November 2026, in the form of RFC 9745
FORM: Final = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["username", "password"],
                    "properties": {"username": {"type": "string"}, "password": {"type": "string"}},
                }
            }
        },
    }
}

router = APIRouter(tags=["sign-in"])


@router.post("/login", openapi_extra=FORM, **answers(SignedIn, 401, 429))
async def login(request: Request, platform: CurrentPlatform) -> JSONResponse:
    """Tokens for an e-mail address and its password; deprecated in favour of API keys."""
    username, password = _credentials(await small_body(request, MAXIMUM_FORM))
    return await run_in_threadpool(_login, request, platform, username, password)


def _login(request: Request, platform: Platform, username: str, password: str) -> JSONResponse:
    claims = sign_in_claims(address_of(request), username)
    take(request, claims)
    failed = Entry("user.login", "failed", subject=platform.audit_log.subject(username))
    if password == MASK:
        audit(request, failed)
        raise ApiFault(401, MASKED_ADVICE)
    found = check_password(platform.engine, username, password)
    if found is None:
        audit(request, failed)
        raise ApiFault(401, WRONG)
    if not found.is_verified:
        audit(request, Entry("user.login", "failed", actor=found.account.id))
        raise ApiFault(401, UNCONFIRMED)
    platform.throttle.give_back(claims)
    tokens = open_sign_in(platform.engine, found.account.id)
    note(request, found.account, "login", ("user", found.account.id))
    return _answer(tokens)


@router.post("/refresh", **answers(SignedIn, 401, 429))
@router.get("/refresh", **answers(SignedIn, 401, 429))
def refresh(request: Request, platform: CurrentPlatform, token: str = "") -> JSONResponse:
    """New tokens for a refresh token, which is used up by it; very old clients use GET."""
    take(request, [Claim(BY_ADDRESS, f"refresh {address_of(request)}")])
    refreshed = refresh_sign_in(platform.engine, token)
    if refreshed is None:
        raise ApiFault(401, "Invalid refresh token. Sign in again.")
    return _answer(refreshed[1])


@router.post("/logout", **answers(Message))
def logout(request: Request, platform: CurrentPlatform, account: CurrentAccount) -> dict[str, str]:
    """End the sign-in whose token is used; an API key stays valid until it is revoked."""
    if account.sign_in_id is not None:
        end_sign_in(platform.engine, account.sign_in_id)
        note(request, account, "logout", ("user", account.id))
    return {"message": "You are signed out."}


def _credentials(body: bytes) -> tuple[str, str]:
    try:
        form = dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20))
        return form["username"], form["password"]
    except (ValueError, KeyError):
        raise ApiFault(422, "The body must be a form with the fields username and password.") from None


def _answer(tokens: Tokens) -> JSONResponse:
    body: dict[str, Any] = {
        "access_token": tokens.access,
        "refresh_token": tokens.refresh,
        "token_type": "bearer",
        "message": DEPRECATION,
    }
    return JSONResponse(body, headers={"Deprecation": SINCE})
