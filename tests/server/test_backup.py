"""Backup of a running platform, and a platform that starts from it: everything is there, and works."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from avatar_gitops.cli.main import cli
from avatar_gitops.errors import UsageError
from avatar_gitops.server import start
from avatar_gitops.server.backup import back_up, restore
from tests.server.api import Api, documents, people
from tests.server.test_crash import blobs, known_blobs
from tests.server.workshop import Workshop, open_workshop


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """The backup of a platform with one input."""
    with open_workshop(tmp_path / "state") as workshop:
        workshop.upload("people.csv", people(50))
        back_up(tmp_path / "state", tmp_path / "saved")
    return tmp_path / "saved"


@pytest.mark.slow
def test_a_restored_platform_goes_on_where_the_backup_was_made(tmp_path: Path) -> None:
    with start(tmp_path / "state", workers=1) as server, Api(server.base_url, server.api_key) as api:
        api.upload("people.csv", people(80))
        set_id = api.put_set(documents())
        done = api.launch(set_id, "standard")
        assert api.wait(done)["status"] == "finished"
        expected = api.files(done)
        waiting = api.launch(set_id, "signal_metrics", [done])
        back_up(tmp_path / "state", tmp_path / "saved")
        key = server.api_key
    checked = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=tmp_path / "saved", check=False)
    assert checked.returncode == 0
    assert not (tmp_path / "saved" / "client.env").exists()
    restore(tmp_path / "saved", tmp_path / "again")
    with start(tmp_path / "again", workers=1) as server, Api(server.base_url, key) as api:
        assert api.files(done) == expected
        assert api.wait(waiting)["status"] == "finished", "what was accepted is done"
        assert server.api_key != key, "client.env is not in a backup"
        assert blobs(tmp_path / "again") == known_blobs(tmp_path / "again")


def test_a_backup_is_consistent_while_objects_come_and_go(tmp_path: Path) -> None:
    with open_workshop(tmp_path / "state") as workshop:
        stop = threading.Event()
        writer = threading.Thread(target=churn, args=(workshop, stop))
        writer.start()
        try:
            for number in range(5):
                back_up(tmp_path / "state", tmp_path / f"saved-{number}")
                restore(tmp_path / f"saved-{number}", tmp_path / f"again-{number}")
                assert blobs(tmp_path / f"again-{number}") == known_blobs(tmp_path / f"again-{number}")
        finally:
            stop.set()
            writer.join()


def churn(workshop: Workshop, stop: threading.Event) -> None:
    """Write the same few keys again and again, so that blobs appear and vanish; not faster than one client can."""
    number = 0
    while not stop.wait(0.02):
        number += 1
        workshop.upload(f"{number % 5}.csv", str(number).encode())


def test_only_the_owner_can_read_a_backup(saved: Path) -> None:
    for path in (saved, *saved.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0 or path.parent.parent.name == "blobs", path
    assert saved.stat().st_mode & 0o077 == 0


def test_nothing_is_overwritten(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine").write_text("x")
    with pytest.raises(UsageError, match="used is there already"):
        restore(saved, tmp_path / "used")
    with pytest.raises(UsageError, match="used is there already"):
        back_up(tmp_path / "state", tmp_path / "used")
    assert [path.name for path in (tmp_path / "used").iterdir()] == ["mine"]


@pytest.mark.parametrize("what", ["platform.sqlite3", "storage.secret", "a blob"])
@pytest.mark.parametrize("harm", ["changed", "missing"])
def test_a_damaged_backup_is_refused_and_leaves_nothing(saved: Path, tmp_path: Path, what: str, harm: str) -> None:
    path = next((saved / "blobs").glob("*/*")) if what == "a blob" else saved / what
    content = path.read_bytes()
    path.unlink()  # it may be a link
    if harm == "changed":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(UsageError, match="is missing" if harm == "missing" else "is not as it was made"):
        restore(saved, tmp_path / "again")
    assert sorted(found.name for found in tmp_path.iterdir()) == ["saved", "state"]


@pytest.mark.parametrize("name", ["../evil", "blobs/../../evil", "/etc/passwd", "client.env"])
def test_a_backup_cannot_write_elsewhere(saved: Path, tmp_path: Path, name: str) -> None:
    with (saved / "SHA256SUMS").open("a") as file:
        file.write(f"{'0' * 64}  {name}\n")
    with pytest.raises(UsageError, match="names what no backup has"):
        restore(saved, tmp_path / "again")


def test_places_by_url_are_told_what_to_do_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no database in the state folder") as caught:
        back_up(tmp_path, tmp_path / "saved")
    assert "pg_dump" in str(caught.value.hint)
    monkeypatch.setitem(os.environ, "AVATAR_GITOPS_DATABASE", "postgresql://u@h/d")
    with pytest.raises(UsageError, match="not in the state folder"):
        back_up(tmp_path, tmp_path / "saved")


def test_the_commands_say_what_they_did(saved: Path, tmp_path: Path) -> None:
    run = CliRunner()
    state, again, more = (str(tmp_path / name) for name in ("state", "again", "more"))
    made = run.invoke(cli, ["serve", "backup", more, "--state-dir", state])
    assert (made.exit_code, "are backed up in" in made.output) == (0, True), made.output
    back = run.invoke(cli, ["serve", "--state-dir", again, "restore", str(saved)])
    assert (back.exit_code, "are restored" in back.output) == (0, True), back.output
    assert run.invoke(cli, ["serve", "restore", str(saved), "--state-dir", again]).exit_code != 0
