"""Excluded columns of tables that do not fit into memory: real values in the rows of their people, and no others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from avatar_gitops.engine.batches import label_of
from avatar_gitops.engine.large import aside, source
from avatar_gitops.engine.large.source import open_source
from avatar_gitops.engine.params import (
    AvatarParams,
    ColumnSpec,
    Exclusion,
    Imputation,
    ImputationMethod,
    Limits,
    Replacement,
    Space,
)
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.tables import Format, read_table, write_table
from avatar_gitops.errors import EngineError
from tests.engine.conftest import synthetic
from tests.engine.from_files import ROWS, large


def with_asides(rows: int = ROWS) -> tuple[pa.Table, AvatarParams]:
    """Columns that no model could hold, and parameters that exclude them: their values come back in their rows."""
    texts = [None if row % 40 == 0 else f'a "quoted", {row}\nline' for row in range(rows)]
    table = synthetic(rows, missing=0.1).add_column(0, "remark", pa.array(texts))
    table = table.append_column("big", pa.array([2**60 + row // 2 for row in range(rows)]))
    table = table.append_column("clinic", pa.array([f"s{row % 7}" for row in range(rows)]).dictionary_encode())
    exclusion = Exclusion(("remark", "big", "clinic"), Replacement.ROW_ORDER)
    # of equally near donors a nearest value may come from another one when other rows are filled beside
    return table, AvatarParams(10, Space(ncp=3, exclude=exclusion, imputation=Imputation(ImputationMethod.MEDIAN)))


def test_in_one_batch_excluded_values_come_back_as_in_memory(tmp_path: Path) -> None:
    table, params = with_asides()
    made, _ = large(tmp_path, table, params, rows=None)
    whole = avatarize(read_table(tmp_path / "original.csv"), (), params, 7, label_of("people", 0))
    write_table(whole.unshuffled, tmp_path / "whole.csv")
    assert (tmp_path / "unshuffled.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert made.avatars.facts.columns == whole.facts.columns
    assert made.avatars.facts.warnings == whole.facts.warnings
    assert made.avatars.facts.sensitive == whole.facts.sensitive
    assert len(whole.facts.sensitive) == 2, "the breach itself, and the remarks that one row alone has"


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_excluded_values_stand_in_the_rows_of_their_people_whatever_the_pieces(
    tmp_path: Path, small_pieces: None, monkeypatch: pytest.MonkeyPatch, format: Format
) -> None:
    table, params = with_asides()
    table = table.append_column("id", pa.array(np.arange(ROWS)))
    columns = (ColumnSpec("id", primary_key=True),)
    if format == "parquet":
        table = table.append_column("list", pa.array([[row, row + 1] for row in range(ROWS)]))
        exclusion = Exclusion(("remark", "big", "clinic", "list"), Replacement.ROW_ORDER)
        params = replace(params, space=replace(params.space, exclude=exclusion))
    monkeypatch.setattr(aside, "_MOST", 211)
    monkeypatch.setattr(source, "_ROWS", 333)
    made, files = large(tmp_path / "one", table, params, columns, format=format)
    assert params.space.exclude is not None
    for name in params.space.exclude.names:
        assert files["unshuffled"][name].to_pylist() == table[name].to_pylist()
    numbers = files["unshuffled"]["id"].to_numpy()
    assert files["shuffled"].take(pa.array(numbers - 1)).equals(files["unshuffled"])
    assert files["shuffled"].column_names == table.column_names
    assert made.avatars.unshuffled["remark"].to_pylist() == made.original["remark"].to_pylist()
    monkeypatch.setattr(aside, "_MOST", 5_000)
    monkeypatch.setattr(source, "_BLOCK", 30_000)
    large(tmp_path / "two", table, params, columns, format=format)
    for name in ("unshuffled", "shuffled"):
        one, two = (read_table(tmp_path / run / f"{name}.{format}") for run in ("one", "two"))
        assert one.equals(two)


@pytest.mark.parametrize("memory", [None, 10_000])
def test_lone_values_are_found_in_parts_and_long_values_are_put_in_order_by_fewer_rows(
    tmp_path: Path, memory: int | None
) -> None:
    twice = [row // 2 * 64 for row in range(2_000)]
    columns = {"even": twice, "odd": [*twice[1:], 1], "gaps": [None, *twice[1:-1], None], "long": ["x" * 100] * 2_000}
    write_table(pa.table(columns), tmp_path / "table.csv")
    found = aside.look_at(open_source(tmp_path / "table.csv"), list(columns), tmp_path, Limits(memory=memory), 5)
    assert found.lone == ("odd", "gaps")
    assert found.at_once == (aside._MOST if memory is None else pytest.approx(10_000 / 4 / 130, abs=3))
    assert list(tmp_path.iterdir()) == [tmp_path / "table.csv"]


def test_excluded_names_are_refused_as_in_memory(tmp_path: Path) -> None:
    params = AvatarParams(10, Space(exclude=Exclusion(("nowhere",), Replacement.ROW_ORDER)))
    with pytest.raises(EngineError, match="excluded column 'nowhere'"):
        large(tmp_path, synthetic(300), params)
