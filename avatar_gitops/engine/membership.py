"""Membership inference: can an attacker who knows a person's row tell whether the person was used?

The attacker scores members (people who were used) and as many others (a holdout of the same population) and calls those
with high scores members. Two scores are tried: minus the distance to the nearest avatar in all dimensions (Hilprecht et
al. 2019; Platzer and Reutterer 2021; the attack of the method's own paper), and the density of avatars over that of
people who were not used (DOMIAS: van Breugel et al. 2023). Outliers are most at risk (Stadler et al. 2022; Meeus et
al. 2023), so the first attack is judged again on the most isolated people alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.stats import rankdata

from avatar_gitops.engine.columns import Codes, Floats
from avatar_gitops.engine.full_space import Scales, fit_scales, nearest_distances, scaled
from avatar_gitops.engine.groups import EVERYBODY, FEWEST, Grouping, said, widened
from avatar_gitops.engine.holdout import Sides, sample
from avatar_gitops.engine.intervals import Interval, holding
from avatar_gitops.engine.streams import stream

ATTACKED: Final = 2_000
FEWEST_FOR_RATE: Final = 100
ISOLATED: Final = 0.05
FEWEST_ISOLATED: Final = 10
_FEWEST_ATTACKED: Final = 250
_PRODUCTS: Final = 5e10
_RESAMPLES: Final = 300
_DENSITY_ROWS: Final = 5_000
_RIDGE: Final = 1e-9  # variance that every axis has at least
_RIDGE_SHARE: Final = 1e-13  # of all variance: less is rounding


@dataclass(slots=True, frozen=True)
class Success:
    """How well scores tell members from others: area under the curve in [0, 1], true positive rates in percent.

    `at_1` and `at_10` are the true positive rates at a false positive rate of 1 % and 10 % (`rate_at`); `None` with
    too few others (1 % of fewer than 100 people is nobody). Intervals are percentile bootstraps over both groups.
    """

    auc: float
    auc_interval: Interval
    at_1: float | None
    at_1_interval: Interval | None
    at_10: float | None
    at_10_interval: Interval | None
    attacked: int


@dataclass(slots=True, frozen=True)
class Membership:
    """Success by distance, by distance on the most isolated 5 % of people, and by density; None with too few.

    `worst` is the success by distance on the group where it is highest, with the note on the groups that were compared.
    """

    distance: Success
    isolated: Success | None
    density: Success | None
    worst: tuple[Success, str] | None = None


def attack_membership(sides: Sides, seed: int, grouping: Grouping = EVERYBODY) -> Membership:
    """Attack at most `ATTACKED` members and as many others, drawn at random (fewer in very wide and long tables).

    People are isolated when the nearest other original is far, in all dimensions. A group is attacked when it has
    `engine.groups.FEWEST` people of either side; its interval is widened for the number of groups.
    The density is a Gaussian kernel on the compared axes with Scott's bandwidth, from at most 5 000 avatars and one
    half of the others; the other half is attacked, then the halves change places and the results are averaged.
    """
    random = stream(seed, "", "membership")
    scales = fit_scales(sides.space, sides.members)
    avatars, originals = scaled(scales, sides.avatars), scaled(scales, sides.members)
    most = asked_at_most(sides, scales)
    members, others = (sample(rows, most, random) for rows in (sides.members.rows, sides.others.rows))
    asked = originals.take(members), scaled(scales, sides.others.take(others))
    scores = [-nearest_distances(scales, avatars, people) for people in asked]
    remote = [
        nearest_distances(scales, originals, people, own) for people, own in zip(asked, (members, None), strict=True)
    ]
    limit = np.quantile(np.concatenate(remote), 1.0 - ISOLATED)
    alone = [score[distance >= limit] for score, distance in zip(scores, remote, strict=True)]
    isolated = success(alone[0], alone[1], random) if min(map(len, alone)) >= FEWEST_ISOLATED else None
    overall, density = success(scores[0], scores[1], random), _by_density(sides, members, others, random)
    codes = sides.members.frame.codes[members], sides.others.frame.codes[others]
    return Membership(overall, isolated, density, _worst(grouping, codes, scores, seed))


def asked_at_most(sides: Sides, scales: Scales) -> int:
    """How many people, or avatars, are compared with everybody: fewer in very wide and long tables."""
    budget = int(_PRODUCTS / max(1.0, 2.0 * sides.avatars.rows * scales.dimensions))
    return max(_FEWEST_ATTACKED, min(ATTACKED, budget))


def success(members: Floats, others: Floats, random: np.random.Generator) -> Success:
    """Judge scores; a higher one says "member"."""
    draws = []
    for _ in range(_RESAMPLES):
        one, two = (side[random.integers(0, len(side), len(side))] for side in (members, others))
        draws.append((area(one, two), rate_at(one, two, 0.01), rate_at(one, two, 0.10)))
    low, high = np.percentile(np.array(draws), [2.5, 97.5], axis=0)
    values = (area(members, others), rate_at(members, others, 0.01), rate_at(members, others, 0.10))
    ends = [holding(v, (float(a), float(b))) for v, a, b in zip(values, low, high, strict=True)]
    fine, coarse = len(others) >= FEWEST_FOR_RATE, len(others) >= FEWEST_FOR_RATE // 10
    return Success(
        values[0],
        ends[0],
        values[1] if fine else None,
        ends[1] if fine else None,
        values[2] if coarse else None,
        ends[2] if coarse else None,
        len(members) + len(others),
    )


def area(members: Floats, others: Floats) -> float:
    """Area under the curve: the chance that a member scores higher than another, a tie being half (Mann-Whitney)."""
    m, n = len(members), len(others)
    ranks = rankdata(np.concatenate([members, others]))
    return float((ranks[:m].sum() - m * (m + 1) / 2) / (m * n))


def rate_at(members: Floats, others: Floats, false_positives: float) -> float:
    """Percentage of members called members when that share of the others is, too; scores at the threshold by lot.

    Calling a part of the tied people by lot is what an attacker can do to keep to a false positive rate (the ROC curve
    is interpolated); without it, many exact copies of people would read as a harmless 0.
    """
    ordered = np.sort(others)[::-1]
    threshold = ordered[min(int(false_positives * len(others)), len(others) - 1)]
    above, tied = float((others > threshold).mean()), float((others == threshold).mean())
    lot = (false_positives - above) / tied
    return 100.0 * float((members > threshold).mean() + lot * (members == threshold).mean())


def _worst(
    grouping: Grouping, codes: tuple[Codes, Codes], scores: Sequence[Floats], seed: int
) -> tuple[Success, str] | None:
    """The group of people whose membership is told best."""
    found = grouping.members(codes[0])
    judged: list[tuple[Success, str]] = []
    for name, place, code in found:
        members, others = (part[held[:, place] == code] for part, held in zip(scores, codes, strict=True))
        if min(len(members), len(others)) >= FEWEST:
            judged.append((success(members, others, stream(seed, name, f"membership of group {code}")), name))
    if not judged:
        return None
    worst, name = max(judged, key=lambda one: one[0].auc)
    low, high = widened(worst.auc, worst.auc_interval, len(judged))
    return replace(worst, auc_interval=(max(0.0, low), min(1.0, high))), said(name, len(judged), len(found))


def _by_density(sides: Sides, members: np.ndarray, others: np.ndarray, random: np.random.Generator) -> Success | None:
    if len(others) < 4 * sides.members.points.shape[1] + 2:
        return None
    avatars = sides.avatars.points[sample(sides.avatars.rows, _DENSITY_ROWS, random)]
    strangers = random.permutation(others)
    people = random.permutation(members)
    found = []
    for turn in (0, 1):
        reference, asked = strangers[turn::2], strangers[1 - turn :: 2]
        scores = [
            log_density(avatars, points) - log_density(sides.others.points[reference], points)
            for points in (sides.members.points[people[turn::2]], sides.others.points[asked])
        ]
        found.append(success(scores[0], scores[1], random))
    return _averaged(*found)


def _averaged(one: Success, two: Success) -> Success:
    """The mean of two judgements of different people; the half widths shrink by the root of two."""

    def both(a: float | None, b: float | None) -> float | None:
        return None if a is None or b is None else (a + b) / 2

    def ends(value: float | None, a: Interval | None, b: Interval | None) -> Interval | None:
        if value is None or a is None or b is None:
            return None
        half = float((a[1] - a[0] + b[1] - b[0]) / 4 / np.sqrt(2))
        return max(0.0, value - half), value + half

    auc = (one.auc + two.auc) / 2
    at_1, at_10 = both(one.at_1, two.at_1), both(one.at_10, two.at_10)
    return Success(
        auc,
        ends(auc, one.auc_interval, two.auc_interval) or (0.0, 1.0),
        at_1,
        ends(at_1, one.at_1_interval, two.at_1_interval),
        at_10,
        ends(at_10, one.at_10_interval, two.at_10_interval),
        one.attacked + two.attacked,
    )


def log_density(sample: Floats, points: Floats) -> Floats:
    """Logarithm of a Gaussian kernel density (full covariance, Scott's bandwidth) up to a constant of the dimension."""
    n, d = sample.shape
    covariance = np.atleast_2d(np.cov(sample.T))
    covariance += max(_RIDGE, _RIDGE_SHARE * float(np.trace(covariance))) * np.eye(d)
    root = np.linalg.cholesky(covariance * n ** (-2.0 / (d + 4)))
    centres, asked = (np.linalg.solve(root, side.T).T for side in (sample, points))
    result = np.empty(len(asked))
    for start in range(0, len(asked), 256):
        block = asked[start : start + 256]
        exponent = block @ centres.T - 0.5 * (centres**2).sum(axis=1) - 0.5 * (block**2).sum(axis=1)[:, None]
        top = exponent.max(axis=1)
        result[start : start + 256] = top + np.log(np.exp(exponent - top[:, None]).mean(axis=1))
    return result - float(np.log(np.diag(root)).sum())
