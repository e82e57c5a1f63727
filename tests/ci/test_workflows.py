"""The workflows that `init --ci github` writes, the action and the hooks: least rights, pins, scripts that work."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from avatar_gitops import __version__
from avatar_gitops.app.ci import COUNTED
from avatar_gitops.app.init_ci import WORKFLOWS
from avatar_gitops.cli import main

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "avatar_gitops/ci/action.sh"
PIN = re.compile(r"^[\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
RIGHTS = {
    "avatar-plan.yml": {
        "validate": {"contents": "read"},
        "plan": {"contents": "read", "pull-requests": "read"},
        "offline": {"contents": "read"},
    },
    "avatar-comment.yml": {"comment": {"actions": "read", "pull-requests": "write"}},
    "avatar-apply.yml": {
        "apply": {"contents": "read", "pull-requests": "read"},
        "comment": {"contents": "read", "pull-requests": "write"},
        "locks": {"contents": "write"},
        "attest": {"id-token": "write", "attestations": "write"},
    },
    "avatar-drift.yml": {"drift": {"contents": "read", "issues": "write"}},
}


def load(path: Path) -> Any:
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "demo"
    assert main.run(["init", str(folder), "--ci", "github"]) == 0
    return folder / ".github/workflows"


def runs(content: Any) -> Iterator[str]:
    """Every script of a workflow or an action."""
    match content:
        case dict():
            if isinstance(content.get("run"), str):
                yield content["run"]
            for item in content.values():
                yield from runs(item)
        case list():
            for item in content:
                yield from runs(item)


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_has_the_least_rights(written: Path, name: str) -> None:
    content = load(written / name)
    assert content["permissions"] == {}
    assert {job: dict(part["permissions"]) for job, part in content["jobs"].items()} == RIGHTS[name]
    assert "pull_request_target" not in (written / name).read_text()
    assert all("timeout-minutes" in job for job in content["jobs"].values())
    assert content["concurrency"]["group"].startswith(name.removesuffix(".yml"))


def test_an_apply_is_never_cancelled_and_secrets_come_from_environments(written: Path) -> None:
    apply = load(written / "avatar-apply.yml")
    assert apply["concurrency"]["cancel-in-progress"] is False
    assert apply["jobs"]["apply"]["environment"] == "avatar-prod"
    for name in WORKFLOWS:
        for job in load(written / name)["jobs"].values():
            assert ("secrets." in str(job)) == ("environment" in job)
            assert not ("AVATAR_API_KEY" in str(job) and job["permissions"].get("pull-requests") == "write")


@pytest.mark.parametrize("path", [*WORKFLOWS, "action.yml"])
def test_actions_are_pinned_and_scripts_take_no_expression(written: Path, path: str) -> None:
    file = ROOT / path if path == "action.yml" else written / path
    used = re.findall(r"uses: (.+)", file.read_text())
    assert used
    assert [line for line in used if not PIN.match(line)] == []
    assert [script for script in runs(load(file)) if "${{" in script] == []
    assert "VERSION" not in file.read_text().replace("AVATAR", "")


def test_what_runs_with_more_rights_checks_nothing_out(written: Path) -> None:
    content = (written / "avatar-comment.yml").read_text()
    assert "actions/checkout" not in content
    assert f"avatar-gitops=={__version__}" in content


def test_workflows_go_into_a_project_that_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["init", str(tmp_path)]) == 0
    before = (tmp_path / "avatar-gitops.yaml").stat().st_mtime_ns
    assert main.run(["init", str(tmp_path), "--ci", "github"]) == 0
    assert sorted(path.name for path in (tmp_path / ".github/workflows").iterdir()) == sorted(WORKFLOWS)
    assert (tmp_path / "avatar-gitops.yaml").stat().st_mtime_ns == before
    assert main.run(["init", str(tmp_path), "--ci", "github"]) == 64
    (tmp_path / ".git").mkdir()
    capsys.readouterr()
    assert main.run(["init", str(tmp_path / "inside"), "--ci", "github"]) == 64
    assert "top of the repository" in capsys.readouterr().err
    assert not (tmp_path / "inside").exists()


def test_init_says_what_to_set(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    golden: Callable[[str, str], None],
) -> None:
    monkeypatch.chdir(tmp_path)
    main.run(["init", "demo", "--ci", "github"])
    golden("ci/init.txt", capsys.readouterr().out)


def git(folder: Path, *arguments: str) -> str:
    who = [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@example.org",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "core.hooksPath=/dev/null",
    ]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def step(path: Path, job: str, name: str) -> str:
    found = next(item for item in load(path)["jobs"][job]["steps"] if item.get("name") == name)
    return str(found["run"])


def bash(script: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a script as the runner does, with programs of `stubs/` first."""
    environment = {**os.environ, "PATH": f"{folder.parent / 'stubs'}:{os.environ['PATH']}", **more}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder, env=environment, check=False, capture_output=True, text=True,
    )  # fmt: skip


def stub(folder: Path, name: str, script: str) -> Path:
    path = folder / "stubs" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{script}\n")
    path.chmod(0o755)
    return path


def test_lock_files_travel_from_apply_to_a_commit(written: Path, tmp_path: Path) -> None:
    origin, work, other, temp = (tmp_path / name for name in ("origin.git", "work", "other", "temp"))
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(origin))
    git(tmp_path, "clone", "-q", str(origin), str(work))
    git(work, "checkout", "-q", "-B", "main")
    (work / "configs").mkdir()
    for name in ("a.yaml", "a.lock.yaml", "gone.lock.yaml"):
        (work / "configs" / name).write_text("before\n")
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "first")
    git(work, "push", "-q", "origin", "main")
    git(tmp_path, "clone", "-q", str(origin), str(other))
    (work / "configs/a.lock.yaml").write_text("after\n")
    (work / "configs/new.lock.yaml").write_text("new\n")
    (work / "configs/gone.lock.yaml").unlink()
    (work / "ledger").mkdir()
    (work / "ledger/people-0a1b2c3d.yaml").write_text("new\n")
    (work / "configs/a.yaml").write_text("not to be committed\n")
    temp.mkdir()
    stub(tmp_path, "avatar-gitops", "mkdir -p avatar-ci")
    stub(tmp_path, "gh", "true")
    apply = written / "avatar-apply.yml"
    said = bash(step(apply, "apply", "Say what was applied"), work, RUNNER_TEMP=str(temp))
    assert said.returncode == 0, said.stderr
    (temp / "avatar-ci").mkdir()
    (work / "avatar-ci/locks.patch").rename(temp / "avatar-ci/locks.patch")
    commit = step(apply, "locks", "Commit")
    home = {"RUNNER_TEMP": str(temp), "BRANCH": "main", "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    done = bash(commit, other, **home)
    assert done.returncode == 0, done.stderr
    shown = git(origin, "show", "--name-status", "--format=%s", "main").split("\n")
    assert shown[0] == "Record what was applied"
    assert sorted(line for line in shown[1:] if line) == [
        "A\tconfigs/new.lock.yaml", "A\tledger/people-0a1b2c3d.yaml",
        "D\tconfigs/gone.lock.yaml", "M\tconfigs/a.lock.yaml",
    ]  # fmt: skip
    (temp / "avatar-ci/locks.patch").write_text("")
    assert "No lock file has changed." in bash(commit, other, **home).stdout


@pytest.mark.parametrize("logins", ["", "ann\nbob\n"])
def test_approvals_reach_apply_one_by_one(written: Path, tmp_path: Path, logins: str) -> None:
    work = tmp_path / "work"
    work.mkdir()
    says = f"printf '%b' '{logins.encode('unicode_escape').decode()}'"
    stub(tmp_path, "avatar-gitops", f'if [ "$2" = approvals ]; then {says}; else printf "%s|" "$@"; fi')
    apply = written / "avatar-apply.yml"
    for name in ("See who approved", "Apply"):
        done = bash(step(apply, "apply", name), work, RUNNER_TEMP=str(tmp_path))
        assert done.returncode == 0, done.stderr
    given = [word for word in (tmp_path / "applied.json").read_text().split("|") if "approved" in word]
    assert given == [f"--approved-by={login}" for login in logins.split()]


def test_only_a_push_has_a_reviewed_plan(written: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    stub(tmp_path, "avatar-gitops", 'if [ "$2" = reviewed ]; then echo sha256:12; else printf "%s|" "$@"; fi')
    apply = written / "avatar-apply.yml"
    steps = {item.get("name"): item for item in load(apply)["jobs"]["apply"]["steps"]}
    assert steps["See what was reviewed"]["if"] == "github.event_name == 'push'"
    (tmp_path / "approved").write_text("")
    for name, expected in (("Apply", False), ("See what was reviewed", True), ("Apply", True)):
        done = bash(step(apply, "apply", name), work, RUNNER_TEMP=str(tmp_path))
        assert done.returncode == 0, done.stderr
        if name == "Apply":
            given = (tmp_path / "applied.json").read_text().split("|")
            assert ("--expect-digest=sha256:12" in given) is expected


def test_a_refused_review_ends_the_step(written: Path, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    stub(tmp_path, "avatar-gitops", "exit 6")
    script = step(written / "avatar-apply.yml", "apply", "See what was reviewed")
    assert bash(script, tmp_path / "work", RUNNER_TEMP=str(tmp_path)).returncode == 6


@pytest.mark.parametrize("predicted", ["", "{}"])
def test_a_preview_that_was_made_goes_into_the_plan(written: Path, tmp_path: Path, predicted: str) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work/preview.json").write_text("whoever opens the pull request wrote this")
    stub(tmp_path, "python", "true")
    stub(tmp_path, "avatar-gitops", f'printf "%s|" "$@"; [ "$1" != preview ] || printf "{predicted}" > "${{3#json:}}"')
    plan = written / "avatar-plan.yml"
    steps = {item.get("name"): item for item in load(plan)["jobs"]["plan"]["steps"]}
    predicting = steps["Predict what changes"]
    assert (predicting["if"], predicting["continue-on-error"]) == ("vars.AVATAR_PREVIEW == 'true'", True)
    assert "env" not in predicting
    for name in ("Predict what changes", "Plan"):
        done = bash(step(plan, "plan", name), tmp_path / "work", RUNNER_TEMP=str(tmp_path))
        assert done.returncode == 0, done.stderr
    assert ("--preview" in done.stdout.split("|")) is bool(predicted)
    assert "work/preview.json" not in done.stdout


def test_the_pipeline_of_gitlab_calls_commands_that_exist(tmp_path: Path) -> None:
    assert main.run(["init", str(tmp_path / "demo"), "--ci", "gitlab"]) == 0
    content = load(tmp_path / "demo/.gitlab/avatar.yml")
    lines = [line for job in content.values() for line in job.get("script", [])]
    called = {found[1] for line in lines for found in re.finditer(r"avatar-gitops (\w+)", line)}
    assert called == {"validate", "preview", "ci", "apply", "drift"}
    assert f"avatar-gitops=={__version__}" in content[".avatar"]["before_script"][0]
    assert content["avatar-apply"]["resource_group"] == "avatar-apply"


@pytest.mark.parametrize(("command", "code", "expected"), [
    ("validate", 3, 3), ("plan", 5, 5), ("apply", 7, 7), ("drift", 2, 0), ("drift", 9, 9), ("; rm -rf /", 0, 64),
])  # fmt: skip
def test_the_action_runs_its_command_and_ends_with_its_code(
    tmp_path: Path, command: str, code: int, expected: int
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    program = stub(
        tmp_path, "program", f'printf "%s|" "$@" >> "{tmp_path}/calls"; [ "$1 $2" = "ci applied" ] || exit {code}'
    )
    odd = "a $(touch evil) `touch evil` b"
    environment = {
        "AVATAR_GITOPS_PROGRAM": str(program), "INPUT_COMMAND": command, "INPUT_PROJECT": odd, "INPUT_SERVER": "env",
        "INPUT_DIR": "d", "RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "page"),
    }  # fmt: skip
    done = bash(f'bash "{SCRIPT}"', work, **environment)
    assert done.returncode == expected, done.stderr
    assert list(work.iterdir()) == []
    if expected != 64:
        assert odd in (tmp_path / "calls").read_text().split("|")


def test_the_action_counts_reviews_and_publishes(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    program = stub(
        tmp_path,
        "program",
        f'echo "$*" >> "{tmp_path}/calls"\n'
        'case "$2" in approvals) printf "ann\\nbob\\n" ;; reviewed) echo sha256:12 ;; esac',
    )
    environment = {
        "AVATAR_GITOPS_PROGRAM": str(program), "INPUT_PROJECT": ".", "INPUT_SERVER": "env", "INPUT_DIR": "d",
        "INPUT_REVIEWS": "true", "INPUT_COMMENT": "true", "INPUT_EXPECT_REVIEWED": "true", "INPUT_PREVIEW": "p q.json",
        "INPUT_BASE": "origin/main", "INPUT_EVIDENCE": "true",
        "RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(tmp_path / "output"),
    }  # fmt: skip
    for command in ("plan", "apply"):
        done = bash(f'bash "{SCRIPT}"', work, INPUT_COMMAND=command, **environment)
        assert done.returncode == 0, done.stderr
    result = tmp_path / "applied.json"
    assert (tmp_path / "calls").read_text().splitlines() == [
        "ci plan --project . --server env --reviews --preview p q.json --offline --base origin/main --dir d",
        "ci comment --body d/comment.md",
        "ci approvals --times",
        "ci reviewed --project . --server env",
        "apply --project . --server env --approved-by ann --approved-by bob --expect-digest sha256:12"
        " --yes --format json",
        f"ci applied {result} --project . --approved-by ann --approved-by bob --dir d",
        "ci comment --body d/comment.md",
        f"ci evidence {result} --project . --dir d",
    ]


def test_outputs_of_the_action_are_the_ones_of_the_step() -> None:
    action = load(ROOT / "action.yml")
    for name, output in action["outputs"].items():
        assert output["value"] == "${{ steps.run.outputs." + name + " }}"
    assert set(COUNTED) <= set(action["outputs"])
    needs = {"changed", "weaker", "policy", "plan_digest", "plan_path", "exit_code", "comment_url"}
    assert needs <= set(action["outputs"])


def test_hooks_call_commands_that_exist() -> None:
    hooks = load(ROOT / ".pre-commit-hooks.yaml")
    assert [hook["id"] for hook in hooks][:1] == ["avatar-gitops-validate"]
    for hook in hooks:
        program, command, *_ = hook["entry"].split()
        assert program == "avatar-gitops"
        assert command in main.COMMANDS
    assert len({hook["id"] for hook in hooks}) == len(hooks)
    chosen = re.compile(hooks[0]["files"])
    left_out = re.compile(hooks[0]["exclude"])
    for path, wanted in (
        ("configs/a/b.yaml", True),
        ("avatar-gitops.yaml", True),
        ("configs/a.lock.yaml", False),
        ("x.yaml", False),
    ):
        assert bool(chosen.search(path) and not left_out.search(path)) is wanted
