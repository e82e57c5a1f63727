"""Privacy of augmented avatars: each copy, the mean of a person's copies, and that of the people who have several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from avatar_gitops.engine.controlled import control
from avatar_gitops.engine.copies import barycentres, repeated, restrict
from avatar_gitops.engine.neighbours import Rows
from avatar_gitops.engine.pair import pair_up
from avatar_gitops.engine.params import ColumnSpec, Metrics, PrivacyParams
from avatar_gitops.engine.privacy import measure_pair
from avatar_gitops.engine.threads import single_threaded_algebra

STANDALONE: Final = "standalone"
BARYCENTERED: Final = "barycentered"
CLASS_BALANCING: Final = "class_balancing_barycenter"
_NO_CONTROL: Final = "Not measured: people who were not used have no mean of avatars."
_FEWEST: Final = 2


@single_threaded_algebra
def measure_augmented(
    original: pa.Table,
    avatars: tuple[pa.Table, Rows],
    columns: Sequence[ColumnSpec],
    params: PrivacyParams,
    seed: int,
    holdout: pa.Table | None = None,
) -> dict[str, Metrics]:
    """Privacy metrics of avatars with the original of each, by computation type.

    `standalone` compares all originals with all avatars, any of its own giving a person away; `barycentered` compares
    them with the mean of each person's avatars, and `class_balancing_barycenter` does so for the people who have more
    than one, when not all have.
    """
    table, origins = avatars
    pair = pair_up(original, table, columns, params.space, seed, origins)
    found = {STANDALONE: measure_pair(pair, params, seed, control(original, columns, pair, holdout, params, seed))}
    means = barycentres(pair)
    found[BARYCENTERED] = measure_pair(means, params, seed, (None, _NO_CONTROL))
    several = repeated(origins, pair.rows)
    if _FEWEST <= len(several) < pair.rows:
        found[CLASS_BALANCING] = measure_pair(restrict(means, several), params, seed, (None, _NO_CONTROL))
    return found
