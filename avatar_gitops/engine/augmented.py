"""Privacy of augmented avatars: each of them, the mean of a person's, and that of the people who have several."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from avatar_gitops.engine.copies import barycentres, repeated, restrict
from avatar_gitops.engine.pair import Pair
from avatar_gitops.engine.params import Metrics, PrivacyParams
from avatar_gitops.engine.privacy import measure_pair
from avatar_gitops.engine.threads import single_threaded_algebra

_NO_CONTROL: Final = "Not measured: people who were not used have no mean of avatars."
FEWEST: Final = 2
"""People with several avatars from which on these are judged by themselves."""


class Means(StrEnum):
    """Whose mean of avatars stands beside the original; the names are the platform's computation types."""

    BARYCENTERED = "barycentered"
    CLASS_BALANCING = "class_balancing_barycenter"


@single_threaded_algebra
def measure_means(pair: Pair, means: Means, params: PrivacyParams, seed: int) -> Metrics:
    """Privacy metrics of originals beside the mean of all their avatars: of all, or of those who have several."""
    found = barycentres(pair)
    if means is Means.CLASS_BALANCING:
        found = restrict(found, repeated(pair.origins, pair.rows))
    return measure_pair(found, params, seed, (None, _NO_CONTROL))
