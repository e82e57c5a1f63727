"""Rules about measuring: gates that are missing or too easy, attackers that are not tried, values near their bound."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from avatar_gitops.policy.gates import evaluate, shown
from avatar_gitops.policy.model import Facts, Level, Stage, Violation
from avatar_gitops.policy.rules.declare import HIDDEN_RATE, rule, tables
from avatar_gitops.spec.gates import METRICS, Direction, Unit, number, parse_gate
from avatar_gitops.spec.models import ColumnTag, DataRecipient, DataType, Job

GATES: Final = ("spec", "gates")
NEAR_POINTS: Final = 5.0
NEAR_SHARE: Final = 0.1
CLOAKING_HEALTH: Final = 5.0


@rule("P012", Level.WARN)
def near_floor(facts: Facts) -> Iterator[Violation]:
    """A published metric is near its gate.

    The next run of the same spec on slightly other data may not pass: better to know before it is started. Near means
    less than 5 points above a floor in percent, less than a tenth of the bound away otherwise.
    """
    gates = facts.desired.run.spec.gates
    for result in evaluate(gates, facts.metrics) if facts.metrics is not None else ():
        metric, gate = METRICS.get(result.metric), parse_gate(result.metric, result.condition)
        if metric is None or result.value is None or not result.passed:
            continue
        in_points = metric.unit is Unit.PERCENT and gate.direction is Direction.HIGHER
        room = NEAR_POINTS if in_points else NEAR_SHARE * abs(gate.bound)
        if 0 <= abs(result.value - gate.bound) < room:
            word = "floor" if gate.direction is Direction.HIGHER else "ceiling"
            message = f"last {result.metric} is near its {word}"
            detail = f"{shown(result.value)}, {word} {number(gate.bound)}"
            yield Violation(message, detail, (*GATES, result.metric))


@rule("P020", Level.FAIL)
def no_gate(facts: Facts) -> Iterator[Violation]:
    """There is no gate.

    Without a gate every result is published, however bad it turned out.
    """
    if not facts.desired.run.spec.gates:
        yield Violation("there is no gate", "every result would be published", GATES)


@rule("P021", Level.FAIL)
def open_data_gate(facts: Facts) -> Iterator[Violation]:
    """Open data have no gate on the hidden rate.

    What is published for everybody cannot be taken back, so the first question of an attacker has to be asked before:
    is the closest avatar of a person their own?
    """
    spec = facts.desired.run.spec
    if spec.pia.data_recipient is DataRecipient.OPENDATA and not {"hidden_rate", "hidden_rate_strict"} & set(
        spec.gates
    ):
        yield Violation("open data without a gate on hidden_rate", 'add hidden_rate: ">= 90"', GATES)


@rule("P022", Level.FAIL)
def easy_gate(facts: Facts) -> Iterator[Violation]:
    """The gate on the hidden rate asks for less than the recipient needs.

    At least 90 % for open data and unknown readers, 80 outside the EU, 50 under a contract, 30 inside.
    """
    spec = facts.desired.run.spec
    floor = HIDDEN_RATE[spec.pia.data_recipient]
    text = spec.gates.get("hidden_rate")
    gate = parse_gate("hidden_rate", text) if text else None
    if gate is not None and gate.direction is Direction.HIGHER and gate.bound < floor:
        detail = f"asks for {number(gate.bound)}, {spec.pia.data_recipient} needs {number(floor)}"
        yield Violation("the gate on hidden_rate is too easy", detail, (*GATES, "hidden_rate"))


@rule("P023", Level.FAIL)
def not_measured(facts: Facts) -> Iterator[Violation]:
    """Privacy is not measured.

    Without the job `privacy_metrics` nobody knows whether anonymization worked on these data.
    """
    if Job.PRIVACY_METRICS not in facts.desired.run.spec.jobs:
        yield Violation("privacy is not measured", "the job privacy_metrics is missing", ("spec", "jobs"))


@rule("P024", Level.WARN)
def no_attacker(facts: Facts) -> Iterator[Violation]:
    """No attacker who knows something is tried.

    Columns tagged as quasi-identifiers are what somebody may know about a person; name them in `known_variables`, so
    that linking and guessing are measured.
    """
    for name, table, at in tables(facts):
        known = table.privacy_metrics.known_variables if table.privacy_metrics else None
        if known is None and any(said.tag is ColumnTag.QUASI_IDENTIFIER for said in table.columns.values()):
            yield Violation("no attacker who knows something is tried", f"table {name}, no known_variables", at)


@rule("P061", Level.FAIL, Stage.AFTER)
def hidden_rate(facts: Facts) -> Iterator[Violation]:
    """The measured hidden rate is below what the recipient needs.

    It holds for runs without a gate of their own, too: at least 90 % for open data and unknown readers, 80 outside the
    EU, 50 under a contract, 30 inside.
    """
    recipient = facts.desired.run.spec.pia.data_recipient
    floor = HIDDEN_RATE[recipient]
    yield from _below(facts, "hidden_rate", floor, f"{recipient} needs {number(floor)}")


@rule("P062", Level.FAIL, Stage.AFTER)
def cloaking_health(facts: Facts) -> Iterator[Violation]:
    """Health data are not cloaked enough.

    Between a person and their own avatar there should be at least 5 other avatars, or whoever knows the person can
    point at theirs.
    """
    if facts.desired.run.spec.pia.data_type is DataType.HEALTH:
        yield from _below(facts, "local_cloaking", CLOAKING_HEALTH, f"floor {number(CLOAKING_HEALTH)}")


def _below(facts: Facts, metric: str, floor: float, floor_text: str) -> Iterator[Violation]:
    """The worst table against a floor; not for runs that make no avatars by neighbours, which have no such metric."""
    if not any(table.avatarization and table.avatarization.k for _, table, _ in tables(facts)):
        return
    (result,) = evaluate({metric: f">= {number(floor)}"}, facts.metrics or {})
    if not result.passed:
        yield Violation(f"{metric} is too low", f"{shown(result.value)}, {floor_text}", GATES)
