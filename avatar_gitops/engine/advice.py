"""Parameters that suit a table, each with its reason in words; no value of the table is in them.

Starting points for a first run, after section 1.22 of the method notes: gates and metrics decide what is good enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.buffers import to_arrow
from avatar_gitops.engine.columns import (
    MISSING,
    CategoryColumn,
    EmptyColumn,
    NumberColumn,
    encode_category,
    encode_number,
    fit_column,
    is_text,
)
from avatar_gitops.engine.facts import rows_bucket
from avatar_gitops.engine.frame import encode, fit_layout, is_key
from avatar_gitops.engine.params import ColumnSpec, ColumnType, Imputation, ImputationMethod, Space
from avatar_gitops.engine.space import fit_space

_SMALLEST_K: Final = 5
_LARGEST_K: Final = 20
_FEWEST_AXES: Final = 5
_MOST_AXES: Final = 30
_INERTIA: Final = 0.8
_MODALITIES: Final = 20
_MODALITIES_PER_ROW: Final = 0.1
_PROJECTED_ROWS: Final = 20_000
_EXACT_DONORS: Final = 10_000
_DONOR_NEIGHBOURS: Final = 5
_IDENTIFYING: Final = 0.9
_IDENTIFYING_ROWS: Final = 20
_SKEWED: Final = 1.0
_DENSE: Final = 2  # numbers that are given to rows one after the other leave few gaps
_SHOWN_ROWS: Final = 10  # a most frequent value of fewer rows says something about somebody


@dataclass(slots=True, frozen=True)
class ColumnSummary:
    """One column in numbers. `mode` is absent unless many rows share it; moments are absent for what is no number and
    where so few rows have one that they would tell about single people.

    `rare` = somebody is in a modality of few rows; `identifying` = nearly every row has a text of its own;
    `probable_id` = it looks like a key: a text like that, or whole numbers that are all different and close together.
    """

    name: str
    type: str
    rows: int
    missing: int
    unique: int
    mean: float | None = None
    median: float | None = None
    deviation: float | None = None
    mode: Any = None
    skewed: bool = False
    rare: bool = False
    identifying: bool = False
    probable_id: bool = False


@dataclass(slots=True, frozen=True)
class Advice:
    """Advised parameters; `None` where there is nothing to advise. `reasons` has one text per parameter.

    `groups` are the columns whose rare modalities are better grouped, each with the most rows of a rare one.
    """

    k: int | None
    ncp: int | None
    use_categorical_reduction: bool
    imputation: Imputation | None
    columns: tuple[ColumnSummary, ...]
    reasons: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, int] = field(default_factory=dict)


def advise(table: pa.Table, specs: Sequence[ColumnSpec], *, reduction: bool) -> Advice:
    """Advice for one table; `reduction` says whether categorical reduction can be had at all.

    Raises EngineError when what is declared about the columns does not fit them.
    """
    left_out = {spec.name for spec in specs if spec.drop}
    keys = {spec.name for spec in specs if is_key(spec)}
    types = {spec.name: spec.type for spec in specs}
    rows = table.num_rows
    k = min(max(_SMALLEST_K, round(rows / 100)), _LARGEST_K, rows - 1) if rows > 2 else None
    columns = tuple(
        _summary(name, values, types.get(name), k or _SMALLEST_K)
        for name, values in zip(table.column_names, table.columns, strict=True)
        if name not in left_out
    )
    modelled = [column for column in columns if column.name not in keys and not column.identifying]
    if k is None or not any(column.unique for column in modelled):
        return Advice(None, None, False, None, columns, {"k": "the table has too little to compare rows by"})
    reasons = {"k": f"one in a hundred of {rows_bucket(rows)} rows, between {_SMALLEST_K} and {_LARGEST_K}"}
    if k < _SMALLEST_K:
        reasons["k"] = f"all that {rows_bucket(rows)} rows allow"
    wide = sum(column.unique for column in modelled if column.type in {ColumnType.CATEGORY, ColumnType.BOOL})
    reduce, reasons["use_categorical_reduction"] = _reduction(wide, rows, reduction)
    ncp, reasons["ncp"] = _axes(table, specs, columns, reduce=reduce)
    imputation, reasons["imputation"] = _imputation(modelled, rows)
    groups = {column.name: _few(k) - 1 for column in modelled if column.rare and column.unique > 2}
    if groups:
        names = "1 column has" if len(groups) == 1 else f"{len(groups)} columns have"
        reasons["processors"] = f"{names} categories of fewer than {_few(k)} rows: where one appears, somebody has it"
    return Advice(k, ncp, reduce, imputation, columns, reasons, groups)


def _few(k: int) -> int:
    """Rows that a modality needs so as not to be rare (section 1.22 of the method notes)."""
    return max(_SMALLEST_K, -(-k // 2))


def _axes(
    table: pa.Table, specs: Sequence[ColumnSpec], columns: Sequence[ColumnSummary], *, reduce: bool
) -> tuple[int | None, str]:
    """Axes that hold most of the inertia, of rows spread evenly over a large table, in the space that is advised."""
    dropped = {column.name for column in columns if column.identifying}
    said = {spec.name: spec for spec in specs}
    dropped -= {name for name, spec in said.items() if is_key(spec)}
    used = [spec for name, spec in said.items() if name not in dropped] + [ColumnSpec(n, drop=True) for n in dropped]
    step = -(-table.num_rows // _PROJECTED_ROWS)
    sample = table.take(to_arrow(np.arange(0, table.num_rows, step))) if step > 1 else table
    layout = fit_layout(sample, used)
    filled = Imputation(ImputationMethod.MEDIAN)
    options = Space(ncp=_MOST_AXES, imputation=filled, use_categorical_reduction=reduce)
    projection = fit_space(layout, encode(layout, sample), options, seed=0).projection
    held = np.cumsum(projection.explained)
    enough = int(np.searchsorted(held, _INERTIA - 1e-9)) + 1
    if enough > len(held):
        share = f"{100 * float(held[-1]):.0f} %" if len(held) else "little"
        return len(held), f"no more than {_MOST_AXES} dimensions; they hold {share} of the variance"
    ncp = min(max(enough, _FEWEST_AXES), max(projection.dimensions, 1), _MOST_AXES)
    if enough < _FEWEST_AXES:
        return ncp, f"{enough} would hold {_INERTIA:.0%} of the variance; fewer than {_FEWEST_AXES} lose rare structure"
    return ncp, f"{enough} of {projection.dimensions} dimensions hold {_INERTIA:.0%} of the variance"


def _reduction(modalities: int, rows: int, offered: bool) -> tuple[bool, str]:
    wanted = modalities > _MODALITIES and modalities > _MODALITIES_PER_ROW * rows
    if not wanted:
        return False, f"{modalities} categories in all are few enough for {rows_bucket(rows)} rows"
    if not offered:
        return False, f"{modalities} categories in all are many; group rare ones, this platform has no reduction"
    return True, f"{modalities} categories in all are too many dimensions for {rows_bucket(rows)} rows"


def _imputation(columns: Sequence[ColumnSummary], rows: int) -> tuple[Imputation | None, str]:
    holes = [column for column in columns if column.missing]
    if not holes:
        return None, "no value is missing"
    names = "1 column has" if len(holes) == 1 else f"{len(holes)} columns have"
    if rows <= _EXACT_DONORS:
        exact = Imputation(ImputationMethod.KNN, _DONOR_NEIGHBOURS, 1.0, return_data_imputed=False)
        return exact, f"{names} missing values; similar rows fill them while rows are compared"
    fraction = round(_EXACT_DONORS / rows, 4)
    fast = Imputation(ImputationMethod.FAST_KNN, _DONOR_NEIGHBOURS, fraction, return_data_imputed=False)
    return fast, f"{names} missing values; a part of {rows_bucket(rows)} rows is enough to fill them from"


def _summary(name: str, values: pa.ChunkedArray, declared: ColumnType | None, k: int) -> ColumnSummary:
    column = fit_column(name, values, declared)
    rows = len(values)
    match column:
        case EmptyColumn():
            return ColumnSummary(name, "empty", rows, rows, 0)
        case NumberColumn():
            return _number(column, values)
        case CategoryColumn():
            return _category(column, values, k)


def _number(column: NumberColumn, values: pa.ChunkedArray) -> ColumnSummary:
    codes = encode_number(column, values)
    known = codes[~np.isnan(codes)]
    distinct, counts = np.unique(known, return_counts=True)
    missing = len(codes) - len(known)
    plain = column.type in {ColumnType.INT, ColumnType.FLOAT} and len(known) >= _SHOWN_ROWS
    different = len(distinct) == len(codes) >= _IDENTIFYING_ROWS
    dense = different and column.type is ColumnType.INT and distinct[-1] - distinct[0] < _DENSE * len(codes)
    if not plain:
        kind = column.type.value
        return ColumnSummary(column.name, kind, len(codes), missing, len(distinct), probable_id=bool(dense))
    deviation = float(known.std())
    skew = float((((known - known.mean()) / deviation) ** 3).mean()) if deviation > 0 else 0.0
    most = int(counts.argmax())
    return ColumnSummary(
        column.name,
        column.type.value,
        len(codes),
        missing,
        len(distinct),
        mean=float(known.mean()) + column.origin,
        median=float(np.median(known)) + column.origin,
        deviation=deviation,
        mode=float(distinct[most]) + column.origin if counts[most] >= _SHOWN_ROWS else None,
        skewed=abs(skew) > _SKEWED,
        probable_id=bool(dense),
    )


def _category(column: CategoryColumn, values: pa.ChunkedArray, k: int) -> ColumnSummary:
    codes = encode_category(column, values)
    known = codes[codes != MISSING]
    unique = len(column.modalities)
    counts = np.bincount(known, minlength=unique)
    most = int(counts.argmax()) if unique else 0
    named = is_text(values.type) and len(codes) >= _IDENTIFYING_ROWS and unique >= _IDENTIFYING * len(codes)
    return ColumnSummary(
        column.name,
        column.type.value,
        len(codes),
        len(codes) - len(known),
        unique,
        mode=column.modalities[most].as_py() if unique and counts[most] >= _SHOWN_ROWS else None,
        rare=bool(unique) and int(counts.min()) < _few(k),
        identifying=named,
        probable_id=named,
    )
