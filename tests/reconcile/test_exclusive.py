"""One apply at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from avatar_gitops.errors import Locked
from avatar_gitops.reconcile.exclusive import HOLDER, exclusive
from tests.support.http import StillClock

HOLD = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from avatar_gitops.reconcile.exclusive import exclusive
class Clock:
    def now(self): return datetime(2026, 1, 1, 9, 38, tzinfo=UTC)
    def sleep(self, seconds): time.sleep(seconds)
with exclusive(Path(sys.argv[1]), Clock(), who="github-actions, run 118"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_apply_is_refused_and_told_who_and_since_when(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None and other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Locked) as caught, exclusive(tmp_path, StillClock()):
            pass
        other.kill()
    assert "by github-actions, run 118, since 2026-01-01 09:38 UTC" in str(caught.value)
    assert caught.value.exit_code == 8
    with exclusive(tmp_path, StillClock()):
        assert f"process {os.getpid()}" in (tmp_path / HOLDER).read_text()


def test_the_lock_is_given_back_also_after_an_error(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="oops"), exclusive(tmp_path, StillClock()):
            raise ValueError("oops")
    assert not (tmp_path / HOLDER).exists()
