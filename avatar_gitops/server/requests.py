"""What routes read from a request: the signed-in user, the calling client, the base URL, a small body."""

from __future__ import annotations

import json
import uuid
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from avatar_gitops.server.accounts import Account, account_of_key
from avatar_gitops.server.agents import Agent, read_agent
from avatar_gitops.server.faults import ApiFault
from avatar_gitops.server.platform import Platform
from avatar_gitops.wire.routes import ACCESS, API_PREFIX

SCHEME: Final = "api-key-v1 "
SIGN_IN_ADVICE: Final = (
    "This platform signs in with API keys only. Use the key in the file client.env of the server's state folder"
    " (AVATAR_API_KEY), or ask your administrator for one."
)


def platform_of(request: Request) -> Platform:
    """The running platform."""
    platform: Platform = request.app.state.platform
    return platform


def account_of(request: Request) -> Account:
    """The signed-in user.

    Raises:
        ApiFault: 401.
    """
    header = request.headers.get("authorization")
    if not header:
        raise ApiFault(401, "Not authenticated")
    if header.startswith("Bearer "):
        raise ApiFault(401, SIGN_IN_ADVICE)
    account = account_of_key(platform_of(request).engine, header.removeprefix(SCHEME).strip())
    if account is None or not header.startswith(SCHEME):
        raise ApiFault(401, "Invalid API key")
    return account


def agent_of(request: Request) -> Agent:
    """The calling client."""
    return read_agent(request.headers.get("user-agent"))


def access_base(request: Request) -> str:
    """`<api base>/access` as the client addressed it, also through a proxy."""
    scheme = request.headers.get("x-forwarded-proto", request.url.scheme).split(",")[0].strip()
    host = request.headers.get("x-forwarded-host") or request.headers.get("host") or request.url.netloc
    return f"{scheme}://{host.split(',')[0].strip()}{API_PREFIX}{ACCESS}"


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


async def json_body(request: Request) -> Any:
    """The body as JSON.

    Raises:
        ApiFault: 413 or 422.
    """
    try:
        return json.loads(await small_body(request, 4 << 20))
    except ValueError:
        raise ApiFault(422, "The body is not valid JSON.") from None


CurrentPlatform = Annotated[Platform, Depends(platform_of)]
CurrentAccount = Annotated[Account, Depends(account_of)]
CurrentAgent = Annotated[Agent, Depends(agent_of)]
