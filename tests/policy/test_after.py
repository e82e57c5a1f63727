"""Rules that look after a run: what they refuse is not published, and what is published stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import pytest

from avatar_gitops.events import RuleFound
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.lock import GateResult, Metrics
from avatar_gitops.plan.model import Plan
from avatar_gitops.plan.outcome import State
from avatar_gitops.plan.planner import Options, plan
from avatar_gitops.policy.model import Finding, Level, Waiver
from avatar_gitops.reconcile.executor import execute, exit_code
from tests.support.memory import Ear, Memory, MemoryServer, ports
from tests.support.planning import PROJECT, wish

DAY = date(2026, 11, 22)
FAILED = Finding("X-h", Level.FAIL, "patients", "hidden_rate does not meet the policy", "95, asked for >= 99")
WARNED = replace(FAILED, severity=Level.WARN)
WAIVED = replace(FAILED, waiver=Waiver("X-h", ("*",), "dpo", "pilot", DAY, DAY), note="until 2026-11-22")


@dataclass
class Says:
    """A judge that says the same each time and remembers what it was shown."""

    findings: tuple[Finding, ...]
    seen: list[tuple[str, Metrics, int]] = field(default_factory=list)

    def __call__(self, desired: DesiredSet, metrics: Metrics, gates: Sequence[GateResult]) -> Sequence[Finding]:
        self.seen.append((desired.name, metrics, len(gates)))
        return self.findings


def planned(memory: Memory, item: DesiredSet) -> Plan:
    return plan([item], MemoryServer(memory).observe(PROJECT), memory.locks, Options(), PROJECT)


def test_a_run_that_a_rule_refuses_is_measured_but_not_published() -> None:
    memory, ear, judge = Memory(), Ear(), Says((FAILED,))
    execute(planned(memory, wish()), ports(memory))
    lock = memory.locks["patients"]
    made = planned(memory, wish(seed=9, gates={"hidden_rate": ">= 90"}))
    (outcome,) = execute(made, replace(ports(memory, ear), judge=judge))
    assert outcome.state is State.GATE_FAILED
    assert outcome.message == (
        "not published, 1 rule failed: X-h hidden_rate does not meet the policy (95, asked for >= 99)"
    )
    assert memory.locks == {"patients": lock}
    assert memory.kept == ["patients"]
    assert judge.seen == [("patients", {"patients": {"hidden_rate": 95.0}}, 1)]
    words = "hidden_rate does not meet the policy (95, asked for >= 99)"
    assert RuleFound("patients", "X-h", "fail", words) in ear.heard
    assert exit_code([outcome]) == 4


@pytest.mark.parametrize(("finding", "severity"), [(WARNED, "warn"), (WAIVED, "waived")])
def test_a_warning_and_a_waived_finding_are_told_and_stop_nothing(finding: Finding, severity: str) -> None:
    memory, ear = Memory(), Ear()
    (outcome,) = execute(planned(memory, wish()), replace(ports(memory, ear), judge=Says((finding,))))
    assert outcome.state is State.PUBLISHED
    assert [event.severity for event in ear.heard if isinstance(event, RuleFound)] == [severity]


def test_an_update_is_judged_by_what_was_measured_when_it_ran() -> None:
    memory, judge = Memory(), Says((FAILED,))
    execute(planned(memory, wish()), ports(memory))
    lock = memory.locks["patients"]
    changed = planned(memory, wish(metadata={"owner": "somebody"}))
    (outcome,) = execute(changed, replace(ports(memory), judge=judge))
    assert (outcome.state, memory.locks, memory.kept) == (State.GATE_FAILED, {"patients": lock}, [])
    assert judge.seen == [("patients", {"patients": {"hidden_rate": 95.0}}, 0)]
