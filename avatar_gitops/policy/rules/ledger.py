"""Rules about releases together: how many of one source, how much epsilon in sum, what two of them tell jointly."""

from __future__ import annotations

from collections.abc import Iterator

from avatar_gitops.plan.ledger import Ledger, Release, Source, overlap
from avatar_gitops.policy.model import Facts, Level, Violation
from avatar_gitops.policy.rules.declare import rule
from avatar_gitops.spec.gates import number
from avatar_gitops.spec.nodes import Path


@rule("P070", Level.FAIL)
def too_many_releases(facts: Facts) -> Iterator[Violation]:
    """One source is released too often.

    Every release of the same people adds to what can be learned about each of them; several draws average back towards
    the originals. Releases with other bytes count, also those of sets that are deleted, whatever the name of the data.
    """
    for release, source, ledger, path in _planned(facts):
        count, limit = len(source.distinct), ledger.limits.max_releases
        if count > limit:
            detail = f"table {release.table}, this would be release {count}, at most {limit}"
            yield Violation("the source is released too often", detail, path)


@rule("P071", Level.FAIL)
def too_much_epsilon(facts: Facts) -> Iterator[Violation]:
    """The releases of one source add up to too much epsilon.

    Privacy budgets add up (basic composition): two releases with epsilon 5 promise together no more than one with
    epsilon 10. Releases without differential privacy promise nothing at all and are not in the sum.
    """
    for release, source, ledger, path in _planned(facts):
        limit = ledger.limits.max_epsilon
        if release.epsilon is not None and source.epsilon > limit:
            detail = f"table {release.table}, {number(source.epsilon)} in sum, at most {number(limit)}"
            if source.unbounded:
                detail += f"; {source.unbounded} more without any epsilon"
            yield Violation("epsilon adds up to too much", detail, (*path, "avatarization"))


@rule("P072", Level.WARN)
def differencing(facts: Facts) -> Iterator[Violation]:
    """Two releases of one source may be compared with each other.

    Who has two releases with common columns can subtract one from the other: with other rows, the difference is about
    the few people who came or went; with other parameters, the two average towards the originals. Columns and digests
    are compared, not rows: how many people are in both is not measured.
    """
    for release, source, ledger, path in _planned(facts):
        others = [other for other in source.distinct if other is not release and _differs(other, release)]
        close = [other for other in others if overlap(release, other) > ledger.limits.max_overlap]
        if close:
            nearest = max(close, key=lambda other: (overlap(release, other), other.when))
            shared = len(set(release.columns) & set(nearest.columns))
            what = "other rows or another version" if nearest.data != release.data else "other parameters"
            more = f" and {len(close) - 1} more" if len(close) > 1 else ""
            detail = f"table {release.table}, {shared} common columns with {_name(nearest)}{more}, {what}"
            yield Violation("two releases of one source may be compared", detail, path)


def _differs(one: Release, other: Release) -> bool:
    return (one.data, one.parameters) != (other.data, other.parameters)


def _name(release: Release) -> str:
    return f"{release.set} of {release.when[:10]}" if release.when else f"{release.set} (planned)"


def _planned(facts: Facts) -> Iterator[tuple[Release, Source, Ledger, Path]]:
    """Each release that the plan would make of this set, with all others of its source."""
    ledger = facts.ledger
    if ledger is None or not facts.releases:
        return
    for release in ledger.planned:
        if release.set == facts.desired.name:
            yield release, ledger.around(release), ledger, ("spec", "tables", release.table)
