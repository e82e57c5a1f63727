"""Metrics of synthetic rows that belong to nobody: what rests on a link to an original does not apply."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.params import Metrics
from avatar_gitops.engine.streams import stream
from avatar_gitops.engine.targets import meta_privacy
from avatar_gitops.errors import EngineError

RANKED: Final = frozenset(
    {
        "hidden_rate",
        "hidden_rate_strict",
        "hidden_rate_worst_group",
        "local_cloaking",
        "local_cloaking_without_ties",
        "local_cloaking_mean",
        "local_cloaking_zero_share",
    }
)
"""Metrics that rank the own avatar of an original among all avatars by distance."""

LINKED: Final = RANKED | frozenset(
    {
        "categorical_hidden_rate",
        "column_direct_match_protection",
        "correlation_protection_rate",
        "knowledge_protection_rate",
        "linkability_protection_rate",
        "dominated_avatars_rate",
        "donor_distance",
    }
)
"""Metrics that ask about the own avatar of an original, or about the own original of an avatar."""

NO_LINK: Final = "Undefined: under differential privacy no row of the output belongs to a row of the originals."
NOT_BESIDE: Final = "Undefined: there are not as many avatars as originals, so none stands beside its own original."
NOT_PRIVATE: Final = (
    "Measured on the real rows without noise: not differentially private. Keep it inside, or publish passed or failed."
)


def as_many(synthetic: pa.Table, rows: int, seed: int) -> pa.Table:
    """As many synthetic rows as there are originals, in random order: some left out, or some taken again.

    Metrics compare tables of one size, and that of a private release is noisy. Raises EngineError when there are none.
    """
    if synthetic.num_rows == 0:
        raise EngineError(
            "There are no synthetic rows to measure.", hint="Raise epsilon, or declare the number of rows."
        )
    draws = stream(seed, "", "rows of a private release")
    rounds = -(-rows // synthetic.num_rows)
    order = np.concatenate([draws.permutation(synthetic.num_rows) for _ in range(max(1, rounds))])[:rows]
    return synthetic.take(pa.array(order))


def without_link(measured: Metrics, why: str) -> Metrics:
    """Privacy metrics without those that need a link, with the reason; the summary is of what is left."""
    gone = LINKED & measured.values.keys()
    values = {name: None if name in gone else value for name, value in measured.values.items()}
    return replace(
        measured,
        values=values,
        intervals={name: ends for name, ends in measured.intervals.items() if name not in gone},
        population={name: n for name, n in measured.population.items() if name not in gone},
        notes=dict(measured.notes) | dict.fromkeys(gone, why),
        meta=meta_privacy(values, measured.targets),
    )


def not_private(measured: Metrics) -> Metrics:
    """Metrics with the warning that they look at the real rows."""
    said = {name: NOT_PRIVATE for name, value in measured.values.items() if value is not None}
    notes = {name: f"{measured.notes[name]} {note}" if name in measured.notes else note for name, note in said.items()}
    return replace(measured, notes=dict(measured.notes) | notes)
