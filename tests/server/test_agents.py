"""What older official clients are shown instead of what they cannot understand."""

from __future__ import annotations

import pytest

from avatar_gitops.server.agents import read_agent
from avatar_gitops.wire.models import JobStatus


@pytest.mark.parametrize(
    ("version", "status", "shown"),
    [
        ("1.30.0", "cancelled", "cancelled"),
        ("1.29.0", "cancelled", "error"),
        ("1.22.0", "cancelled", "error"),
        ("1.22.0", "finished", "finished"),
        ("1.22.0", "parent_error", "parent_error"),
    ],
)
def test_a_status_is_one_that_the_client_knows(version: str, status: str, shown: str) -> None:
    """An error always says why: clients print `internal error` for one that does not."""
    job = {"status": JobStatus(status), "exception": ""}
    adapted = read_agent(f"avatar-python/{version}").adapt_job(job)
    assert adapted["status"] == shown
    assert (adapted["exception"] != "") == (shown != status)


@pytest.mark.parametrize("header", [None, "", "curl/8", "avatar-gitops/1.0", "avatar-python/next"])
def test_everybody_else_gets_the_newest_forms(header: str | None) -> None:
    agent = read_agent(header)
    job = {"status": JobStatus.CANCELLED, "exception": ""}
    assert agent.adapt_job(job) == job
    assert agent.reads_parquet and not agent.lists_oldest_first and agent.knows_scope("data_augmentation")


def test_documents_lose_the_key_that_old_clients_cannot_read_in_either_style() -> None:
    old = read_agent("avatar-python/1.22.0")
    block = "pseudonymization:\n  kind: FAKER\n  high_variability: false\n  consistent: true\n"
    flow = "{kind: FAKER, high_variability: false, consistent: true}"
    assert old.adapt_documents(block) == "pseudonymization:\n  kind: FAKER\n  consistent: true\n"
    assert old.adapt_documents(flow) == "{kind: FAKER, consistent: true}"
    assert read_agent("avatar-python/1.24.0").adapt_documents(block) == block
