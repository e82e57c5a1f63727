"""Keys, users, the state folder and what the API says about itself."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import httpx
import pytest

from avatar_gitops.cli.commands.serve import command
from avatar_gitops.errors import UsageError
from avatar_gitops.server import ServeOptions
from avatar_gitops.server.limits import DIMENSIONS, JOB_MEMORY, LINES, MEMORY, PROGRAM_MIB, run_limits
from avatar_gitops.server.routes_accounts import users_me
from avatar_gitops.server.state import read_client_env
from tests.server.api import Api
from tests.server.workshop import Workshop


def test_the_state_folder_is_private_and_holds_the_first_key(state_dir: Path, admin: Api) -> None:
    assert stat.S_IMODE(state_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE((state_dir / "client.env").stat().st_mode) == 0o600
    env = read_client_env(state_dir / "client.env")
    assert env == {"AVATAR_BASE_URL": admin.base_url, "AVATAR_API_KEY": admin.key}
    assert re.fullmatch(r"octopize_apikey\.[0-9a-f-]{36}\.[A-Za-z0-9_-]{43}", admin.key)
    assert len(admin.key) == 96


def test_the_audit_log_begins_with_the_key_that_the_server_made_for_its_administrator(
    state_dir: Path, admin: Api
) -> None:
    first = json.loads((state_dir / "audit.log").read_text(encoding="ascii").splitlines()[0])
    assert (first["event"], first["actor"]) == ("api_key.create", "server")
    assert first["object_id"] == admin.key.split(".")[1]


def test_only_this_machine_is_served_unless_told_otherwise(admin: Api, tmp_path: Path) -> None:
    assert ServeOptions(tmp_path).host == "127.0.0.1"
    [option] = [option for option in command.params if option.name == "host"]
    assert option.default == "127.0.0.1"
    assert admin.base_url.startswith("http://127.0.0.1:")


def test_no_file_but_client_env_holds_a_usable_secret(state_dir: Path, admin: Api, other: Api) -> None:
    secrets = [admin.key.rpartition(".")[2].encode(), other.key.rpartition(".")[2].encode()]
    secrets += [user.credentials()["secret_access_key"].encode() for user in (admin, other)]
    for path in state_dir.rglob("*"):
        if path.is_file() and path.name != "client.env":
            content = path.read_bytes()
            assert not [secret for secret in secrets if secret in content], path.name


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "Not authenticated"),
        ("api-key-v1 x", "Invalid API key"),
        ("api-key-v1 octopize_apikey.00000000-0000-4000-8000-000000000000." + "A" * 43, "Invalid API key"),
        ("octopize", "Invalid API key"),
    ],
)
def test_requests_without_a_valid_key_are_refused(admin: Api, header: str | None, detail: str) -> None:
    headers = {"Authorization": header} if header is not None else {}
    response = httpx.get(f"{admin.base_url}/api/users/me", headers=headers)
    assert (response.status_code, response.json()) == (401, {"detail": detail})


def test_a_changed_secret_is_refused(admin: Api) -> None:
    last = "A" if admin.key[-1] != "A" else "B"
    headers = {"Authorization": f"api-key-v1 {admin.key[:-1]}{last}"}
    assert httpx.get(f"{admin.base_url}/api/users/me", headers=headers).status_code == 401


def test_a_key_is_shown_once_and_ends_when_revoked(admin: Api) -> None:
    created = admin.http.post("/api-keys", json={"name": "short", "expiration_days": 30})
    assert "location" not in created.headers
    key = created.json()["api_key"]
    with Api(admin.base_url, key["plaintext"]) as user:
        assert user.get("/users/me")["id"] == admin.get("/users/me")["id"]
        assert "plaintext" not in admin.get(f"/api-keys/{key['id']}")
        assert admin.http.delete(f"/api-keys/{key['id']}").status_code == 200
        assert user.http.get("/users/me").status_code == 401
    assert admin.http.delete(f"/api-keys/{key['id']}").status_code == 403
    assert admin.get(f"/api-keys/{key['id']}")["revoked_at"] is not None


def test_only_an_administrator_manages_others(admin: Api, other: Api) -> None:
    assert other.http.post("/users", json={"email": "x@example.org"}).status_code == 403
    me = admin.get("/users/me")["id"]
    body = {"name": "stolen", "expiration_days": 30}
    assert other.http.post("/api-keys", json=body, params={"user_id": me}).status_code == 403
    assert [user["email"] for user in other.get("/users")] == ["other@example.org"]
    assert other.http.get(f"/users/{me}").status_code == 404
    assert admin.http.post("/users", json={"email": "other@example.org"}).status_code == 409


def test_the_limits_of_the_platform_are_told(admin: Api) -> None:
    me = admin.get("/users/me")
    assert me["role"] == "admin"
    assert set(me["environment"]) >= {
        "dataset_expiration_days",
        "max_allowed_dimensions_per_dataset",
        "max_allowed_lines_per_dataset",
    }
    assert admin.get("/users/credits_info") == {"credits": None, "is_credit_enabled": False}
    assert "single_table" in admin.get("/users/features_info")["feature_scopes"]


def test_limits_come_from_the_environment(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LINES, "5000")
    monkeypatch.setenv(DIMENSIONS, "70")
    environment = users_me(workshop.platform, workshop.account)["environment"]
    assert environment["max_allowed_lines_per_dataset"] == 5_000
    assert environment["max_allowed_dimensions_per_dataset"] == 70


@pytest.mark.parametrize("text", ["0", "-1", "many", "1e6"])
def test_a_limit_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=f"{MEMORY} is not a whole number of at least 1"):
        run_limits({MEMORY: text})


def test_the_memory_of_a_run_stays_below_the_wall_around_its_job() -> None:
    assert run_limits({}).memory == 8_192 << 20
    assert run_limits({JOB_MEMORY: "20000"}).memory == 8_192 << 20
    assert run_limits({JOB_MEMORY: "1000"}).memory == (1_000 - PROGRAM_MIB) << 20
    assert run_limits({JOB_MEMORY: "1000", MEMORY: "900"}).memory == 900 << 20


def test_capabilities_name_what_the_engine_runs(admin: Api) -> None:
    found = admin.get("/capabilities")
    assert {"avatarization", "generation:local_gaussian", "column_weights"} <= set(found["features"])
    assert found["engine"].startswith("avatar-gitops-engine/")
    assert found["connections"] == []


@pytest.mark.parametrize("path", ["/health", "/health/db", "/", "/check_client", "/openapi.json", "/capabilities"])
def test_public_routes_need_no_key(admin: Api, path: str) -> None:
    response = httpx.get(f"{admin.base_url}/api{path}")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/api/nothing", "/api/jobs/", "/api/results/x"])
def test_errors_have_a_content_type_a_detail_and_no_redirect(admin: Api, path: str) -> None:
    response = admin.http.get(f"{admin.base_url}{path}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/json"
    assert next(iter(response.json())) == "detail"


def test_a_refused_body_is_not_repeated(admin: Api) -> None:
    response = admin.http.post("/jobs", json={"set_name": "a-private-value", "parameters_name": "x"})
    assert response.status_code == 422
    assert "a-private-value" not in response.text
    assert response.json()["detail"][0]["loc"] == ["body", "set_name"]


def test_an_endless_body_is_refused_before_anyone_is_signed_in(admin: Api) -> None:
    response = httpx.post(f"{admin.base_url}/api/jobs", content=b"[" * (9 << 20))
    assert response.status_code == 413
    assert "larger than" in response.json()["detail"]


def test_events_are_listed_newest_first_and_paged(other: Api) -> None:
    for number in range(3):
        other.http.post("/api-keys", json={"name": f"event {number}", "expiration_days": 30})
    found = other.get("/event-logs", verb="create", object_type="api_key", limit=2)
    assert len(found) == 2
    assert found[0]["created_at"] >= found[1]["created_at"]
    rest = other.get("/event-logs", verb="create", starting_after=found[1]["id"])
    assert found[0]["id"] not in {event["id"] for event in rest}
    assert other.get("/event-logs", created_from="2999-01-01T00:00:00+00:00") == []
