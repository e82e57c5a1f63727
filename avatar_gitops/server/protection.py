"""What every answer of the API and the storage carries against misuse in browsers, and the record of refusals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from avatar_gitops.server.audit_log import Entry
from avatar_gitops.server.callers import caller_address
from avatar_gitops.server.naming_requests import request_name
from avatar_gitops.server.platform import Platform
from avatar_gitops.server.throttle import REFUSALS, Claim
from avatar_gitops.wire.routes import API_PREFIX, STORAGE_PREFIX

EVERYWHERE: Final[Mapping[str, str]] = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
# Answers of the API hold keys, tokens and what only their user may see: nobody on the way may keep them.
OF_API: Final[Mapping[str, str]] = {**EVERYWHERE, "Cache-Control": "no-store"}
REFUSED: Final = frozenset({401, 403, 429})


class Protection:
    """Adds the headers, and writes a line to the audit log for each refused request, within the limit of its caller."""

    def __init__(self, app: ASGIApp, platform: Platform) -> None:
        self._app, self._platform = app, platform

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers_for(scope)
        if not headers:
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = MutableHeaders(scope=message)
                for name, value in headers.items():
                    given.setdefault(name, value)
                if message["status"] in REFUSED:
                    self._record(scope, message["status"])
            await send(message)

        await self._app(scope, receive, protected)

    def _record(self, scope: Scope, status: int) -> None:
        address = scope_address(scope, self._platform)
        if self._platform.throttle.take([Claim(REFUSALS, f"refused {address}")]) > 0:
            return
        account = scope["state"].get("account")
        entry = Entry(
            "request",
            "refused",
            actor=account.id if account is not None else None,
            address=address,
            method=scope["method"],
            route=route_of(scope),
            status=status,
            request=request_name(Headers(scope=scope)),
        )
        self._platform.audit_log.write(entry)


def scope_address(scope: Scope, platform: Platform) -> str:
    """Where the request comes from."""
    client = scope.get("client")
    forwarded = Headers(scope=scope).getlist("x-forwarded-for")
    return caller_address(client[0] if client else None, forwarded, platform.trusted_proxies)


def route_of(scope: Scope) -> str:
    """The path as the program knows it, without what the caller put into it."""
    found = getattr(scope.get("route"), "path", None)
    area = f"/{scope['path'].split('/')[1]}"
    if not found:
        return f"{area}/..."
    return str(found) if found.startswith(area) else f"{area}{found}"


def _headers_for(scope: Scope) -> Mapping[str, str]:
    if scope["type"] != "http":
        return {}
    if scope["path"] == API_PREFIX or scope["path"].startswith(f"{API_PREFIX}/"):
        return OF_API
    return EVERYWHERE if scope["path"].startswith(f"{STORAGE_PREFIX}/") else {}
