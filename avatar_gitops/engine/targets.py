"""Wanted values of the metrics for each data recipient, and the score that sums them up."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_HIDDEN_RATE: Final[Mapping[str, float]] = {
    "unknown": 90,
    "opendata": 90,
    "outside_eu": 80,
    "contractual_thirdparty": 50,
    "trusted_thirdparty": 50,
    "internal": 30,
}
_PRIVACY: Final[Mapping[str, str]] = {
    "local_cloaking": ">= 5",
    "closest_rate": ">= 90",
    "column_direct_match_protection": ">= 50",
    "row_direct_match_protection": ">= 90",
    "categorical_hidden_rate": ">= 90",
    "correlation_protection_rate": ">= 95",
    "knowledge_protection_rate": ">= 95",
    "linkability_protection_rate": ">= 95",
    "inference_continuous": "> 10",
    "inference_categorical": "> 10",
    "inference_accuracy_ratio": ">= 95",
    "membership_auc": "<= 0.55",
    "membership_tpr_at_1_fpr": "<= 3",
}
_LEGACY_DISTANCES: Final[Mapping[str, str]] = {
    "distance_to_closest": "> 0.2",
    "closest_distances_ratio": "> 0.3",
}
SIGNAL: Final[Mapping[str, str]] = MappingProxyType({"hellinger_mean": "< 0.1", "correlation_difference_ratio": "< 10"})
SERIES: Final[Mapping[str, str]] = MappingProxyType(
    {"pointwise_hellinger_mean": "< 0.1", "density_hellinger_mean": "< 0.1"}
)

# Criteria of the meta privacy metric and the metrics that speak for them.
CRITERIA: Final[Mapping[str, tuple[str, ...]]] = {
    "singling_out": (
        "hidden_rate",
        "local_cloaking",
        "column_direct_match_protection",
        "categorical_hidden_rate",
    ),
    "linkability": ("knowledge_protection_rate", "linkability_protection_rate"),
    "inference": ("inference_accuracy_ratio", "inference_continuous", "inference_categorical"),
    "membership": (
        "distance_to_closest",
        "closest_distances_ratio",
        "closest_rate",
        "membership_auc",
        "membership_tpr_at_1_fpr",
    ),
}


def targets(recipient: str = "unknown", references: Mapping[str, float] | None = None) -> Mapping[str, str]:
    """Wanted values of privacy and signal metrics, in natural units, as an operator and a number.

    An unknown recipient gets the strictest. With `references` (what unused rows score) the two distance metrics are
    judged against them, and have no target where unused rows score 0, which nothing can miss; without, against the
    absolute values of the older platform.
    """
    wanted = {"hidden_rate": f">= {_HIDDEN_RATE.get(recipient, 90):g}", **_PRIVACY, **_LEGACY_DISTANCES, **SIGNAL}
    for name in _LEGACY_DISTANCES:
        if references and name in references:
            del wanted[name]
            if references[name] > 0:
                wanted[name] = f">= {references[name]:.4g}"
    return MappingProxyType(wanted)


def meta_privacy(values: Mapping[str, float | None], wanted: Mapping[str, str]) -> float | None:
    """One number from 0 to 100: the mean over the criteria of the worst ratio of value to target, capped at 1.

    score = clip(value / target, 0, 1), or target / value where less is better; a criterion is the minimum of the scores
    of its metrics (`CRITERIA`), the result is 100 times the mean over the criteria that could be measured. The platform
    does not publish its own formula.
    """
    criteria = []
    for names in CRITERIA.values():
        known = [(value, wanted[name]) for name in names if name in wanted and (value := values.get(name)) is not None]
        scores = [_score(value, target) for value, target in known]
        if scores:
            criteria.append(min(scores))
    return 100.0 * sum(criteria) / len(criteria) if criteria else None


def _score(value: float, target: str) -> float:
    sign, bound = target.split()
    wanted = float(bound)
    if sign.startswith("<"):
        return 1.0 if value <= wanted else max(0.0, wanted / value)
    return 1.0 if wanted <= 0 else min(1.0, max(0.0, value / wanted))
