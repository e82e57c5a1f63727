"""Scales of the metrics on the wire, and the way to and from natural units.

Inside this product a metric has one unit: `hellinger_mean` and `hellinger_std` are distances in [0, 1] (0 is equal) and
`correlation_difference_ratio` is the mean absolute difference of correlations in percent. The current platform sends
scores instead (100 is equal); its older generation sent the natural units. The direction of the metric's entry in
`targets` tells which one a block uses, so that both are read correctly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

HELLINGER_SCORES: Final = frozenset(
    {"hellinger_mean", "multivariate_hellinger_mean", "pointwise_hellinger_mean", "density_hellinger_mean"}
)
HELLINGER_SPREADS: Final = frozenset({"hellinger_std", "pointwise_hellinger_std", "density_hellinger_std"})
PERCENT_SCORES: Final = frozenset({"correlation_difference_ratio"})
SCORES: Final = HELLINGER_SCORES | HELLINGER_SPREADS | PERCENT_SCORES

_TARGET: Final = re.compile(r"\s*(>=|<=|>|<|)\s*(-?[0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?)\s*")
_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "": ""}
_DECIMALS: Final = 10


def to_score(name: str, value: float) -> float:
    """A natural value as the platform's score; metrics that have no score are returned unchanged."""
    if name in HELLINGER_SCORES:
        return 100.0 * (1.0 - value)
    if name in HELLINGER_SPREADS:
        return 100.0 * value
    if name in PERCENT_SCORES:
        return 100.0 - value
    return value


def from_score(name: str, score: float) -> float:
    """Inverse of `to_score`."""
    if name in HELLINGER_SCORES:
        return 1.0 - score / 100.0
    if name in HELLINGER_SPREADS:
        return score / 100.0
    if name in PERCENT_SCORES:
        return 100.0 - score
    return score


def target_to_score(name: str, target: str) -> str:
    """A target in natural units, such as "< 0.1", as the platform writes it: "> 90".

    Written tightly (">90") or without an operator ("90") it is understood too, and stays without one. The target of a
    metric that has no score, and text that is no target, are returned unchanged.
    """
    return _converted(name, target, to_score)


def target_from_score(name: str, target: str) -> str:
    """Inverse of `target_to_score`."""
    return _converted(name, target, from_score)


def _converted(name: str, target: str, convert: Callable[[str, float], float]) -> str:
    found = _TARGET.fullmatch(target)
    if name not in SCORES or found is None:
        return target
    operator = found[1] if name in HELLINGER_SPREADS else _TURNED[found[1]]
    bound = round(convert(name, float(found[2])), _DECIMALS) + 0.0  # + 0.0: never "-0"
    return f"{operator} {bound:g}".lstrip()


def uses_scores(block: Mapping[str, Any]) -> bool:
    """Whether a signal block is on the 0-100 scale: its Hellinger or correlation target asks for more, not less."""
    targets = block.get("targets") or {}
    wanted = [str(targets[name]) for name in sorted(HELLINGER_SCORES | PERCENT_SCORES) if name in targets]
    return any(target.lstrip().startswith(">") for target in wanted)
