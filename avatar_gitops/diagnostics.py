"""Findings about a text: code, severity, position, suggestion. Wording of codes is in the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from avatar_gitops.errors import AvatarGitOpsError


class Severity(StrEnum):
    """How bad a finding is; only errors make a spec invalid."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a file: 1-based line and column of the first character, and of the one after the last."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that a finding is about, such as the first use of a duplicate key."""

    span: Span
    label: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. No text of it may hold a value that looks like a secret or comes from a table.

    `edit` is what to write in place of the span where only one repair makes sense; empty where a person has to decide.
    """

    code: str
    message: str
    span: Span
    severity: Severity = Severity.ERROR
    path: tuple[str | int, ...] = ()
    label: str = ""
    why: str = ""
    fix: str = ""
    note: str = ""
    related: tuple[Related, ...] = ()
    hide_source: bool = False
    edit: str = ""


class SpecError(AvatarGitOpsError):
    """At least one spec or the project file is invalid."""

    exit_code = 3

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic], *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.diagnostics = tuple(diagnostics)
