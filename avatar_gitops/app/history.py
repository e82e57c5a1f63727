"""`history`: the applies of this folder, from their journals. Needs no server and no valid spec."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from avatar_gitops.reconcile.journal import Record, all_attempts
from avatar_gitops.report.history import Entry
from avatar_gitops.workspace.discover import find_root


def history(project: Path | None) -> tuple[Entry, ...]:
    """Every apply that left a journal, newest first."""
    return tuple(_entry(record) for record in all_attempts(find_root(project or Path.cwd())))


def _entry(record: Record) -> Entry:
    ended = dict(record.ended)
    states = {name: ended.get(name, "not ended") for name in record.changes}
    return Entry(
        begun=record.begun,
        plan=record.plan,
        server=record.server,
        commit=record.commit,
        sets=states,
        actions=dict(record.changes),
        outcome=dict(Counter(states.values()).most_common()),
        force=record.force,
    )
