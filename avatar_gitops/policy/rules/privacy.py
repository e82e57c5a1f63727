"""Rules about what is released: the method, the columns, and changes that make privacy weaker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from avatar_gitops.plan.model import Privacy
from avatar_gitops.policy.approvals import Approval, key
from avatar_gitops.policy.model import Facts, Level, Violation
from avatar_gitops.policy.rules.declare import OUTSIDE, rule, tables
from avatar_gitops.spec.models import Column, ColumnTag, LinkMethod, ReplacementStrategy
from avatar_gitops.spec.processors import ExpectedMeanProcessor, PerturbationProcessor

FLOOR: Final = 5
FLOOR_OUTSIDE: Final = 10
LARGEST_EPSILON: Final = 10.0


@rule("P010", Level.FAIL)
def k_floor(facts: Facts) -> Iterator[Violation]:
    """k is below the floor.

    An avatar is drawn from its k nearest neighbours, and its weights are dominated by two or three of them; below 5 an
    avatar is hardly more than the record of one person.
    """
    yield from _low(facts, FLOOR, f"floor {FLOOR}")


@rule("P011", Level.FAIL)
def k_floor_outside(facts: Facts) -> Iterator[Violation]:
    """k is low for a recipient outside the organisation.

    Outside, nobody knows what a reader can compare the avatars with; 10 neighbours or more leave a margin.
    """
    if facts.desired.run.spec.pia.data_recipient in OUTSIDE:
        yield from _low(facts, FLOOR_OUTSIDE, f"floor {FLOOR_OUTSIDE} outside the organisation")


def _low(facts: Facts, floor: int, floor_text: str) -> Iterator[Violation]:
    for name, table, at in tables(facts):
        k = table.avatarization.k if table.avatarization else None
        if k is not None and k < floor:
            path = (*at, "avatarization", "k")
            yield Violation("k is too low", f"table {name}, k {k}, {floor_text}", path)


@rule("P013", Level.WARN)
def seed(facts: Facts) -> Iterator[Violation]:
    """The seed is not set.

    Without a seed the same spec gives other avatars each time: a result cannot be reproduced, and several draws of the
    same people can be averaged back towards them. Under differential privacy no seed repeats the noise.
    """
    methods = [table.avatarization for table in facts.desired.run.spec.tables.values() if table.avatarization]
    is_private = bool(methods) and all(method.open_dp or method.fast_dp for method in methods)
    if facts.desired.run.spec.seed is None and not is_private:
        yield Violation("the seed is not set", "the result cannot be reproduced", ("spec",))


@rule("P014", Level.FAIL)
def identifier(facts: Facts) -> Iterator[Violation]:
    """A column tagged as identifier is released.

    An identifier has a value of its own on every row, so what comes out are identifiers of real people. Drop it,
    pseudonymize it, or declare it as key.
    """
    yield from _tagged(facts, ColumnTag.IDENTIFIER, "an identifier is released")


@rule("P015", Level.FAIL)
def row_order(facts: Facts) -> Iterator[Violation]:
    """Excluded columns come back in row order.

    `row_order` puts the real values of excluded columns on the avatar of the same person: that is closer to
    pseudonymization than to anonymization.
    """
    for name, table, at in tables(facts):
        excluded = table.avatarization.exclude_variables if table.avatarization else None
        if excluded and excluded.replacement_strategy is ReplacementStrategy.ROW_ORDER:
            path = (*at, "avatarization", "exclude_variables", "replacement_strategy")
            yield Violation("real values stay on the avatar of their person", f"table {name}, row_order", path)


@rule("P019", Level.FAIL)
def original_order(facts: Facts) -> Iterator[Violation]:
    """A link keeps people with their own rows.

    `sensitive_original_order_assignment` gives the avatar of a person the rows of their own avatars in the child table:
    who recognises one of them has all the others. Every other method links by similarity.
    """
    for name, table, at in tables(facts):
        for index, link in enumerate(table.links or ()):
            if link.method is LinkMethod.SENSITIVE_ORIGINAL_ORDER_ASSIGNMENT:
                detail = f"table {name}, link to {link.to.table} in the original order"
                yield Violation("a link keeps people with their own rows", detail, (*at, "links", index, "method"))


@rule("P025", Level.WARN)
def pulled(facts: Facts) -> Iterator[Violation]:
    """Avatars are pulled towards the originals.

    A perturbation below 1 and an expected mean work after the anonymization: avatars come nearer to the people than k
    neighbours would bring them. The metrics measure what is left; a gate on the hidden rate keeps it in sight.
    """
    for name, table, at in tables(facts):
        for index, one in enumerate(table.processors or ()):
            levels = one.perturbation_level.values() if isinstance(one, PerturbationProcessor) else ()
            if isinstance(one, ExpectedMeanProcessor) or any(level < 1 for level in levels):
                detail = f"table {name}, {one.kind}"
                yield Violation("avatars are pulled towards the originals", detail, (*at, "processors", index))


@rule("P016", Level.FAIL)
def originals(facts: Facts) -> Iterator[Violation]:
    """Original rows are released together with the avatars.

    `should_anonymize_original_table: false` adds avatars to the originals instead of replacing them.
    """
    for name, table, at in tables(facts):
        augmentation = table.avatarization.data_augmentation if table.avatarization else None
        if augmentation and not augmentation.should_anonymize_original_table:
            path = (*at, "avatarization", "data_augmentation", "should_anonymize_original_table")
            yield Violation("the original rows are part of the result", f"table {name}", path)


@rule("P017", Level.FAIL)
def free_text(facts: Facts) -> Iterator[Violation]:
    """A column tagged as free text is released.

    Free text names people in ways that no method here can see; each text is a category of its own and comes back
    verbatim.
    """
    yield from _tagged(facts, ColumnTag.FREE_TEXT, "free text is released")


def _tagged(facts: Facts, tag: ColumnTag, message: str) -> Iterator[Violation]:
    for name, table, at in tables(facts):
        for column, said in table.columns.items():
            if said.tag is tag and not _replaced(said):
                yield Violation(message, f"table {name}, column {column}", (*at, "columns", column))


def _replaced(column: Column) -> bool:
    """Whether the values of a column stay behind: dropped, substituted, or a key, which is numbered anew."""
    return column.drop or column.pseudonymization is not None or column.primary_key or column.identifier


@rule("P018", Level.WARN)
def epsilon(facts: Facts) -> Iterator[Violation]:
    """Epsilon is too large to promise anything.

    A bound of e to the power of epsilon above 10 allows one person to change the odds of a result more than
    twenty-thousandfold; such a guarantee holds in form only.
    """
    for name, table, at in tables(facts):
        method = table.avatarization
        for kind in ("open_dp", "fast_dp"):
            budget = getattr(method, kind, None)
            if budget is not None and budget.epsilon > LARGEST_EPSILON:
                path = (*at, "avatarization", kind, "epsilon")
                detail = f"table {name}, epsilon {budget.epsilon:g}, at most {LARGEST_EPSILON:g}"
                yield Violation("epsilon is too large", detail, path)


@rule("P031", Level.FAIL)
def weaker(facts: Facts) -> Iterator[Violation]:
    """Privacy gets weaker without approval of a second person.

    Weaker privacy may be right, but it is not decided by whoever happened to edit the file: somebody else reads what
    gets weaker and gives a name to it.
    """
    weak = [change for change in facts.fields if change.privacy is Privacy.WEAKER]
    approval = Approval(facts.approvals, facts.authors, facts.required_approvers, facts.approvers)
    if not weak or approval.counting:
        return
    by = " or ".join(f"@{name.removeprefix('@')}" for name in facts.required_approvers) or "somebody"
    message = f"weaker privacy needs approval by {by}" + (" other than its author" if approval.own else "")
    names = [".".join(map(str, change.path[1:] if change.path[0] == "spec" else change.path)) for change in weak]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    yield Violation(message, f"{shown}; approvals: {_given(approval)}{_teams(approval)}", weak[0].path)


def _given(approval: Approval) -> str:
    own = {key(name) for name in approval.own}
    names = sorted(dict.fromkeys(approval.given))
    return ", ".join(f"{name} (author)" if key(name) in own else name for name in names) or "none"


def _teams(approval: Approval) -> str:
    """What to do about a team: the token of a workflow may not ask who is in it."""
    names = ", ".join(approval.unreadable)
    return f"; who is in {names} cannot be read, list the people under approvers" if names else ""


@rule("P032", Level.FAIL)
def author_cannot_waive(facts: Facts) -> Iterator[Violation]:
    """The author of a change waives what it needs.

    A waiver says that somebody answers for an exception; who adds it in the same change and answers for it has asked
    nobody. Such a waiver does not count. It is found by whoever knows all waivers, so this rule says nothing about a
    single set.
    """
    yield from ()
