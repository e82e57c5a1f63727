"""One HTTP conversation with the REST API of a forge: paging, retries, rate limits; the token is never shown."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import urljoin, urlsplit

import httpx

from avatar_gitops import __version__
from avatar_gitops.errors import RemoteRefused, RemoteUnavailable, UsageError
from avatar_gitops.ports import Clock

PAGE: Final = 100
MAX_PAGES: Final = 100
MAX_BODY_BYTES: Final = 32 << 20
LONGEST_PAUSE_ASKED: Final = 180.0
SECONDARY_PAUSE: Final = 60.0  # what GitHub asks for when a secondary limit names no time
TRANSIENT: Final = frozenset({500, 502, 503, 504})
_LATER: Final = "nothing is lost: run the same step again later"


class LostAnswer(RemoteUnavailable):
    """A write may or may not have been carried out: look before it is asked for again."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a request is tried and how long the first pause is; pauses double up to `cap` seconds."""

    tries: int = 5
    first: float = 1.0
    cap: float = 30.0
    jitter: Callable[[], float] = random.random

    def pause(self, attempt: int) -> float:
        """Seconds to wait after an attempt, counted from 1."""
        nominal: float = min(self.cap, self.first * 2.0 ** (attempt - 1))
        return nominal * (0.5 + 0.5 * self.jitter())


@dataclass(frozen=True, slots=True)
class _Failure:
    what: str
    asked: float | None = None
    sent: bool = True


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between forges: the name in messages, the headers of a request, and what a missing right is called.

    `reset` is the header that says when a rate limit ends, in seconds since 1970.
    """

    name: str
    headers: Callable[[str], Mapping[str, str]]
    remaining: str
    reset: str
    right: str


class Conversation:
    """The REST API of one forge with one token; a subclass says which forge."""

    dialect: ClassVar[Dialect]

    def __init__(
        self,
        api_url: str,
        token: str,
        *,
        clock: Clock,
        patience: Patience | None = None,
        http: httpx.BaseTransport | None = None,
    ) -> None:
        self._root = api_url.rstrip("/") + "/"
        self._clock = clock
        self._patience = patience or Patience()
        self._token = checked_token(token, self.dialect.name)
        headers = {"User-Agent": f"avatar-gitops/{__version__}", **self.dialect.headers(self._token)}
        self._http = httpx.Client(headers=headers, timeout=httpx.Timeout(30.0, connect=10.0), transport=http)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._root!r})"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Any:
        """One document."""
        return self._json(self._send("GET", self._url(path), query=query))

    def pages(self, path: str, query: Mapping[str, str | int] | None = None) -> Iterator[Any]:
        """All items of a list, page after page, following the links that the forge gives and only to itself."""
        url: str | None = self._url(path)
        asked: Mapping[str, str | int] | None = {**(query or {}), "per_page": PAGE}
        for _ in range(MAX_PAGES):
            if url is None:
                return
            response = self._send("GET", url, query=asked)
            items = self._json(response)
            if not isinstance(items, list):
                raise RemoteRefused(f"{self.dialect.name} answers {path} with something that is no list")
            yield from items
            url, asked = self._next(response, url), None

    def write(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """Carry out a POST, PATCH or PUT. Raises LostAnswer when a POST may have happened without an answer."""
        return self._json(self._send(method, self._url(path), body=body))

    def _url(self, path: str) -> str:
        return self._root + path.lstrip("/")

    def _next(self, response: httpx.Response, current: str) -> str | None:
        target = response.links.get("next", {}).get("url")
        if target is None:
            return None
        url = urljoin(current, target)
        if urlsplit(url)[:2] != urlsplit(self._root)[:2]:
            raise RemoteRefused(f"{self.dialect.name} names a next page on another host; the token is not sent there")
        return url

    def _send(
        self, method: str, url: str, *, query: Mapping[str, str | int] | None = None, body: Any = None
    ) -> httpx.Response:
        for attempt in range(1, self._patience.tries + 1):
            answer = self._attempt(method, url, query, body)
            if isinstance(answer, httpx.Response):
                return answer
            message = f"{self.dialect.name} did not answer ({attempt} tries, last: {answer.what})"
            if method == "POST" and answer.sent:
                raise LostAnswer(message, hint=_LATER)
            wait = self._patience.pause(attempt) if answer.asked is None else max(1.0, answer.asked)
            if attempt == self._patience.tries or wait > LONGEST_PAUSE_ASKED:
                raise RemoteUnavailable(message, hint=_LATER)
            self._clock.sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _attempt(
        self, method: str, url: str, query: Mapping[str, str | int] | None, body: Any
    ) -> httpx.Response | _Failure:
        try:
            response = self._http.request(method, url, params=query, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return _Failure("no connection", sent=False)
        except httpx.TransportError as error:
            return _Failure("no answer in time" if isinstance(error, httpx.TimeoutException) else "connection lost")
        if len(response.content) > MAX_BODY_BYTES:
            raise RemoteRefused(f"an answer of {self.dialect.name} is too large")
        if response.is_success:
            return response
        if response.status_code in TRANSIENT:
            return _Failure(f"status {response.status_code}")
        limited = self._limited(response)
        if limited is not None:
            return _Failure(f"rate limit, status {response.status_code}", asked=limited, sent=False)
        raise self._refusal(method, url, response)

    def _limited(self, response: httpx.Response) -> float | None:
        """Seconds until a rate limit ends; None when the answer is not about a rate limit."""
        if response.status_code not in {403, 429}:
            return None
        after = response.headers.get("Retry-After", "").strip()
        if after.isdigit():
            return float(after[:9])
        if response.headers.get(self.dialect.remaining) == "0":
            reset = response.headers.get(self.dialect.reset, "").strip()
            now = self._clock.now().timestamp()
            return max(0.0, float(reset[:12]) - now) + 1.0 if reset.isdigit() else SECONDARY_PAUSE
        return SECONDARY_PAUSE if response.status_code == 429 or "secondary rate limit" in _said(response) else None

    def _refusal(self, method: str, url: str, response: httpx.Response) -> RemoteRefused | RemoteUnavailable:
        status, path = response.status_code, urlsplit(url).path
        said = _said(response).replace(self._token, "***")
        text = f"{self.dialect.name} refuses {method} {path} (status {status}: {said})"
        match status:
            case 401:
                return RemoteUnavailable(text, hint="the token is not valid, or has expired")
            case 403:
                return RemoteRefused(text, status=status, hint=self.dialect.right)
            case 404:
                return RemoteRefused(text, status=status, hint="does the token see this repository?")
            case _:
                return RemoteRefused(text, status=status)

    def _json(self, response: httpx.Response) -> Any:
        try:
            return response.json()
        except ValueError:
            raise RemoteRefused(f"{self.dialect.name} answers with something that is no JSON") from None


def checked_token(token: str, forge: str) -> str:
    """A token without the white space around it. Raises UsageError when it cannot stand in a header."""
    token = token.strip()
    if not token or not all(33 <= ord(sign) <= 126 for sign in token):
        raise UsageError(f"the token for {forge} holds characters that no token has")
    return token


def _said(response: httpx.Response) -> str:
    """The explanation in an error answer, on one short line."""
    try:
        body = response.json()
    except ValueError:
        body = None
    message = body.get("message") if isinstance(body, dict) else None
    line = re.sub(r"\s+", " ", message if isinstance(message, str) else "no message").strip()
    return "".join(sign if sign.isprintable() else "?" for sign in line)[:300]
