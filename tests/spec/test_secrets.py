"""What is taken for a secret and what is not, and that it is hidden wherever its line is shown."""

from __future__ import annotations

import pytest

from avatar_gitops.report.diagnostics import as_json, as_text
from avatar_gitops.spec.parse import parse_project, parse_run
from avatar_gitops.spec.secrets import MASK, is_secret_key, mask, secret_columns, secret_in, shown

RANDOM = "q7Zk29LmXw81Rt55YbVn3GdHsPa4Kc0E"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "text",
    [
        "https://anna:pa55@example.org/x",
        "postgresql://anna:pa55@db/x",
        "octopize_apikey.abc.def",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_" + "a1B2" * 9,
        "glpat-" + "a1B2" * 5,
        "-----BEGIN RSA PRIVATE KEY-----",
        JWT,
        "https://bucket.s3.amazonaws.com/x.csv?X-Amz-Signature=abc",
        "https://account.blob.core.windows.net/x?sv=1&sig=abc",
        RANDOM,
    ],
)
def test_secrets_are_found_in_values(text: str) -> None:
    assert secret_in(text)
    assert text not in mask(f"  x: {text}", secret_columns(f"  x: {text}"))
    assert shown(text) == MASK


@pytest.mark.parametrize(
    "text",
    [
        "data/patients.csv",
        "s3://bucket/2026/patients-quarterly-release-final-version-2.parquet",
        "https://example.org:8443/data/patients.csv",
        "env/AVATAR_API_KEY",
        "sha256:" + "a1" * 32,
        "Quality indicators for the regional board, released each quarter",
        "20260917-patients-quarterly-release-2026Q3",
        "3f2a7b1c-9d4e-4c3b-8a21-5e6f7a8b9c0d",
        "A" * 40,
        "HospitalAdmissionDurationInDays2024",
        "MeanRadiusOfNucleus2ndMeasurement2024",
    ],
)
def test_ordinary_values_are_not_secrets(text: str) -> None:
    assert secret_in(text) is None
    line = f"  x: {text}"
    assert mask(line, secret_columns(line)) == line


@pytest.mark.parametrize(
    "key", ["password", "api_key", "apiKey", "secret_access_key", "DB_PASSWD", "digest_key", "token"]
)
def test_keys_that_hold_secrets(key: str) -> None:
    assert is_secret_key(key)
    assert "hunter2" not in mask(f"{key}: hunter2", secret_columns(f"{key}: hunter2"))


@pytest.mark.parametrize("key", ["primary_key", "monkey", "k", "name", "region", "keep_versions", "tokens_per_row"])
def test_keys_that_hold_none(key: str) -> None:
    assert not is_secret_key(key)


def test_a_column_called_password_is_not_a_secret() -> None:
    text = (
        "apiVersion: avatar-gitops/v1\nkind: AvatarRun\nmetadata: {name: a}\nspec:\n  tables:\n    t:\n"
        "      source: a.csv\n      columns: {password: {drop: true}}\n      avatarization: {k: 5}\n"
    )
    assert parse_run(text, "a.yaml").diagnostics == ()


@pytest.mark.parametrize("value", ["hunter2", "'hunter2'", "env/KEY/hunter2", "|\n        hunter2\n        hunter2"])
def test_a_secret_is_hidden_in_every_finding_about_its_lines(value: str) -> None:
    text = (
        "apiVersion: avatar-gitops/v1\nkind: Project\nmetadata: {name: a}\nspec:\n  servers:\n    prod:\n"
        f"      base_url: https://example.org\n      api_key: {value}\n"
    )
    parsed = parse_project(text, "avatar-gitops.yaml")
    assert [finding.code for finding in parsed.diagnostics] == ["S020"]
    assert "hunter2" not in as_text(parsed.diagnostics, {"avatar-gitops.yaml": text})
    assert "hunter2" not in as_json(parsed.diagnostics, 1)
    assert parsed.run is None


def test_a_reference_is_no_secret() -> None:
    text = (
        "apiVersion: avatar-gitops/v1\nkind: Project\nmetadata: {name: a}\nspec:\n  digest_key: env/DIGEST_KEY\n"
        "  servers: {prod: {base_url: 'https://example.org', api_key: env/AVATAR_API_KEY}}\n"
    )
    assert parse_project(text, "avatar-gitops.yaml").diagnostics == ()


@pytest.mark.parametrize("text", ["a://b:c@d", "x?sig=abc", "octopize_apikey.a", "sk-0123456789abcdef"])
def test_the_shortest_secrets_are_found(text: str) -> None:
    assert secret_in(text) is not None
