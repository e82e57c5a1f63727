"""Thresholds of a policy file as rules: a metric, a bound, the sets that it is for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from avatar_gitops.policy.gates import evaluate, shown
from avatar_gitops.policy.model import Facts, Level, Stage, Violation
from avatar_gitops.spec.policies import Threshold


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """A threshold as a rule. What was not measured does not pass; before a run, what is not published is not judged."""

    threshold: Threshold

    @property
    def id(self) -> str:
        """Id of the threshold."""
        return self.threshold.id

    @property
    def title(self) -> str:
        """The demand itself."""
        return f"{self.threshold.metric} {self.threshold.condition}"

    @property
    def why(self) -> str:
        """The reason that the policy file gives."""
        return self.threshold.reason or ""

    @property
    def severity(self) -> Level:
        """How bad it is not to meet it."""
        return self.threshold.severity

    @property
    def stage(self) -> Stage:
        """Before or after a run."""
        return self.threshold.stage

    def check(self, facts: Facts) -> Iterator[Violation]:
        """One violation when the worst table does not meet the demand."""
        wish = self.threshold
        if not any(fnmatchcase(facts.desired.name, pattern) for pattern in wish.sets) or facts.metrics is None:
            return
        (result,) = evaluate({wish.metric: wish.condition}, facts.metrics)
        if result.passed:
            return
        detail = f"{shown(result.value)}, asked for {wish.condition}"
        yield Violation(f"{wish.metric} does not meet the policy", detail, ("spec", "gates"))
