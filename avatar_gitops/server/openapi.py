"""The OpenAPI document of the API: what FastAPI knows of the routes, and what follows from how each of them is made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic.json_schema import models_json_schema

from avatar_gitops.server.answers import MEANINGS, RETRY_AFTER
from avatar_gitops.server.requests import account_of, managing_account_of
from avatar_gitops.wire.routes import API_PREFIX

SECURITY: Final = {
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`api-key-v1 octopize_apikey.<uuid>.<secret>`",
    },
    "accessToken": {"type": "http", "scheme": "bearer", "description": "An access token of POST /login."},
}
DESCRIPTION: Final = (
    "The HTTP API of the Avatar platform as the official clients 1.19 to 1.30 use it, answered by the embedded"
    " platform of avatar-gitops. Every refusal is JSON and says in `detail` what is wrong and how to mend it."
)
JSON: Final = "application/json"
UNSENT: Final = ("HTTPValidationError", "ValidationError")  # the forms of FastAPI, which this API does not use
REFERENCE: Final = "#/components/schemas/{}"


def describe(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Let the application serve the whole document; `routers` are those below the prefix of the API."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, routers)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # the way FastAPI documents


def _document(app: FastAPI, routers: Sequence[APIRouter]) -> dict[str, Any]:
    found = get_openapi(title=app.title, version=app.version, description=DESCRIPTION, routes=app.routes)
    for route in (route for router in routers for route in router.routes):
        assert isinstance(route, APIRoute)
        for method in route.methods or ():
            _complete(found["paths"][f"{API_PREFIX}{route.path_format}"][method.lower()], route)
    components = found["components"]
    components["securitySchemes"] = SECURITY
    schemas = components["schemas"]
    models = sorted({model for model, _ in MEANINGS.values()}, key=lambda model: model.__name__)
    _, definitions = models_json_schema([(model, "serialization") for model in models], ref_template=_reference())
    schemas |= definitions["$defs"]
    for name in UNSENT:
        schemas.pop(name, None)
    return found


def _reference() -> str:
    return REFERENCE.format("{model}")


def _complete(operation: dict[str, Any], route: APIRoute) -> None:
    calls = set(_calls(route.dependant))
    responses = operation["responses"]
    if UNSENT[0] in str(responses.get("422")):
        del responses["422"]
    implied = {500}
    if calls & {account_of, managing_account_of}:
        operation["security"] = [{scheme: []} for scheme in SECURITY]
        implied.add(401)
    if managing_account_of in calls:
        implied.add(429)
    if "requestBody" in operation:
        implied |= {413, 422} | ({400} if JSON in operation["requestBody"]["content"] else set())
    if operation.get("parameters") and any(where["in"] == "query" for where in operation["parameters"]):
        implied.add(422)
    for status in sorted(implied):
        responses.setdefault(str(status), _refusal(status))
    operation["responses"] = dict(sorted(responses.items()))


def _refusal(status: int) -> dict[str, Any]:
    model, meaning = MEANINGS[status]
    described: dict[str, Any] = {
        "description": meaning,
        "content": {JSON: {"schema": {"$ref": REFERENCE.format(model.__name__)}}},
    }
    return described | ({"headers": RETRY_AFTER} if status == 429 else {})


def _calls(dependant: Dependant) -> Iterator[Any]:
    """Every function that a route depends on."""
    for needed in dependant.dependencies:
        yield needed.call
        yield from _calls(needed)
