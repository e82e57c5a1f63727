"""DCR share: how many avatars are nearer to a person who was used than to one of as many people who were not.

Avatars as near to used people as to any others of the population give 50 % (Platzer and Reutterer, Frontiers in Big
Data 4, 679939 (2021)). Distances are taken in all dimensions, as those of the membership attacks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.full_space import count_nearer, fit_scales, nearest_distances, scaled
from avatar_gitops.engine.holdout import Sides, sample
from avatar_gitops.engine.intervals import Interval, wilson_percent
from avatar_gitops.engine.membership import asked_at_most
from avatar_gitops.engine.streams import stream


@dataclass(slots=True, frozen=True)
class Share:
    """The share in percent and its interval; `independent` is the number of observations that it is worth."""

    percent: float
    interval: Interval
    independent: int


def dcr_share(sides: Sides, seed: int) -> Share:
    """The share among at most as many avatars as people are attacked, ties being half.

    Of n used and m other people (at most n are taken) the used ones are thinned to m. The mean over all ways of doing
    so has a closed form: with r used people nearer to an avatar than its nearest other, none of them is among m drawn
    ones with probability C(n - r, m) / C(n, m). Avatars near the same other person stand or fall together, so the
    Wilson interval counts no more observations than there are others.
    """
    random = stream(seed, "", "distance share")
    scales = fit_scales(sides.space, sides.members)
    n, m = sides.members.rows, min(sides.members.rows, sides.others.rows)
    others = sides.others.take(sample(sides.others.rows, m, random))
    asked = sides.avatars.take(sample(sides.avatars.rows, asked_at_most(sides, scales), random))
    avatars = scaled(scales, asked)
    to_others = nearest_distances(scales, scaled(scales, others), avatars)
    closer, tied = count_nearer(scales, scaled(scales, sides.members), avatars, to_others)
    percent = 100.0 * float(1.0 - (_none_drawn(closer, n, m) + _none_drawn(closer + tied, n, m)).mean() / 2)
    independent = min(asked.rows, m)
    return Share(percent, wilson_percent(percent, independent), independent)


def _none_drawn(among: npt.NDArray[np.int64], n: int, m: int) -> Floats:
    """Probability that m of n people, drawn without replacement, hold none of the given number of them."""
    left = n - among
    possible = left >= m
    drawn = np.where(possible, left, m)
    logarithm = gammaln(drawn + 1) - gammaln(drawn - m + 1) - gammaln(n + 1) + gammaln(n - m + 1)
    return np.where(possible, np.exp(logarithm), 0.0)
