"""From an empty repository to the first comment on a pull request, by the steps that `init --ci github` prints."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator

import pytest

from avatar_gitops.cli.commands.init import EDIT, STEPS
from tests.support.flow import Cli, people
from tests.support.github import fake_github
from tests.support.story import Story, pull_event, run_event

SPEC = "configs/iris-demo.yaml"


@pytest.fixture
def story(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """An empty repository."""
    for path in sorted(cli.root.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with fake_github() as github:
        yield Story(cli, github, tmp_path_factory.mktemp("runner"))


def said(step: tuple[str, ...], story: Story) -> None:
    """Do what a line of commands says; only git is called, and there is no remote to push to."""
    for command in step[0].split(" && "):
        program, *arguments = shlex.split(command)
        assert program == "git"
        if arguments[0] != "push":
            story.git(*arguments)


def called(story: Story, workflow: str) -> list[list[str]]:
    """The commands of this program in a workflow, as they are written."""
    text = (story.root / ".github/workflows" / workflow).read_text(encoding="utf-8")
    found = re.findall(r"^ +(?:run: )?avatar-gitops (.+)$", text, re.MULTILINE)
    return [shlex.split(line.replace('"${given[@]}"', "")) for line in found]


def edit(story: Story, name: str) -> None:
    """What the third step asks for: two files, and the data."""
    assert all(file in line for file, line in zip(("avatar-gitops.yaml", SPEC), EDIT, strict=False))
    project, spec = story.root / "avatar-gitops.yaml", story.root / SPEC
    project.write_text(project.read_text().replace("server: local ", "server: env   "), encoding="utf-8")
    (story.root / "data/members.csv").write_text(people(120), encoding="utf-8")
    text = spec.read_text().replace("data/iris.csv", "data/members.csv").replace("name: iris-demo", f"name: {name}")
    spec.write_text(text.replace("species:", "city:").replace("    iris:\n", "    members:\n"), encoding="utf-8")


def test_the_first_comment(story: Story, unique: Callable[[str], str]) -> None:
    name = unique("members")
    story.git("init", "-q", "-b", "main")
    printed = story.cli("init", ".", "--ci", "github")
    assert printed.code == 0, printed.text
    workflows, _, files, branch = STEPS["github"]
    assert all(line in printed.out for step in STEPS["github"] for line in step)

    said(workflows, story)
    assert all(path.startswith(".github/") for path in story.git("ls-files").splitlines())
    base = story.head()
    assert files is EDIT
    edit(story, name)
    said(branch, story)
    assert story.git("status", "--porcelain") == ""
    pull = story.opened(7, "first-plan", base)

    story.workflow("avatar-plan", "pull_request", pull_event(pull), pull.head)
    checked, planned = [line for line in called(story, "avatar-plan.yml") if line[0] in {"validate", "ci"}][:2]
    assert (checked[0], planned[1]) == ("validate", "plan")
    assert story.cli(*checked).code == 0
    assert story.cli(*planned).code == 0
    story.workflow("avatar-comment", "workflow_run", run_event(pull), base)
    ((_, publish, *_),) = called(story, "avatar-comment.yml")
    assert publish == "comment"
    assert story.cli("ci", publish, "--body", "avatar-ci/comment.md").code == 0

    (comment,) = story.github.comments
    assert "### ✅ Avatar plan: ready · 1 launch" in comment["body"]
    assert f"[`{name}`](https://github.com/acme/data/blob/{pull.head}/{SPEC})" in comment["body"]
    assert "**To apply:** merge." in comment["body"]
