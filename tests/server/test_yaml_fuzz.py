"""Documents that nobody meant are refused or run to a defined end: no fault of the server, no job in between."""

from __future__ import annotations

import os
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, event, given, settings

from avatar_gitops.server.faults import ApiFault
from tests.server.api import Api
from tests.server.workshop import Workshop
from tests.server.yaml_mutations import BOMBS, VALID, bodies, sets, written

ANSWERS: Final = {200, 201, 413, 422}
HEALTH: Final = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large)
JOBS: Final = ("standard", "privacy_metrics", "signal_metrics", "report", "advice")


def tried(examples: int) -> settings:
    """So many examples; the same ones for the same code in CI."""
    return settings(
        max_examples=examples, deadline=None, suppress_health_check=HEALTH, derandomize=bool(os.environ.get("CI"))
    )


def put(api: Api, body: bytes) -> int:
    """The status of the answer to a set; it is JSON and holds a detail when it is a refusal."""
    answer = api.http.put("/resources/fuzz", content=body, headers={"Content-Type": "application/yaml"})
    assert answer.status_code in ANSWERS, answer.text
    assert (answer.status_code >= 400) == ("detail" in answer.json())
    return int(answer.status_code)


def check_jobs(workshop: Workshop, made: list[Any]) -> None:
    """Whatever of the set is accepted runs to an end that is told in words."""
    try:
        set_id = workshop.put_set(written(made), "fuzz")
    except ApiFault as fault:
        assert fault.status in {413, 422}
        event("refused")
        return
    ends: dict[str, str] = {}
    for parameters in JOBS:
        parents = [ends["standard"]] if parameters.endswith("_metrics") and "standard" in ends else []
        if parameters == "report":
            parents = [ends[name] for name in ("privacy_metrics", "signal_metrics") if name in ends]
        try:
            ends[parameters] = workshop.launch(set_id, parameters, parents)
        except ApiFault as fault:
            assert fault.status in {404, 422}
    workshop.work()
    for name in ends.values():
        job = workshop.job(name)
        assert job["done"] and job["status"] in {"finished", "error", "parent_error"}, job
        assert (job["exception"] == "") == (job["status"] == "finished"), job
        assert "internal error" not in job["exception"], job
        event(job["status"])


@pytest.mark.parametrize("at", range(len(VALID)))
def test_the_sets_that_are_changed_are_valid(at: int, admin: Api) -> None:
    assert put(admin, written(VALID[at]).encode()) == 200


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda text: text[:20].encode("unicode_escape").decode())
def test_bombs_are_refused(bomb: str, admin: Api) -> None:
    assert put(admin, bomb.encode()) in {413, 422}


@tried(60)
@given(body=bodies())
def test_any_body_is_accepted_or_refused(body: bytes, admin: Api) -> None:
    put(admin, body)


@tried(4)
@given(made=sets())
def test_jobs_of_what_was_accepted_end(made: list[Any], workshop: Workshop) -> None:
    check_jobs(workshop, made)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@tried(3_000)
@given(body=bodies())
def test_any_of_many_bodies_is_accepted_or_refused(body: bytes, admin: Api) -> None:
    put(admin, body)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@tried(400)
@given(made=sets())
def test_jobs_of_many_accepted_sets_end(made: list[Any], workshop: Workshop) -> None:
    check_jobs(workshop, made)
