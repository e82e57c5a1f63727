"""A repository with real commits, its pull requests on a GitHub that runs here, and what happens written down."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.support.flow import Cli, Result
from tests.support.github import REPOSITORY, TOKEN, FakeGitHub, Pull

DOMAIN: Final = "users.noreply.example.org"
UUID: Final = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
DIGEST: Final = re.compile(r"(?:sha256:)?\b[0-9a-f]{64}\b")
SHORT: Final = re.compile(r"(?<=[Pp]lan <code>)[0-9a-f]{8}(?=</code>)|sha256:[0-9a-f]{8}\b")
JOB: Final = re.compile(r"(?<=\b(?:job|run) )[0-9a-f]{8}\b")
REPORTS = (
    (re.compile(r"^(.*  report_pia  +done .*\n)(.*  report  +done .*\n)", re.MULTILINE), r"\2\1"),
    (re.compile(r'^( +"report_pia": <number>),\n( +"report": <number>)\n', re.MULTILINE), r"\2,\n\1\n"),
)
PLAIN: Final = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|\+00:00| UTC)?"), "<time>"),
    (re.compile(r"\b20\d{2}-\d\d-\d\d\b"), "<day>"),
    (re.compile(r"(?<=avatar-gitops )\d+\.\d+\.\d+\S*(?=</sub>)"), "<version>"),
    (re.compile(r"(?<![\w:])\d\d:\d\d:\d\d(?![\w:])"), "<time>"),
    (re.compile(r"(?<![\w.])~?\d+(?:\.\d+)? ?(?:s|min|seconds?|minutes?)\b"), "<duration>"),
    (re.compile(r"(?<![\w.<])-?\d+\.\d+(?![\w.>])"), "<number>"),
)


@dataclass
class Story:
    """A repository whose steps, requests and texts are kept; `run` is the number of the workflow run."""

    cli: Cli
    github: FakeGitHub
    runner: Path
    lines: list[str] = field(default_factory=list)
    comments: dict[str, str] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    run: int = 100

    @property
    def root(self) -> Path:
        return self.cli.root

    def git(self, *arguments: str, who: str = "a.martin") -> str:
        """Git as one person, on a fixed day."""
        name = ["-c", f"user.name={who}", "-c", f"user.email={who}@{DOMAIN}", "-c", "commit.gpgsign=false"]
        done = subprocess.run(["git", *name, *arguments], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def head(self) -> str:
        """The commit that is checked out, known by a name of its own from now on."""
        commit = self.git("rev-parse", "HEAD")
        self.commits += [] if commit in self.commits else [commit]
        return commit

    def scene(self, text: str) -> None:
        """A heading, or who does what outside of a workflow."""
        self.lines += ["", text]

    def pull(self, number: int, branch: str, message: str, who: str = "a.martin") -> Pull:
        """Commit everything that was changed on a branch of its own and open a pull request of it."""
        base = self.head()
        self.git("checkout", "-q", "-b", branch)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message, who=who)
        self.scene(f"{who} opens pull request {number}: {message}")
        difference = self.git("show", "--format=", "--unified=0", "--", ".", ":!*.lock.yaml").splitlines()
        self.lines += [f"    {line}" for line in difference if changed(line)]
        return self.opened(number, branch, base, who)

    def opened(self, number: int, branch: str, base: str, who: str = "a.martin") -> Pull:
        """A pull request of the commit that is checked out."""
        made = Pull(number, self.head(), branch=branch, author=who, committers=[who], base=base)
        self.github.pulls[number] = made
        return made

    def merge(self, pull: Pull, who: str) -> dict[str, Any]:
        """Merge a pull request into the main branch; returns the event of the push."""
        before = self.git("rev-parse", "main")
        self.git("checkout", "-q", "main")
        self.git("merge", "-q", "--no-ff", "-m", f"Merge pull request {pull.number}", pull.branch, who=who)
        pull.state, pull.merge_commit = "closed", self.head()
        self.scene(f"{who} merges pull request {pull.number}")
        commits = [
            {"author": {"username": pull.author}, "committer": {"username": pull.author}},
            {"author": {"username": who}, "committer": {"username": "web-flow"}},
        ]
        return {"ref": "refs/heads/main", "before": before, "after": pull.merge_commit, "commits": commits}

    def review(self, pull: Pull, login: str, association: str = "COLLABORATOR") -> None:
        """An approving review of the head."""
        given = {"user": {"login": login}, "state": "APPROVED", "commit_id": pull.head}
        pull.reviews.append({**given, "author_association": association})
        self.scene(f"{login} approves pull request {pull.number}")

    def workflow(self, name: str, event: str, payload: Mapping[str, Any], commit: str, actor: str = "a.martin") -> None:
        """Begin a run: a new number, a new event file, nothing left of the run before."""
        self.run += 1
        self.lines += ["", f"[{name}, on {event}]"]
        (self.runner / "event.json").write_text(json.dumps(payload), encoding="utf-8")
        self.cli.environment |= {
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTOR": actor,
            "GITHUB_API_URL": self.github.url,
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(self.runner / "event.json"),
            "GITHUB_OUTPUT": str(self.runner / "output"),
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_RUN_ID": str(self.run),
            "GITHUB_SHA": commit,
            "GITHUB_STEP_SUMMARY": str(self.runner / "summary.md"),
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_WORKSPACE": str(self.root),
        }

    def step(self, *args: str, code: int = 0) -> Result:
        """One command of a workflow: what it says, what it asks GitHub, its outputs."""
        asked = len(self.github.requests)
        (self.runner / "output").write_text("", encoding="utf-8")
        done = self.cli(*args)
        self.lines.append(f"$ {shlex.join(['avatar-gitops', *args])}")
        self.lines += [f"    {line}" for line in done.out.splitlines()]
        self.lines += [f"  ! {line}" for line in done.err.splitlines()]
        pairs = zip(self.github.requests[asked:], self.github.bodies[asked:], strict=True)
        for (method, path), body in pairs:
            size = "" if method == "GET" else f"  ({bucket(len(body))})"
            self.lines.append(f"  > {method} {path}{size}")
        self.lines += [f"  = {name}={value}" for name, value in self.outputs().items()]
        if code:
            self.lines.append(f"  exit code {code}")
        assert done.code == code, done.text
        return done

    def outputs(self) -> dict[str, str]:
        """Outputs of the last step."""
        lines = (self.runner / "output").read_text(encoding="utf-8").splitlines()
        return {line.partition("<<")[0]: lines[index + 1] for index, line in enumerate(lines) if "<<" in line}

    def keep(self, name: str, text: str) -> str:
        """Keep a text that people read, and say so in the transcript."""
        self.comments[name] = text
        self.lines.append(f"  ({name}.md)")
        return text

    def clean(self, text: str) -> str:
        """A text without what is different each time: ids, digests, commits, times, measured numbers."""
        text = text.replace(str(self.root), "<repository>").replace(self.github.url, "<github>")
        for number, commit in enumerate(self.commits, 1):
            text = text.replace(commit, f"<commit {number}>").replace(commit[:7], f"<commit {number}>")
        for pattern, kind in ((UUID, "id"), (JOB, "id"), (DIGEST, "digest"), (SHORT, "digest")):
            text = pattern.sub(lambda found, kind=kind: self._name(found[0], kind), text)  # type: ignore[misc]
        for plain, word in PLAIN:
            text = plain.sub(word, text)
        # two workers write the two reports side by side, and either may be first
        for swapped, order in REPORTS:
            text = swapped.sub(order, text)
        return text

    def _name(self, value: str, kind: str) -> str:
        """The same name for an id and for its first eight digits."""
        amount = sum(name.startswith(f"<{kind}") for name in self.names.values())
        return self.names.setdefault(value.removeprefix("sha256:")[:8], f"<{kind} {amount + 1}>")

    def transcript(self) -> str:
        """Everything that happened."""
        return self.clean("\n".join(self.lines).strip() + "\n")


def changed(line: str) -> bool:
    """Whether a line of a difference says what was changed."""
    return line.startswith(("+", "-")) and not line.startswith(("+++ ", "--- "))


def bucket(amount: int) -> str:
    """The size of a body, coarse enough to be the same each time."""
    return f"at most {max(1, -(-amount // 4096)) * 4} KiB"


def pull_event(pull: Pull) -> dict[str, Any]:
    """What the event of a pull request says."""
    return {"number": pull.number, "pull_request": pull.document()}


def run_event(pull: Pull) -> dict[str, Any]:
    """What the event says that a finished run of the plan starts."""
    named = {"number": pull.number, "head": {"sha": pull.head, "repo": {"id": 1}}, "base": {"repo": {"id": 1}}}
    source = {"owner": {"login": pull.owner}, "full_name": REPOSITORY}
    content = {"head_branch": pull.branch, "head_sha": pull.head, "head_repository": source, "pull_requests": [named]}
    return {"workflow_run": content}
