"""The example tables are the copies that scikit-learn ships, value by value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

DATA = Path(__file__).parents[2] / "configs" / "data"
TABLES = [("breast_cancer", "diagnosis"), ("iris", "species"), ("wine", "cultivar")]


@pytest.mark.parametrize(("table", "label"), TABLES)
def test_example_table_equals_the_shipped_copy(table: str, label: str) -> None:
    shipped = getattr(datasets, f"load_{table}")()
    ours = pd.read_csv(DATA / f"{table}.csv")

    assert np.array_equal(ours.drop(columns=label).to_numpy(), shipped.data)
    codes = {
        word: code
        for code, word in enumerate(dict.fromkeys(ours[label].iloc[np.argsort(shipped.target, kind="stable")]))
    }
    assert list(ours[label].map(codes)) == list(shipped.target)


def test_every_table_has_its_source_and_licence_named() -> None:
    sources = (DATA / "SOURCES.md").read_text(encoding="utf-8")
    assert all(f"`{path.name}`" in sources for path in DATA.glob("*.csv"))
    assert sources.count("CC BY 4.0") == len(TABLES)
