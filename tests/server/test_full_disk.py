"""No space, no right to write: what is said, and that nothing is half-written."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from avatar_gitops.errors import UsageError
from avatar_gitops.server import ServeOptions, serve, worker
from avatar_gitops.server.blobs import FolderBlobs
from tests.server.api import documents, people
from tests.server.signing import call, signed
from tests.server.site import open_site
from tests.server.workshop import open_workshop

MIB = 1 << 20


class FullBlobs(FolderBlobs):
    """A place for blobs that is full, or fails in another way."""

    error = OSError(errno.ENOSPC, "No space left on device")

    def adopt(self, path: Path, blob: str) -> None:
        raise self.error


@pytest.fixture
def fault(request: pytest.FixtureRequest, tmp_path: Path) -> FullBlobs:
    made = FullBlobs(tmp_path / "state" / "blobs")
    made.error = request.param
    return made


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 507, "InsufficientStorage"),
        (OSError(errno.EROFS, "Read-only file system"), 503, "ServiceUnavailable"),
        (OSError("the bucket does not answer"), 503, "SlowDown"),
    ],
    indirect=["fault"],
)
def test_an_upload_that_cannot_be_stored_is_refused_and_leaves_nothing(
    tmp_path: Path, fault: FullBlobs, status: int, code: str
) -> None:
    with open_site(tmp_path / "state", bucket=fault) as site:
        account = site.user("somebody@example.org")
        api = site.api(account)
        refused = call(api, "PUT", f"{api.area}/people.csv", content=b"x" * 1000)
        assert (refused.status_code, f"<Code>{code}</Code>" in refused.text) == (status, True)
        assert call(api, "HEAD", f"{api.area}/people.csv").status_code == 404
        assert list(site.platform.state.incoming.iterdir()) == []
        api.http.close()


def test_a_job_whose_results_do_not_fit_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with open_workshop(tmp_path / "state") as workshop:
        workshop.upload("people.csv", people(60))
        before = set(workshop.platform.storage.blobs.names())
        monkeypatch.setattr(worker, "describe_file", full)
        assert "no space is left on this platform" in workshop.error(documents())
        assert set(workshop.platform.storage.blobs.names()) == before


def test_a_state_folder_that_cannot_be_is_refused_at_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        serve(ServeOptions(tmp_path / "file" / "state"))
    assert "cannot be written: Not a directory" in caught.value.message
    assert "--state-dir" in str(caught.value.hint)


def test_a_database_that_is_none_is_refused_at_start(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "platform.sqlite3").write_bytes(b"not a database" * 1000)
    with pytest.raises(UsageError, match="cannot be used: file is not a database"):
        serve(ServeOptions(tmp_path / "state"))


LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
runpy.run_module("avatar_gitops.server", run_name="__main__")
"""


def limited(state: Path, size: int) -> subprocess.Popen[bytes]:
    """A server whose files cannot grow above a size, as on a full disk."""
    command = [sys.executable, "-c", LIMITED, str(size), "--state-dir", str(state)]
    # What measures coverage of other processes would fail to write its own file and say so.
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return subprocess.Popen(command, stderr=subprocess.PIPE, env=unmeasured)


def test_a_folder_without_space_is_refused_at_start(tmp_path: Path) -> None:
    with limited(tmp_path / "state", 1000) as process:
        assert process.stderr is not None
        said = process.stderr.read().decode()
    assert process.returncode == UsageError.exit_code
    assert "cannot be written: File too large" in said
    assert "Traceback" not in said


@pytest.fixture
def almost_full(tmp_path: Path) -> Iterator[Path]:
    with limited(tmp_path / "state", 8 * MIB) as process:
        try:
            yield tmp_path / "state"
        finally:
            process.kill()


def test_a_body_that_does_not_fit_is_refused_by_a_real_server(almost_full: Path) -> None:
    from tests.server.test_crash import sign_in, until

    until((almost_full / "server.json").exists)
    with sign_in(almost_full) as api:
        url = f"{api.base_url}/storage/{api.area}/large"
        refused = httpx.put(url, headers=signed("PUT", url, api.credentials()), content=bytes(9 * MIB))
        assert (refused.status_code, "no space left" in refused.text) == (507, True)
        api.upload("small", b"fits")
        assert list((almost_full / "incoming").iterdir()) == []
