"""`ci drift` and `ci issue`: what differs as files for a workflow, and the one issue that tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from avatar_gitops.app.clock import today
from avatar_gitops.app.drift import drift
from avatar_gitops.app.forges import github, on_gitlab, pipeline
from avatar_gitops.ci.comment import read_body
from avatar_gitops.ci.github import BOT
from avatar_gitops.ci.issue import Kept, keep_issue
from avatar_gitops.errors import UsageError
from avatar_gitops.report import drift as report
from avatar_gitops.report.issue import drift_issue, title_of

ISSUE: Final = "issue.md"
DRIFT: Final = "drift.json"


@dataclass(frozen=True, slots=True)
class Found:
    """What a look for drift leaves: files by name, outputs of the step, and the text of its page."""

    files: dict[str, str]
    outputs: dict[str, str]
    summary: str


def ci_drift(project: Path | None, server: str | None, folder: Path) -> Found:
    """Look for drift and say it for an issue; changes nothing on the server."""
    found = drift(project, server)
    body = drift_issue(found, today(), pipeline().log)
    outputs = {
        "drifted": "true" if found.findings else "false",
        "findings": str(len(found.findings)),
        "issue_path": (folder / ISSUE).as_posix(),
    }
    return Found({ISSUE: body, DRIFT: report.to_json(found)}, outputs, report.markdown(found, today()))


def ci_issue(body: Path, author: str | None = None) -> Kept:
    """Open, edit or close the issue of this project on GitHub."""
    if on_gitlab():
        raise UsageError("issues are kept on GitHub only", hint="on GitLab the pipeline itself fails when sets differ")
    text = body.read_text(encoding="utf-8")
    content = read_body(text)
    with github() as (conversation, run):
        return keep_issue(conversation, run.repository, title_of(text), content, author or BOT)
