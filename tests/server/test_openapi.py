"""The OpenAPI document is whole and true: every operation, how it may refuse, and what the official clients call."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Final, cast

import anyio
import httpx
import pytest

from avatar_gitops.server.app import create_app
from avatar_gitops.server.platform import Platform
from tests.server.api import Api

JSON: Final = "application/json"
# What clients 1.19 to 1.30 call: their API classes, and the calls of their workflows.
CALLED: Final = {
    "/check_client": {"GET"},
    "/health": {"GET"},
    "/health/db": {"GET"},
    "/": {"GET"},
    "/capabilities": {"GET"},
    "/login": {"POST"},
    "/refresh": {"POST", "GET"},
    "/login/forgotten_password": {"POST"},
    "/login/reset_password": {"POST"},
    "/logout": {"POST"},
    "/users/me": {"GET"},
    "/users": {"GET", "POST"},
    "/users/{user_id}": {"GET", "DELETE"},
    "/users/credits_info": {"GET"},
    "/users/features_info": {"GET"},
    "/api-keys": {"GET", "POST", "DELETE"},
    "/api-keys/{key_id}": {"GET", "DELETE"},
    "/api-keys/admin": {"DELETE"},
    "/resources/{display_name}": {"PUT"},
    "/resources/{set_id}": {"POST", "GET"},
    "/resources/volume": {"GET"},
    "/jobs": {"POST", "GET"},
    "/jobs/flow": {"POST"},
    "/jobs/last_set": {"GET"},
    "/jobs/{name}": {"GET", "DELETE"},
    "/jobs/{name}/cancel": {"POST"},
    "/jobs/bulk-delete": {"POST"},
    "/results/{name}": {"GET"},
    "/upload_url": {"GET"},
    "/access": {"GET"},
    "/access/batch": {"POST"},
    "/event-logs": {"GET"},
    "/connections": {"GET"},
    "/connections/engines": {"GET"},
    "/connections/presets": {"GET", "POST"},
    "/connections/{name}": {"PUT", "PATCH", "DELETE"},
    "/connections/test": {"POST"},
    "/connections/{name}/test": {"POST"},
    "/connections/{name}/sample": {"POST"},
}


@pytest.fixture(scope="module")
def document(admin: Api) -> dict[str, Any]:
    return dict(admin.get("/openapi.json"))


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path.removeprefix('/api')}", operation


def test_every_call_of_the_official_clients_is_described(document: dict[str, Any]) -> None:
    wanted = {f"{method} {path}" for path, methods in CALLED.items() for method in methods}
    assert wanted <= {name for name, _ in operations(document)}


def test_every_operation_says_how_it_may_refuse(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        answers = operation["responses"]
        assert "500" in answers, name
        assert ("401" in answers) or "security" not in operation, name
        assert {"413", "422"} <= answers.keys() or "requestBody" not in operation, name
        assert operation["description"] and operation["tags"], name
        for status, answer in answers.items():
            if int(status) >= 400:
                [(media, content)] = answer["content"].items()
                assert media == JSON, name
                assert content["schema"]["$ref"].removeprefix("#/components/schemas/") in REFUSALS, (name, status)
            assert ("Retry-After" in answer.get("headers", {})) == (status == "429"), (name, status)


REFUSALS: Final = frozenset({"Refusal", "Unauthenticated", "Invalid", "TooMany"})


def test_every_answer_has_a_form_and_every_form_is_there(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            for content in answer["content"].values():
                assert content["schema"], (name, status)
    text = str(document)
    known = document["components"]["schemas"].keys()
    assert all(part.split("'")[0] in known for part in text.split("#/components/schemas/")[1:])


def test_keys_and_tokens_are_the_two_ways_to_sign_in(document: dict[str, Any]) -> None:
    assert document["components"]["securitySchemes"].keys() == {"apiKey", "accessToken"}
    public = {name for name, operation in operations(document) if "security" not in operation}
    assert public == {
        "GET /",
        "GET /health",
        "GET /health/db",
        "GET /check_client",
        "GET /capabilities",
        "POST /login",
        "GET /refresh",
        "POST /refresh",
        "POST /login/forgotten_password",
        "POST /login/reset_password",
        "POST /login/verify_email",
    }


def test_no_success_carries_a_location(document: dict[str, Any]) -> None:
    """Clients would follow it instead of reading the answer."""
    assert not any(
        status.startswith("2") and answer.get("headers")
        for _, operation in operations(document)
        for status, answer in operation["responses"].items()
    )


def test_a_fault_of_the_server_is_an_internal_error_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The log names the call and the kind of fault, never what was sent."""
    broken = create_app(cast(Platform, SimpleNamespace(trusted_proxies=())))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(broken, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://platform") as client:
            return await client.get("/api/health/db", params={"secret": "canary-value"})

    with caplog.at_level(logging.ERROR):
        answer = anyio.run(ask)
    assert (answer.status_code, answer.json()) == (500, {"detail": "internal error"})
    assert "GET ['api', 'health']: AttributeError" in caplog.text
    assert "canary-value" not in caplog.text
