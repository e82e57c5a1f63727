"""The plan: a frozen value that says what would happen to each set, why, and whether privacy gets weaker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from avatar_gitops.plan.context import Context
from avatar_gitops.plan.desired import DesiredSet, FieldPath
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.observed import ServerSet
from avatar_gitops.spec.fields import Consequence, Privacy
from avatar_gitops.spec.models import Job

__all__ = [
    "Action",
    "Change",
    "Consequence",
    "FieldChange",
    "Note",
    "NoteKind",
    "Plan",
    "Privacy",
    "Reason",
    "Selection",
]


class Action(StrEnum):
    """What happens to a set."""

    LAUNCH = "launch"
    RELAUNCH = "relaunch"
    UPDATE = "update"
    COLLECT = "collect"
    ADOPT = "adopt"  # publish a version that others made, without running anything
    RENAME = "rename"  # lock and artifacts go to the new name, nothing runs
    DELETE = "delete"
    UNCHANGED = "unchanged"
    KEEP = "keep"  # would be deleted or relaunched, but something keeps it as it is; reported, not done

    @property
    def symbol(self) -> str:
        """Mark of the action in every output."""
        return _SYMBOLS.get(self.value, " ")


_SYMBOLS: Final = {
    "launch": "+",
    "relaunch": "-/+",
    "update": "~",
    "collect": ">",
    "adopt": "=",
    "rename": "->",
    "delete": "-",
}


class Reason(StrEnum):
    """Why; a closed list."""

    NEW = "new"
    MISSING = "missing"
    SPEC_CHANGED = "spec_changed"
    INPUT_CHANGED = "input_changed"
    LAST_RUN_FAILED = "last_run_failed"
    UNFINISHED = "unfinished"
    NOT_COLLECTED = "not_collected"
    METADATA_CHANGED = "metadata_changed"
    REMOVED_FROM_GIT = "removed_from_git"
    PROTECTED = "protected"
    PRUNE_NEVER = "prune_never"
    NOTHING_CHANGED = "nothing_changed"
    MOVED = "moved"
    RETENTION_DUE = "retention_due"
    KEPT_ON_REMOVAL = "kept_on_removal"
    ADOPTED = "adopted"
    PREVIEWED = "previewed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of the resolved spec, before and after; `line` is its place in the spec file, 0 when it left it.

    `file` is the file of that line when it is not the spec, such as that of a default; empty otherwise.
    """

    path: FieldPath
    before: Any
    after: Any
    consequence: Consequence
    privacy: Privacy
    line: int = 0
    file: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to one set.

    `current` is the version on the server that the change starts from: the one to collect or to update, or the one that
    a relaunch was compared with. `base` is the version whose jobs a relaunch builds on. `jobs` are the jobs to launch,
    `versions` all of ours of this set, newest first, and `previews` those made to look at before a merge.

    `moved_from` are names that the set had and that something of it still has, `left` the locks under those names.
    `due` is the day after which the results have to go (ISO text), when that day is over; `remark` says why a set left
    git, in the words of the project file.
    """

    set: str
    action: Action
    reason: Reason
    path: str
    fields: tuple[FieldChange, ...] = ()
    jobs: tuple[Job, ...] = ()
    desired: DesiredSet | None = None
    current: ServerSet | None = None
    base: ServerSet | None = None
    versions: tuple[ServerSet, ...] = ()
    lock: Lock | None = None
    protected: bool = False
    digest: str = ""
    previews: tuple[ServerSet, ...] = ()
    moved_from: tuple[str, ...] = ()
    left: tuple[Lock, ...] = ()
    due: str = ""
    remark: str = ""

    @property
    def effective(self) -> bool:
        """Whether apply would do anything."""
        return self.action not in {Action.UNCHANGED, Action.KEEP}

    @property
    def place(self) -> tuple[str, int]:
        """File and line of the first changed field; the spec and line 0 when none is written anywhere."""
        first = next((field for field in self.fields if field.line), None)
        return (first.file or self.path, first.line) if first else (self.path, 0)

    @property
    def privacy(self) -> Privacy:
        """Direction of the whole change: weaker if any field is, then unknown, then stronger, else neutral."""
        directions = {field.privacy for field in self.fields}
        order = (Privacy.WEAKER, Privacy.UNKNOWN, Privacy.STRONGER)
        return next((direction for direction in order if direction in directions), Privacy.NEUTRAL)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which sets a plan was asked for; see `plan.select`.

    `only` are exact names, such as those of a journal, of sets that need not exist any more. `touched` are the sets
    that each REF of a `git:REF` selector stands for.
    """

    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    only: frozenset[str] | None = None
    touched: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return not self.select and not self.exclude and self.only is None


class NoteKind(StrEnum):
    """What a note is about; a closed list."""

    RENAME = "rename"
    AMBIGUOUS = "ambiguous"
    RETENTION = "retention"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Note:
    """Something to know about a set; `text` goes on after its name and is safe to show, `code` is to be pasted."""

    kind: NoteKind
    set: str
    text: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes, ordered as they are shown: weaker first, then deletes, then the rest by name.

    `foreign` counts sets on the server that belong to somebody else; they are never touched. `left_out` counts sets
    that were not selected. `notes` change nothing and are no part of the digest.
    """

    project: str
    server: str
    changes: tuple[Change, ...]
    foreign: int = 0
    commit: str = ""
    digest: str = ""
    left_out: int = 0
    selection: Selection = Selection()
    context: Context = field(default_factory=Context)
    notes: tuple[Note, ...] = ()

    @property
    def effective(self) -> tuple[Change, ...]:
        """The changes that apply would carry out."""
        return tuple(change for change in self.changes if change.effective)
