"""Rules about responsibility: who owns a set, who receives it, why, and what is said about the people in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from avatar_gitops.policy.model import Facts, Level, Violation
from avatar_gitops.policy.rules.declare import OUTSIDE, rule
from avatar_gitops.spec.models import DataRecipient, DataSubject, DataType, SensitivityLevel

PIA: Final = ("spec", "pia")
FEW: Final = "<100"


@rule("P040", Level.WARN)
def owner(facts: Facts) -> Iterator[Violation]:
    """Nobody owns the set.

    Somebody has to answer questions about a release long after it was made; write a team's address, not a person's.
    """
    if facts.desired.run.metadata.owner is None:
        yield Violation("nobody owns the set", "metadata.owner is missing", ("metadata",))


@rule("P041", Level.WARN)
def few_people(facts: Facts) -> Iterator[Violation]:
    """The data are about few people.

    Below 100 rows the metrics move in large steps and their intervals are wide, and everybody knows who took part.
    """
    measured = facts.desired.run.spec.tables
    for item in facts.desired.inputs:
        if item.rows == FEW and item.table in measured:
            path = ("spec", "tables", item.table)
            yield Violation("the data are about few people", f"table {item.table}, {FEW} rows", path)


@rule("P042", Level.FAIL)
def health_assessment(facts: Facts) -> Iterator[Violation]:
    """Health data lack parts of their impact assessment.

    Data about health are a special category (GDPR article 9): purpose, controller, legal basis, retention, recipient,
    people concerned and sensitivity have to be stated before, not after, the release.
    """
    pia = facts.desired.run.spec.pia
    if pia.data_type is not DataType.HEALTH:
        return
    missing = [name for name in ("purpose", "controller", "legal_basis", "retention") if getattr(pia, name) is None]
    missing += ["data_recipient"] * (pia.data_recipient is DataRecipient.UNKNOWN)
    missing += ["data_subject"] * (pia.data_subject is DataSubject.UNKNOWN)
    missing += ["sensitivity_level"] * (pia.sensitivity_level is SensitivityLevel.UNDEFINED)
    if missing:
        yield Violation("the impact assessment is not complete", f"missing: {', '.join(missing)}", PIA)


@rule("P043", Level.WARN)
def data_type(facts: Facts) -> Iterator[Violation]:
    """Nobody says what the data are about.

    The rules for health data only see data that are declared as such.
    """
    if facts.desired.run.spec.pia.data_type is DataType.UNKNOWN:
        yield Violation("nobody says what the data are about", "pia.data_type is unknown", PIA)


@rule("P044", Level.FAIL)
def outside_needs_basis(facts: Facts) -> Iterator[Violation]:
    """A recipient outside the organisation needs a purpose and a legal basis.

    Whoever gives data away has to know what for and what allows it; the impact assessment states both.
    """
    pia = facts.desired.run.spec.pia
    missing = [name for name in ("purpose", "legal_basis") if getattr(pia, name) is None]
    if pia.data_recipient in OUTSIDE and missing:
        detail = f"{pia.data_recipient}, missing: {', '.join(missing)}"
        yield Violation("recipient outside the organisation", detail, (*PIA, "data_recipient"))


@rule("P045", Level.FAIL)
def recipient(facts: Facts) -> Iterator[Violation]:
    """Nobody says who receives the avatars.

    A recipient that nobody named may be anyone; what counts as enough protection depends on who can read.
    """
    if facts.desired.run.spec.pia.data_recipient is DataRecipient.UNKNOWN:
        yield Violation("nobody says who receives the avatars", "pia.data_recipient is unknown", PIA)


@rule("P050", Level.WARN)
def released_twice(facts: Facts) -> Iterator[Violation]:
    """The same data are released in several sets.

    Avatars of the same people from several runs average back towards the originals: ten runs can halve the share of
    people who are hidden.
    """
    mine = {item.digest for item in facts.desired.inputs}
    also = sorted(
        other.name
        for other in facts.others
        if other.name != facts.desired.name and not mine.isdisjoint(item.digest for item in other.inputs)
    )
    if also:
        shown = ", ".join(also[:3]) + (f" and {len(also) - 3} more" if len(also) > 3 else "")
        yield Violation("the same data are released in several sets", f"also in {shown}", ("spec", "tables"))


@rule("P090", Level.WARN)
def unused_waiver(facts: Facts) -> Iterator[Violation]:
    """A waiver waives nothing.

    A waiver that nobody needs would silently cover the next finding of its rule; take it out of the file. It is found
    by whoever knows all findings, so this rule says nothing about a single set.
    """
    yield from ()
