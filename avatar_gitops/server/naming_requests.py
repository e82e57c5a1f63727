"""Names of requests: what the client calls a request stands in the log and goes back with the answer."""

from __future__ import annotations

import logging
import re
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from avatar_gitops.wire.routes import API_PREFIX, REQUEST_ID

NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

log = logging.getLogger(__name__)


class NamedRequests:
    """Logs what changes something, and what is refused: method, path, status and the client's name for the request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(f"{API_PREFIX}/"):
            await self._app(scope, receive, send)
            return
        name = request_name(Headers(scope=scope)) or "-"

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                if name != "-":
                    MutableHeaders(scope=message)[REQUEST_ID] = name
                if scope["method"] not in READS or message["status"] >= 400:
                    path = scope["path"].encode("unicode_escape").decode("ascii")[:200]
                    log.info("%s %s %s %s", scope["method"], path, message["status"], name)
            await send(message)

        await self._app(scope, receive, named)


def request_name(headers: Headers) -> str | None:
    """What the client calls the request, if it is a name that can stand in a log."""
    given = headers.get(REQUEST_ID, "")
    return given if NAME.fullmatch(given) else None
