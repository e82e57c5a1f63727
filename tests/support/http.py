"""A scripted HTTP server and a clock that only moves when somebody sleeps, for tests of the client."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from avatar_gitops.client.transport import Retries, Transport

KEY = "octopize_apikey.6f1c-CANARY-secret"
BASE = "https://avatar.example.org"

Reply = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@dataclass
class StillClock:
    """Time stands still between sleeps; `slept` lists them."""

    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


@dataclass
class Script:
    """Answers requests with the given replies in order, the last one for ever; keeps the requests."""

    replies: Sequence[Reply]
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        reply = self.replies[min(len(self.requests), len(self.replies) - 1)]
        self.requests.append(request)
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, httpx.Response) else reply(request)


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> httpx.Response:
    """A JSON answer."""
    return httpx.Response(
        status, content=json.dumps(body), headers={"Content-Type": "application/json", **(headers or {})}
    )


def transport(handler: Callable[[httpx.Request], httpx.Response], clock: StillClock | None = None) -> Transport:
    """A transport whose requests end in `handler` and whose pauses have no jitter."""
    return Transport(
        BASE,
        KEY,
        clock=clock or StillClock(),
        retries=Retries(jitter=lambda: 1.0),
        http=httpx.MockTransport(handler),
    )
