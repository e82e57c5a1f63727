"""A bundle as it is understood while it is checked, and what a check has seen of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from avatar_gitops.audit.integrity import Files
from avatar_gitops.audit.layout import PROJECT
from avatar_gitops.audit.log import FOLDER
from avatar_gitops.audit.verify import Verified
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.signoff import SignOff

LOG: Final = f"{PROJECT}{FOLDER.as_posix()}/"


@dataclass(frozen=True, slots=True)
class Story:
    """A bundle as it is understood: its files, its locks by their path, the folder of its artifacts, who approves.

    `required` and `people` are those of its policy (see `policy.approvals.Approval`), `signoffs` are the signatures
    under the assessment of each set.
    """

    files: Files
    locks: Mapping[str, Lock]
    out: str
    required: tuple[str, ...] = ()
    people: Mapping[str, Sequence[str]] = field(default_factory=dict)
    signoffs: Mapping[str, Sequence[SignOff]] = field(default_factory=dict)

    def artifact(self, name: str, file: str) -> str:
        """Path in the bundle of a file that a set left."""
        return f"{PROJECT}{self.out}/{name}/{file}"


@dataclass(slots=True)
class Told:
    """What a check has seen: the audit log, and what is worth saying of it."""

    log: Verified = field(default_factory=Verified)
    plans: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    signed: list[str] = field(default_factory=list)


def object_in(content: bytes) -> dict[str, Any]:
    """A JSON object; an empty one where the text is none."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
