"""Input files on their way to the server."""

from __future__ import annotations

import hashlib
from pathlib import Path

import httpx
import pytest

from avatar_gitops.client.sources import InputMoved, SourceUnreadable, opened
from avatar_gitops.errors import UsageError
from avatar_gitops.plan.desired import TableInput
from avatar_gitops.spec.models import Source

CONTENT = b"a,b\n1,CELL\n"
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"


def planned(size: int = len(CONTENT), digest: str = DIGEST) -> TableInput:
    return TableInput("people", digest, size, ("a", "b"), "<100")


def test_local_files_stay_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_bytes(CONTENT)
    with opened(tmp_path, "people.csv", planned()) as path:
        assert path == tmp_path / "people.csv"


def test_a_file_that_changed_or_left_is_not_sent(tmp_path: Path) -> None:
    with pytest.raises(InputMoved, match="people is no longer there"), opened(tmp_path, "people.csv", planned()):
        pass
    (tmp_path / "people.csv").write_bytes(CONTENT + b"2,3\n")
    with pytest.raises(InputMoved, match="people changed since the plan"), opened(tmp_path, "people.csv", planned()):
        pass


@pytest.mark.parametrize("uri", ["../people.csv", "/etc/hostname", "link/people.csv"])
def test_paths_out_of_the_project_are_refused(tmp_path: Path, uri: str) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "people.csv").write_bytes(CONTENT)
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="outside the project"), opened(root, uri, planned()):
        pass


def serve(monkeypatch: pytest.MonkeyPatch, reply: httpx.Response) -> None:
    client = httpx.Client(transport=httpx.MockTransport(lambda request: reply))
    monkeypatch.setattr(httpx, "stream", client.stream)


def test_a_remote_file_is_fetched_and_compared_with_its_digest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    serve(monkeypatch, httpx.Response(200, content=CONTENT))
    with opened(tmp_path, Source(uri="https://data.example.org/people.csv"), planned(0)) as path:
        assert path.read_bytes() == CONTENT
    assert not path.exists()
    other = planned(0, "sha256:" + "0" * 64)
    with pytest.raises(InputMoved, match="not what"), opened(tmp_path, "https://data.example.org/people.csv", other):
        pass


def test_a_remote_file_that_is_refused_says_so_without_its_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    serve(monkeypatch, httpx.Response(403))
    uri = "https://data.example.org/people.csv?signature=SECRET"
    with pytest.raises(SourceUnreadable) as caught, opened(tmp_path, uri, planned(0)):
        pass
    assert str(caught.value) == "the data of people cannot be read over https (status 403)"


@pytest.mark.parametrize("uri", ["http://data.example.org/x.csv", "file:///etc/hostname", "ftp://x/y"])
def test_other_schemes_are_refused(tmp_path: Path, uri: str) -> None:
    with pytest.raises(UsageError, match="unknown kind"), opened(tmp_path, uri, planned(0)):
        pass


def test_a_bucket_that_is_away_is_no_trouble_of_the_avatar_server(tmp_path: Path) -> None:
    options = {
        "endpoint": "http://127.0.0.1:9",
        "aws_access_key_id": "a",
        "aws_secret_access_key": "env/SECRET_OF_TEST/topsecret",
        "allow_http": "true",
    }
    source = Source(uri="s3://bucket/folder/people.csv", options=options)
    with pytest.raises(SourceUnreadable) as caught, opened(tmp_path, source, planned(0)):
        pass
    assert "topsecret" not in str(caught.value)


def test_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SECRET_OF_TEST", raising=False)
    source = Source(uri="s3://bucket/people.csv", options={"aws_secret_access_key": "env/SECRET_OF_TEST"})
    with pytest.raises(UsageError, match="environment variable SECRET_OF_TEST"), opened(tmp_path, source, planned(0)):
        pass


@pytest.mark.parametrize("name", ["nope", "aws_nope"])
def test_options_that_no_store_knows_are_refused(tmp_path: Path, name: str) -> None:
    source = Source(uri="s3://bucket/people.csv", options={name: "CELL"})
    told = "the address or the `options` of people"
    with pytest.raises(UsageError, match=told) as caught, opened(tmp_path, source, planned(0)):
        pass
    assert "CELL" not in str(caught.value)
