"""Exception tree of the whole package; each class owns its exit code.

AvatarGitOpsError            1   message, hint
├── UsageError              64
├── diagnostics.SpecError    3   carries diagnostics
├── PolicyFailed             4   a rule refuses what would be applied
├── UnsafePlan               5   thresholds, ownership, protection
├── StalePlan                6   the reviewed plan is no longer the plan
├── Locked                   8   another apply holds the project
├── RemoteUnavailable        9   no answer, rate limited, or sign-in refused
├── RemoteRefused            1   the server understood and said no
├── IntegrityError           1   a lock, file or report does not match its digest
└── EngineError              1   the data and the parameters do not fit; safe to show, never holds a cell value
"""

from __future__ import annotations

from typing import ClassVar, Final

REFUSALS: Final = {
    "R003": "a set on the server belongs to somebody else",
    "R004": "a set cannot be adopted",
    "R005": "too many sets would be deleted or relaunched",
    "R006": "the reviewed plan is no longer the plan",
    "R007": "every set would be deleted",
    "R008": "another apply is running",
    "R009": "the server cannot be used now",
    "R010": "nobody reviewed the plan",
}
"""Codes of refusals with their titles; public, so a code never changes its meaning and is not given away again."""


class AvatarGitOpsError(Exception):
    """Anything this package refuses or fails to do, with an optional hint on how to go on."""

    exit_code: ClassVar[int] = 1
    usual_code: ClassVar[str | None] = None

    def __init__(self, message: str, *, hint: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code or self.usual_code


class UsageError(AvatarGitOpsError):
    """The command was called in a way that cannot work."""

    exit_code = 64


class PolicyFailed(AvatarGitOpsError):
    """A rule of the project's policy refuses what would be applied; nothing was changed."""

    exit_code = 4


class UnsafePlan(AvatarGitOpsError):
    """The plan would delete or take over more than it may."""

    exit_code = 5


class StalePlan(AvatarGitOpsError):
    """What was reviewed is not what would run now."""

    exit_code = 6


class Locked(AvatarGitOpsError):
    """Another apply works on the same project."""

    exit_code = 8


class RemoteUnavailable(AvatarGitOpsError):
    """The server did not answer, asked to come back later, or refused the sign-in."""

    exit_code = 9
    usual_code = "R009"


class RemoteRefused(AvatarGitOpsError):
    """The server understood the request and refused it."""

    def __init__(self, message: str, *, status: int | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class IntegrityError(AvatarGitOpsError):
    """A stored file does not match its digest or its schema."""


class EngineError(AvatarGitOpsError):
    """The data and the parameters do not fit together; the text is safe to show to any user."""
