"""How a function becomes a rule, and what several rules ask of a set."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from avatar_gitops.policy.model import BuiltIn, Facts, Level, Stage, Violation
from avatar_gitops.spec.models import DataRecipient, Table
from avatar_gitops.spec.nodes import Path

Check = Callable[[Facts], Iterable[Violation]]

OUTSIDE: Final = frozenset(
    {
        DataRecipient.OPENDATA,
        DataRecipient.OUTSIDE_EU,
        DataRecipient.CONTRACTUAL_THIRDPARTY,
        DataRecipient.TRUSTED_THIRDPARTY,
    }
)
"""Recipients that are not the organisation itself."""

HIDDEN_RATE: Final = {
    DataRecipient.OPENDATA: 90.0,
    DataRecipient.UNKNOWN: 90.0,
    DataRecipient.OUTSIDE_EU: 80.0,
    DataRecipient.CONTRACTUAL_THIRDPARTY: 50.0,
    DataRecipient.TRUSTED_THIRDPARTY: 50.0,
    DataRecipient.INTERNAL: 30.0,
}
"""Smallest hidden rate in percent by recipient: the less is known of who may read, the more has to be hidden."""


def rule(id: str, severity: Level, stage: Stage = Stage.BEFORE) -> Callable[[Check], BuiltIn]:
    """Make a rule of a function; the first line of its docstring is the title, what follows the reason."""

    def declare(function: Check) -> BuiltIn:
        title, _, why = (inspect.getdoc(function) or "").partition("\n\n")
        return BuiltIn(id, title.rstrip("."), " ".join(why.split()), severity, stage, function)

    return declare


def tables(facts: Facts) -> Iterator[tuple[str, Table, Path]]:
    """Name, content and place of each table."""
    for name, table in facts.desired.run.spec.tables.items():
        yield name, table, ("spec", "tables", name)
