"""The event and the environment of a run as data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.ci.event import Branch, PullRequest, Run, branch, pull_request, read_run
from avatar_gitops.errors import UsageError

HEAD = "a" * 40


def environment(tmp_path: Path, payload: object, **more: str) -> dict[str, str]:
    path = tmp_path / "event.json"
    path.write_text(payload if isinstance(payload, str) else json.dumps(payload), encoding="utf-8")
    return {"GITHUB_REPOSITORY": "acme/data", "GITHUB_EVENT_PATH": str(path), "GITHUB_RUN_ID": "77", **more}


def event(source: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "pull_request": {
            "number": 7,
            "head": {"sha": HEAD, "repo": {"id": source}},
            "base": {"repo": {"id": 1}},
            **more,
        }
    }


def test_a_pull_request(tmp_path: Path) -> None:
    run = read_run(environment(tmp_path, event()))
    assert pull_request(run) == PullRequest(7, HEAD, fork=False)
    assert run.log == "https://github.com/acme/data/actions/runs/77"
    assert run.files(HEAD) == f"https://github.com/acme/data/blob/{HEAD}/"
    assert pull_request(read_run(environment(tmp_path, event(source=2)))) == PullRequest(7, HEAD, fork=True)


def test_a_workflow_run_names_its_pull_request_or_its_branch(tmp_path: Path) -> None:
    named = {"workflow_run": {"pull_requests": [event()["pull_request"]]}}
    assert pull_request(read_run(environment(tmp_path, named))) == PullRequest(7, HEAD)
    source = {"owner": {"login": "fork"}}
    fork = {
        "workflow_run": {"pull_requests": [], "head_repository": source, "head_branch": "x", "head_sha": HEAD},
    }
    run = read_run(environment(tmp_path, fork))
    assert pull_request(run) is None
    assert branch(run) == Branch("fork", "x", HEAD)


@pytest.mark.parametrize("payload", [{}, [], {"pull_request": 3}, event(number=True), event(number=0), {"commits": []}])
def test_other_events_name_no_pull_request(tmp_path: Path, payload: object) -> None:
    assert pull_request(read_run(environment(tmp_path, payload))) is None


def test_outside_of_github_everything_is_empty() -> None:
    assert read_run({}) == Run()
    assert Run().log == Run().files(HEAD) == ""


@pytest.mark.parametrize(
    "more",
    [
        {"GITHUB_REPOSITORY": "acme/data/../x"},
        {"GITHUB_API_URL": "file:///etc/passwd"},
        {"GITHUB_SERVER_URL": "https://x.example/)[a](http://y"},
        {"GITHUB_EVENT_PATH": "nowhere.json"},
    ],
)
def test_an_environment_that_cannot_be_github_is_refused(tmp_path: Path, more: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        read_run({**environment(tmp_path, {}), **more})


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "\ud800".encode("utf-8", "surrogatepass").decode("latin-1")])
def test_an_event_that_is_not_json_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError):
        read_run(environment(tmp_path, text))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["pull_request", "workflow_run", "pull_requests", "head", "sha", "number", "repo"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["pull_request", "workflow_run"]), json_values))
def test_no_event_breaks_the_reader(payload: dict[str, Any]) -> None:
    run = Run(payload=payload)
    found = pull_request(run)
    assert found is None or found.number > 0
    branch(run)
