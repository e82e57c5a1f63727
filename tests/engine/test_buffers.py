"""Arrow and NumPy over the same memory, without pandas."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.engine.buffers import null, null_mask, number, text, to_arrow, to_numpy

WITHOUT_PANDAS = """
import sys
from avatar_gitops.engine.params import AvatarParams, Space
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.tables import read_table, write_table
table = read_table(sys.argv[1])
write_table(avatarize(table, (), AvatarParams(5, Space(ncp=2)), 1).shuffled, sys.argv[2])
assert "pandas" not in sys.modules, "pandas was imported"
"""


@given(st.lists(st.none() | st.integers(-(2**62), 2**62)), st.integers(0, 3))
def test_there_and_back_keeps_numbers_and_holes(values: list[int | None], start: int) -> None:
    array = pa.array([*[7] * start, *values], pa.int64()).slice(start)
    missing = null_mask(array)
    assert missing.tolist() == [value is None for value in values]
    assert to_arrow(to_numpy(array), missing).to_pylist() == values


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint16(), pa.int32(), pa.float32(), pa.float64()])
def test_every_width_keeps_its_type(kind: pa.DataType) -> None:
    array = pa.array([1, 2, 3], kind)
    assert to_arrow(to_numpy(array)).equals(array)
    assert number(3, kind) == array[2]
    assert null(kind).as_py() is None


def test_masks_of_types_without_numbers() -> None:
    assert null_mask(pa.array(["a", None, ""])).tolist() == [False, True, False]
    assert null_mask(pa.nulls(2)).tolist() == [True, True]
    assert len(to_numpy(pa.nulls(0, pa.int64()))) == 0


@pytest.mark.parametrize("value", ["", "é-1"])
def test_text_of_both_widths(value: str) -> None:
    for kind in (pa.string(), pa.large_string()):
        assert text(value, kind) == pa.scalar(value, kind)


def test_a_run_does_not_import_pandas(tmp_path: Path) -> None:
    rows = np.random.default_rng(1).normal(size=(40, 2)).round(2)
    lines = [f"{a},{b},{'north' if a > 0 else 'south'},2020-01-{1 + i % 28:02d}" for i, (a, b) in enumerate(rows)]
    (tmp_path / "in.csv").write_text("a,b,c,d\n" + "\n".join(lines) + "\n,,,\n", encoding="utf-8")
    command = [sys.executable, "-c", WITHOUT_PANDAS, str(tmp_path / "in.csv"), str(tmp_path / "out.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
