"""The server as ports: what is listed, what is launched once, what is deleted, what is never asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from avatar_gitops.client.gateway import Gateway, Reader, connect, reader
from avatar_gitops.client.objects import Objects, SensitiveRefused
from avatar_gitops.errors import RemoteRefused, RemoteUnavailable
from avatar_gitops.plan.annotations import marks
from avatar_gitops.plan.observed import Annotation, ServerSet
from avatar_gitops.spec.models import Job
from avatar_gitops.wire.models import SENSITIVE_RESULTS
from tests.support.http import BASE, KEY, StillClock, answer, transport
from tests.support.planning import wish

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Platform:
    """The routes that a gateway uses, in memory. `lose` names requests whose answer is lost after they were done."""

    documents: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    lose: list[str] = field(default_factory=list)
    undeletable: set[str] = field(default_factory=set)
    capabilities: Mapping[str, Any] | None = None
    credits: Mapping[str, Any] | None = None

    @property
    def said(self) -> Mapping[str, Any]:
        """What the platform says about itself and the key."""
        return {"/capabilities": self.capabilities, "/users/credits_info": self.credits}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api")
        self.asked.append(f"{request.method} {path}")
        reply = self.reply(request, path)
        if self.asked[-1] in self.lose:
            self.lose.remove(self.asked[-1])
            raise httpx.ReadTimeout("the answer is lost")
        return reply

    def reply(self, request: httpx.Request, path: str) -> httpx.Response:
        match request.method, path.strip("/").split("/"):
            case "PUT", ["resources", name]:
                number = str(UUID(int=len(self.documents) + 1))
                self.documents[number] = request.content.decode()
                return answer({"set_name": number, "display_name": name})
            case "GET", ["resources", number]:
                return httpx.Response(200, text=self.documents[number], headers={"Content-Type": "application/yaml"})
            case "GET", ["jobs"]:
                chosen = request.url.params.get("set_name")
                found = [job for job in self.jobs.values() if chosen in {None, job["set_name"]}]
                return answer({"jobs": found})
            case "GET", ["jobs", name]:
                return answer(self.jobs[name]) if name in self.jobs else answer({"detail": "gone"}, 404)
            case "POST", ["jobs"]:
                body = json.loads(request.content)
                return answer({"name": (name := self.add(body["set_name"], body["parameters_name"])), "Location": name})
            case "POST", ["jobs", "bulk-delete"]:
                return self.bulk_delete(json.loads(request.content)["job_names"])
            case "GET", ["users", "credits_info"] | ["capabilities"] if said := self.said.get(path):
                return answer(said)
        return answer({"detail": "no such route"}, 404)

    def add(self, set_id: str, parameters: str, display_name: str = "patients", **more: Any) -> str:
        name = f"job-{len(self.jobs) + 1}"
        at = START + timedelta(minutes=len(self.jobs))
        state = {"status": "finished", "done": True, "exception": "", "progress": None, "kind": "standard"}
        self.jobs[name] = {
            "name": name,
            "set_name": set_id,
            "parameters_name": parameters,
            "display_name": display_name,
            "created_at": at.isoformat(),
            **state,
            **more,
        }
        return name

    def bulk_delete(self, names: list[str]) -> httpx.Response:
        failed = [name for name in names if name not in self.jobs or name in self.undeletable]
        for name in set(names) - set(failed):
            del self.jobs[name]
        return answer({"deleted_jobs": [], "failed_jobs": failed})


def gateway(platform: Platform) -> Gateway:
    return Gateway(transport(platform), Path())


def test_observe_groups_jobs_by_version_newest_first_and_reads_documents_once() -> None:
    platform = Platform()
    ours = gateway(platform).create(wish(), marks(wish(), "hospital", "c0ffee", "0.1.0"))
    theirs = str(UUID(int=77))
    platform.documents[theirs] = "not: [yaml"
    for set_id in (ours, theirs):
        platform.add(set_id, "standard")
    platform.add(ours, "privacy_metrics", status="error", exception="k is too large")
    client = gateway(platform)
    first = client.observe("hospital")
    assert [version.id for version in first.sets] == [theirs, ours]
    assert first.sets[0].project is None
    assert first.sets[1].project == "hospital"
    assert first.sets[1].annotations[Annotation.COMMIT] == "c0ffee"
    assert [(job.parameters, job.failed, job.exception) for job in first.sets[1].jobs] == [
        ("standard", False, ""),
        ("privacy_metrics", True, "k is too large"),
    ]
    platform.asked.clear()
    assert client.observe("hospital") == first
    assert platform.asked == ["GET /jobs"]


def test_a_version_that_vanishes_while_it_is_observed_is_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    platform = Platform()
    gone = str(UUID(int=5))
    platform.add(gone, "standard")
    platform.documents[gone] = ""
    original = platform.reply

    def reply(request: httpx.Request, path: str) -> httpx.Response:
        return answer({"detail": "gone"}, 404) if path.startswith("/resources") else original(request, path)

    monkeypatch.setattr(platform, "reply", reply)
    assert gateway(platform).observe("hospital").sets[0].annotations == {}


def test_what_a_job_says_about_its_failure_is_one_printable_line() -> None:
    platform = Platform()
    name = platform.add(str(UUID(int=1)), "standard", status="error", exception="k is\n too \x1b[31mlarge")
    assert gateway(platform).job(name).exception == "k is too ?[31mlarge"


def test_results_that_the_server_removed_are_named() -> None:
    version = ServerSet("v1", "patients", START, ())
    with pytest.raises(RemoteRefused, match="the results of standard of patients are no longer on"):
        gateway(Platform()).results(version, {Job.STANDARD: "job-1"})


@pytest.mark.parametrize(
    ("said", "features", "engine"),
    [
        (None, None, None),
        ({"input_protocols": []}, None, None),
        ({"features": ["avatarization"], "engine": "e/1"}, frozenset({"avatarization"}), "e/1"),
    ],
)
def test_features_are_what_the_server_says(said: Any, features: Any, engine: Any) -> None:
    observed = gateway(Platform(capabilities=said)).observe("hospital")
    assert (observed.server, observed.features, observed.engine) == (BASE, features, engine)


def test_a_lost_answer_to_a_launch_makes_no_second_job() -> None:
    platform = Platform(lose=["POST /jobs"])
    client = gateway(platform)
    set_id = client.create(wish(), {})
    assert client.launch(set_id, Job.STANDARD, []) == "job-1"
    assert list(platform.jobs) == ["job-1"]


def test_a_lost_answer_to_a_create_leaves_one_version_that_anybody_sees() -> None:
    platform = Platform(lose=["PUT /resources/patients"])
    client = gateway(platform)
    client.launch(client.create(wish(), marks(wish(), "hospital", "", "")), Job.STANDARD, [])
    assert len(client.observe("hospital").sets) == 1


def test_jobs_wait_for_the_locations_of_other_jobs() -> None:
    seen: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(json.loads(request.content))
        return answer({"name": "new", "Location": "/jobs/new"})

    set_id = str(UUID(int=1))
    assert Gateway(transport(handler), Path()).launch(set_id, Job.REPORT, ["a", "b"]) == "new"
    assert seen == [{"set_name": set_id, "parameters_name": "report", "depends_on": ["/jobs/a", "/jobs/b"]}]


def test_delete_takes_many_jobs_and_does_not_mind_those_that_are_gone() -> None:
    platform = Platform()
    names = [platform.add(str(UUID(int=1)), "standard") for _ in range(120)]
    gateway(platform).delete([*names, names[0], "unknown"])
    assert platform.jobs == {}
    assert platform.asked.count("POST /jobs/bulk-delete") == 2


def test_delete_says_when_a_job_is_still_there() -> None:
    platform = Platform()
    name = platform.add(str(UUID(int=1)), "standard")
    platform.undeletable.add(name)
    with pytest.raises(RemoteRefused, match="did not delete 1 of 1 jobs"):
        gateway(platform).delete([name])


def test_a_deleted_job_is_not_waited_for() -> None:
    platform = Platform()
    name = platform.add(str(UUID(int=1)), "standard", deleted_at=START.isoformat())
    assert gateway(platform).observe("hospital").sets == ()
    with pytest.raises(RemoteRefused, match="was deleted"):
        gateway(platform).job(name)


@pytest.mark.parametrize("call", ["upload", "create"])
def test_nothing_is_sent_to_a_server_that_does_not_offer_what_is_asked_for(call: str) -> None:
    platform = Platform(capabilities={"features": ["avatarization"]})
    with pytest.raises(RemoteRefused, match="not offered"):
        gateway(platform).upload(wish()) if call == "upload" else gateway(platform).create(wish(), {})
    assert platform.asked == ["GET /capabilities"]


def test_a_reader_has_no_way_to_write() -> None:
    writing = {"upload", "create", "launch", "delete"}
    assert not writing & set(dir(Reader))
    assert isinstance(reader(BASE, KEY, clock=StillClock()), Reader)
    assert not isinstance(reader(BASE, KEY, clock=StillClock()), Gateway)


def test_the_key_is_in_no_repr() -> None:
    client = connect(BASE, KEY, root=Path(), clock=StillClock())
    assert repr(client) == f"Gateway({BASE!r})"
    assert KEY not in repr(vars(client))


@pytest.mark.parametrize("kind", sorted(SENSITIVE_RESULTS))
def test_sensitive_kinds_of_results_are_refused_before_anything_is_sent(kind: str) -> None:
    platform = Platform()
    with pytest.raises(SensitiveRefused, match="links avatars to the people"):
        Objects(transport(platform)).download(kind, [f"{BASE}/api/access?url=s3://b/x.csv"])
    assert platform.asked == []


@pytest.mark.parametrize("name", ["t.unshuffled-0.csv", "t.projections.original-0.parquet", "t.unshuffled.csv"])
def test_a_sensitive_file_under_a_harmless_kind_is_refused_too(name: str) -> None:
    platform = Platform()
    with pytest.raises(SensitiveRefused):
        Objects(transport(platform)).download("shuffled", [f"{BASE}/api/access?url=s3://b/30d/{name}"])
    assert platform.asked == []


def test_files_without_access_are_an_error() -> None:
    http = transport(lambda request: answer([]))
    with pytest.raises(RemoteRefused, match="no access to 1 of its report files"):
        Objects(http).download("report", [f"{BASE}/api/access?url=s3://b/report.pdf"])


def test_addresses_outside_the_object_storage_are_refused() -> None:
    url = "https://elsewhere.example.org/report.pdf"
    pair = {"access_key_id": "a", "secret_access_key": "b"}
    http = transport(lambda request: answer([{"url": url, "credentials": pair}]))
    with pytest.raises(RemoteRefused, match="not in its object storage"):
        Objects(http).download("report", [url])


def test_a_server_that_cannot_be_reached_is_unavailable() -> None:
    client = connect("http://127.0.0.1:9", KEY, root=Path(), clock=StillClock())
    with pytest.raises(RemoteUnavailable, match=r"did not answer \(5 tries"):
        client.check()


@pytest.mark.parametrize(("status", "there"), [(200, True), (404, False)])
def test_whether_results_are_still_there_is_asked_and_not_fetched(status: int, there: bool) -> None:
    asked: list[str] = []

    def reply(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        return answer({"shuffled": ["a"]} if there else {"detail": "gone"}, status)

    assert Reader(transport(reply)).has_results("job-1") is there
    assert asked == ["GET /api/results/job-1"]


def test_a_server_that_refuses_to_tell_about_results_is_an_error() -> None:
    with pytest.raises(RemoteRefused):
        Reader(transport(lambda request: answer({"detail": "no"}, 422))).has_results("job-1")


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ({"credits": 38, "is_credit_enabled": True}, 38),
        ({"credits": 0, "is_credit_enabled": True}, 0),
        ({"credits": 38, "is_credit_enabled": False}, None),
        ({"credits": None, "is_credit_enabled": False}, None),
        (None, None),
    ],
)
def test_credits_are_known_only_where_they_count(said: Mapping[str, Any] | None, left: int | None) -> None:
    assert Reader(transport(Platform(credits=said))).credits() == left


def test_nobody_waits_for_credits() -> None:
    clock = StillClock()
    platform = Platform(lose=["GET /users/credits_info"] * 9)
    assert Reader(transport(platform, clock)).credits() is None
    assert (platform.asked, clock.slept) == (["GET /users/credits_info"], [])
