"""Every metric the documents know: criterion, unit, direction, decimals and default target, and how a value is written.

The families are the three criteria of the Article 29 Working Party (Opinion 05/2014), membership inference, and
utility. The words of each metric are in `metric_texts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from avatar_gitops.assessment.targets import parse_target
from avatar_gitops.assessment.text import bare, decimals_for, number, percent, sign


class Family(StrEnum):
    """The question that a metric helps to answer."""

    SINGLING_OUT = "singling_out"
    LINKABILITY = "linkability"
    INFERENCE = "inference"
    MEMBERSHIP = "membership"
    UTILITY = "utility"
    OTHER = "other"


CRITERIA: Final = (Family.SINGLING_OUT, Family.LINKABILITY, Family.INFERENCE, Family.MEMBERSHIP)


class Unit(StrEnum):
    """Natural unit of a metric."""

    PERCENT = "percent"
    COUNT = "count"
    RATIO = "ratio"
    DISTANCE = "distance"


@dataclass(slots=True, frozen=True)
class MetricInfo:
    """What is true of a metric whatever the table.

    `exact` metrics describe the whole released table, nothing is sampled or drawn, so they need no interval.
    `target` is the default one for an unknown recipient.
    """

    name: str
    family: Family
    unit: Unit
    higher_is_better: bool
    decimals: int
    target: str | None
    exact: bool = False


def _info(
    name: str, family: Family, unit: Unit, target: str | None, *, exact: bool = False, less: bool = False
) -> MetricInfo:
    """`less`: a metric without a target that is better when smaller."""
    decimals = {Unit.PERCENT: 1, Unit.COUNT: 0, Unit.RATIO: 3, Unit.DISTANCE: 3}[unit]
    higher = (family is not Family.OTHER and not less) if target is None else parse_target(target).higher_is_better
    return MetricInfo(name, family, unit, higher, decimals, target, exact)


_SINGLING, _LINK, _INFER, _MEMBER, _USE = (*CRITERIA, Family.UTILITY)

CATALOGUE: Final[Mapping[str, MetricInfo]] = MappingProxyType(
    {
        info.name: info
        for info in (
            _info("hidden_rate", _SINGLING, Unit.PERCENT, ">= 90"),
            _info("hidden_rate_strict", _SINGLING, Unit.PERCENT, None),
            _info("hidden_rate_worst_group", _SINGLING, Unit.PERCENT, None),
            _info("local_cloaking", _SINGLING, Unit.COUNT, ">= 5"),
            _info("categorical_hidden_rate", _SINGLING, Unit.PERCENT, ">= 90", exact=True),
            _info("distance_to_closest", _MEMBER, Unit.DISTANCE, None),
            _info("closest_distances_ratio", _MEMBER, Unit.RATIO, None),
            _info("closest_rate", _MEMBER, Unit.PERCENT, ">= 90"),
            _info("column_direct_match_protection", _SINGLING, Unit.PERCENT, ">= 50", exact=True),
            _info("row_direct_match_protection", _SINGLING, Unit.PERCENT, ">= 90", exact=True),
            _info("knowledge_protection_rate", _LINK, Unit.PERCENT, ">= 95"),
            _info("linkability_protection_rate", _LINK, Unit.PERCENT, ">= 95"),
            _info("inference_accuracy_ratio", _INFER, Unit.PERCENT, ">= 95"),
            _info("inference_continuous", _INFER, Unit.PERCENT, "> 10"),
            _info("inference_categorical", _INFER, Unit.PERCENT, "> 10"),
            _info("membership_auc", _MEMBER, Unit.RATIO, "<= 0.55"),
            _info("membership_tpr_at_1_fpr", _MEMBER, Unit.PERCENT, "<= 3"),
            _info("membership_tpr_at_10_fpr", _MEMBER, Unit.PERCENT, None, less=True),
            _info("membership_auc_isolated", _MEMBER, Unit.RATIO, None, less=True),
            _info("membership_auc_density", _MEMBER, Unit.RATIO, None, less=True),
            _info("membership_auc_worst_group", _MEMBER, Unit.RATIO, None, less=True),
            _info("distance_to_closest_share", _MEMBER, Unit.PERCENT, None, less=True),
            _info("singling_out_univariate_risk", _SINGLING, Unit.PERCENT, None, less=True),
            _info("singling_out_multivariate_risk", _SINGLING, Unit.PERCENT, None, less=True),
            _info("linkability_risk", _LINK, Unit.PERCENT, None, less=True),
            _info("linkability_risk_5", _LINK, Unit.PERCENT, None, less=True),
            _info("inference_risk", _INFER, Unit.PERCENT, None, less=True),
            _info("dominated_avatars_rate", _SINGLING, Unit.PERCENT, None, less=True),
            _info("donor_distance", _SINGLING, Unit.DISTANCE, None),
            _info("rare_modalities_rate", _SINGLING, Unit.PERCENT, None, exact=True, less=True),
            _info("rare_modalities_released_rate", _SINGLING, Unit.PERCENT, None, exact=True, less=True),
            _info("extremes_released_rate", _SINGLING, Unit.PERCENT, None, exact=True, less=True),
            _info("unique_combinations_rate", _SINGLING, Unit.PERCENT, None, exact=True, less=True),
            _info("replicated_uniques_rate", _SINGLING, Unit.PERCENT, None, exact=True, less=True),
            _info("k_map", _SINGLING, Unit.COUNT, None, exact=True),
            _info("hellinger_mean", _USE, Unit.RATIO, "< 0.1", exact=True),
            _info("multivariate_hellinger_mean", _USE, Unit.RATIO, "< 0.1", exact=True),
            _info("pointwise_hellinger_mean", _USE, Unit.RATIO, "< 0.1", exact=True),
            _info("density_hellinger_mean", _USE, Unit.RATIO, "< 0.1", exact=True),
            _info("correlation_difference_ratio", _USE, Unit.PERCENT, "< 10", exact=True),
            _info("kolmogorov_smirnov_mean", _USE, Unit.RATIO, None, exact=True, less=True),
            _info("total_variation_mean", _USE, Unit.RATIO, None, exact=True, less=True),
            _info("association_difference_mean", _USE, Unit.PERCENT, None, exact=True, less=True),
            _info("range_coverage_mean", _USE, Unit.RATIO, None, exact=True),
            _info("category_coverage_mean", _USE, Unit.RATIO, None, exact=True),
            _info("pmse_ratio", _USE, Unit.RATIO, None, less=True),
            _info("utility_originals", _USE, Unit.PERCENT, None),
            _info("utility_avatars", _USE, Unit.PERCENT, None),
            _info("utility_loss", _USE, Unit.PERCENT, None, less=True),
        )
    }
)

DETAILS: Final = frozenset(
    {
        "membership_tpr_at_10_fpr",
        "membership_auc_isolated",
        "membership_auc_density",
        "distance_to_closest_share",
        "linkability_risk_5",
        "donor_distance",
        "rare_modalities_rate",
        "rare_modalities_released_rate",
        "extremes_released_rate",
        "unique_combinations_rate",
        "replicated_uniques_rate",
        "k_map",
        "kolmogorov_smirnov_mean",
        "total_variation_mean",
        "association_difference_mean",
        "range_coverage_mean",
        "category_coverage_mean",
        "pmse_ratio",
        "utility_originals",
        "utility_avatars",
    }
)
"""Metrics that a summary leaves to the longer documents, unless a gate asks for them."""

CONTROLLED: Final = frozenset(
    {
        "membership_auc",
        "membership_tpr_at_1_fpr",
        "membership_tpr_at_10_fpr",
        "membership_auc_isolated",
        "membership_auc_density",
        "membership_auc_worst_group",
        "distance_to_closest_share",
        "singling_out_univariate_risk",
        "singling_out_multivariate_risk",
        "linkability_risk",
        "linkability_risk_5",
        "inference_risk",
    }
)
"""Metrics that need people who were not used."""

LINKED: Final = frozenset(
    {
        "hidden_rate",
        "hidden_rate_strict",
        "hidden_rate_worst_group",
        "local_cloaking",
        "categorical_hidden_rate",
        "column_direct_match_protection",
        "knowledge_protection_rate",
        "linkability_protection_rate",
        "dominated_avatars_rate",
        "donor_distance",
    }
)
"""Metrics that need the avatar of each person."""

TARGETED: Final = frozenset({"inference_continuous", "inference_categorical", "inference_accuracy_ratio"})
"""Metrics that need a target to guess."""

ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "correlation_protection_rate": "knowledge_protection_rate",
        "direct_match_protection": "column_direct_match_protection",
        "multivariate Hellinger (mean)": "multivariate_hellinger_mean",
        "mia_auc": "membership_auc",
        "membership_inference_auc": "membership_auc",
        "mia_tpr_at_1_fpr": "membership_tpr_at_1_fpr",
        "membership_tpr_at_1": "membership_tpr_at_1_fpr",
    }
)
"""Older or other names of the same metric."""

HIDDEN_RATE_TARGETS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "internal": ">= 30",
        "trusted_thirdparty": ">= 50",
        "contractual_thirdparty": ">= 50",
        "outside_eu": ">= 80",
        "opendata": ">= 90",
        "unknown": ">= 90",
    }
)


def canonical_name(name: str) -> str:
    """The name under which a metric stands in the catalogue."""
    return ALIASES.get(name, name)


def in_catalogue(name: str) -> bool:
    """Whether the documents have words for this metric."""
    return name in CATALOGUE


def family_of(name: str) -> Family:
    """The criterion that a metric speaks to; `OTHER` for a metric that the catalogue does not know."""
    return CATALOGUE[name].family if name in CATALOGUE else Family.OTHER


def unit_of(name: str) -> Unit | None:
    """Natural unit of a metric; None for one that the catalogue does not know."""
    return CATALOGUE[name].unit if name in CATALOGUE else None


def is_higher_better(name: str) -> bool:
    """Direction of a metric; an unknown one is taken as a protection rate."""
    return CATALOGUE[name].higher_is_better if name in CATALOGUE else True


def is_exact(name: str) -> bool:
    """Whether a metric describes the whole released table, so that it needs no interval."""
    return name in CATALOGUE and CATALOGUE[name].exact


def default_target(name: str, recipient: str) -> str | None:
    """The target used when a run names none; only the hidden rate depends on the recipient, unknown is strictest."""
    if name == "hidden_rate":
        return HIDDEN_RATE_TARGETS.get(recipient, HIDDEN_RATE_TARGETS["unknown"])
    return CATALOGUE[name].target if name in CATALOGUE else None


def written_value(name: str, value: float, language: str, target: str | None = None) -> str:
    """A value with its unit; gets more decimals where rounding would put it on the wrong side of its target."""
    return _written(name, value, _decimals(name, value, target), language)


def written_interval(name: str, low: float, high: float, language: str, target: str | None = None) -> str:
    """Both ends of an interval, with the same decimals."""
    decimals = max(_decimals(name, end, target) for end in (low, high))
    return " – ".join(_written(name, end, decimals, language) for end in (low, high))


def _decimals(name: str, value: float, target: str | None) -> int:
    info = CATALOGUE.get(name)
    decimals = info.decimals if info else 2
    if info and info.unit is Unit.COUNT and not float(value).is_integer():
        decimals = 1
    return decimals_for(value, decimals, target)


def _written(name: str, value: float, decimals: int, language: str) -> str:
    text = number(value, decimals, language)
    return percent(text, language) if unit_of(name) is Unit.PERCENT else text


def written_target(name: str, target: str, language: str) -> str:
    """A target with its unit, for example "≥ 90%"."""
    bound = parse_target(target)
    info = CATALOGUE.get(name)
    text = bare(bound.bound, language)
    return f"{sign(bound)} {percent(text, language) if info and info.unit is Unit.PERCENT else text}"
