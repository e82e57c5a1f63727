"""The client against the embedded platform: everything that an apply asks of a server, over real HTTP."""

from __future__ import annotations

import csv
import io
import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from avatar_gitops.client import api
from avatar_gitops.client.gateway import connect
from avatar_gitops.client.objects import LIMITS, Objects, SensitiveRefused
from avatar_gitops.client.transport import Transport
from avatar_gitops.errors import AvatarGitOpsError, RemoteRefused, RemoteUnavailable
from avatar_gitops.plan.annotations import marks
from avatar_gitops.plan.desired import DesiredSet, TableInput, avatars_input, desire
from avatar_gitops.plan.observed import Annotation, ServerJob, ServerSet
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.reconcile.executor import execute, exit_code
from avatar_gitops.spec.models import AvatarRun, Job
from avatar_gitops.wire.models import ResultKind
from avatar_gitops.workspace.inputs import local_facts
from tests.contract.conftest import Site
from tests.support.memory import Memory, ports

PROJECT = "contract"
ODD_TABLE = "peo ple/é.x+(1)'"


def desired(site: Site, name: str, table: str = "people", **spec: Any) -> DesiredSet:
    """A desired set over the project's table; `method` replaces the table's settings."""
    method = spec.pop("method", {"avatarization": {"k": 5, "ncp": 3}})
    content = {"seed": 7, "tables": {table: {"source": "data/people.csv", **method}}, **spec}
    plain = {
        "apiVersion": "avatar-gitops/v1",
        "kind": "AvatarRun",
        "metadata": {"name": name},
        "spec": content,
    }
    sources = {table: "data/people.csv"}
    if "avatars" in method:
        sources[avatars_input(table)] = method["avatars"]
    return desire(AvatarRun.model_validate_json(json.dumps(plain)), f"configs/{name}.yaml", inputs(site.root, sources))


def inputs(root: Path, sources: Mapping[str, str]) -> list[TableInput]:
    facts = [local_facts(table, uri, root / uri) for table, uri in sources.items()]
    return [TableInput(fact.table, fact.digest, fact.bytes, fact.columns, fact.rows_bucket) for fact in facts]


def run(site: Site, item: DesiredSet, jobs: Sequence[Job]) -> tuple[str, dict[Job, str]]:
    """Upload, create and launch, one after another, and wait for the end."""
    gateway = site.gateway
    gateway.upload(item)
    set_id = gateway.create(item, marks(item, PROJECT, "c0ffee", "0.1.0"))
    names: dict[Job, str] = {}
    for job in jobs:
        names[job] = gateway.launch(set_id, job, [names[Job.STANDARD]] if names else [])
    for name in names.values():
        ended(site, name)
    return set_id, names


def ended(site: Site, name: str) -> ServerJob:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        job = site.gateway.job(name)
        if job.done:
            return job
        time.sleep(0.05)
    raise AssertionError(f"{name} did not end")


def version_of(site: Site, set_id: str) -> ServerSet:
    return next(version for version in site.gateway.observe(PROJECT).sets if version.id == set_id)


def test_the_sign_in_is_checked(site: Site) -> None:
    assert "@" in site.gateway.check()
    stranger = connect(site.server.base_url, "octopize_apikey.wrong.CANARY", root=site.root, clock=site.clock)
    with pytest.raises(RemoteUnavailable, match="refused the sign-in") as caught:
        stranger.check()
    stranger.close()
    assert "CANARY" not in str(caught.value)


def test_a_run_goes_from_a_table_to_avatars_and_metrics(site: Site) -> None:
    item = desired(site, "whole", ODD_TABLE)
    set_id, names = run(site, item, [Job.STANDARD, Job.PRIVACY_METRICS, Job.SIGNAL_METRICS])
    version = version_of(site, set_id)
    assert version.project == PROJECT
    assert version.annotations[Annotation.SPEC_DIGEST] == item.digests.spec
    assert [(job.parameters, job.done, job.failed) for job in version.jobs] == [(job, True, False) for job in names]
    result = site.gateway.results(version, names)
    assert set(result.avatars) == {ODD_TABLE}
    rows = list(csv.reader(io.StringIO(result.avatars[ODD_TABLE].content.decode())))
    assert rows[0] == ["age", "height", "city", "smoker"]
    assert len(rows) == 81
    assert result.seed == 7
    assert result.engine
    assert result.started <= result.finished
    measured = result.metrics[ODD_TABLE]
    assert 0 <= measured["hidden_rate"] <= 100
    assert 0 <= measured["hellinger_mean"] <= 1
    assert {block.family for block in result.blocks} == {"privacy", "signal"}


def test_a_plan_is_carried_out_and_is_empty_afterwards(site: Site) -> None:
    item = desired(site, "planned", gates={"hidden_rate": ">= 1"})
    memory = Memory()
    outside = replace(ports(memory), server=site.gateway, clock=site.clock)
    made = plan([item], site.gateway.observe(PROJECT), {}, Options(), PROJECT)
    (outcome,) = execute(restricted(made, "planned"), outside)
    assert (outcome.message, exit_code([outcome])) == ("", 0)
    lock = memory.locks["planned"]
    assert set(lock.jobs) == set(Job)
    again = plan([item], site.gateway.observe(PROJECT), memory.locks, Options(), PROJECT)
    assert [change.action.value for change in again.changes if change.set == "planned"] == ["unchanged"]
    reports = site.gateway.results(
        version_of(site, lock.run), {Job(job): name for job, name in lock.jobs.items()}
    ).reports
    assert {report.name: report.content[:4] for report in reports} == {
        "report.pdf": b"%PDF",
        "report_pia.docx": b"PK\x03\x04",
    }


def restricted(made: Any, name: str) -> Any:
    """The plan for one set: the platform is shared by all tests."""
    return replace(made, changes=tuple(change for change in made.changes if change.set == name))


def test_given_avatars_are_measured(site: Site) -> None:
    (site.root / "data" / "avatars.csv").write_bytes((site.root / "data" / "people.csv").read_bytes())
    item = desired(site, "measured", method={"avatars": "data/avatars.csv"}, jobs=["signal_metrics"])
    gateway = site.gateway
    gateway.upload(item)
    set_id = gateway.create(item, {})
    name = gateway.launch(set_id, Job.SIGNAL_METRICS, [])
    assert ended(site, name).status == "finished"
    result = gateway.results(version_of(site, set_id), {Job.SIGNAL_METRICS: name})
    assert result.metrics["people"]["hellinger_mean"] == 0.0


def test_equal_data_are_sent_once(site: Site, http: Transport) -> None:
    objects = Objects(http)
    path = site.root / "big.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 6_000_000)  # two parts
    assert objects.upload("big-0123.csv", path) is True
    assert objects.upload("big-0123.csv", path) is False


def test_settings_for_other_places_do_not_reach_the_platform(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.setenv(name, "another-cloud")
    for name in ("AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    http = Transport(site.server.base_url, site.server.api_key, clock=site.clock)
    assert Objects(http).upload("other-cloud.csv", site.root / "data" / "people.csv") is True
    http.close()


def test_result_files_have_limits_and_may_be_gone(site: Site, http: Transport, monkeypatch: pytest.MonkeyPatch) -> None:
    objects, base = Objects(http), api.upload_url(http)
    objects.upload("limits.csv", site.root / "data" / "people.csv")

    def url(key: str) -> str:
        return f"{site.server.base_url}/api/access?url={base}/{key}"

    (found,) = objects.download("shuffled", [url("limits.csv")])
    assert found.content == (site.root / "data" / "people.csv").read_bytes()
    with pytest.raises(RemoteRefused, match="no longer in the server's object storage"):
        objects.download("shuffled", [url("gone.csv")])
    monkeypatch.setitem(LIMITS, "csv", 10)
    with pytest.raises(RemoteRefused, match="larger than"):
        objects.download("shuffled", [url("limits.csv")])


def test_sensitive_results_exist_and_are_refused(site: Site, http: Transport) -> None:
    _, names = run(site, desired(site, "sensitive"), [Job.STANDARD])
    objects = Objects(http)
    urls = api.result_urls(http, names[Job.STANDARD])
    assert urls[ResultKind.UNSHUFFLED]
    for kind, listed in urls.items():
        if kind in {ResultKind.UNSHUFFLED, ResultKind.ORIGINAL_PROJECTIONS}:
            with pytest.raises(SensitiveRefused):
                objects.download(kind, listed)
            with pytest.raises(SensitiveRefused):
                objects.download(ResultKind.SHUFFLED, listed)


def test_a_job_that_cannot_run_says_why(site: Site) -> None:
    item = desired(site, "too-many", method={"avatarization": {"k": 500}})
    site.gateway.upload(item)
    name = site.gateway.launch(site.gateway.create(item, {}), Job.STANDARD, [])
    job = ended(site, name)
    assert job.failed
    assert "500" in job.exception


def test_deleted_jobs_are_gone_and_so_is_their_version(site: Site) -> None:
    set_id, names = run(site, desired(site, "deleted"), [Job.STANDARD])
    site.gateway.delete([*names.values(), "00000000-0000-4000-8000-000000000000"])
    assert set_id not in {version.id for version in site.gateway.observe(PROJECT).sets}
    site.gateway.delete(list(names.values()))
    with pytest.raises(RemoteRefused):
        site.gateway.job(names[Job.STANDARD])


def test_a_launch_whose_answer_is_lost_makes_one_job(site: Site) -> None:
    lost: list[httpx.Request] = []

    class Losing(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = super().handle_request(request)
            if request.method == "POST" and request.url.path.endswith("/jobs") and not lost:
                lost.append(request)
                raise httpx.ReadTimeout("the answer is lost")
            return response

    item = desired(site, "lost")
    site.gateway.upload(item)
    set_id = site.gateway.create(item, {})
    http = Transport(site.server.base_url, site.server.api_key, clock=site.clock, http=Losing())
    losing = type(site.gateway)(http, site.root)
    name = losing.launch(set_id, Job.STANDARD, [])
    assert lost
    assert [job.name for job in site.gateway.jobs(set_id)] == [name]
    ended(site, name)
    losing.close()


def test_what_the_platform_does_not_offer_is_refused_before_anything_is_sent(site: Site) -> None:
    sent: list[str] = []

    class Older(httpx.HTTPTransport):
        """The same server before it had differential privacy."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            sent.append(request.method)
            response = super().handle_request(request)
            if not request.url.path.endswith("/capabilities"):
                return response
            said = json.loads(response.read())
            said["features"].remove("open_dp")
            return httpx.Response(response.status_code, json=said, request=request)

    item = desired(site, "dp", method={"avatarization": {"open_dp": {"epsilon": 1}}})
    http = Transport(site.server.base_url, site.server.api_key, clock=site.clock, http=Older())
    older = type(site.gateway)(http, site.root)
    with pytest.raises(RemoteRefused, match=r"table people: avatarization\.open_dp is not offered"):
        older.create(item, {})
    assert set(sent) == {"GET"}
    older.close()


def test_neither_key_nor_data_are_in_logs_and_errors(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    secret = site.server.api_key.rpartition(".")[2]
    with caplog.at_level(logging.DEBUG):
        item = desired(site, "quiet")
        site.gateway.upload(item)
        site.gateway.create(item, {})
        with pytest.raises(AvatarGitOpsError) as caught:
            site.gateway.job("no-such-job")
    seen = caplog.text + str(caught.value) + repr(site.gateway)
    assert secret not in seen
    assert "Nantes" not in seen
