"""A metric against the published run: a loss is one when chance does not explain it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from avatar_gitops.plan.lock import Lock, Metrics
from avatar_gitops.plan.noise import family, lock_family
from avatar_gitops.policy.gates import shown
from avatar_gitops.policy.model import Facts, Level, Stage, Violation
from avatar_gitops.spec.gates import METRICS, Direction, number
from avatar_gitops.spec.nodes import Path
from avatar_gitops.spec.policies import Regression

EXACT: Final = 1e-9
GATES: Final[Path] = ("spec", "gates")


@dataclass(frozen=True, slots=True)
class Band:
    """How much of a loss chance explains, in the metric's unit, and how that is known; None when it is not."""

    width: float | None
    words: str
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class RegressionRule:
    """An entry of `regressions` as a rule; it looks after a run, and a first run has nothing to be compared with."""

    wish: Regression

    @property
    def id(self) -> str:
        """Id that the policy gives, else one made from the metric."""
        return self.wish.id or f"worse-{self.wish.metric}"

    @property
    def title(self) -> str:
        """What must not happen."""
        return f"{self.wish.metric} is worse than published"

    @property
    def why(self) -> str:
        """The reason that the policy file gives."""
        return self.wish.reason or ""

    @property
    def severity(self) -> Level:
        """How bad a loss is."""
        return self.wish.severity

    @property
    def stage(self) -> Stage:
        """After a run."""
        return Stage.AFTER

    def check(self, facts: Facts) -> Iterator[Violation]:
        """One violation when the worst table lost more than chance and `at_most` allow, or when nobody can tell."""
        wish, before = self.wish, facts.published
        wanted = any(fnmatchcase(facts.desired.name, pattern) for pattern in wish.sets)
        if not wanted or before is None or facts.metrics is None or wish.metric not in METRICS:
            return
        old, new = worst(wish.metric, before.metrics), worst(wish.metric, facts.metrics)
        if old is None:
            return
        if new is None:
            yield Violation(f"{wish.metric} is not measured any more", f"{shown(old[1])} was published", GATES)
            return
        loss = old[1] - new[1] if METRICS[wish.metric].direction is Direction.HIGHER else new[1] - old[1]
        if loss > EXACT:
            moved = f"{shown(old[1])} -> {shown(new[1])}"
            yield from self._judge(loss, moved, band(facts, before, wish.metric, (old[0], new[0])))

    def _judge(self, loss: float, moved: str, noise: Band) -> Iterator[Violation]:
        metric, at_most = self.wish.metric, self.wish.at_most
        if noise.width is None and at_most is None:
            message = f"nobody can tell whether {metric} got worse by chance"
            yield Violation(message, f"{moved}; {noise.words}", GATES, Level.INFO)
            return
        allowed = max(noise.width or 0.0, at_most or 0.0)
        words = noise.words if (noise.width or 0.0) >= (at_most or 0.0) else "at_most of the policy"
        detail = f"{moved}, {number(round(allowed, 4))} allowed: {words}"
        if loss > allowed + EXACT:
            yield Violation(f"{metric} is worse than published", detail, GATES)
        elif noise.doubtful and allowed == noise.width:
            yield Violation(f"{metric} got worse by what a doubtful band allows", detail, GATES, Level.INFO)


def worst(metric: str, metrics: Metrics) -> tuple[str, float] | None:
    """The table that is worst in a metric, with its value; None when no table has it."""
    values = {table: found[metric] for table, found in sorted(metrics.items()) if metric in found}
    if not values:
        return None
    choose = min if METRICS[metric].direction is Direction.HIGHER else max
    table = choose(values, key=lambda name: values[name])
    return table, values[table]


def band(facts: Facts, before: Lock, metric: str, tables: tuple[str, str]) -> Band:
    """What chance explains for a metric between two runs: from repeated seeds, else from the sample, else unknown.

    Of two tables the wider band counts.
    """
    if facts.noise is not None:
        widths = [facts.noise.tolerance(table, metric) for table in tables]
        known = [width for width in widths if width is not None]
        if known:
            moved = _moved(facts, before)
            words = f"band of {len(facts.noise.seeds)} seeds"
            return Band(max(known), words + (f", measured for {moved}" if moved else ""), bool(moved))
    half = _half(before.noise, metric, tables)
    if half is not None:
        return Band(half, "interval of the sample, no band of repeated seeds is there")
    return Band(None, f"measure a band: avatar-gitops noise {facts.desired.name}")


def _moved(facts: Facts, before: Lock) -> str:
    """What the band was measured for, when it is neither for the published run nor for the new one."""
    assert facts.noise is not None
    ways = [facts.noise.moved(family(facts.desired)), facts.noise.moved(lock_family(before), before.engine)]
    return "" if not all(ways) else " and ".join(ways[0])


def _half(noise: Mapping[str, Mapping[str, float]], metric: str, tables: tuple[str, str]) -> float | None:
    return max((noise[table][metric] for table in tables if metric in noise.get(table, {})), default=None)
