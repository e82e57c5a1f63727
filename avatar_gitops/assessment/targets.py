"""Targets of metrics: "op value" texts, how far a value falls short of one, and the defaults for a recipient."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from avatar_gitops.errors import AvatarGitOpsError

_TARGET: Final = re.compile(r"\s*(>=|<=|>|<|≥|≤)?\s*([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*%?\s*")
_ASCII: Final = {"≥": ">=", "≤": "<="}


@dataclass(slots=True, frozen=True)
class Target:
    """One bound: `operator` is `>=`, `>`, `<=` or `<`."""

    operator: str
    bound: float

    @property
    def higher_is_better(self) -> bool:
        return self.operator.startswith(">")

    def met_by(self, value: float) -> bool:
        """Whether a value satisfies the bound; a value that is not a number never does."""
        match self.operator:
            case ">=":
                return value >= self.bound
            case ">":
                return value > self.bound
            case "<=":
                return value <= self.bound
            case _:
                return value < self.bound

    def shortfall(self, value: float) -> float:
        """By how much a value misses the bound, as a share of it; 0 when met, infinite for a bound of 0."""
        if self.met_by(value):
            return 0.0
        missing = self.bound - value if self.higher_is_better else value - self.bound
        return missing / abs(self.bound) if self.bound else math.inf


def parse_target(text: str) -> Target:
    """Read "op value", for example ">= 90"; the operator must be there."""
    found = _TARGET.fullmatch(text)
    if not found or not found[1]:
        raise AvatarGitOpsError(f"'{text}' is not a target", hint="write an operator and a number, such as '>= 90'")
    return Target(_ASCII.get(found[1], found[1]), float(found[2]))


def target_text(target: object, *, higher_is_better: bool) -> str:
    """Any form of a target (number, "90", "> 90") as "op value"."""
    found = _TARGET.fullmatch(str(target))
    if not found:
        raise AvatarGitOpsError("a metric has a target that cannot be read", hint="write it as '>= 90'")
    operator = _ASCII.get(found[1], found[1]) if found[1] else (">=" if higher_is_better else "<=")
    return f"{operator} {float(found[2]):g}"
