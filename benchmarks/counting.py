"""The embedded platform as a process that counts the requests it answers: `GET /counts` gives and resets them."""

from __future__ import annotations

import json
import socket
import sys
from collections import Counter
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from avatar_gitops.server.app import create_app
from avatar_gitops.server.database import open_database
from avatar_gitops.server.platform import Platform
from avatar_gitops.server.state import StateFolder

COUNTS = "/counts"


class Counting:
    """The application behind it, and how often each kind of path was asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._counts: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == COUNTS:
            body = json.dumps(self._counts).encode()
            self._counts.clear()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": body})
            return
        if scope["type"] == "http":
            first = "/".join(scope["path"].split("/")[:3])
            more = "/…" if scope["path"].count("/") > 2 else ""
            self._counts[f"{scope['method']} {first}{more}"] += 1
        await self._app(scope, receive, send)


def main(folder: Path) -> None:
    """Serve a state folder on a free port until the process is stopped; the first line of output is the address."""
    state = StateFolder(folder)
    app = create_app(Platform(open_database(state.database), state, state.storage_secret()))
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(256)
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        config = uvicorn.Config(Counting(app), log_config=None, access_log=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
