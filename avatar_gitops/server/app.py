"""The ASGI application: API under `/api`, storage under `/storage`, web pages; refusals in the form each expects."""

from __future__ import annotations

import logging
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from avatar_gitops import __version__
from avatar_gitops.server import (
    openapi,
    routes_accounts,
    routes_connections,
    routes_events,
    routes_files,
    routes_jobs,
    routes_keys,
    routes_passwords,
    routes_sets,
    routes_sign_in,
    routes_storage,
)
from avatar_gitops.server.faults import ApiFault, place_of
from avatar_gitops.server.naming_requests import NamedRequests
from avatar_gitops.server.platform import Platform
from avatar_gitops.server.protection import OF_API, Protection
from avatar_gitops.server.web import WebApplication
from avatar_gitops.wire.routes import API_PREFIX, STORAGE_PREFIX

MAXIMUM_BODY_BYTES: Final = 8 << 20
ROUTERS: Final = (
    routes_jobs.router,  # tried one after the other: what clients ask for again and again comes first
    routes_sign_in.router,
    routes_passwords.router,
    routes_accounts.router,
    routes_keys.router,
    routes_sets.router,
    routes_files.router,
    routes_events.router,
    routes_connections.router,
)

log = logging.getLogger(__name__)


def create_app(platform: Platform) -> FastAPI:
    """The application over one running platform."""
    app = FastAPI(
        title="avatar-gitops platform",
        version=__version__,
        openapi_url=f"{API_PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # the official clients follow no redirect
    )
    app.state.platform = platform
    app.add_middleware(LimitedBodies)
    app.add_middleware(NamedRequests)
    app.add_middleware(Protection, platform=platform)
    app.add_middleware(LastResort)
    # Literal paths come first inside each router, so `/users/me` is never taken for a user id.
    for router in ROUTERS:
        app.include_router(router, prefix=API_PREFIX)
    for path in (STORAGE_PREFIX, f"{STORAGE_PREFIX}/{{path:key}}"):
        app.add_route(path, routes_storage.handle, methods=routes_storage.METHODS)
    app.router.routes.append(WebApplication(platform))
    app.add_exception_handler(ApiFault, _on_fault)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    openapi.describe(app, ROUTERS)
    return app


class LastResort:
    """Answers what nobody has caught; the log names its kind and place, and never its text, which may hold data."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            area = scope["path"].split("/")[1:3]
            log.error("%s %s: %s at %s", scope["method"], area, type(error).__name__, place_of(error))
            if not started:  # of an answer that has begun, the server ends the connection, so that it counts as torn
                await JSONResponse({"detail": "internal error"}, 500, dict(OF_API))(scope, receive, send)


class LimitedBodies:
    """Stops reading an API body that is larger than any request needs, before anyone is signed in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(f"{API_PREFIX}/"):
            await self._app(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAXIMUM_BODY_BYTES:
                raise HTTPException(413, f"The body is larger than {MAXIMUM_BODY_BYTES} bytes.")
            return message

        await self._app(scope, counted, send)


async def _on_fault(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiFault)
    return JSONResponse({"detail": error.detail, **error.more}, error.status, error.headers)


async def _on_http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse({"detail": error.detail}, error.status_code, error.headers)


async def _on_invalid(_request: Request, error: Exception) -> JSONResponse:
    """Place and problem of each fault; never the offending input."""
    assert isinstance(error, RequestValidationError)
    shown: list[dict[str, Any]] = [
        {"loc": list(fault["loc"]), "msg": fault["msg"], "type": fault["type"]} for fault in error.errors()
    ]
    return JSONResponse({"detail": shown}, 422)
