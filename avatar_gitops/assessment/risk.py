"""Derivation of the residual risk: severity, vulnerability, exposure, likelihood, level, conclusion. Pure.

Scales of the CNIL knowledge base: 1 negligible, 2 limited, 3 significant, 4 maximum, for severity (how bad it is for a
person) and likelihood (how easy it is for an attacker). The criteria are those of WP29 Opinion 05/2014 and membership
inference. The rules are a proposal that a data protection officer can contest: every result keeps its inputs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from avatar_gitops.assessment.catalogue import CRITERIA, LINKED, Family, default_target, is_exact
from avatar_gitops.assessment.facts import AssessmentFacts, MetricValue, PiaContext, TableFacts
from avatar_gitops.assessment.guarantee import Guarantee, promised_vulnerability
from avatar_gitops.assessment.targets import Target, parse_target
from avatar_gitops.errors import AvatarGitOpsError

SEVERITY_BASE: Final = {
    "Negligible": 1,
    "Very Low": 1,
    "Low": 2,
    "Medium": 2,
    "High": 3,
    "Very High": 4,
    "Undefined": 4,
}
SEVERITY_FLOOR: Final = {"health": 3, "finance": 2, "insurance": 2, "hr": 2, "mobility": 2, "education": 2}
VULNERABLE_SUBJECTS: Final = frozenset({"patients", "employees", "students"})
EXPOSURE: Final = {
    "internal": -1,
    "trusted_thirdparty": -1,
    "contractual_thirdparty": 0,
    "outside_eu": 0,
    "opendata": 1,
    "unknown": 1,
}
NOT_MEASURED: Final = 3
SLIGHT_SHORTFALL: Final = 0.10
LARGE_SHORTFALL: Final = 0.50
_ATTACKS: Final = {
    Family.SINGLING_OUT: frozenset({"hidden_rate", "local_cloaking"}),
    Family.MEMBERSHIP: frozenset({"membership_auc", "membership_tpr_at_1_fpr"}),
}
"""Metrics without which a criterion counts as not measured by attack, whatever else is known of it.

Match counts say nothing of who is found, and distances between avatars and originals, without people who were not used
as a control, cannot tell a member from anybody else.
"""


class Level(StrEnum):
    """Level of a risk, from severity and likelihood."""

    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"
    VERY_HIGH = "very_high"

    @property
    def rank(self) -> int:
        """0 for low to 3 for very high."""
        return list(Level).index(self)


class Conclusion(StrEnum):
    """What the measured residual risk means for the intended use; never a statement that data are anonymous."""

    COMPATIBLE = "compatible"
    WITH_MEASURES = "with_measures"
    NOT_COMPATIBLE = "not_compatible"


class Finding(StrEnum):
    """What one metric says about its target."""

    MET = "met"
    INTERVAL_UNKNOWN = "interval_unknown"
    INTERVAL_MISSES = "interval_misses"
    SLIGHT = "slight"
    SHORT = "short"
    FAR = "far"
    NOT_MEASURED = "not_measured"


VULNERABILITY: Final = {
    Finding.MET: 1,
    Finding.INTERVAL_UNKNOWN: 2,
    Finding.INTERVAL_MISSES: 2,
    Finding.SLIGHT: 2,
    Finding.SHORT: 3,
    Finding.FAR: 4,
    Finding.NOT_MEASURED: NOT_MEASURED,
}


class Flag(StrEnum):
    """A fact that makes every criterion vulnerable whatever the metrics say."""

    ROW_ORDER = "row_order"
    ORIGINALS_KEPT = "originals_kept"
    ORIGINAL_ORDER = "original_order"
    UNTOUCHED_COLUMN = "untouched_column"
    DIRECT_IDENTIFIER = "direct_identifier"


@dataclass(slots=True, frozen=True)
class Severity:
    """Severity with the parts it comes from."""

    value: int
    base: int
    floor: int
    vulnerable: bool


@dataclass(slots=True, frozen=True)
class Check:
    """One metric against its target; `shortfall` is a share of the target, 0 when it is met.

    `is_default_target`: the target is the usual one for the recipient, whoever named it.
    """

    metric: MetricValue
    target: str
    is_default_target: bool
    finding: Finding
    shortfall: float

    @property
    def vulnerability(self) -> int:
        """1 to 4."""
        return VULNERABILITY[self.finding]


@dataclass(slots=True, frozen=True)
class CriterionRisk:
    """One criterion of one table: the result and every input of it.

    With a `guarantee` of differential privacy the checks only inform: its epsilon gives the vulnerability.
    """

    criterion: Family
    measured: bool
    guarantee: Guarantee | None
    checks: tuple[Check, ...]
    flags: tuple[Flag, ...]
    vulnerability: int
    exposure: int
    likelihood: int
    severity: int
    level: Level


@dataclass(slots=True, frozen=True)
class TableRisk:
    """All criteria of one table; `level` is the worst of them."""

    table: str
    criteria: tuple[CriterionRisk, ...]
    level: Level


@dataclass(slots=True, frozen=True)
class Assessment:
    """The whole derivation for one set; `likelihood_before` is that of the originals in the same hands."""

    severity: Severity
    exposure: int
    likelihood_before: int
    level_before: Level
    tables: tuple[TableRisk, ...]
    level: Level
    conclusion: Conclusion

    @property
    def likelihood(self) -> int:
        """The greatest likelihood over tables and criteria."""
        return max(criterion.likelihood for table in self.tables for criterion in table.criteria)


def severity(context: PiaContext) -> Severity:
    """Severity of a re-identification for a person.

    base by declared sensitivity (undefined or not listed: 4); at least 3 for health data, 2 for finance, insurance,
    staff, mobility and education; one more when that gives 2 and the people are vulnerable in context (patients,
    employees, students because they may be minors). `rule.severity` says the same to readers.
    """
    base = SEVERITY_BASE.get(context.sensitivity_level, 4)
    floor = SEVERITY_FLOOR.get(context.data_type, 1)
    value = max(base, floor)
    vulnerable = value == 2 and context.data_subject in VULNERABLE_SUBJECTS
    return Severity(value + int(vulnerable), base, floor, vulnerable)


def exposure(recipient: str) -> int:
    """How the recipient shifts the likelihood, -1 to 1; an unknown or not listed one counts as the public."""
    return EXPOSURE.get(recipient, EXPOSURE["unknown"])


def check(metric: MetricValue, recipient: str) -> Check | None:
    """Judge one metric; None when it only informs: as such, or because neither it nor the catalogue has a target."""
    if metric.informs:
        return None
    usual = default_target(metric.name, recipient)
    target = metric.target or usual
    if target is None:
        return None
    bound = parse_target(target)
    shortfall = 0.0 if metric.value is None else bound.shortfall(metric.value)
    is_default = usual is not None and bound == parse_target(usual)
    return Check(metric, target, is_default, _finding(metric, bound, shortfall), shortfall)


def worst_blocks(metrics: Iterable[MetricValue], recipient: str) -> tuple[MetricValue, ...]:
    """Of each metric its worst value over the blocks of a table; of one that only informs, that of the table alone."""
    found: dict[str, MetricValue] = {}
    for metric in metrics:
        other = found.get(metric.name)
        if other is None or _rank(metric, recipient) > _rank(other, recipient):
            found[metric.name] = metric
    return tuple(found.values())


def _rank(metric: MetricValue, recipient: str) -> tuple[bool, float, int, float]:
    """How bad a block is: measured at all, by how much it misses, what its interval says, and its value."""
    judged = check(metric, recipient)
    if judged is None or metric.value is None:
        return metric.value is not None, 0.0, 0, 0.0
    worse = -metric.value if parse_target(judged.target).higher_is_better else metric.value
    return True, judged.shortfall, judged.vulnerability, worse


def _finding(metric: MetricValue, bound: Target, shortfall: float) -> Finding:
    if metric.value is None:
        return Finding.NOT_MEASURED
    if shortfall > LARGE_SHORTFALL:
        return Finding.FAR
    if shortfall > SLIGHT_SHORTFALL:
        return Finding.SHORT
    if not bound.met_by(metric.value):
        return Finding.SLIGHT
    pessimistic = metric.low if bound.higher_is_better else metric.high
    if pessimistic is None:
        return Finding.MET if is_exact(metric.name) else Finding.INTERVAL_UNKNOWN
    return Finding.MET if bound.met_by(pessimistic) else Finding.INTERVAL_MISSES


def flags(table: TableFacts) -> tuple[Flag, ...]:
    """Facts that open a table to every attack: values or links in original order, a column or identifier as it was."""
    untouched = any(
        m.name == "column_direct_match_protection" and m.value is not None and m.value <= 0 for m in table.metrics
    )
    present = {
        Flag.ROW_ORDER: table.row_order,
        Flag.ORIGINALS_KEPT: table.originals_kept,
        Flag.ORIGINAL_ORDER: table.original_order,
        Flag.UNTOUCHED_COLUMN: untouched,
        Flag.DIRECT_IDENTIFIER: bool(table.direct_identifiers),
    }
    return tuple(flag for flag, holds in present.items() if holds)


def unchecked(table: TableFacts) -> tuple[str, ...]:
    """Metrics that hold only if row i of the avatars belongs to row i of the originals, where nobody has checked it.

    Avatars that were made elsewhere come in an unknown order. In a random one people look hidden whatever their avatars
    are: such metrics can show a weakness, but never that a criterion resists.
    """
    if table.method != "none":
        return ()
    return tuple(dict.fromkeys(item.name for item in table.metrics if item.name in LINKED and item.value is not None))


def vulnerability(checks: Iterable[Check], raised: tuple[Flag, ...], *, measured: bool) -> int:
    """How well a criterion resists, 1 (every target met, pessimistic end of the interval too) to 4 (open).

    The worst metric decides: 2 when the interval misses or is not known, or the value misses by at most 10 %; 3 by
    more; 4 by more than 50 %. Not measured is 3; any flag is 4.
    """
    if raised:
        return 4
    known = (item.vulnerability for item in checks if item.metric.value is not None)
    worst = max(known, default=NOT_MEASURED)
    return worst if measured else max(worst, NOT_MEASURED)


def is_measured(criterion: Family, checks: Iterable[Check]) -> bool:
    """Whether an attack of this criterion was measured."""
    names = {item.metric.name for item in checks if item.metric.value is not None}
    return bool(names & _ATTACKS[criterion]) if criterion in _ATTACKS else bool(names)


def likelihood(vulnerability: int, exposure: int) -> int:
    """clamp(vulnerability + exposure, 1, 4), and at least 3 for a vulnerability of 4."""
    value = min(4, max(1, vulnerability + exposure))
    return max(3, value) if vulnerability == 4 else value


def level(severity: int, likelihood: int) -> Level:
    """By the sum: up to 3 low, 4-5 moderate, 6 high, from 7 very high; severity 4 is high from likelihood 2."""
    total = severity + likelihood
    if total >= 7:
        return Level.VERY_HIGH
    if total == 6 or (severity == 4 and likelihood >= 2):
        return Level.HIGH
    return Level.MODERATE if total >= 4 else Level.LOW


def conclusion(level: Level) -> Conclusion:
    """Low and moderate are compatible with the use, high with measures, very high not."""
    if level is Level.VERY_HIGH:
        return Conclusion.NOT_COMPATIBLE
    return Conclusion.WITH_MEASURES if level is Level.HIGH else Conclusion.COMPATIBLE


def assess_criterion(criterion: Family, table: TableFacts, context: PiaContext) -> CriterionRisk:
    """The risk of one criterion of one table."""
    judged = (check(metric, context.data_recipient) for metric in table.metrics if metric.family is criterion)
    checks = tuple(item for item in judged if item is not None)
    measured = is_measured(criterion, (item for item in checks if item.metric.name not in unchecked(table)))
    raised = flags(table)
    promised = promised_vulnerability(table.guarantee) if table.guarantee is not None and not raised else None
    weakness = vulnerability(checks, raised, measured=measured) if promised is None else promised
    shift, harm = exposure(context.data_recipient), severity(context)
    chance = likelihood(weakness, shift)
    return CriterionRisk(
        criterion,
        measured,
        table.guarantee,
        checks,
        raised,
        weakness,
        shift,
        chance,
        harm.value,
        level(harm.value, chance),
    )


def assess(facts: AssessmentFacts) -> Assessment:
    """Assess every criterion of every table; the set has the worst level of them."""
    if not facts.tables:
        raise AvatarGitOpsError(f"set {facts.set_name}: there is no table to assess", hint="run the metrics jobs first")
    tables = []
    for table in facts.tables:
        criteria = tuple(assess_criterion(criterion, table, facts.context) for criterion in CRITERIA)
        tables.append(TableRisk(table.name, criteria, worst(item.level for item in criteria)))
    harm, shift = severity(facts.context), exposure(facts.context.data_recipient)
    before = likelihood(4, shift)
    overall = worst(table.level for table in tables)
    return Assessment(harm, shift, before, level(harm.value, before), tuple(tables), overall, conclusion(overall))


def worst(levels: Iterable[Level]) -> Level:
    """The highest of several levels."""
    return max(levels, key=lambda item: item.rank)
