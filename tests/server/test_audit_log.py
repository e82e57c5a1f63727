"""The audit log: what stands in it, what never does, and that it survives being moved away."""

from __future__ import annotations

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from avatar_gitops.server.audit_log import AuditLog, Entry


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def test_a_line_holds_what_is_known_and_only_the_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    AuditLog(path, b"secret").write(Entry("user.login", "failed", subject="0123"))
    [line] = lines(path)
    assert line.pop("time")
    assert line == {"event": "user.login", "outcome": "failed", "subject": "0123"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_was_moved_away_is_replaced_by_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(path, b"secret")
    log.write(Entry("one"))
    path.rename(tmp_path / "audit.log.1")
    log.write(Entry("two"))
    assert [line["event"] for line in lines(tmp_path / "audit.log.1")] == ["one"]
    assert [line["event"] for line in lines(path)] == ["two"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_lines_of_many_writers_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: AuditLog(path, b"s").write(Entry("x", object_id=str(n) * 200)), range(200)))
    assert len(lines(path)) == 200


def test_a_line_cannot_be_forged_by_what_a_caller_sends(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    AuditLog(path, b"secret").write(Entry("x", request='a"\n{"event": "forged"}'))
    assert [line["event"] for line in lines(path)] == ["x"]


def test_addresses_of_nobody_stand_there_as_what_cannot_be_undone() -> None:
    log, other = AuditLog(Path("x"), b"secret"), AuditLog(Path("x"), b"another")
    assert log.subject("Ada@example.org ") == log.subject("ada@example.org")
    assert log.subject("ada@example.org") != other.subject("ada@example.org")
    assert "ada" not in log.subject("ada@example.org")


def test_a_log_that_cannot_be_written_is_an_error_of_the_other_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    target = tmp_path / "elsewhere"
    (tmp_path / "audit.log").symlink_to(target)
    AuditLog(tmp_path / "audit.log", b"secret").write(Entry("x"))
    assert "audit log cannot be written" in caplog.text
    assert not target.exists(), "links are not followed"
