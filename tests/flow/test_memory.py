"""What a version says about itself is asked for once, then remembered beside the project, by whoever has the key."""

from __future__ import annotations

import stat
from collections.abc import Callable

from tests.support.flow import Cli

Unique = Callable[[str], str]


def documents(result_text: str) -> int:
    """How many documents of versions a command asked for, told by the requests that `-v` shows."""
    return sum("GET /resources/" in line for line in result_text.splitlines())


def test_a_plan_asks_for_documents_once_and_does_not_believe_a_memory_that_was_changed(
    cli: Cli, unique: Unique
) -> None:
    cli.spec(unique("kept"))
    assert cli("apply", "--yes").code == 0
    cache = cli.root / ".avatar" / "cache"
    for left in cache.glob("*"):
        left.unlink()
    first = cli("plan", "-v")
    assert first.out.startswith("No changes.")
    assert documents(first.err) > 0
    again = cli("plan", "-v")
    assert (again.out, documents(again.err)) == (first.out, 0)
    drift = cli("drift", "-v")
    assert (drift.code, documents(drift.err)) == (0, 0), drift.text

    (kept,) = cache.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.write_bytes(kept.read_bytes().replace(b"avatar-gitops/project", b"avatar-gitops/xroject"))
    told = cli("plan", "-v")
    assert (told.out, documents(told.err)) == (first.out, documents(first.err))
    assert kept.read_bytes().count(b"avatar-gitops/xroject") == 0
