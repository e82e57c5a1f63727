"""Where a set stands, in the words that `status` shows and that `--select state:` takes."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from avatar_gitops.plan.model import Action, Change, Reason


class Standing(StrEnum):
    """What needs a person comes before what is published."""

    PUBLISHED = "published"
    PROTECTED = "protected"
    NEW = "new"
    MISSING = "missing"
    CHANGED = "changed"
    FAILED = "failed"
    UNFINISHED = "unfinished"
    NOT_PUBLISHED = "not published"
    REMOVED = "removed"


def standing(change: Change) -> Standing:
    """Where the set of a change stands before anything is applied."""
    match change.action:
        case Action.UNCHANGED | Action.UPDATE | Action.RENAME:
            return Standing.PROTECTED if change.protected else Standing.PUBLISHED
        case Action.LAUNCH:
            return Standing.MISSING if change.reason is Reason.MISSING else Standing.NEW
        case Action.RELAUNCH:
            return Standing.FAILED if change.reason is Reason.LAST_RUN_FAILED else Standing.CHANGED
        case Action.COLLECT | Action.ADOPT:
            return Standing.NOT_PUBLISHED if change.reason is not Reason.UNFINISHED else Standing.UNFINISHED
        case Action.KEEP:
            return Standing.PROTECTED if change.reason is Reason.PROTECTED else Standing.REMOVED
        case Action.DELETE:
            return Standing.REMOVED
        case _:
            assert_never(change.action)
