"""Jobs on a Dask cluster: the same bytes as in the server's own workers, whatever happens to the cluster."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from avatar_gitops.errors import RemoteUnavailable, UsageError
from avatar_gitops.server import cluster as cluster_module
from avatar_gitops.server.assignment import Assignment
from avatar_gitops.server.cluster import check_cluster, packed
from avatar_gitops.server.executor import EXECUTOR, find_executor
from avatar_gitops.server.faults import JobFault
from avatar_gitops.server.job_limits import MEMORY
from avatar_gitops.server.on_cluster import Made, Parcel, Refused, differences, fingerprint, work
from avatar_gitops.server.sets import parsed_set
from avatar_gitops.wire.documents import Document, Name
from avatar_gitops.wire.models import JobKind
from tests.server.api import Api, documents, people
from tests.server.test_crash import attempts, served, sign_in, status, until
from tests.support.dask_cluster import DaskCluster, dask_cluster

LONG = 150_000


def test_jobs_run_here_unless_a_scheduler_is_named() -> None:
    assert find_executor(None, {}) is None
    assert find_executor(None, {EXECUTOR: "tcp://cluster:8786"}) == "tcp://cluster:8786"
    assert find_executor("tls://other:8786", {EXECUTOR: "tcp://cluster:8786"}) == "tls://other:8786"


@pytest.mark.parametrize(
    "url",
    ["cluster", "cluster:8786", "tcp://cluster", "tcp://:8786", "http://cluster:8786", "tcp://c:x", "tcp://u:p@c:1"],
)
def test_anything_else_is_refused_without_repeating_a_password(url: str) -> None:
    with pytest.raises(UsageError) as refusal:
        find_executor(url, {})
    assert "tcp://HOST:PORT" in str(refusal.value.hint)
    assert "u:p" not in f"{refusal.value.message}{refusal.value.hint}"


def test_a_server_does_not_start_without_its_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 0.2)
    with pytest.raises(RemoteUnavailable, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        check_cluster("tcp://127.0.0.1:9")


def test_what_differs_is_named_with_both_versions() -> None:
    ours = fingerprint()
    assert differences(ours, dict(ours)) == ""
    theirs = {**ours, "numpy": "1.0"} | {"other": "2"}
    assert differences(ours, theirs) == f"numpy 1.0 instead of {ours['numpy']}, other 2 instead of none"
    assert differences(ours, {name: ours[name] for name in ours if name != "numpy"}).startswith("numpy missing")


def test_a_worker_with_other_versions_refuses_a_job() -> None:
    outcome = work(Parcel(b"", ()), {**fingerprint(), "numpy": "1.0"}, "topic")
    assert isinstance(outcome, Refused)
    assert "would compute other bytes: numpy" in outcome.text


def test_nothing_that_travels_shows_what_it_holds() -> None:
    for shown in (Parcel(b"secret", (b"secret",)), Made((("kind", "name", b"secret"),))):
        assert "secret" not in f"{shown!r} {shown}"


def test_files_that_are_too_large_do_not_travel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "blob"
    with file.open("wb") as stream:
        stream.truncate(129 << 20)
    monkeypatch.setenv(MEMORY, "512")
    with pytest.raises(JobFault, match="larger than what travels to the cluster of this platform \\(128 MiB\\)"):
        packed(
            Assignment(
                name="job",
                kind=JobKind.STANDARD,
                set_id="set",
                user_id="user",
                display_name="x",
                created_at="2026-11-28T10:00:00.000000+00:00",
                documents=parsed_set(documents()),
                parameters=Document(kind="AvatarParameters", metadata=Name(name="standard"), spec={}),
                files={"people.csv": file},
                earlier={},
            )
        )


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with dask_cluster(tmp_path_factory.mktemp("dask")) as made:
        yield made


def results(api: Api, names: dict[str, str]) -> dict[str, bytes]:
    """All files of a run; of the metadata all but the times, of reports, which tell time and job, only the names."""
    found = {}
    for parameters, name in names.items():
        assert api.wait(name)["status"] == "finished", api.job(name)
        for file, content in api.files(name).items():
            kept = content
            if file.startswith("run_metadata"):
                said = {key: value for key, value in json.loads(content).items() if not key.endswith("_at")}
                kept = json.dumps(said, sort_keys=True).encode()
            found[f"{parameters}/{file}"] = b"" if parameters in {"report", "report_pia"} else kept
    return found


def begun(api: Api, name: str) -> bool:
    """Whether the cluster has told of progress; asked without waiting for the end."""
    job = api.get("/jobs", names=name)["jobs"][0]
    assert not job["done"], "the job was too short to be caught at it"
    return (job["progress"] or 0) > 0


@contextmanager
def stopped(processes: list[int]) -> Iterator[None]:
    """The processes stand still."""
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    yield
    for process in processes:
        os.kill(process, signal.SIGCONT)


@pytest.mark.slow
def test_a_run_on_the_cluster_has_the_bytes_of_a_run_here(cluster: DaskCluster, tmp_path: Path) -> None:
    made = {}
    for name, options in {"here": (), "there": ("--executor", cluster.url)}.items():
        with served(tmp_path / name, *options), sign_in(tmp_path / name) as api:
            api.upload("people.csv", people(200))
            made[name] = results(api, api.launch_all(api.put_set(documents())))
    assert sorted(made["there"]) == sorted(made["here"])
    assert [file for file in made["here"] if made["here"][file] != made["there"][file]] == []
    assert b"north" not in cluster.logs


@pytest.mark.slow
def test_the_user_reads_the_same_errors(cluster: DaskCluster, tmp_path: Path) -> None:
    with served(tmp_path, "--executor", cluster.url), sign_in(tmp_path) as api:
        api.upload("people.csv", people(4))
        job = api.wait(api.launch(api.put_set(documents()), "standard"))
        assert job["status"] == "error"
        assert "k" in job["exception"]
        assert "internal error" not in job["exception"]


@pytest.mark.slow
def test_a_cancelled_job_frees_its_worker(cluster: DaskCluster, tmp_path: Path) -> None:
    with served(tmp_path, "--executor", cluster.url, "--workers", "1"), sign_in(tmp_path) as api:
        api.upload("people.csv", people(LONG))
        name = api.launch(api.put_set(documents()), "standard")
        until(lambda: begun(api, name))
        with stopped(cluster.worker_ids()):  # the slowest job there is
            api.http.post(f"/jobs/{name}/cancel")
            assert api.wait(name)["status"] == "cancelled"
        api.upload("few.csv", people(60))
        after = api.launch(api.put_set(documents(file="few.csv")), "standard")
        assert api.wait(after)["status"] == "finished"


@pytest.mark.slow
def test_a_job_survives_the_death_of_its_worker_there(cluster: DaskCluster, tmp_path: Path) -> None:
    with served(tmp_path, "--executor", cluster.url, "--workers", "1"), sign_in(tmp_path) as api:
        api.upload("people.csv", people(LONG))
        name = api.launch(api.put_set(documents()), "standard")
        until(lambda: begun(api, name))
        for worker in cluster.worker_ids():
            os.kill(worker, signal.SIGKILL)
        assert api.wait(name)["status"] == "finished"
        assert attempts(tmp_path, name) == 1, "the platform's own attempt goes on"


@pytest.mark.slow
def test_jobs_wait_for_a_scheduler_that_went_away(tmp_path: Path) -> None:
    with (
        dask_cluster(tmp_path / "dask", workers=1) as cluster,
        served(tmp_path / "state", "--executor", cluster.url, "--workers", "1"),
        sign_in(tmp_path / "state") as api,
    ):
        api.upload("people.csv", people(LONG))
        name = api.launch(api.put_set(documents()), "standard")
        until(lambda: begun(api, name))
        assert cluster.scheduler is not None
        os.killpg(cluster.scheduler.pid, signal.SIGKILL)
        cluster.scheduler.wait()
        until(lambda: status(api, name) == "created", 120)
        cluster.start_scheduler()
        cluster.start_worker()
        assert api.wait(name)["status"] == "finished"
        assert attempts(tmp_path / "state", name) == 1, "that cost the job nothing"
