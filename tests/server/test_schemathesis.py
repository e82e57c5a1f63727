"""Requests made up from the OpenAPI document, at a real server: no fault of it, no answer that the document lacks."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from avatar_gitops.server import LocalServer, start
from tests.support.official import clean_environment, environment_with

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CHECKS: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
)
EXAMPLES: Final = 25
LEFT_OUT: Final = ("revoke_all_api_api_keys_delete",)  # it would revoke the key in use
# 501 is a documented answer: there are no databases here, and no mail unless it is set up.
CONFIGURATION: Final = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 501]
"""
HEADER: Final = """
[headers]
Authorization = "api-key-v1 ${AVATAR_API_KEY}"
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalServer]:
    """A server of its own for each run: some operations delete what the next ones would need."""
    with start(tmp_path / "state") as running:
        yield running


@pytest.mark.parametrize("signed_in", [True, False], ids=["with a key", "without"])
def test_no_answer_contradicts_the_document(signed_in: bool, server: LocalServer, tmp_path: Path) -> None:
    python = environment_with("schemathesis-4", ("schemathesis>=4.32,<5",))
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION + (HEADER if signed_in else ""), encoding="utf-8")
    command = [str(python.with_name("schemathesis")), "--config-file", str(configuration), "run", "--no-color"]
    options = [f"--checks={','.join(CHECKS)}", f"--max-examples={EXAMPLES}", "--phases=examples,coverage,fuzzing"]
    options += [f"--exclude-operation-id={operation}" for operation in LEFT_OUT] if signed_in else []
    always = ["--warnings=off", "--continue-on-failure"]
    always += ["--generation-deterministic" if os.environ.get("CI") else "--generation-database=none"]
    document = f"{server.base_url}/api/openapi.json"
    done = subprocess.run(
        [*command, *options, *always, document],
        cwd=tmp_path,
        env={**clean_environment(), "AVATAR_API_KEY": server.api_key},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-2000:]
    assert server.api_key not in done.stdout
