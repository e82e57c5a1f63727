"""`policy ledger`: every release on record, also of sets that are gone, and what only lock files know."""

from __future__ import annotations

from pathlib import Path

from avatar_gitops.app.loading import load_applied
from avatar_gitops.app.policy_files import load_book
from avatar_gitops.plan.ledger import Ledger, with_locks
from avatar_gitops.workspace.ledger import read_ledger


def ledger(project: Path | None) -> Ledger:
    """The releases of a project and the limits of its policy."""
    applied = load_applied(project)
    releases = with_locks(read_ledger(applied.root), applied.locks.values())
    return Ledger(releases, (), load_book(applied.root).ledger)
