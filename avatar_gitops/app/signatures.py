"""The signatures under the assessments that are published, for whoever shows or changes sets."""

from __future__ import annotations

from collections.abc import Iterable

from avatar_gitops.app.loading import Loaded
from avatar_gitops.plan.model import Change
from avatar_gitops.plan.signoff import STATEMENTS, Signatures, by_set
from avatar_gitops.workspace.signoffs import read_signoffs


def signatures_under(loaded: Loaded, changes: Iterable[Change]) -> dict[str, Signatures]:
    """Those of the published sets of a plan that anybody signs. Raises SpecError for a file that is not valid."""
    signers = tuple(loaded.project.spec.reports.signers)
    locks = (change.lock for change in changes if change.lock is not None)
    return by_set(
        (lock.set, Signatures(read_signoffs(loaded.root, lock.set), lock.outputs.get(STATEMENTS, ""), signers))
        for lock in locks
    )
