"""Signatures under an assessment: bound to the digest of its statements, so that other statements need new ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from avatar_gitops.assessment.approval import required_roles
from avatar_gitops.plan.model import Action, Change, Note, NoteKind

STATEMENTS: Final = "pia.json"
"""The artifact whose digest a signature is bound to; the lock file has that digest among its outputs."""


class Decision(StrEnum):
    """What somebody decided about an assessment."""

    APPROVED = "approved"
    REFUSED = "refused"


class Signing(StrEnum):
    """Where the signing of a set stands."""

    NOBODY = "nobody signs"
    TO_SIGN = "to sign"
    SIGN_AGAIN = "to sign again"
    SIGNED = "signed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class SignOff:
    """One decision of one person in one role; `statement` is the digest of the statements, `run` the published run."""

    person: str
    role: str
    date: str
    decision: Decision
    statement: str
    run: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Signatures:
    """All decisions about a set beside the digest of what is stated now, and the roles that have to sign.

    `now` is empty when nothing is published, or when it was published before assessments had statements.
    """

    found: tuple[SignOff, ...] = ()
    now: str = ""
    signers: tuple[str, ...] = ()

    @property
    def latest(self) -> tuple[SignOff, ...]:
        """The last decision of each person in each role, in the order of the file."""
        return tuple({(item.person, item.role): item for item in self.found}.values())

    def holds(self, item: SignOff) -> bool:
        """Whether a decision is about what is stated now."""
        return bool(self.now) and item.statement == self.now

    @property
    def required(self) -> tuple[str, ...]:
        """The roles that have to sign; in a project that names none, those of the document once anybody signs."""
        return required_roles(self.signers) if self.signers or self.found else ()

    @property
    def open(self) -> tuple[str, ...]:
        """Who has to sign: roles that must, with who signed for them before, and everybody whose signature ended."""
        done = {item.role for item in self.latest if self.holds(item)}
        ended = [item for item in self.latest if item.role not in done and not self.holds(item)]
        never = [role for role in self.required if role not in done and role not in {item.role for item in ended}]
        return (*(f"{item.role} ({item.person})" for item in ended), *never)

    @property
    def standing(self) -> Signing:
        """Refused by somebody, to be signed (again) by somebody, signed by all, or of no concern to anybody."""
        valid = [item for item in self.latest if self.holds(item)]
        if any(item.decision is Decision.REFUSED for item in valid):
            return Signing.REFUSED
        if not self.open:
            return Signing.SIGNED if valid else Signing.NOBODY
        return Signing.SIGN_AGAIN if any(not self.holds(item) for item in self.latest) else Signing.TO_SIGN


def ending(changes: Iterable[Change], signatures: Mapping[str, Signatures]) -> Iterator[Note]:
    """A note for each set whose assessment is signed and that a plan makes or documents again."""
    for change in changes:
        found = signatures.get(change.set)
        if found is None or change.action not in {Action.RELAUNCH, Action.UPDATE, Action.COLLECT}:
            continue
        people = [f"{item.role} ({item.person})" for item in found.latest if found.holds(item)]
        if people:
            names = ", ".join(people)
            text = f"has an assessment signed by {names}: they have to sign again if a statement changes"
            yield Note(NoteKind.SIGNATURE, change.set, text)


def by_set(found: Iterable[tuple[str, Signatures]]) -> dict[str, Signatures]:
    """The signatures of the sets that anybody signs."""
    return {name: item for name, item in found if item.standing is not Signing.NOBODY}
