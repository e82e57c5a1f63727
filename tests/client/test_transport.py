"""Sign-in, retries, patience, refusals of the HTTP transport."""

from __future__ import annotations

import logging
import traceback
from typing import Any

import httpx
import pytest

from avatar_gitops.client import api
from avatar_gitops.client.transport import LostAnswer, Request, Retries, Transport, server_root
from avatar_gitops.errors import AvatarGitOpsError, RemoteRefused, RemoteUnavailable, UsageError
from avatar_gitops.events import Event, RequestDone, Retrying, Stream
from tests.support.http import BASE, KEY, Script, StillClock, answer, transport

GET = Request("GET", "/users/me")
POST = Request("POST", "/jobs", json={}, repeatable=False)
OK = answer({"fine": True})
BUSY = answer({"detail": "busy"}, 503)


def test_every_request_is_signed_names_us_and_goes_below_api() -> None:
    script = Script([OK])
    transport(script).send(GET)
    (request,) = script.requests
    assert str(request.url) == f"{BASE}/api/users/me"
    assert request.headers["Authorization"] == f"api-key-v1 {KEY}"
    assert request.headers["User-Agent"].startswith("avatar-gitops/")


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        answer({}, 502),
        BUSY,
        answer({}, 504),
        answer({}, 429),
    ],
)
def test_passing_troubles_are_tried_again(trouble: httpx.Response | Exception) -> None:
    script, clock = Script([trouble, trouble, OK]), StillClock()
    assert transport(script, clock).send(GET).json() == {"fine": True}
    assert clock.slept == [1.0, 2.0]


def test_back_off_doubles_up_to_a_limit_and_is_jittered() -> None:
    assert [Retries(jitter=lambda: 1.0).pause(n) for n in (1, 2, 3, 5, 9)] == [1, 2, 4, 16, 20]
    assert [Retries(jitter=lambda: 0.0).pause(n) for n in (1, 2, 9)] == [0.5, 1, 10]


def test_a_server_that_stays_away_is_unavailable_with_tries_time_and_last_status() -> None:
    script, clock = Script([httpx.ConnectError("x"), BUSY]), StillClock()
    with pytest.raises(RemoteUnavailable) as caught:
        transport(script, clock).send(GET)
    assert str(caught.value) == f"{BASE} did not answer (5 tries in 15 s, last: status 503)"
    assert caught.value.exit_code == 9
    assert len(script.requests) == 5


@pytest.mark.parametrize(
    ("reply", "pause"),
    [
        (answer({}, 429, {"Retry-After": "7"}), 7.0),
        (answer({"retry_after": 3}, 429), 3.0),
        (answer({"retry_after": 0}, 429), 1.0),
        (answer({}, 503, {"Retry-After": "4"}), 4.0),
        (answer({}, 429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), 1.0),
    ],
)
def test_the_server_says_how_long_to_wait(reply: httpx.Response, pause: float) -> None:
    clock = StillClock()
    transport(Script([reply, OK]), clock).send(GET)
    assert clock.slept == [pause]


def test_a_server_that_wants_an_hour_is_not_waited_for() -> None:
    script, clock = Script([answer({}, 429, {"Retry-After": "3600"})]), StillClock()
    with pytest.raises(RemoteUnavailable):
        transport(script, clock).send(GET)
    assert clock.slept == []


def test_pauses_are_told() -> None:
    heard: list[Event] = []

    def listen(event: Event) -> None:
        heard.append(event)

    http = Transport(
        BASE,
        KEY,
        clock=StillClock(),
        retries=Retries(jitter=lambda: 1.0, listener=listen),
        http=httpx.MockTransport(Script([BUSY, OK])),
    )
    http.send(GET)
    assert [event for event in heard if isinstance(event, Retrying)] == [Retrying("GET /users/me", 1, 1.0)]


def test_every_request_has_an_id_of_its_run() -> None:
    heard: list[Event] = []
    script = Script([BUSY, OK, OK])
    stream = Stream("run-7", heard.append)
    http = Transport(BASE, KEY, clock=StillClock(), retries=Retries(listener=stream), http=httpx.MockTransport(script))
    http.send(GET)
    http.send(GET)
    assert [request.headers["X-Request-Id"] for request in script.requests] == ["run-7-1", "run-7-2", "run-7-3"]
    told = [(event.id, event.status) for event in heard if isinstance(event, RequestDone)]
    assert told == [("run-7-1", BUSY.status_code), ("run-7-2", 200), ("run-7-3", 200)]


@pytest.mark.parametrize("trouble", [httpx.ReadTimeout("slow"), httpx.ReadError("cut"), BUSY, answer({}, 502)])
def test_what_must_not_happen_twice_is_not_repeated_blindly(trouble: httpx.Response | Exception) -> None:
    script = Script([trouble, OK])
    with pytest.raises(LostAnswer):
        transport(script).send(POST)
    assert len(script.requests) == 1


@pytest.mark.parametrize("trouble", [httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), answer({}, 429)])
def test_what_never_reached_the_server_is_repeated(trouble: httpx.Response | Exception) -> None:
    script = Script([trouble, OK])
    assert transport(script).send(POST).json() == {"fine": True}
    assert len(script.requests) == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_sign_in_is_not_tried_again(status: int) -> None:
    script = Script([answer({"detail": "Invalid API key"}, status)])
    with pytest.raises(RemoteUnavailable, match=rf"refused the sign-in \(status {status}: Invalid API key\)"):
        transport(script).send(GET)
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"detail": "no such set"}, "no such set"),
        ({"message": "too big", "code": 5}, "too big"),
        ({"detail": {"message": "inner"}}, "inner"),
        ({"code": 5, "detail": {"message": "hidden"}}, "{'message': 'hidden'}"),
        ({"detail": [{"loc": ["body", "set_name"], "msg": "field required", "type": "x"}]}, "field required: set_name"),
        ({"detail": [{"loc": [], "msg": "bad"}]}, "Bad Request: bad"),
        ({"odd": 1}, 'Internal error: {"odd": 1}'),
        ("plain", '"plain"'),
        ({"detail": "two\nlines\x07"}, "two lines?"),
    ],
)
def test_refusals_say_what_the_server_says(body: object, said: str) -> None:
    with pytest.raises(RemoteRefused) as caught:
        transport(Script([answer(body, 400)])).send(Request("POST", "/jobs"))
    assert str(caught.value) == f"Got error in HTTP request: POST {BASE}/api/jobs. Error status 400 - {said}"
    assert (caught.value.status, caught.value.exit_code) == (400, 1)


def test_an_empty_refusal_says_so() -> None:
    with pytest.raises(RemoteRefused, match="Error status 500 - no message available"):
        transport(Script([httpx.Response(500)])).send(GET)


def test_redirects_are_not_followed() -> None:
    script = Script([httpx.Response(301, headers={"Location": "https://elsewhere.example.org/"})])
    with pytest.raises(RemoteUnavailable, match="does not serve the Avatar API"):
        transport(script).send(GET)
    assert len(script.requests) == 1


def test_an_answer_that_is_not_the_api_names_the_place_and_not_the_value() -> None:
    with pytest.raises(RemoteRefused) as caught:
        api.me(transport(Script([answer({"id": "CELL", "organization_id": "CELL", "email": "x"})])))
    assert "GET /users/me" in str(caught.value)
    assert "CELL" not in str(caught.value)


def test_an_endless_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("avatar_gitops.client.transport.MAX_BODY_BYTES", 10)
    with pytest.raises(RemoteRefused, match="too large"):
        transport(Script([answer(["x" * 100])])).send(GET)


@pytest.mark.parametrize(
    "reply",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        answer({"detail": f"your key {KEY} is bad"}, 401),
        answer({"detail": f"your key {KEY} is bad"}, 400),
        httpx.Response(302, headers={"Location": f"https://x.example.org/?{KEY}"}),
        BUSY,
    ],
)
def test_the_key_is_in_no_error_no_log_and_no_repr(
    reply: httpx.Response | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    http = transport(Script([reply]))
    with caplog.at_level(logging.DEBUG), pytest.raises(AvatarGitOpsError) as caught:
        http.send(POST)
    seen = "".join(traceback.format_exception(caught.value)) + str(caught.value.hint) + repr(http) + caplog.text
    assert KEY not in seen


@pytest.mark.parametrize("key", ["", "  ", "two words", "lïne", "a\nb"])
def test_keys_that_cannot_be_sent_are_refused_without_being_shown(key: str) -> None:
    with pytest.raises(UsageError) as caught:
        Transport(BASE, key, clock=StillClock())
    assert not key.strip() or key not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ("https://a.example.org", "https://a.example.org"),
        ("https://a.example.org/api", "https://a.example.org"),
        ("https://a.example.org/api/", "https://a.example.org"),
        (" http://127.0.0.1:8080/ ", "http://127.0.0.1:8080"),
        ("https://api.example.org/x", "https://api.example.org/x"),
    ],
)
def test_base_urls_are_written_in_many_ways(given: str, root: str) -> None:
    assert server_root(given) == root


@pytest.mark.parametrize(
    "given",
    [
        "",
        "a.example.org",
        "ftp://a.example.org",
        "https://u:p@a.example.org",
        "https://",
        "http://[::1",
        "http://a:b",
        "http://a:70000",
    ],
)
def test_base_urls_that_are_none_are_refused(given: str) -> None:
    with pytest.raises(UsageError):
        server_root(given)


@pytest.mark.parametrize(
    ("base", "verify", "expected"),
    [
        (BASE, None, (True, True)),
        (BASE, False, (False, True)),
        ("http://127.0.0.1:8080", None, (True, False)),
        ("http://[::1]:8080", None, (True, False)),
        ("http://localhost", None, (True, False)),
        ("http://localhost.example.org", None, (True, True)),
    ],
)
def test_certificates_are_checked_and_this_machine_is_not_asked_through_a_proxy(
    monkeypatch: pytest.MonkeyPatch, base: str, verify: bool | None, expected: tuple[bool, bool]
) -> None:
    given: dict[str, object] = {}

    class Client(httpx.Client):
        def __init__(self, **options: Any) -> None:
            given.update(options)
            super().__init__(**options)

    monkeypatch.setattr(httpx, "Client", Client)
    clock = StillClock()
    made = Transport(base, KEY, clock=clock) if verify is None else Transport(base, KEY, clock=clock, verify=verify)
    made.close()
    assert (given["verify"], given["trust_env"]) == expected
    assert given["follow_redirects"] is False


def test_once_takes_what_a_lost_answer_created() -> None:
    http, found = transport(Script([OK])), iter([None, "job-1"])

    def send() -> str:
        raise LostAnswer("lost")

    assert http.once(send, lambda: next(found)) == "job-1"


def test_once_gives_up_in_the_end() -> None:
    tries: list[int] = []

    def send() -> str:
        tries.append(1)
        raise LostAnswer("lost")

    with pytest.raises(LostAnswer):
        transport(Script([OK])).once(send, lambda: None)
    assert len(tries) == 5
