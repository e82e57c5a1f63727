"""One HTTP conversation with an Avatar server: sign-in, time-outs, retries with back-off, errors without secrets."""

from __future__ import annotations

import hmac
import ipaddress
import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import TypeAdapter, ValidationError

from avatar_gitops import __version__
from avatar_gitops.client.refusals import clean, server_message
from avatar_gitops.errors import RemoteRefused, RemoteUnavailable, UsageError
from avatar_gitops.events import Listener, RequestDone, Retrying, Stream
from avatar_gitops.ports import Clock
from avatar_gitops.wire import routes

TIMEOUT: Final = httpx.Timeout(60.0, connect=10.0)
MAX_BODY_BYTES: Final = 64 << 20
LONGEST_PAUSE_ASKED: Final = 120.0
TRANSIENT: Final = frozenset({429, 502, 503, 504})
NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

Answer = TypeVar("Answer")
Query = Mapping[str, str | Sequence[str]]


class LostAnswer(RemoteUnavailable):
    """The request may or may not have been carried out: look before asking again."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how patiently a request is repeated: pauses of `first`, doubled each time, at most `cap` seconds.

    `jitter` gives numbers in [0, 1); a pause is between half of its nominal length and all of it. `listener` hears of
    each pause and each request; when it is a stream, requests carry the id of its run.
    """

    tries: int = 5
    first: float = 1.0
    cap: float = 20.0
    jitter: Callable[[], float] = random.random
    listener: Listener | None = None

    def pause(self, attempt: int) -> float:
        """Seconds to wait after the attempt with this number, counted from 1."""
        nominal: float = min(self.cap, self.first * 2.0 ** (attempt - 1))
        return nominal * (0.5 + 0.5 * self.jitter())


@dataclass(frozen=True, slots=True)
class Request:
    """One request, relative to the API base; `repeatable` = carrying it out twice is the same as once."""

    method: str
    path: str
    params: Query | None = None
    json: Any = None
    content: bytes | None = None
    content_type: str | None = None
    repeatable: bool = True


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why an attempt gave no answer: what happened, how long the server asked to wait, whether it was carried out."""

    what: str
    asked: float | None = None
    ambiguous: bool = True


class Transport:
    """HTTP client of one server and one key; safe to use from several threads. The key is in no text it produces."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        clock: Clock,
        verify: bool = True,
        retries: Retries | None = None,
        http: httpx.BaseTransport | None = None,
    ) -> None:
        self.server = server_root(base_url)
        self._key = _checked_key(api_key)
        self._clock = clock
        self._retries = retries or Retries()
        self._told = Stream.of(self._retries.listener)
        self._number = itertools.count(1)
        self._http = httpx.Client(
            base_url=self.server + routes.API_PREFIX,
            headers={"Authorization": f"api-key-v1 {self._key}", "User-Agent": f"avatar-gitops/{__version__}"},
            timeout=TIMEOUT,
            follow_redirects=False,
            verify=verify,
            # What is on this machine is never asked for through a proxy, whatever the environment says.
            trust_env=not is_loopback(self.server),
            transport=http,
        )

    def __repr__(self) -> str:
        return f"Transport({self.server!r})"

    @property
    def run(self) -> str:
        """Id of the command run that this conversation belongs to; part of the id of every request."""
        return self._told.run

    def seal(self, content: bytes) -> str:
        """64 letters that nobody without the key can make for this content."""
        return hmac.new(self._key.encode(), content, "sha256").hexdigest()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, request: Request) -> httpx.Response:
        """Answer with a success status. Raises RemoteRefused, RemoteUnavailable, or LostAnswer (see `Request`)."""
        begun = self._clock.now()
        attempt = 1
        while True:
            answer = self._attempt(request)
            if isinstance(answer, httpx.Response):
                return answer
            if answer.ambiguous and not request.repeatable:
                raise LostAnswer(self._unavailable(answer.what, attempt, begun), hint=_LATER)
            patience = answer.asked is None or answer.asked <= LONGEST_PAUSE_ASKED
            if attempt >= self._retries.tries or not patience:
                raise RemoteUnavailable(self._unavailable(answer.what, attempt, begun), hint=_LATER)
            self.pause(attempt, f"{request.method} {request.path}", at_least=answer.asked)
            attempt += 1

    def once(self, send: Callable[[], Answer], find: Callable[[], Answer | None]) -> Answer:
        """Carry out what must not happen twice: after a lost answer `find` says whether it happened all the same."""
        for attempt in range(1, self._retries.tries):
            try:
                return send()
            except LostAnswer:
                self.pause(attempt, "looking for what a lost answer created")
                if (found := find()) is not None:
                    return found
        return send()

    def pause(self, attempt: int, what: str, at_least: float | None = None) -> None:
        """Wait before the next attempt."""
        seconds = max(1.0, at_least) if at_least is not None else self._retries.pause(attempt)
        self._told(Retrying(what, attempt, seconds))
        self._clock.sleep(seconds)

    def _attempt(self, request: Request) -> httpx.Response | _Failure:
        name, begun, status = f"{self._told.run}-{next(self._number)}", self._clock.now(), 0
        try:
            response = self._exchange(request, name)
            status = response.status_code
        except NOT_SENT as error:
            return _Failure(_name(error), ambiguous=False)
        except httpx.TransportError as error:
            return _Failure(_name(error))
        finally:
            seconds = (self._clock.now() - begun).total_seconds()
            self._told(RequestDone(request.method, request.path, status, seconds, name))
        if status in TRANSIENT:
            return _Failure(f"status {status}", asked=_asked_pause(response), ambiguous=status != 429)
        if response.is_success:
            return response
        raise self._refusal(request, response) from None

    def _exchange(self, request: Request, name: str) -> httpx.Response:
        headers = {routes.REQUEST_ID: name}
        if request.content_type:
            headers["Content-Type"] = request.content_type
        built = self._http.build_request(
            request.method,
            request.path.lstrip("/"),
            params=request.params,
            json=request.json,
            content=request.content,
            headers=headers,
        )
        response = self._http.send(built, stream=True)
        try:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise RemoteRefused(f"the answer of {self.server} to {request.method} {request.path} is too large")
        finally:
            response.close()
        return httpx.Response(response.status_code, headers=_plain(response.headers), content=bytes(body))

    def _unavailable(self, what: str, tries: int, begun: datetime) -> str:
        seconds = (self._clock.now() - begun).total_seconds()
        times = "1 try" if tries == 1 else f"{tries} tries"
        return f"{self.server} did not answer ({times} in {seconds:.0f} s, last: {what})"

    def _refusal(self, request: Request, response: httpx.Response) -> RemoteRefused | RemoteUnavailable:
        status = response.status_code
        if status in {401, 403}:
            said = clean(server_message(response), self._key)
            return RemoteUnavailable(
                f"{self.server} refused the sign-in (status {status}: {said})",
                hint="check the API key of this server; a key can be expired or revoked",
            )
        if response.is_redirect:
            return RemoteUnavailable(
                f"{self.server} answers with a redirect (status {status}) and does not serve the Avatar API there",
                hint="check AVATAR_BASE_URL: scheme and host must be the ones of the platform itself",
            )
        said = clean(server_message(response), self._key)
        url = self.server + routes.API_PREFIX + request.path
        return RemoteRefused(
            f"Got error in HTTP request: {request.method} {url}. Error status {status} - {said}", status=status
        )


_LATER: Final = "nothing is lost: run the same command again later"


def server_root(base_url: str) -> str:
    """Base URL of a platform without a trailing slash and without the `/api` that older settings carry."""
    url = base_url.strip().rstrip("/").removesuffix(routes.API_PREFIX).rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # half of a pair of brackets, or a port that is no number
        usable = False
    if not usable:
        raise UsageError("the server's base URL must start with https:// or http:// and name a host")
    if parts.username is not None or parts.query or parts.fragment or '"' in url or "'" in url:
        raise UsageError("the server's base URL may hold a host, a port and a path, nothing else")
    return url


def is_loopback(server: str) -> bool:
    """Whether a base URL leads to this machine."""
    host = urlsplit(server).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _checked_key(key: str) -> str:
    key = key.strip()
    if not key:
        raise UsageError("there is no API key for this server", hint="set AVATAR_API_KEY")
    if not all(33 <= ord(sign) <= 126 for sign in key):
        raise UsageError("the API key holds characters that no key has", hint="copy AVATAR_API_KEY again")
    return key


def read(response: httpx.Response, kind: type[Answer], what: str) -> Answer:
    """Body of an answer as a wire model. Raises RemoteRefused when it is not what the API promises."""
    try:
        return TypeAdapter(kind).validate_json(response.content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the body"
        raise RemoteRefused(
            f"the answer to {what} is not what the Avatar API promises ({place}: {first['type']})",
            hint="is AVATAR_BASE_URL the address of an Avatar platform?",
        ) from None


def _asked_pause(response: httpx.Response) -> float | None:
    """Seconds the server asks to wait: the header in whole seconds, else `retry_after` of the body."""
    header = response.headers.get("Retry-After", "").strip()
    if header.isdigit():
        return float(header[:9])
    try:
        body = response.json()
    except ValueError:
        return None
    value = body.get("retry_after") if isinstance(body, dict) else None
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e9 else None


def _name(error: httpx.TransportError) -> str:
    """What went wrong on the line, from the class alone: texts of lower layers may hold anything."""
    match error:
        case httpx.TimeoutException():
            return "no answer in time"
        case httpx.ConnectError():
            return "no connection"
        case _:
            return "connection lost"


def _plain(headers: httpx.Headers) -> dict[str, str]:
    """Headers of a body that was already decoded."""
    dropped = {"content-encoding", "content-length", "transfer-encoding"}
    return {name: value for name, value in headers.items() if name.lower() not in dropped}
