"""What a version says about itself is asked for once, then remembered beside the project, by whoever has the key."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable

from tests.support.flow import Cli

Unique = Callable[[str], str]


def documents(result_text: str) -> int:
    """How many documents of versions a command asked for, told by the requests that `-v` shows."""
    return sum("GET /resources/" in line for line in result_text.splitlines())


def forget(cli: Cli) -> None:
    """As in a fresh clone."""
    for left in (cli.root / ".avatar" / "cache").glob("*"):
        left.unlink()


def test_documents_are_asked_for_once_and_a_memory_that_was_changed_is_not_believed(cli: Cli, unique: Unique) -> None:
    cli.spec(unique("kept"), more="  jobs: [standard]\n")
    assert cli("apply", "--yes").code == 0
    forget(cli)
    first = cli("drift", "-v")
    assert first.code == 0
    assert documents(first.err) > 0
    again = cli("drift", "-v")
    assert (again.out, documents(again.err)) == (first.out, 0)

    (kept,) = (cli.root / ".avatar" / "cache").iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.write_bytes(kept.read_bytes().replace(b"avatar-gitops/project", b"avatar-gitops/xroject"))
    told = cli("drift", "-v")
    assert (told.out, documents(told.err)) == (first.out, documents(first.err))
    assert kept.read_bytes().count(b"avatar-gitops/xroject") == 0


def test_a_plan_asks_only_about_sets_that_are_not_as_their_locks_say(cli: Cli, unique: Unique) -> None:
    same, other = unique("same"), unique("other")
    for name in (same, other):
        cli.spec(name, more="  jobs: [standard]\n")
    assert cli("apply", "--yes").code == 0
    forget(cli)
    others = documents(cli("plan", "-v", "--offline").err)
    assert others == 0
    unchanged = cli("plan", "-v")
    elsewhere = documents(unchanged.err)  # sets that other tests left on the server
    assert unchanged.out.startswith("No changes.")
    cli.spec(other, k=6, more="  jobs: [standard]\n")
    forget(cli)
    changed = cli("plan", "-v", "--detailed-exitcode")
    assert (changed.code, documents(changed.err)) == (2, elsewhere + 1), changed.text


def test_a_forged_lock_hides_a_change_from_a_plan_but_applies_nothing(cli: Cli, unique: Unique) -> None:
    name = unique("people")
    cli.spec(name, more="  jobs: [standard]\n")
    assert cli("apply", "--yes").code == 0
    lock = cli.root / f"configs/{name}.lock.yaml"
    real = lock.read_text(encoding="utf-8")
    cli.spec(name, k=5, more="  jobs: [standard]\n")
    assert cli("apply", "--yes").code == 0
    forged = lock.read_text(encoding="utf-8")
    cli.spec(name, more="  jobs: [standard]\n")
    assert cli("apply", "--yes").code == 0
    run, now = ((re.search(r"id: (\S+)", text) or [""])[1] for text in (real, lock.read_text(encoding="utf-8")))
    assert run != now
    digests = re.search(r"(?ms)^digests:.*?(?=^\S)", forged)
    assert digests is not None
    cli.spec(name, k=5, more="  jobs: [standard]\n")
    text = re.sub(r"(?ms)^digests:.*?(?=^\S)", digests[0], lock.read_text(encoding="utf-8"))
    lock.write_text(text, encoding="utf-8")
    forget(cli)
    hidden = cli("plan", "--format", "json")
    assert json.loads(hidden.out)["summary"]["relaunch"] == 0
    digest = json.loads(hidden.out)["digest"]
    refused = cli("apply", "--yes", f"--expect-digest={digest}")
    assert refused.code == 6, refused.text
