"""Who wrote a change, who approves it, which waivers were there before; and what an apply notes of that.

The authors are whom `--author` names; in a workflow of GitHub the author of the pull request, or those of the pushed
commits; elsewhere the git user and who wrote the commits since the branch began. Approvals of people who wrote commits
never reach here from `ci approvals`, so on a push who is named as approver is not taken for an author because they
merged.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

from avatar_gitops.app.policy_files import read_waivers
from avatar_gitops.ci.event import Run, read_run
from avatar_gitops.plan.lock import Applied
from avatar_gitops.plan.model import Change, FieldChange, Plan, Privacy
from avatar_gitops.policy.approvals import key
from avatar_gitops.policy.model import Finding, PolicyReport, Waiver
from avatar_gitops.report.values import before_and_after
from avatar_gitops.spec.policies import FOLDER
from avatar_gitops.workspace import git
from avatar_gitops.workspace.policies import SUFFIXES

ZEROS: Final = "0" * 40
GITLAB_BASES: Final = ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "CI_COMMIT_BEFORE_SHA")
"""Variables of GitLab that name the commit before a change, the one of a merge request first."""


@dataclass(frozen=True, slots=True)
class Signed:
    """The people behind a change."""

    approved_by: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()


def signed(root: Path, approved_by: Sequence[str], authors: Sequence[str]) -> Signed:
    """Who is behind the change in this folder, from what was said, the workflow and git."""
    wrote = authors or dict.fromkeys(_authors(root, read_run(os.environ), {key(name) for name in approved_by}))
    return Signed(tuple(approved_by), tuple(wrote))


def _authors(root: Path, run: Run, approving: set[str]) -> Iterator[str]:
    pull, commits = run.payload.get("pull_request"), run.payload.get("commits")
    if isinstance(pull, dict):
        yield from _texts(pull.get("user"), "login")
    elif isinstance(commits, list):
        names = [name for commit in commits if isinstance(commit, dict) for name in _people(commit)]
        yield from (name for name in dict.fromkeys(names) if key(name) not in approving)
    elif run.event == "workflow_dispatch":
        yield from filter(None, [os.environ.get("GITHUB_ACTOR", "")])
    elif not run.event and git.head_commit(root):
        yield from git.user(root)
        yield from git.authors_since(root, _branch_base(root))


def _people(commit: Mapping[str, Any]) -> Iterator[str]:
    for part in ("author", "committer"):
        yield from (name for name in _texts(commit.get(part), "username") if name != "web-flow")


def _texts(content: Any, name: str) -> Iterator[str]:
    value = content.get(name) if isinstance(content, dict) else None
    if isinstance(value, str) and value:
        yield value


def waivers_before(root: Path) -> tuple[Waiver, ...] | None:
    """The waivers before the change; none when there is no time before, None when this clone does not have it."""
    commit, known = _base_commit(root, read_run(os.environ))
    if not known:
        return ()
    return waivers_at(root, commit) if commit else None


def _base_commit(root: Path, run: Run) -> tuple[str, bool]:
    """The commit before the change, and whether there is one; empty when this clone does not have it."""
    pull = run.payload.get("pull_request")
    named = next(_texts(pull.get("base"), "sha"), "") if isinstance(pull, dict) else run.payload.get("before")
    named = named or next(filter(None, map(os.environ.get, GITLAB_BASES)), "")
    if isinstance(named, str) and named:
        return ("", False) if named == ZEROS else (git.resolve(root, named), True)
    commit = _branch_base(root)
    return commit, bool(commit)


def _branch_base(root: Path) -> str:
    """Where the branch left the default one; on that branch itself its last commit that others have, else its last."""
    branch = git.default_branch(root)
    return (git.merge_base(root, branch) if branch else "") or git.head_commit(root)


def waivers_at(root: Path, commit: str) -> tuple[Waiver, ...]:
    """The waivers of a commit; what is not valid there never counted."""
    paths = [path for path in git.files_at(root, commit, FOLDER) if PurePosixPath(path).suffix in SUFFIXES]
    flat = [path for path in paths if PurePosixPath(path).parent.as_posix() == FOLDER]
    return read_waivers((content, path) for path, content in git.contents_at(root, commit, flat).items())


@dataclass(slots=True)
class Notes:
    """What an apply notes of each set: who approved, and for which findings somebody answers. Filled as it goes on."""

    plan: Plan
    report: PolicyReport = field(default_factory=PolicyReport)
    later: dict[str, tuple[Finding, ...]] = field(default_factory=dict)

    def change(self, name: str) -> Change | None:
        """The change of a set."""
        return next((change for change in self.plan.changes if change.set == name), None)

    def applied(self, name: str) -> Applied:
        """The note for the lock of a set."""
        change = self.change(name)
        weak = [one for one in change.fields if one.privacy is Privacy.WEAKER] if change else []
        findings = [found for found in self.report.findings if found.set == name] + [*self.later.get(name, ())]
        return Applied(
            plan_digest=self.plan.digest,
            approved_by=self.report.approved_by if weak else (),
            waivers=tuple(dict.fromkeys(_waived(found.rule, found.waiver) for found in findings if found.waiver)),
            weaker=tuple(map(_words, weak)),
        )


def _waived(rule: str, waiver: Waiver) -> str:
    return f"{rule} {waiver.owner} until {waiver.expires}"


def _words(one: FieldChange) -> str:
    before, after = before_and_after(one)
    return f"{one.path[-1]} {before} -> {after}"
