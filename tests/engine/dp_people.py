"""A small table with public bounds and categories, for private releases."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.dp.params import PublicColumn

PUBLIC = {
    "age": PublicColumn(0, 100),
    "dose": PublicColumn(-5.0, 5.0),
    "ward": PublicColumn(categories=("north", "south", "west")),
}


def people(n: int, seed: int = 0) -> pa.Table:
    """Ages and doses that go together, and a ward that goes with the age; some doses and wards are missing."""
    draws = np.random.default_rng(seed)
    age = np.clip(draws.normal(50, 15, n), 1, 99).astype(np.int64)
    dose = (age - 50) / 20 + draws.normal(0, 0.5, n)
    ward = np.where(age > 60, "north", np.where(draws.random(n) < 0.7, "south", "west"))
    return pa.table(
        {
            "age": age,
            "dose": pa.array(dose, mask=draws.random(n) < 0.1),
            "ward": pa.array(ward.tolist(), mask=draws.random(n) < 0.05),
        }
    )
