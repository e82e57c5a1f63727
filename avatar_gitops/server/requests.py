"""What routes read from a request: the signed-in user, the calling client, the base URL, a small body."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final

from anyio import to_thread
from fastapi import Depends, Request

from avatar_gitops.server.accounts import Account, ExpiredToken, account_of_key, account_of_token, note_use
from avatar_gitops.server.agents import Agent, read_agent
from avatar_gitops.server.audit_log import Entry
from avatar_gitops.server.database import writing
from avatar_gitops.server.events import record
from avatar_gitops.server.faults import ApiFault, TooManyRequests
from avatar_gitops.server.naming_requests import request_name
from avatar_gitops.server.platform import Platform
from avatar_gitops.server.protection import scope_address
from avatar_gitops.server.throttle import MANAGEMENT, USES, Claim
from avatar_gitops.wire.routes import ACCESS, API_PREFIX

SCHEME: Final = "api-key-v1 "
BEARER: Final = "Bearer "
EXPIRED: Final = "Could not validate: credentials expired"  # old clients look for the last two words


async def _platform_of(request: Request) -> Platform:
    # A coroutine, as is `_agent_of`: FastAPI would send a plain function to another thread, for each request.
    return platform_of(request)


def platform_of(request: Request) -> Platform:
    """The running platform."""
    platform: Platform = request.app.state.platform
    return platform


async def account_of(request: Request) -> Account:
    """The signed-in user.

    Raises:
        ApiFault: 401.
    """
    platform = platform_of(request)
    account = await platform.look(_signed_in, request)
    request.state.account = account
    if account.api_key_id is not None and platform.throttle.take([Claim(USES, f"use {account.api_key_id}")]) == 0:
        await to_thread.run_sync(note_use, platform.engine, account)
    return account


def _signed_in(request: Request) -> Account:
    header = request.headers.get("authorization")
    if not header:
        raise ApiFault(401, "Not authenticated")
    engine = platform_of(request).engine
    if header.startswith(BEARER):
        try:
            account = account_of_token(engine, header.removeprefix(BEARER).strip())
        except ExpiredToken:
            raise ApiFault(401, {"message": EXPIRED}) from None
        if account is None:
            raise ApiFault(401, "Invalid access token")
    else:
        found = account_of_key(engine, header.removeprefix(SCHEME).strip()) if header.startswith(SCHEME) else None
        if found is None:
            raise ApiFault(401, "Invalid API key")
        account = found
    return account


async def managing_account_of(request: Request) -> Account:
    """The signed-in user of a call about users or keys, which are few in ordinary use.

    Raises:
        ApiFault: 401, or 429 when there are too many.
    """
    account = await account_of(request)
    take(request, [Claim(MANAGEMENT, account.id)])
    return account


def take(request: Request, claims: Sequence[Claim]) -> None:
    """Count what the request does.

    Raises:
        TooManyRequests: it is more than the limits allow.
    """
    wait = platform_of(request).throttle.take(claims)
    if wait > 0:
        raise TooManyRequests(wait)


def address_of(request: Request) -> str:
    """Where the request comes from, as limits and the audit log name it."""
    return scope_address(request.scope, platform_of(request))


def audit(request: Request, entry: Entry) -> None:
    """Write to the audit log what the request did."""
    whence = replace(entry, address=address_of(request), request=request_name(request.headers))
    platform_of(request).audit_log.write(whence)


def note(request: Request, account: Account, verb: str, what: tuple[str, str | None]) -> None:
    """Write into the caller's event log and into the audit log that an object was created, changed or deleted."""
    object_type, object_id = what
    with writing(platform_of(request).engine) as connection:
        record(connection, account.id, verb, object_type, object_id)
    event = f"{object_type}.{verb}"
    audit(request, Entry(event, actor=account.id, object_type=object_type, object_id=object_id))


def require_administrator(account: Account) -> None:
    """Raise ApiFault 403 unless the user is an administrator."""
    if not account.is_administrator:
        raise ApiFault(403, "Only an administrator may do this.")


async def _agent_of(request: Request) -> Agent:
    """The calling client."""
    return read_agent(request.headers.get("user-agent"))


def public_origin(request: Request) -> str:
    """`<scheme>://<host>` as the client addressed the server, also through a proxy."""
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme).split(",")[0].strip()
    host = request.headers.get("x-forwarded-host") or request.headers.get("host") or request.url.netloc
    return f"{scheme}://{host.split(',')[0].strip()}"


def access_base(request: Request) -> str:
    """`<api base>/access` as the client addressed it."""
    return f"{public_origin(request)}{API_PREFIX}{ACCESS}"


def as_uuid(text: str, what: str) -> str:
    """An id in its usual form; anything else cannot be found.

    Raises:
        ApiFault: 404.
    """
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise ApiFault(404, f"{what} not found") from None


async def small_body(request: Request, limit: int) -> bytes:
    """The whole body.

    Raises:
        ApiFault: 413 as soon as it is larger than the limit.
    """
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > limit:
            raise ApiFault(413, f"The body is larger than {limit} bytes.")
        pieces.append(piece)
    return b"".join(pieces)


CurrentPlatform = Annotated[Platform, Depends(_platform_of)]
CurrentAccount = Annotated[Account, Depends(account_of)]
ManagingAccount = Annotated[Account, Depends(managing_account_of)]
CurrentAgent = Annotated[Agent, Depends(_agent_of)]
