"""Servers of the project file: they exist, and their addresses can be called."""

from __future__ import annotations

import pytest

from avatar_gitops.spec.checks_project import check_project
from avatar_gitops.spec.parse import parse_project

HEAD = "apiVersion: avatar-gitops/v1\nkind: Project\nmetadata: {name: demo}\nspec:\n"


def codes(body: str) -> list[str]:
    parsed = parse_project(HEAD + body, "avatar-gitops.yaml")
    assert parsed.run is not None, parsed.diagnostics
    return [f"{finding.code} {finding.severity}" for finding in check_project(parsed)]


@pytest.mark.parametrize("server", ["local", "env", "prod"])
def test_built_in_and_declared_servers_exist(server: str) -> None:
    assert codes(f"  server: {server}\n  servers: {{prod: {{base_url: 'https://x.example'}}}}\n") == []


def test_an_unknown_server_is_an_error() -> None:
    assert codes("  server: staging\n") == ["X021 error"]


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://avatar.example.org", []),
        ("https://avatar.example.org:8443/api/", []),
        ("http://localhost:8000", []),
        ("http://127.0.0.1:8000/api", []),
        ("http://[::1]:8000", []),
        ("env/AVATAR_BASE_URL", []),
        ("http://avatar.example.org", ["X022 warning"]),
        ("avatar.example.org", ["X022 error"]),
        ("ftp://avatar.example.org", ["X022 error"]),
        ("https://", ["X022 error"]),
        ("https://avatar.example.org:port", ["X022 error"]),
    ],
)
def test_addresses_of_servers(url: str, found: list[str]) -> None:
    assert codes(f"  servers: {{prod: {{base_url: '{url}'}}}}\n") == found


def test_a_project_with_errors_is_not_checked_further() -> None:
    assert check_project(parse_project(HEAD + "  server: 5\n", "avatar-gitops.yaml")) == []
