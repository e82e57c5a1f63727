"""Database and bucket by URL: what is refused and why, what is kept secret, what many servers share."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from avatar_gitops.errors import RemoteUnavailable, UsageError
from avatar_gitops.server import ServeOptions, serve, start
from avatar_gitops.server.database import incoming_blobs, open_database, writing
from avatar_gitops.server.objects import adopt_file, object_row, put_object, sweep
from avatar_gitops.server.places import BUCKET, DATABASE, find_places, open_storage, prepare
from avatar_gitops.server.receiving import describe_file
from avatar_gitops.server.state import StateFolder
from tests.server.api import Api, documents, people
from tests.server.workshop import open_platform
from tests.support.buckets import Buckets
from tests.support.grounds import Ground, environment
from tests.support.postgres import Cluster

services = pytest.mark.services
PASSWORD = "correct-horse-battery"


def refusal(
    tmp_path: Path, *, database: str | None = None, bucket: str | None = None
) -> UsageError | RemoteUnavailable:
    with pytest.raises((UsageError, RemoteUnavailable)) as caught:
        serve(ServeOptions(tmp_path / "state", database=database, bucket=bucket))
    assert isinstance(caught.value, UsageError | RemoteUnavailable)
    assert PASSWORD not in f"{caught.value.message} {caught.value.hint} {caught.value!r}"
    return caught.value


def test_places_come_from_the_options_and_else_from_the_environment() -> None:
    said = {DATABASE: f"postgresql://me:{PASSWORD}@host/name", BUCKET: "s3://bucket/a/b/"}
    places = find_places(None, None, said)
    assert places.bucket == "s3://bucket/a/b"
    assert PASSWORD not in repr(places)
    assert places.environment[DATABASE] == said[DATABASE]  # what workers get
    other = find_places("postgresql://other/name", "s3://elsewhere", said)
    assert (str(other.database), other.bucket) == ("postgresql://other/name", "s3://elsewhere")
    assert find_places(None, None, {}).environment == {}


def test_a_password_is_never_an_argument(tmp_path: Path) -> None:
    error = refusal(tmp_path, database=f"postgresql://me:{PASSWORD}@localhost/name")
    assert "list of processes" in error.message
    assert DATABASE in str(error.hint)


@pytest.mark.parametrize("url", ["mysql://localhost/name", "postgresql://host", "no url", "postgresql://h:port/name"])
def test_a_database_url_of_another_form_is_refused(tmp_path: Path, url: str) -> None:
    assert "postgresql://user@host:port/database" in refusal(tmp_path, database=url).message


@pytest.mark.parametrize("url", ["gs://bucket", "s3://", "s3://key:secret@bucket", "s3://bucket?x=1", "bucket"])
def test_a_bucket_url_of_another_form_is_refused(tmp_path: Path, url: str) -> None:
    assert "s3://bucket/prefix" in refusal(tmp_path, bucket=url).message


@services
def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    with environment({"PGPASSWORD": PASSWORD}):
        error = refusal(tmp_path, database="postgresql://me@127.0.0.1:1/name")
    assert "The database does not answer" in error.message
    assert "PGPASSWORD" in str(error.hint)


@services
def test_a_bucket_that_does_not_exist_is_refused_at_start(tmp_path: Path, buckets: Buckets) -> None:
    with environment(buckets.environment):
        error = refusal(tmp_path, bucket="s3://nobody-made-this-one")
    assert "The bucket cannot be used" in error.message
    assert "AWS_ENDPOINT_URL" in str(error.hint)


@services
def test_objects_stay_in_the_place_where_they_were_begun(tmp_path: Path, buckets: Buckets, postgres: Cluster) -> None:
    root = tmp_path / "state"
    with open_platform(root, Ground()):
        pass
    with environment(buckets.environment):
        bucket = buckets.new()
        assert "in the state folder" in refusal(tmp_path, bucket=bucket).message
    with postgres.database() as url, environment({DATABASE: url.render_as_string()}):
        for folder in ("one", "one"):
            _prepare(tmp_path / folder)
        with pytest.raises(UsageError, match="the state folder that it was begun with"):
            _prepare(tmp_path / "two")  # its files would be out of reach of the first server


def _prepare(root: Path) -> None:
    state = StateFolder(root)
    state.create()
    places = find_places(None, None)
    storage = open_storage(state, places)
    try:
        prepare(storage, places)
    finally:
        storage.engine.dispose()


@contextmanager
def two_servers(tmp_path: Path, variables: Mapping[str, str]) -> Iterator[tuple[Api, Api]]:
    """The administrator at two servers over the same database and bucket."""
    with environment(variables):
        first, second = start(tmp_path / "one", workers=1), start(tmp_path / "two", workers=1)
    with first, second, Api(first.base_url, first.api_key) as one, Api(second.base_url, first.api_key) as two:
        yield one, two


@services
def test_two_servers_share_users_files_and_work(tmp_path: Path, postgres: Cluster, buckets: Buckets) -> None:
    with Ground(postgres, buckets).new() as variables, two_servers(tmp_path, variables) as (one, two):
        one.upload("people.csv", people(60))
        assert one.credentials() == two.credentials()
        set_id = two.put_set(documents())
        names = [api.launch(set_id, "standard") for api in (one, two) * 4]
        assert {two.wait(name)["status"] for name in names} == {"finished"}
        assert one.files(names[0]).keys() == two.files(names[0]).keys()
        engine = open_database(sa.make_url(variables[DATABASE]))
        with writing(engine) as connection:
            attempts = connection.execute(sa.text("SELECT attempts FROM jobs")).scalars().all()
            assert connection.execute(sa.select(incoming_blobs)).all() == []
        engine.dispose()
        assert attempts == [1] * 8  # no job was done twice


@services
def test_a_server_that_starts_again_leaves_the_jobs_of_others_alone(
    tmp_path: Path, postgres: Cluster, buckets: Buckets
) -> None:
    with Ground(postgres, buckets).new() as variables, two_servers(tmp_path, variables) as (one, _two):
        one.upload("people.csv", people(20_000))
        name = one.launch(one.put_set(documents()), "standard")
        while one.job(name)["status"] == "created":
            time.sleep(0.02)
        with environment(variables), start(tmp_path / "three", workers=1):
            assert one.wait(name)["status"] == "finished"
        engine = open_database(sa.make_url(variables[DATABASE]))
        with writing(engine) as connection:
            assert connection.execute(sa.text("SELECT attempts FROM jobs")).scalars().all() == [1]
        engine.dispose()


def test_garbage_is_swept_and_what_is_being_written_is_not(tmp_path: Path, ground: Ground) -> None:
    with open_platform(tmp_path / "state", ground) as platform:
        storage = platform.storage
        user = _user(platform.engine)
        path = storage.state.incoming / "body"
        path.write_bytes(b"1")
        received = describe_file(path)
        blob = adopt_file(storage, path)  # on its way: nothing points at it yet
        sweep(storage)
        assert list(storage.blobs.names()) == [blob]
        put_object(storage, object_row(user, "key", blob, received, "text/csv"))
        sweep(storage, patience=0)
        assert list(storage.blobs.names()) == [blob]
        path.write_bytes(b"2")
        adopt_file(storage, path)  # the server dies between the blob and its row
        sweep(storage, patience=0)
        assert list(storage.blobs.names()) == [blob]


def _user(engine: sa.Engine) -> str:
    from avatar_gitops.server.accounts import create_user

    return create_user(engine, "owner@example.org", "user").id


@services
def test_the_password_of_the_database_is_nowhere_to_be_seen(
    tmp_path: Path, postgres: Cluster, buckets: Buckets
) -> None:
    """Neither in the arguments of any process, nor in any file of the state folder, nor in what is logged."""
    with Ground(postgres, buckets).new() as variables:
        url = sa.make_url(variables[DATABASE]).set(password=PASSWORD).render_as_string(hide_password=False)
        with environment({**variables, DATABASE: url}), start(tmp_path / "state") as server:
            with Api(server.base_url, server.api_key) as api:
                api.upload("people.csv", people(30))
                assert api.wait(api.launch(api.put_set(documents()), "standard"))["status"] == "finished"
            listed = subprocess.run(["ps", "-ewwo", "args"], capture_output=True, text=True, check=True).stdout
            assert "avatar_gitops.server.worker" in listed
            assert PASSWORD not in listed
    for path in (tmp_path / "state").rglob("*"):
        assert not path.is_file() or PASSWORD.encode() not in path.read_bytes()


@services
def test_a_traceback_of_a_lost_database_holds_no_password(tmp_path: Path) -> None:
    program = (
        "import sqlalchemy as sa\nfrom avatar_gitops.server.database import open_database, reading\n"
        "from avatar_gitops.server.places import find_places\n"
        "with reading(open_database(find_places(None, None).database)) as c: c.execute(sa.text('SELECT 1'))"
    )
    variables = {**os.environ, DATABASE: f"postgresql://me:{PASSWORD}@127.0.0.1:1/name"}
    done = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=False)
    assert "OperationalError" in done.stderr
    assert PASSWORD not in done.stderr


@services
def test_a_spec_becomes_published_results_over_a_database_and_a_bucket(
    tmp_path: Path, postgres: Cluster, buckets: Buckets
) -> None:
    """The whole way, by the commands that users type: `serve`, `apply`, and the results in their files."""
    project = tmp_path / "project"
    (project / "configs").mkdir(parents=True)
    (project / "people.csv").write_bytes(people(80))
    named = "apiVersion: avatar-gitops/v1\nkind: Project\nmetadata: {name: places}\n"
    (project / "avatar-gitops.yaml").write_text(named, encoding="utf-8")
    spec = (
        "apiVersion: avatar-gitops/v1\nkind: AvatarRun\nmetadata: {name: people, owner: data@example.org}\n"
        "spec:\n  seed: 7\n  jobs: [standard, privacy_metrics, signal_metrics]\n"
        "  tables:\n    people:\n      source: people.csv\n      avatarization: {k: 5}\n"
    )
    (project / "configs" / "people.yaml").write_text(spec, encoding="utf-8")
    with Ground(postgres, buckets).new() as variables:
        with environment(variables):
            server = start(tmp_path / "state", workers=1)
        with server:
            signed_in = {"AVATAR_BASE_URL": server.base_url, "AVATAR_API_KEY": server.api_key}
            command = [sys.executable, "-m", "avatar_gitops", "apply", "--project", str(project), "--yes"]
            done = subprocess.run(
                [*command, "--server", "env"],
                env={**os.environ, **signed_in},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            with Api(server.base_url, server.api_key) as api:
                assert {job["status"] for job in api.get("/jobs")["jobs"]} == {"finished"}
        stored = buckets.keys(variables[BUCKET])
        assert len(stored) > 5
        assert all(key.startswith("some/prefix/blobs/") for key in stored)
        assert list((tmp_path / "state" / "blobs").rglob("*")) == []  # nothing of the data stays on this machine
        assert list((tmp_path / "state" / "incoming").iterdir()) == []
        assert not (tmp_path / "state" / "platform.sqlite3").exists()
