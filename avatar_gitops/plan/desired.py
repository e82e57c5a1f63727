"""Desired state as the planner sees it: run specs with their digests and the positions of their fields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from avatar_gitops.spec import canonical
from avatar_gitops.spec.fields import Consequence, FieldPath, stage_contents
from avatar_gitops.spec.models import AvatarRun

__all__ = ["DesiredSet", "Digests", "FieldPath", "TableInput", "avatars_input", "desire", "input_digest", "input_name"]


@dataclass(frozen=True, slots=True)
class Digests:
    """What decides whether anything runs again.

    `spec` covers the whole resolved spec. The three stage digests cover the fields that a stage of the job graph
    depends on (see `spec.fields`); they and `input` are the idempotency key of a launch and stand in the annotations.
    """

    spec: str
    standard: str
    metrics: str
    reports: str
    input: str


@dataclass(frozen=True, slots=True)
class TableInput:
    """One data file, described without a single value of it. `table` is the `input_name`."""

    table: str
    digest: str
    bytes: int
    columns: tuple[str, ...]
    rows: str


def input_name(table: str, role: str) -> str:
    """Name under which a data file of a table stands among the inputs; only that of its `source` is a table's."""
    return table if role == "source" else f"{table}#{role}"


def avatars_input(table: str) -> str:
    """That of the given avatars (`avatars: FILE`)."""
    return input_name(table, "avatars")


@dataclass(frozen=True, slots=True)
class DesiredSet:
    """One run. `path` of its spec is relative to the project root, `lines` gives the line of each field, `resolved` the
    canonical content with defaults filled in.

    `files` names the file of a field that stands in another one than the spec, as inherited fields do. `one_of_many` =
    the spec makes several sets.
    """

    name: str
    path: str
    run: AvatarRun
    resolved: Mapping[str, Any]
    digests: Digests
    inputs: tuple[TableInput, ...] = ()
    lines: Mapping[FieldPath, int] = field(default_factory=dict)
    files: Mapping[FieldPath, str] = field(default_factory=dict)
    one_of_many: bool = False

    def place(self, path: FieldPath) -> tuple[str, int]:
        """File and line of a field, or of the nearest group around it that is written; line 0 when there is none."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.files.get(path[:length], self.path), self.lines[path[:length]]
        return self.path, 0


def desire(
    run: AvatarRun, path: str, inputs: Iterable[TableInput], lines: Mapping[FieldPath, int] | None = None
) -> DesiredSet:
    """A run spec with its digests; the order of inputs, tables and keys changes none of them."""
    found = tuple(sorted(inputs, key=lambda item: item.table))
    resolved = canonical.resolved(run)
    return DesiredSet(run.metadata.name, path, run, resolved, _digests(resolved, found), found, dict(lines or {}))


def input_digest(inputs: Iterable[TableInput]) -> str:
    """One digest for all data files of a run."""
    return canonical.digest(sorted([item.table, item.digest] for item in inputs))


def _digests(resolved: Mapping[str, Any], inputs: Iterable[TableInput]) -> Digests:
    stages = stage_contents(resolved)
    return Digests(
        spec=canonical.digest(resolved),
        standard=canonical.digest(stages[Consequence.RERUN_ALL]),
        metrics=canonical.digest(stages[Consequence.RERUN_METRICS]),
        reports=canonical.digest(stages[Consequence.RERUN_REPORTS]),
        input=input_digest(inputs),
    )
