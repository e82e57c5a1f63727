"""A table that the official clients anonymize."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Breast cancer data that ship with scikit-learn, with a categorical diagnosis."""
    from sklearn.datasets import load_breast_cancer

    frame = load_breast_cancer(as_frame=True).frame.iloc[:, [0, 1, 2, 3, 4, 5, 6, 7, -1]].copy()
    frame["target"] = frame["target"].map({0: "malignant", 1: "benign"})
    frame.columns = [name.replace(" ", "_") for name in frame.columns]
    path = tmp_path_factory.mktemp("data") / "wbcd.csv"
    frame.to_csv(path, index=False)
    return path
