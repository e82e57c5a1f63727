"""What a policy is made of: rules, the facts that they look at, their findings, and the report of all of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Final, Protocol

from avatar_gitops.plan.desired import DesiredSet, FieldPath
from avatar_gitops.plan.ledger import Ledger
from avatar_gitops.plan.lock import GateResult, Lock, Metrics
from avatar_gitops.plan.model import FieldChange
from avatar_gitops.plan.noise import NoiseBand
from avatar_gitops.spec.policies import Level, Stage

__all__ = [
    "BuiltIn",
    "Facts",
    "Finding",
    "Level",
    "Metrics",
    "PolicyReport",
    "Rule",
    "Stage",
    "Violation",
    "Waiver",
    "worst_first",
]


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rule may know about one set; no value of its data.

    `fields` are the changes that apply would make to what is published. `metrics` are in natural units: before a run
    those that are published now, None when nothing is; after a run the new ones. `others` are all sets of the project.
    `authors` wrote the change; `approvers` says who is in a group of `required_approvers`. `published` is the last
    published run, `noise` the band measured for the set. `ledger` is None when nothing is known of earlier releases;
    `releases` = apply would release avatars that were not released before.
    """

    desired: DesiredSet
    fields: tuple[FieldChange, ...] = ()
    metrics: Metrics | None = None
    gates: tuple[GateResult, ...] = ()
    others: tuple[DesiredSet, ...] = ()
    approvals: tuple[str, ...] = ()
    required_approvers: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    approvers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    published: Lock | None = None
    noise: NoiseBand | None = None
    ledger: Ledger | None = None
    releases: bool = False


@dataclass(frozen=True, slots=True)
class Violation:
    """What a rule objects to: in words, with the particulars of this set, and the field of the spec.

    `level` replaces the severity of the rule where it cannot tell, or where this case is milder than others.
    """

    message: str
    detail: str = ""
    path: FieldPath = ()
    level: Level | None = None


class Rule(Protocol):
    """A demand on a set. Pure: the same facts give the same answer, and nothing outside is read or changed.

    A rule from another package has these attributes, too; it is named in a policy file by its entry point in the group
    `avatar_gitops.rules`. `title` says in a few words what is wrong when it finds something, `why` why it matters.
    """

    @property
    def id(self) -> str:
        """Letters, digits, `-`, `_`; public and never used again for something else."""
        ...

    @property
    def title(self) -> str: ...

    @property
    def why(self) -> str: ...

    @property
    def severity(self) -> Level: ...

    @property
    def stage(self) -> Stage: ...

    def check(self, facts: Facts) -> Iterable[Violation]:
        """Everything that the rule objects to in one set."""
        ...


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A rule made from a function; its docstring is the title and, after a blank line, the reason."""

    id: str
    title: str
    why: str
    severity: Level
    stage: Stage
    function: Callable[[Facts], Iterable[Violation]] = field(repr=False)

    def check(self, facts: Facts) -> Iterable[Violation]:
        """What the function finds."""
        return self.function(facts)


@dataclass(frozen=True, slots=True)
class Waiver:
    """Somebody answers for the findings of one rule in some sets, from `granted` to `expires`, both days included."""

    rule: str
    sets: tuple[str, ...]
    owner: str
    reason: str
    granted: date
    expires: date
    ticket: str = ""
    path: str = ""
    line: int = 0

    def covers(self, rule: str, name: str) -> bool:
        """Whether it is about this rule and this set, whatever the day."""
        return rule == self.rule and any(fnmatchcase(name, pattern) for pattern in self.sets)

    def active(self, today: date) -> bool:
        """Whether it counts on this day."""
        return self.granted <= today <= self.expires


@dataclass(frozen=True, slots=True)
class Finding:
    """One objection of one rule. `path` and `line` are a place in the repository; `note` is about its waiver."""

    rule: str
    severity: Level
    set: str
    message: str
    detail: str = ""
    path: str = ""
    line: int = 0
    waiver: Waiver | None = None
    note: str = ""


ORDER: Final = (Level.FAIL, Level.WARN, Level.INFO)


def worst_first(finding: Finding) -> tuple[int, bool, str, str, str, str]:
    """Order in which findings are shown: worst first, waived last, then by rule and set."""
    rank = len(ORDER) if finding.waiver else ORDER.index(finding.severity)
    return rank, finding.waiver is not None, finding.rule, finding.set, finding.message, finding.detail


@dataclass(frozen=True, slots=True)
class PolicyReport:
    """Findings, worst first, and the ids of the rules that found nothing.

    `assumed` = the project has no policy file, so the baseline was looked at and can only warn. `expiring` are waivers
    that end soon, each with the days that are left. `approved_by` are those whose approval of weaker privacy counts,
    `asked` those of whom it is required; nobody in particular when it is empty.
    """

    findings: tuple[Finding, ...] = ()
    passed: tuple[str, ...] = ()
    assumed: bool = False
    expiring: tuple[tuple[Waiver, int], ...] = ()
    approved_by: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()

    def at(self, level: Level) -> tuple[Finding, ...]:
        """Findings of one severity that nobody waived."""
        return tuple(found for found in self.findings if found.severity is level and found.waiver is None)

    @property
    def failed(self) -> tuple[Finding, ...]:
        """Findings that stop apply."""
        return self.at(Level.FAIL)

    @property
    def warned(self) -> tuple[Finding, ...]:
        """Findings that are only counted."""
        return self.at(Level.WARN)

    @property
    def waived(self) -> tuple[Finding, ...]:
        """Findings that somebody answers for."""
        return tuple(found for found in self.findings if found.waiver is not None)

    @property
    def counts(self) -> Mapping[str, int]:
        """Rules that found nothing, and findings by what they do."""
        numbers = {"passed": len(self.passed), "warned": len(self.warned), "waived": len(self.waived)}
        return {**numbers, "failed": len(self.failed), "info": len(self.at(Level.INFO))}

    def breaks(self, level: Level) -> bool:
        """Whether there is a finding of this severity or a worse one."""
        return any(self.at(worse) for worse in ORDER[: ORDER.index(level) + 1])

    def about(self, names: Collection[str]) -> PolicyReport:
        """The report on some sets only; what is about no single set stays."""
        return replace(self, findings=tuple(found for found in self.findings if not found.set or found.set in names))
