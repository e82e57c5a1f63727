"""`retry`: the sets that the last apply ended badly, once more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from avatar_gitops.app.apply import Applied, Confirm, How, apply
from avatar_gitops.app.plan import Consent
from avatar_gitops.errors import UsageError
from avatar_gitops.events import Listener
from avatar_gitops.reconcile.journal import Record, latest_journal
from avatar_gitops.workspace.discover import find_root


def last_apply(project: Path | None) -> Record:
    """The record of the last apply from this folder. Raises UsageError when there was none."""
    record = latest_journal(find_root(project or Path.cwd()))
    if record is None:
        raise UsageError("there is no journal of an apply in this project", hint="avatar-gitops apply")
    return record


def retry(
    project: Path | None, server: str | None, consent: Consent, how: How, confirm: Confirm, listener: Listener
) -> Applied:
    """Apply the sets that ended badly, and no other; what is selected in `how` narrows them further."""
    record = last_apply(project)
    only = replace(how, selection=replace(how.selection, only=frozenset(record.failed)), command="retry")
    return apply(project, server or record.server, consent, only, confirm, listener)
