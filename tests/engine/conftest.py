"""Synthetic tables for the engine's tests, and pieces so small that few rows make many."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from avatar_gitops.engine import batches
from avatar_gitops.engine.large import scratch, source


def synthetic(rows: int, seed: int = 7, missing: float = 0.0) -> pa.Table:
    """Correlated numbers and categories, with a share of missing values in two columns."""
    random = np.random.default_rng(seed)
    base = random.normal(size=rows)
    age = np.clip(np.round(45 + 12 * base), 18, 90).astype(np.int64)
    weight = np.round(70 + 9 * base + random.normal(0, 5, rows), 1)
    group = np.where(base + random.normal(0, 0.5, rows) > 0.3, "treated", "control")
    site = random.choice(["north", "south", "east"], rows, p=[0.6, 0.3, 0.1])
    return pa.table(
        {
            "age": age,
            "weight": pa.array(weight, mask=random.random(rows) < missing),
            "group": group,
            "site": pa.array(site, mask=random.random(rows) < missing),
            "smoker": random.random(rows) < 0.25,
        }
    )


@pytest.fixture
def table() -> pa.Table:
    return synthetic(300)


@pytest.fixture
def holey() -> pa.Table:
    return synthetic(300, missing=0.2)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many pieces and batches from few rows."""
    monkeypatch.setattr(batches, "SMALLEST", 100)
    monkeypatch.setattr(batches, "NEIGHBOURS_A_ROW", 2)
    monkeypatch.setattr(scratch, "PIECE", 128)
    monkeypatch.setattr(source, "_BLOCK", 4_096)
