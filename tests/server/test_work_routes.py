"""The API as clients meet it: long questions, sets of the web application, files, features, what is not offered."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.server.api import Api, documents, people
from tests.support.processes import workers_held

AS_JSON = {"Content-Type": "application/json"}
FROM_THE_WEB = """kind: AvatarSchema
metadata: {name: schema}
spec: {tables: [{name: web, data: {volume: input, file: web.csv}}]}
---
kind: AvatarSchema
metadata: {name: schema_avatarized}
spec: {tables: [{name: web, avatars_data: {auto: true}}], schema_ref: schema}
---
kind: AvatarParameters
metadata: {name: standard}
spec:
  schema: schema
  avatarization: {web: {k: 10, ncp: 3, column_weights: {age: 2}}}
  results: {volume: output, path: standard, max_distribution_plots: 0}
---
kind: AvatarPrivacyMetricsParameters
metadata: {name: privacy_metrics}
spec: {schema: schema_avatarized, avatarization_ref: standard, privacy_metrics: {web: {ncp: 3}}}
---
kind: AvatarReportParameters
metadata: {name: report}
spec: {report_type: basic, results: {volume: output, path: report}}
"""


def test_a_set_of_the_web_application_is_accepted_and_runs(admin: Api) -> None:
    """It has no metadata, another volume and no document of signal metrics, which clients launch all the same."""
    admin.upload("web.csv", people(80))
    set_id = admin.put_set(FROM_THE_WEB, "from_the_web")
    standard = admin.launch(set_id, "standard")
    jobs = [standard, *(admin.launch(set_id, name, [standard]) for name in ("signal_metrics", "privacy_metrics"))]
    assert [(job["status"], job["exception"]) for job in map(admin.wait, jobs)] == [("finished", "")] * 3


def test_a_question_about_a_running_job_is_answered_within_seconds(admin: Api, state_dir: Path) -> None:
    """Nobody has to keep a call open until a job ends."""
    admin.upload("people.csv", people(120))
    with workers_held(state_dir):
        job = admin.launch(admin.put_set(documents()), "standard")
        assert not admin.job(job)["done"]
    assert admin.wait(job)["status"] == "finished"


def test_events_tell_of_every_kind_of_act(admin: Api) -> None:
    set_id = admin.put_set(documents())
    admin.http.get(f"/resources/{set_id}")
    job = admin.launch(set_id, "standard")
    admin.wait(job)
    files = admin.files(job)
    admin.http.delete(f"/jobs/{job}")
    found = {(event["verb"], event["object_type"], event["object_id"]) for event in admin.get("/event-logs")}
    assert files
    assert {
        ("create", "resource", set_id),
        ("read", "resource", set_id),
        ("create", "job", job),
        ("read", "job", job),
        ("delete", "job", job),
        ("create", "file", None),
        ("download", "file", None),
        ("startup", "", None),
    } <= found


def test_documents_are_added_by_many_at_once_and_none_is_lost(admin: Api) -> None:
    from concurrent.futures import ThreadPoolExecutor

    set_id = admin.put_set(documents())

    def add(number: int) -> int:
        text = json.dumps({"kind": "AvatarNote", "metadata": {"name": f"note-{number}"}, "spec": {}})
        return admin.http.post(f"/resources/{set_id}", content=text).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(add, range(8))) == {200}
    text = admin.http.get(f"/resources/{set_id}").text
    assert all(f"note-{number}" in text for number in range(8))


def test_features_are_the_words_of_the_platform_and_those_that_the_client_knows(admin: Api) -> None:
    now = admin.get("/users/features_info")["feature_scopes"]
    assert {"multi_table", "time_series", "differential_privacy", "data_augmentation"} <= set(now)
    with Api(admin.base_url, admin.key, "avatar-python/1.24.0") as old:
        assert set(old.get("/users/features_info")["feature_scopes"]) == set(now) - {"data_augmentation"}


def test_databases_are_not_offered_and_every_call_says_so(admin: Api) -> None:
    assert admin.get("/capabilities")["database_engines"] == []
    assert admin.get("/connections") == {"connections": []}
    assert admin.get("/connections/engines") == {"engines": []}
    assert admin.get("/connections/presets") == {"presets": []}
    refused = [
        admin.http.put("/connections/crm", json={"engine": "postgresql", "dsn": "canary-value"}),
        admin.http.post("/connections/test", json={"engine": "postgresql"}),
        admin.http.post("/connections/presets", json={"kind": "demo"}),
    ]
    unknown = [
        admin.http.patch("/connections/crm", json={"label": "CRM"}),
        admin.http.delete("/connections/crm"),
        admin.http.post("/connections/crm/test"),
        admin.http.post("/connections/crm/sample", json={"columns": {}}),
    ]
    assert {answer.status_code for answer in refused} == {501}
    assert {answer.status_code for answer in unknown} == {404}
    for answer in (*refused, *unknown):
        assert "does not offer database connections" in answer.json()["detail"]
        assert "canary-value" not in answer.text


@pytest.mark.parametrize("kind", ["AvatarDatabase", "AvatarExtractParameters", "AvatarSharedEntity"])
def test_documents_of_database_runs_are_refused_by_their_kind(kind: str, admin: Api) -> None:
    text = json.dumps({"kind": kind, "metadata": {"name": "x"}, "spec": {}})
    answer = admin.http.put("/resources/database", content=text)
    assert answer.status_code == 422
    assert kind in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("GET", "/jobs", {"params": {"limit": "10" * 20}}, 200),
        ("GET", "/jobs", {"params": {"limit": "-1"}}, 422),
        ("GET", "/jobs", {"params": {"surprise": "1"}}, 200),
        ("GET", "/jobs", {"params": {"names": [str(uuid.uuid4()) for _ in range(101)]}}, 400),
        ("GET", "/event-logs", {"params": {"limit": "9" * 30}}, 200),
        ("GET", "/event-logs", {"params": {"created_from": "yesterday"}}, 422),
        ("GET", "/event-logs", {"params": {"created_from": "0001-01-01T00:00:00+14:00"}}, 200),
        ("POST", "/jobs/bulk-delete", {"json": {"job_names": ["x"] * 101}}, 422),
        ("POST", "/jobs/flow", {"json": []}, 422),
        ("POST", "/jobs/flow", {"json": {"set_name": str(uuid.uuid4())}}, 404),
        ("POST", "/access/batch", {"content": b'[1, null, "s3://x/y", "\\ud800"]', "headers": AS_JSON}, 200),
        ("POST", "/access/batch", {"json": {}}, 422),
        ("POST", "/jobs", {"content": b"[" * 100_000, "headers": AS_JSON}, 400),
    ],
)
def test_odd_requests_have_an_answer(method: str, path: str, more: dict[str, Any], status: int, admin: Api) -> None:
    answer = admin.http.request(method, path, **more)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
