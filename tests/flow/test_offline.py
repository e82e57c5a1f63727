"""A plan without a server: from lock files in git, without data where there are none, and the same as online."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.flow import Cli, Platform, people

Unique = Callable[[str], str]
STANDARD = "  jobs: [standard]\n"


def git(cli: Cli, *arguments: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(cli.root), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(cli: Cli, message: str) -> str:
    git(cli, "add", "-A", "configs", "data", "avatar-gitops.yaml")
    git(cli, "commit", "-q", "-m", message)
    return git(cli, "rev-parse", "HEAD")


def cut_off(cli: Cli) -> None:
    """No key, and an address where nobody answers."""
    cli.environment.pop("AVATAR_API_KEY")
    cli.environment |= {"AVATAR_BASE_URL": "http://192.0.2.1:9"}


def digests(content: dict[str, Any]) -> dict[str, str]:
    return {change["set"]: change["digest"] for change in content["changes"]}


def plan(cli: Cli, *more: str) -> dict[str, Any]:
    done = cli("plan", "--format", "json", *more)
    assert done.code == 0, done.text
    content: dict[str, Any] = json.loads(done.out)
    return content


def test_an_offline_plan_says_the_same_of_each_set_as_a_server(cli: Cli, unique: Unique) -> None:
    names = [unique(name) for name in ("stays", "weaker", "newer", "gone", "owned")]
    stays, weaker, newer, gone, owned = names
    git(cli, "init", "-q", "-b", "main")
    cli.project(f"p-{unique('x')}", more=", prune: owned, thresholds: {min_sets: 9}")
    for name in (stays, weaker, gone, owned):
        cli.spec(name, more=STANDARD)
    assert cli("apply", "--yes").code == 0
    published = commit(cli, "published")
    git(cli, "checkout", "-q", "-b", "topic")
    cli.spec(weaker, k=5, more=STANDARD)
    cli.spec(newer, more=STANDARD)
    path = cli.root / "configs" / f"{owned}.yaml"
    path.write_text(path.read_text().replace("metadata:\n", "metadata:\n  owner: a@example.org\n"))
    (cli.root / "configs" / f"{gone}.yaml").unlink()
    removed = commit(cli, "changed")

    online, offline = plan(cli), plan(cli, "--offline")
    assert digests(online) == digests(offline)
    assert "offline" not in online
    assert offline["offline"] is True
    assert offline["base"] == {"commit": published, "ref": "merge base with main"}
    assert {change["set"]: change["action"] for change in offline["changes"]} == {
        stays: "unchanged", weaker: "relaunch", newer: "launch", gone: "delete", owned: "update",
    }  # fmt: skip
    (deleted,) = [change for change in offline["changes"] if change["set"] == gone]
    assert deleted["removed_in"] == removed
    (grown,) = [change for change in offline["changes"] if change["set"] == newer]
    assert len(grown["exposure"]["columns"]) == 4

    cut_off(cli)
    assert plan(cli, "--offline")["digest"] == offline["digest"]
    text = cli("plan", "--offline", "--detailed-exitcode")
    assert text.code == 2, text.text
    assert f"server offline (locks at {published[:7]})" in text.out
    assert "no server was asked; apply plans again." in text.out
    assert f"was configs/{gone}.yaml, removed in {removed[:7]}" in text.out
    assert "time    about" in text.out
    said = cli("ci", "plan", "--offline", "--base", "main", "--dry-run")
    assert said.code == 0, said.text
    assert f"Offline\\: compared with the lock files at {published[:7]} \\(main\\)" in said.out
    assert not (cli.root / ".avatar" / "server").exists()


def test_the_base_decides_which_locks_count(cli: Cli, unique: Unique) -> None:
    name = unique("based")
    cli.spec(name, more=STANDARD)
    assert cli("apply", "--yes").code == 0
    on_disk = cli("plan", "--offline")
    assert "No changes. 1 set in git equals 1 lock file on disk (offline)." in on_disk.out
    assert cli("plan", "--offline", "--base", "main").code == 64
    git(cli, "init", "-q", "-b", "trunk")
    git(cli, "add", f"configs/{name}.yaml", "data", "avatar-gitops.yaml")
    git(cli, "commit", "-q", "-m", "spec only")
    first = plan(cli, "--offline")
    assert (first["base"]["ref"], first["changes"][0]["reason"]) == ("HEAD", "new")
    commit(cli, "with its lock")
    assert plan(cli, "--offline")["changes"][0]["action"] == "unchanged"
    assert plan(cli, "--offline", "--base", "HEAD~1")["changes"][0]["reason"] == "new"
    for wrong in ("v9", "-h", "--all"):
        refused = cli("plan", "--offline", f"--base={wrong}")
        assert refused.code == 64
        assert "git knows no commit of that name" in refused.err
    assert "add --offline" in cli("plan", "--base", "HEAD").err
    assert "--server would do nothing" in cli("plan", "--offline", "--server", "env").err


def test_data_that_are_not_here_are_taken_as_published(cli: Cli, unique: Unique) -> None:
    name, newer, moved = unique("lacks"), unique("newer"), unique("moved")
    for spec in (name, moved):
        cli.spec(spec, more=STANDARD)
    assert cli("apply", "--yes").code == 0
    data = cli.root / "data" / "people.csv"
    cli.spec(newer, more=STANDARD)
    path = cli.root / "configs" / f"{moved}.yaml"
    path.write_text(path.read_text().replace("data/people.csv", "data/others.csv"))
    for pointer in (None, "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n"):
        data.unlink()
        if pointer:
            data.write_text(pointer)
        found = plan(cli, "--offline")
        actions = {change["set"]: change["action"] for change in found["changes"]}
        assert actions == {name: "unchanged", newer: "launch", moved: "relaunch"}
        assert {(item["set"], item["why"]) for item in found["not_compared"]} == {
            (name, "not_here"), (newer, "not_here"), (moved, "not_here"),
        }  # fmt: skip
        (change,) = [change for change in found["changes"] if change["set"] == moved]
        assert [field["path"][-1] for field in change["fields"]] == ["uri", "digest"]
        assert change["privacy"] == "unknown", "nobody can say that columns left"
        assert f"people of {name}" in cli("plan", "--offline").out
        data.write_text("age\n1\n")
    assert cli("validate").code == 3, "here, a missing file stays an error"


def test_without_the_key_of_the_digests_size_and_columns_are_compared(cli: Cli, unique: Unique) -> None:
    name = unique("keyed")
    cli.environment["SECRET_KEY"] = "canary-of-the-key"
    cli.project(f"p-{unique('x')}", more=", digest_key: env/SECRET_KEY")
    cli.spec(name, more=STANDARD)
    assert cli("apply", "--yes").code == 0
    assert plan(cli, "--offline")["not_compared"] == []
    del cli.environment["SECRET_KEY"]
    found = plan(cli, "--offline")
    assert found["changes"][0]["action"] == "unchanged"
    assert found["not_compared"] == [{"set": name, "table": "people", "why": "no_key"}]
    assert "the digest key is not set: people of" in cli("plan", "--offline").out
    (cli.root / "data" / "people.csv").write_text(people(rows=61))
    (change,) = plan(cli, "--offline")["changes"]
    assert (change["action"], change["reason"]) == ("relaunch", "input_changed")
    assert [field["after"] for field in change["fields"]] == ["unknown"]
    assert "sha256:" not in json.dumps(change["fields"][0]["after"])


def test_an_offline_plan_is_applied_change_by_change_only(cli: Cli, platform: Platform, unique: Unique) -> None:
    name = unique("later")
    cli.spec(name, more=STANDARD)
    assert cli("plan", "--offline", "--out", "json:plan.json").code == 0
    refused = cli("apply", "plan.json", "--yes")
    assert refused.code == 64
    assert "this plan was made offline" in refused.err
    assert platform.jobs(name) == []
    assert cli("apply", "plan.json", "--yes", "--only-equal").code == 0
    assert len(platform.jobs(name)) == 1


@pytest.mark.slow
def test_sets_are_selected_by_what_changed_in_git(cli: Cli, unique: Unique) -> None:
    names = [unique(name) for name in ("spec", "data", "same", "gone", "below", "fresh")]
    spec, data, same, gone, below, fresh = names
    git(cli, "init", "-q", "-b", "main")
    (cli.root / "data" / "other.csv").write_text(people(seed=2))
    for name in (spec, data, same, gone):
        cli.spec(name, more=STANDARD)
    other = cli.root / "configs" / f"{data}.yaml"
    other.write_text(other.read_text().replace("data/people.csv", "./data/other.csv"))
    (cli.root / "configs" / "folder").mkdir()
    (cli.root / "configs" / f"{same}.yaml").rename(cli.root / "configs" / "folder" / "same.yaml")
    cli.spec(below, more=STANDARD)
    (cli.root / "configs" / "sub").mkdir()
    (cli.root / "configs" / f"{below}.yaml").rename(cli.root / "configs" / "sub" / "below.yaml")
    assert cli("apply", "--yes").code == 0
    commit(cli, "start")
    assert plan(cli, "--offline", "--select", "git:main")["changes"] == []

    git(cli, "checkout", "-q", "-b", "topic")
    cli.spec(spec, k=7, more=STANDARD)
    (cli.root / "configs" / f"{gone}.yaml").unlink()
    commit(cli, "on the branch")
    (cli.root / "data" / "other.csv").write_text(people(seed=3))
    cli.spec(fresh, more=STANDARD)
    defaults = "apiVersion: avatar-gitops/v1\nkind: Defaults\nmetadata: {owner: a@example.org}\n"
    (cli.root / "configs" / "sub" / "_defaults.yaml").write_text(defaults)

    found = plan(cli, "--select", "git:main")
    assert set(digests(found)) == {spec, data, gone, fresh, below}
    assert found["selection"] == {"select": sorted({spec, data, gone, fresh, below}), "exclude": [], "left_out": 1}
    assert set(digests(plan(cli, "--offline", "--exclude", "git:main"))) == {same}
    assert set(digests(plan(cli, "--select", "git:main", "--exclude", "fresh-*"))) == {spec, data, gone, below}
    listed = json.loads(cli("status", "--select", "git:HEAD", "--format", "json").out)
    assert {row["set"] for row in listed["sets"]} == {data, fresh, below}
    assert cli("apply", "--yes", "--select", "git:HEAD", "--exclude", data).code == 0

    for ref in ("nope", "-h", "--all"):
        refused = cli("plan", "--select", f"git:{ref}")
        assert refused.code == 64
        assert f"`git:{ref}`: git knows no commit of that name" in refused.err
    assert cli("plan", "--select", "git:").code == 64
