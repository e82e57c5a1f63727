"""Metrics that a gate can ask for: which way is better, in which unit, what they mean; and the grammar of a gate."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

OPERATORS: Final[dict[str, Callable[[float, float], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_GATE: Final = re.compile(r"(>=|<=|>|<) ?(-?[0-9]{1,9}(?:\.[0-9]{1,9})?)\Z")


class Direction(StrEnum):
    """Which way a metric gets better."""

    HIGHER = ">="
    LOWER = "<="


class Unit(StrEnum):
    """Natural unit: percent 0 to 100, a share 0 to 1, a distance 0 to 1, a count, or a length without scale."""

    PERCENT = "percent"
    RATIO = "ratio"
    DISTANCE = "distance"
    COUNT = "count"
    LENGTH = "length"


LARGEST: Final = {Unit.PERCENT: 100.0, Unit.RATIO: 1.0, Unit.DISTANCE: 1.0}


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as gates see it; `score` means that the platform shows a 0 to 100 score for it instead."""

    name: str
    direction: Direction
    unit: Unit
    meaning: str
    score: bool = False
    unbounded: bool = False

    @property
    def largest(self) -> float | None:
        """The largest value that the metric can have, None if there is none."""
        return None if self.unbounded else LARGEST.get(self.unit)


@dataclass(frozen=True, slots=True)
class Gate:
    """A demand on a metric: an operator and a bound."""

    metric: str
    operator: str
    bound: float

    def passes(self, value: float) -> bool:
        """Whether a measured value fulfils the demand."""
        return OPERATORS[self.operator](value, self.bound)

    @property
    def direction(self) -> Direction:
        """Which way the demand points."""
        return Direction.HIGHER if self.operator.startswith(">") else Direction.LOWER


_UP, _DOWN = Direction.HIGHER, Direction.LOWER

METRICS: Final = {
    metric.name: metric
    for metric in (
        Metric("hidden_rate", _UP, Unit.PERCENT, "share of people whose nearest avatar is not their own"),
        Metric("hidden_rate_strict", _UP, Unit.PERCENT, "hidden_rate where a tie counts as found"),
        Metric("hidden_rate_worst_group", _UP, Unit.PERCENT, "hidden_rate of the worst of the declared groups"),
        Metric("local_cloaking", _UP, Unit.COUNT, "median number of avatars closer to a person than their own"),
        Metric("distance_to_closest", _UP, Unit.LENGTH, "median distance from a person to the closest avatar"),
        Metric("closest_distances_ratio", _UP, Unit.RATIO, "closest distance over second closest, median"),
        Metric("closest_rate", _UP, Unit.PERCENT, "share of avatars that are not both too close and too isolated"),
        Metric("column_direct_match_protection", _UP, Unit.PERCENT, "protection against finding exact values again"),
        Metric("row_direct_match_protection", _UP, Unit.PERCENT, "share of rows that do not come back as a whole"),
        Metric("categorical_hidden_rate", _UP, Unit.PERCENT, "share of unique category combinations that are hidden"),
        Metric("correlation_protection_rate", _UP, Unit.PERCENT, "older name of knowledge_protection_rate"),
        Metric("knowledge_protection_rate", _UP, Unit.PERCENT, "failures of an attacker who knows some columns"),
        Metric("linkability_protection_rate", _UP, Unit.PERCENT, "failures to link two halves of a person's columns"),
        Metric("inference_continuous", _UP, Unit.PERCENT, "error of guessing a numeric target", unbounded=True),
        Metric("inference_categorical", _UP, Unit.PERCENT, "share of wrong guesses of a categorical target"),
        Metric("inference_accuracy_ratio", _UP, Unit.PERCENT, "guessing from real data over avatars", unbounded=True),
        Metric("membership_auc", _DOWN, Unit.RATIO, "telling used people from others by distance; 0.5 is guessing"),
        Metric("membership_auc_isolated", _DOWN, Unit.RATIO, "membership_auc on the 5 % most isolated people"),
        Metric("membership_auc_density", _DOWN, Unit.RATIO, "telling used people from others by density"),
        Metric("membership_auc_worst_group", _DOWN, Unit.RATIO, "membership_auc of the worst of the declared groups"),
        Metric("membership_tpr_at_1_fpr", _DOWN, Unit.PERCENT, "used people found at 1 % false alarms"),
        Metric("membership_tpr_at_10_fpr", _DOWN, Unit.PERCENT, "used people found at 10 % false alarms"),
        Metric("distance_to_closest_share", _DOWN, Unit.PERCENT, "avatars nearer to used people; 50 is chance"),
        Metric("singling_out_univariate_risk", _DOWN, Unit.PERCENT, "singling out by one value, over a control"),
        Metric("singling_out_multivariate_risk", _DOWN, Unit.PERCENT, "singling out by four values, over a control"),
        Metric("linkability_risk", _DOWN, Unit.PERCENT, "linking two files by the nearest avatar, over a control"),
        Metric("linkability_risk_5", _DOWN, Unit.PERCENT, "linking two files by five avatars, over a control"),
        Metric("inference_risk", _DOWN, Unit.PERCENT, "telling a target by the nearest avatar, over a control"),
        Metric("dominated_avatars_rate", _DOWN, Unit.PERCENT, "share of avatars that sit on one other person"),
        Metric("donor_distance", _UP, Unit.LENGTH, "median distance to the nearest person but the avatar's own"),
        Metric("rare_modalities_rate", _DOWN, Unit.PERCENT, "share of categories with fewer than 5 holders"),
        Metric("rare_modalities_released_rate", _DOWN, Unit.PERCENT, "share of rare categories that come back"),
        Metric("extremes_released_rate", _DOWN, Unit.PERCENT, "share of one person's extremes that come back"),
        Metric("unique_combinations_rate", _DOWN, Unit.PERCENT, "share of people alone with their known variables"),
        Metric("replicated_uniques_rate", _DOWN, Unit.PERCENT, "share of people who are unique before and after"),
        Metric("k_map", _UP, Unit.COUNT, "fewest originals behind known variables that avatars show"),
        Metric("hellinger_mean", _DOWN, Unit.DISTANCE, "distance of distributions, mean; 0 is equal", score=True),
        Metric("hellinger_std", _DOWN, Unit.DISTANCE, "spread of the distances over columns", score=True),
        Metric("multivariate_hellinger_mean", _DOWN, Unit.DISTANCE, "distance of joint distributions", score=True),
        Metric("pointwise_hellinger_mean", _DOWN, Unit.DISTANCE, "distance of series, point by point", score=True),
        Metric("pointwise_hellinger_std", _DOWN, Unit.DISTANCE, "spread of it over variables and points", score=True),
        Metric("density_hellinger_mean", _DOWN, Unit.DISTANCE, "distance of the values of series", score=True),
        Metric("density_hellinger_std", _DOWN, Unit.DISTANCE, "spread of it over variables", score=True),
        Metric("correlation_difference_ratio", _DOWN, Unit.PERCENT, "mean change of correlations", score=True),
        Metric("kolmogorov_smirnov_mean", _DOWN, Unit.DISTANCE, "distance of distributions of numbers, no bins"),
        Metric("total_variation_mean", _DOWN, Unit.DISTANCE, "distance of shares of categories"),
        Metric("association_difference_mean", _DOWN, Unit.PERCENT, "mean change of associations", unbounded=True),
        Metric("range_coverage_mean", _UP, Unit.RATIO, "share of the range of numbers that avatars cover"),
        Metric("category_coverage_mean", _UP, Unit.RATIO, "share of the categories that avatars have"),
        Metric("pmse_ratio", _DOWN, Unit.RATIO, "telling avatars from originals; 1 is guessing", unbounded=True),
        Metric("utility_originals", _UP, Unit.PERCENT, "prediction of the target learnt on originals"),
        Metric("utility_avatars", _UP, Unit.PERCENT, "prediction of the target learnt on avatars"),
        Metric("utility_loss", _DOWN, Unit.PERCENT, "points of prediction lost by learning on avatars"),
    )
}


def parse_gate(metric: str, text: str) -> Gate:
    """A gate from its text such as ">= 90"; ValueError if it is not one."""
    found = _GATE.match(text)
    if found is None:
        raise ValueError("a gate is one of >=, <=, >, < and a number")
    return Gate(metric, found[1], float(found[2]))


def number(value: float) -> str:
    """A bound without needless zeros: 0.3, 90, 0.05."""
    return f"{round(value, 9):.9f}".rstrip("0").rstrip(".")


def as_natural(metric: Metric, score: float) -> float:
    """What a 0 to 100 score of the platform is in the metric's natural unit."""
    if metric.unit is Unit.PERCENT:
        return 100.0 - score
    return score / 100.0 if metric.name.endswith("hellinger_std") else 1.0 - score / 100.0
