"""The named rule sets: what everybody should hold to, what careful projects add, and what health data need."""

from __future__ import annotations

from typing import Final

from avatar_gitops.policy.model import BuiltIn
from avatar_gitops.policy.rules import governance, ledger, metrics, privacy
from avatar_gitops.spec.policies import RuleSet

BASELINE: Final = (
    privacy.k_floor,
    metrics.near_floor,
    privacy.seed,
    privacy.identifier,
    privacy.row_order,
    privacy.original_order,
    privacy.originals,
    privacy.pulled,
    privacy.free_text,
    metrics.no_gate,
    metrics.open_data_gate,
    metrics.not_measured,
    privacy.weaker,
    privacy.author_cannot_waive,
    governance.owner,
    governance.few_people,
    governance.outside_needs_basis,
    governance.unused_waiver,
)
LEDGER: Final = (ledger.too_many_releases, ledger.too_much_epsilon, ledger.differencing)
"""Rules that count, too, as soon as a policy file says `ledger`."""
STRICT: Final = (
    *BASELINE,
    privacy.k_floor_outside,
    privacy.epsilon,
    metrics.easy_gate,
    metrics.no_attacker,
    governance.recipient,
    governance.released_twice,
    metrics.hidden_rate,
    *LEDGER,
)
HEALTH: Final = (
    *BASELINE,
    metrics.no_attacker,
    governance.health_assessment,
    governance.data_type,
    metrics.hidden_rate,
    metrics.cloaking_health,
    ledger.too_much_epsilon,
)
SETS: Final = {RuleSet.BASELINE: BASELINE, RuleSet.STRICT: STRICT, RuleSet.HEALTH: HEALTH}
BUILT_IN: Final[dict[str, BuiltIn]] = {rule.id: rule for rules in SETS.values() for rule in rules}
"""Every rule of the program by its id."""


def homes(rule: str) -> tuple[RuleSet, ...]:
    """The rule sets that a rule belongs to."""
    return tuple(name for name, rules in SETS.items() if any(rule == member.id for member in rules))
