"""The body of the issue that tells of drift: marker and data first, then the table of what differs."""

from __future__ import annotations

import json
from datetime import date
from typing import Final

from avatar_gitops.plan.drift import Drift
from avatar_gitops.report.comment import DATA, project_mark
from avatar_gitops.report.drift import markdown

MARK: Final = "avatar-gitops:drift:v1"


def drift_issue(found: Drift, today: date, log: str = "") -> str:
    """What the issue says; its state is `drift` or `clean`. `log` is the URL of the run that looked."""
    state = "drift" if found.findings else "clean"
    lines = [project_mark(MARK, found.project), f"<!-- {DATA} {json.dumps({'state': state})} -->"]
    closing = "This issue is edited by every run that looks for drift, and closed when nothing differs any more."
    seen = f" [Last run]({log})." if log else ""
    return "\n".join([*lines, markdown(found, today), f"<sub>{closing}{seen}</sub>", ""])


def title_of(body: str) -> str:
    """The title of the issue: its first heading in plain words, within GitHub's 256 characters."""
    heading = next((line for line in body.splitlines() if line.startswith("### ")), "### Avatar drift")
    return heading.removeprefix("### ").replace("\\", "")[:256]
