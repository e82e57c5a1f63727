"""How a stranger tries each route of the API: with the ids of somebody else's objects, or with ids that nobody has."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.routing import BaseRoute

from tests.server.api import documents

Ids = dict[str, str]


@dataclass(frozen=True)
class Try:
    """One request; `path` is relative to the API."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None
    yaml: str | None = None

    def options(self) -> dict[str, Any]:
        """The rest of the request, as httpx takes it."""
        if self.yaml is not None:
            return {"params": self.query, "content": self.yaml, "headers": {"Content-Type": "application/yaml"}}
        return {"params": self.query, **({} if self.body is None else {"json": self.body})}


def routes(found: Iterable[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Method and path of every route of an application, those of included routers too."""
    for route in found:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from routes(inner.routes, prefix + route.include_context.prefix)  # type: ignore[attr-defined]
            continue
        path = getattr(route, "path", "")
        for method in sorted(getattr(route, "methods", None) or {"*"}):
            yield method, f"{prefix}{path}"


def nobody(ids: Ids) -> Ids:
    """Ids of the same forms that nothing has."""
    made = {name: str(uuid.uuid4()) for name in ids}
    bucket, key = made["user"], ids["key"].replace(ids["job"], made["job"]).replace(ids["set"], made["set"])
    return {
        **made,
        "key": key,
        "url": f"s3://{bucket}/{key}",
        "email": "nobody-at-all@example.org",
        "name": "no-such-run",
    }


def _set(ids: Ids, **table: Any) -> str:
    """A set that refers to somebody else's storage."""
    volume = {"kind": "AvatarVolume", "metadata": {"name": "input"}, "spec": {"url": f"s3://{ids['user']}/3650d"}}
    return f"{documents()}\n---\n{json.dumps(volume)}\n"


NEW_KEY: Final = {"name": "stolen", "expiration_days": 30}

# For every route: what a stranger sends. A new route has to be added here, or the test that walks the routes fails.
TRIES: Final[dict[str, Callable[[Ids], Sequence[Try]]]] = {
    "GET /users/me": lambda ids: [Try("GET", "/users/me", {"user_id": ids["user"]})],
    "GET /users/credits_info": lambda ids: [Try("GET", "/users/credits_info", {"user_id": ids["user"]})],
    "GET /users/features_info": lambda ids: [Try("GET", "/users/features_info", {"user_id": ids["user"]})],
    "GET /users": lambda ids: [Try("GET", "/users"), Try("GET", "/users", {"email": ids["email"]})],
    "GET /users/{user_id}": lambda ids: [Try("GET", f"/users/{ids['user']}")],
    "POST /users": lambda ids: [Try("POST", "/users", body={"email": ids["email"], "role": "admin"})],
    "DELETE /users/{user_id}": lambda ids: [Try("DELETE", f"/users/{ids['user']}")],
    "GET /api-keys": lambda ids: [Try("GET", "/api-keys", {"user_id": ids["user"]})],
    "POST /api-keys": lambda ids: [Try("POST", "/api-keys", {"user_id": ids["user"]}, NEW_KEY)],
    "DELETE /api-keys": lambda ids: [Try("DELETE", "/api-keys", {"user_id": ids["user"]})],
    "DELETE /api-keys/admin": lambda ids: [
        Try("DELETE", "/api-keys/admin", {"user_id": ids["user"]}),
        Try("DELETE", "/api-keys/admin", {"user_id": ids["user"], "api_key_id": ids["api_key"]}),
    ],
    "GET /api-keys/{key_id}": lambda ids: [Try("GET", f"/api-keys/{ids['api_key']}")],
    "DELETE /api-keys/{key_id}": lambda ids: [Try("DELETE", f"/api-keys/{ids['api_key']}")],
    "PUT /resources/{display_name}": lambda ids: [Try("PUT", f"/resources/{ids['name']}", yaml=_set(ids))],
    "POST /resources/{set_id}": lambda ids: [Try("POST", f"/resources/{ids['set']}", yaml=documents())],
    "GET /resources/volume": lambda ids: [
        Try("GET", "/resources/volume", {"volume_name": "input", "set_name": ids["set"], "display_name": ids["name"]}),
        Try("GET", "/resources/volume", {"purpose": "results", "set_name": ids["set"]}),
    ],
    "GET /resources/{set_id}": lambda ids: [Try("GET", f"/resources/{ids['set']}")],
    "POST /jobs": lambda ids: [
        Try("POST", "/jobs", body={"set_name": ids["set"], "parameters_name": "standard", "depends_on": []}),
        Try("POST", "/jobs", body={"set_name": ids["set"], "parameters_name": "report", "depends_on": [ids["job"]]}),
    ],
    "POST /jobs/flow": lambda ids: [Try("POST", "/jobs/flow", body={"set_name": ids["set"]})],
    "POST /jobs/bulk-delete": lambda ids: [Try("POST", "/jobs/bulk-delete", body={"job_names": [ids["job"]]})],
    "GET /jobs": lambda ids: [
        Try("GET", "/jobs"),
        Try("GET", "/jobs", {"include_deleted": "true"}),
        Try("GET", "/jobs", {"set_name": ids["set"]}),
        Try("GET", "/jobs", {"display_name": ids["name"]}),
        Try("GET", "/jobs", {"names": ids["job"]}),
    ],
    "GET /jobs/last_set": lambda ids: [Try("GET", "/jobs/last_set", {"user_id": ids["user"]})],
    "GET /jobs/{name}": lambda ids: [Try("GET", f"/jobs/{ids['job']}")],
    "DELETE /jobs/{name}": lambda ids: [Try("DELETE", f"/jobs/{ids['job']}")],
    "POST /jobs/{name}/cancel": lambda ids: [Try("POST", f"/jobs/{ids['job']}/cancel")],
    "GET /results/{name}": lambda ids: [Try("GET", f"/results/{ids['job']}")],
    "GET /upload_url": lambda ids: [Try("GET", "/upload_url", {"user_id": ids["user"]})],
    "GET /access": lambda ids: [Try("GET", "/access", {"url": url}) for url in _urls(ids)],
    "POST /access/batch": lambda ids: [Try("POST", "/access/batch", body=_urls(ids))],
    "GET /event-logs": lambda ids: [
        Try("GET", "/event-logs", {"user_id": ids["user"]}),
        Try("GET", "/event-logs", {"starting_after": ids["event"]}),
    ],
    "GET /connections": lambda ids: [Try("GET", "/connections", {"user_id": ids["user"]})],
    "GET /connections/engines": lambda ids: [Try("GET", "/connections/engines", {"user_id": ids["user"]})],
    "GET /connections/presets": lambda ids: [Try("GET", "/connections/presets", {"user_id": ids["user"]})],
    "POST /connections/presets": lambda ids: [Try("POST", "/connections/presets", body={"scope": ids["user"]})],
    "POST /connections/test": lambda ids: [Try("POST", "/connections/test", body={"dsn": ids["url"]})],
    "PUT /connections/{name}": lambda ids: [Try("PUT", "/connections/crm", body={"dsn": ids["url"]})],
    "PATCH /connections/{name}": lambda ids: [Try("PATCH", f"/connections/{ids['name']}", body={"label": "mine"})],
    "DELETE /connections/{name}": lambda ids: [Try("DELETE", f"/connections/{ids['name']}")],
    "POST /connections/{name}/test": lambda ids: [Try("POST", f"/connections/{ids['name']}/test")],
    "POST /connections/{name}/sample": lambda ids: [Try("POST", f"/connections/{ids['name']}/sample", body={})],
    "POST /logout": lambda ids: [Try("POST", "/logout", {"user_id": ids["user"]})],
}

# Open to everybody: they know nobody, or take a secret of their own.
OPEN: Final[dict[str, Callable[[Ids], Sequence[Try]]]] = {
    "GET /check_client": lambda ids: [Try("GET", "/check_client", {"user_id": ids["user"]})],
    "GET /": lambda ids: [Try("GET", "/")],
    "GET /health": lambda ids: [Try("GET", "/health")],
    "GET /health/db": lambda ids: [Try("GET", "/health/db")],
    "GET /capabilities": lambda ids: [Try("GET", "/capabilities", {"user_id": ids["user"]})],
    "GET /openapi.json": lambda ids: [Try("GET", "/openapi.json")],
    "HEAD /openapi.json": lambda ids: [Try("HEAD", "/openapi.json")],
    "POST /login": lambda ids: [Try("POST", "/login", body={"username": ids["email"], "password": "guess"})],
    "GET /refresh": lambda ids: [Try("GET", "/refresh", {"token": ids["sign_in"]})],
    "POST /refresh": lambda ids: [Try("POST", "/refresh", {"token": ids["sign_in"]})],
    "POST /login/forgotten_password": lambda ids: [
        Try("POST", "/login/forgotten_password", body={"email": ids["email"]})
    ],
    "POST /login/reset_password": lambda ids: [Try("POST", "/login/reset_password", body=_new_password(ids))],
    "POST /login/verify_email": lambda ids: [Try("POST", "/login/verify_email", body={"token": ids["user"]})],
}


def _urls(ids: Ids) -> list[str]:
    """Every way in which a client may name a file, and some in which none does."""
    url = ids["url"]
    return [
        url,
        f"http://example.org/api/access?url={url}",
        f"s3://{ids['user']}/",
        f"s3://{ids['user']}",
        f"x?url=s3://{ids['user']}/../{ids['user']}/{ids['key']}",
        f"?url=?url={url}",
    ]


def _new_password(ids: Ids) -> dict[str, str]:
    new = "a stranger's password"
    return {"email": ids["email"], "new_password": new, "new_password_repeated": new, "token": ids["sign_in"]}
