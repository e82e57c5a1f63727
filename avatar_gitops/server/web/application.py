"""The ASGI application of the web pages: which path is which page, headers on everything, pages for every error."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.routing import Match, Mount, Route, Router
from starlette.types import Message, Receive, Scope, Send

from avatar_gitops.server.faults import place_of
from avatar_gitops.server.platform import Platform
from avatar_gitops.server.web import account, events, figures, files, keys, measured, overview, run, runs, sign_in
from avatar_gitops.server.web.security import HEADERS
from avatar_gitops.server.web.static import STATIC_PREFIX, static_file
from avatar_gitops.server.web.visit import Handler, Visit, answer, open_visit
from avatar_gitops.wire.routes import API_PREFIX, STORAGE_PREFIX

# path, handler, whether it is open to people who are not signed in
GET: Final[Sequence[tuple[str, Handler, bool]]] = (
    ("/", runs.show, False),
    ("/sign-in", sign_in.show, True),
    ("/forgotten", sign_in.show_forgotten, True),
    ("/reset", sign_in.show_reset, True),
    ("/confirm", sign_in.show_confirm, True),
    ("/runs/{set_id}", overview.show, False),
    ("/runs/{set_id}/metrics", measured.show, False),
    ("/runs/{set_id}/parameters", overview.parameters, False),
    ("/runs/{set_id}/figures", figures.show, False),
    ("/runs/{set_id}/figures/{job}/{position:position}", figures.page, False),
    ("/runs/{set_id}/figures/{job}/{position:position}/picture", figures.picture, False),
    ("/runs/{set_id}/files", files.show, False),
    ("/runs/{set_id}/files/{job}/{position:position}", files.download, False),
    ("/runs/{set_id}/yaml", files.download_yaml, False),
    ("/runs/{set_id}/delete", run.ask_delete, False),
    ("/keys", keys.show, False),
    ("/keys/{key_id}/revoke", keys.ask_revoke, False),
    ("/events", events.show, False),
    ("/account", account.show, False),
)
POST: Final[Sequence[tuple[str, Handler, bool]]] = (
    ("/sign-in", sign_in.sign_in, True),
    ("/sign-out", sign_in.sign_out, False),
    ("/runs/{set_id}/files/{job}/{position:position}", files.download_confirmed, False),
    ("/runs/{set_id}/cancel", run.cancel, False),
    ("/runs/{set_id}/delete", run.delete, False),
    ("/keys", keys.create, False),
    ("/keys/{key_id}/revoke", keys.revoke, False),
    ("/account/sessions", account.end_sessions, False),
    ("/account/password", account.change_password, False),
    ("/forgotten", sign_in.forgotten, True),
    ("/reset", sign_in.reset, True),
    ("/confirm", sign_in.confirm, True),
)

log = logging.getLogger(__name__)


class PositionConvertor(IntegerConvertor):
    """A place in a list, in as many digits as Python reads as a number."""

    regex = "[0-9]{1,9}"


register_url_convertor("position", PositionConvertor())


class WebApplication(Mount):
    """A route for every path that is neither API nor storage, so that those keep their own answers for what is not."""

    def __init__(self, platform: Platform) -> None:
        super().__init__("/", app=_Shell(platform))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Leave the paths of the other interfaces alone."""
        if f"{scope['path']}/".startswith((f"{API_PREFIX}/", f"{STORAGE_PREFIX}/")):
            return Match.NONE, {}
        return super().matches(scope)


class _Shell:
    """Routes a request, adds the headers, and answers every error with a page that says what to do next."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        routes = [Route(path, self._endpoint(handler, for_all), methods=["GET"]) for path, handler, for_all in GET]
        routes += [Route(path, self._endpoint(handler, for_all), methods=["POST"]) for path, handler, for_all in POST]
        routes.append(Route(f"{STATIC_PREFIX}/{{name}}", self._static, methods=["GET"]))
        self._router = Router(routes, redirect_slashes=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                _note(scope, message["status"])
            await send(message)

        if scope["type"] != "http":
            return
        visitor = Visit(Request(scope, receive), self._platform, None, had_cookie=False)
        try:
            if self._platform.stopping.is_set():
                await visitor.fault(503)(scope, receive, with_headers)
            else:
                await self._route(scope, receive, with_headers)
        except Exception as error:  # a fault of ours: the log names its kind and place, and never its text
            log.error("page %s: %s at %s", scope["method"], type(error).__name__, place_of(error))
            if not started:  # of an answer that has begun, the server ends the connection, so that it counts as torn
                await visitor.fault(500)(scope, receive, with_headers)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The page of a path; for one that is none, a page that says so and keeps the visitor signed in."""
        try:
            await self._router(scope, receive, send)
        except HTTPException as error:
            visitor = await run_in_threadpool(open_visit, Request(scope, receive), self._platform)
            response = visitor.fault(error.status_code)
            response.headers.update(error.headers or {})
            await response(scope, receive, send)

    async def _static(self, request: Request) -> Response:
        found = static_file(request.path_params["name"])
        return found or Visit(request, self._platform, None, had_cookie=False).fault(404)

    def _endpoint(self, handler: Handler, for_all: bool) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return await answer(request, self._platform, handler, for_all=for_all)

        return endpoint


def _note(scope: Scope, status: int) -> None:
    """Log what changes something and what is refused, as for the API; paths hold ids, never names."""
    if scope["method"] not in {"GET", "HEAD"} or status >= 400:
        path = scope["path"].encode("unicode_escape").decode("ascii")[:200]
        log.info("page %s %s %s", scope["method"], path, status)
