"""Differential privacy: what cannot be guaranteed is refused, in words that hold no value."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from avatar_gitops.engine.dp import accountant as accounting
from avatar_gitops.engine.dp.params import DpParams, PrivacyUnit, PublicColumn
from avatar_gitops.engine.dp.run import release
from avatar_gitops.engine.params import ColumnSpec, ColumnType
from avatar_gitops.engine.pseudonyms.kinds import UuidPseudonym
from avatar_gitops.errors import EngineError
from tests.engine.dp_people import PUBLIC, people


@pytest.mark.parametrize(
    ("change", "specs", "message"),
    [
        ({"epsilon": 0.0}, [], "epsilon must be above 0"),
        ({"delta": 0.5}, [], "delta must be above 0 and at most 0.001"),
        ({"preprocess_ratio": 1.0}, [], "preprocess_budget_ratio"),
        ({"unit": PrivacyUnit(None, 3)}, [], "need the column that names the person"),
        ({"unit": PrivacyUnit("nobody", 3)}, [], "does not have the column 'nobody'|'nobody' is declared"),
        ({"bounds_percentile": 50.0}, [], "bounds_percentile"),
        ({"public": {"x": PublicColumn(0, 1)}}, [], "'x' is declared but the table does not have it"),
        ({"public": {"age": PublicColumn(5, 5)}}, [], "'age' needs a public lower bound and a larger"),
        ({"public": {"age": PublicColumn(lower=5)}}, [], "'age' needs a public lower bound and a larger"),
        ({"public": {"age": PublicColumn("young", "old")}}, [], "not a value of its type int"),
        ({"public": {"ward": PublicColumn(0, 1)}}, [], "'ward' is a category"),
        ({"public": {"ward": PublicColumn(categories=("a", "a"))}}, [], "name one twice"),
        ({"public": {"age": PublicColumn(categories=("many",))}}, [], "not all values of its type"),
        ({"public": {"dose": PublicColumn(categories=("1",))}}, [ColumnSpec("dose", ColumnType.FLOAT)], "is a number"),
        ({}, [ColumnSpec("ward", pseudonym=UuidPseudonym())], "'ward' is pseudonymized"),
        ({}, [ColumnSpec(name, drop=True) for name in PUBLIC], "no column to model"),
    ],
)
def test_what_cannot_be_guaranteed_is_refused(change: dict[str, Any], specs: list[ColumnSpec], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        release(people(50), specs, replace(DpParams(1.0), **change), 1)


def test_free_text_and_columns_without_a_type_are_refused() -> None:
    with pytest.raises(EngineError, match="No value of column 'note' is frequent enough") as caught:
        release(pa.table({"note": [f"patient {i} said" for i in range(400)]}), [], DpParams(2.0), 1)
    assert "patient" not in str(caught.value)
    with pytest.raises(EngineError, match="'note' is empty and has no type"):
        release(pa.table({"note": pa.nulls(5)}), [], DpParams(2.0), 1)
    with pytest.raises(EngineError, match="too small to learn the bounds of column 'x'"):
        release(pa.table({"x": np.arange(20.0)}), [], DpParams(0.01), 1)


def test_without_the_library_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    with pytest.raises(EngineError, match="needs the library OpenDP") as caught:
        accounting.load_library()
    assert caught.value.hint is not None
    assert "avatar-gitops[dp]" in caught.value.hint
