"""Grouping of rare modalities, and numbers of few values as categories."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from avatar_gitops.engine.buffers import null, number
from avatar_gitops.engine.buffers import text as as_scalar
from avatar_gitops.engine.columns import is_text
from avatar_gitops.engine.processors.fitted import Source
from avatar_gitops.engine.processors.gauges import Gauge, free_name, gauge, is_number, put
from avatar_gitops.engine.processors.params import GroupModalities, ToCategorical
from avatar_gitops.errors import EngineError


@dataclass(slots=True, frozen=True)
class FittedGroups:
    """Modalities of at most `threshold` rows become one new category. There is no way back, and none is wanted.

    `rare` has the modalities of each column that are grouped. Missing values and empty texts are no modality.
    """

    params: GroupModalities
    rare: Mapping[str, pa.Array]

    warnings: tuple[str, ...] = ()

    @property
    def made(self) -> Mapping[str, str]:
        """Columns that are replaced or added."""
        return {name: name for name in self.rare}

    def apply(self, table: pa.Table, source: Source | None = None) -> pa.Table:
        """The new category in place of rare modalities; a dictionary column stays one."""
        changed = {}
        for name, rare in self.rare.items():
            text = plain_text(table[name])
            grouped = pc.if_else(pc.is_in(text, value_set=rare), as_scalar(self.params.new_category, text.type), text)
            changed[name] = grouped.dictionary_encode() if pa.types.is_dictionary(table[name].type) else grouped
        return put(table, changed)

    def invert(self, avatars: pa.Table, source: Source) -> pa.Table:
        """The avatars as they are."""
        return avatars


def fit_groups(params: GroupModalities, table: pa.Table, free: Collection[str]) -> FittedGroups:
    """Find what is rare; `free` are the columns that may be changed.

    Raises EngineError when both or neither of the two ways to say thresholds are used.
    """
    both = (params.min_unique, params.global_threshold)
    if bool(params.variable_thresholds) is (None not in both) or (None in both and both != (None, None)):
        raise EngineError(
            "Grouping of modalities needs either variable_thresholds or both min_unique and global_threshold.",
            hint="Give a threshold for each column, or one for all columns of at least min_unique modalities.",
        )
    thresholds = dict(params.variable_thresholds)
    if not thresholds:
        texts = [name for name in table.column_names if name in free and is_text(table[name].type)]
        thresholds = dict.fromkeys(texts, params.global_threshold or 0)
    rare = {}
    for name, threshold in thresholds.items():
        counted = _counts(plain_text(table[name]))
        if params.variable_thresholds or len(counted) >= (params.min_unique or 0):
            rare[name] = counted.field("values").filter(
                pc.less_equal(counted.field("counts"), number(threshold, pa.int64()))
            )
    return FittedGroups(params, {name: values for name, values in rare.items() if len(values)})


@dataclass(slots=True, frozen=True)
class FittedCategories:
    """Numeric columns as text, each distinct number one modality; with `copies` also as the numbers they are.

    On the way back the label `category` (made by grouping) takes the number of the copy.
    """

    params: ToCategorical
    values: Mapping[str, pa.Array]
    copies: Mapping[str, tuple[str, Gauge]]

    warnings: tuple[str, ...] = ()

    @property
    def made(self) -> Mapping[str, str]:
        """Columns that are replaced or added."""
        return {name: name for name in self.values} | {copy: name for name, (copy, _) in self.copies.items()}

    def apply(self, table: pa.Table, source: Source | None = None) -> pa.Table:
        """Text in place of the numbers, and the copies."""
        copies = {copy: table[name] for name, (copy, _) in self.copies.items()}
        return put(table, {name: _as_text(table[name]) for name in self.values} | copies)

    def invert(self, avatars: pa.Table, source: Source) -> pa.Table:
        """The number that each text stands for, or that of the copy; raises EngineError when there is neither."""
        back = {}
        for name, values in self.values.items():
            text = plain_text(avatars[name])
            found = values.take(pc.index_in(text, value_set=_as_text(values)))
            unknown = pc.and_(found.is_null(), text.is_valid())
            if name in self.copies:
                copy, fitted = self.copies[name]
                numbers, missing = fitted.read(avatars[copy])
                found = pc.if_else(unknown, fitted.write(numbers, missing), found)
            elif pc.any(unknown).as_py():
                raise EngineError(
                    f"Column {name!r} has the modality {self.params.category!r} in avatars, which is no number.",
                    hint="Set keep_continuous to true, or do not group the modalities of this column.",
                )
            back[name] = found.cast(values.type)
        return put(avatars.drop_columns([copy for copy, _ in self.copies.values()]), back)


def fit_categories(params: ToCategorical, table: pa.Table, free: Collection[str]) -> FittedCategories:
    """Find the numeric columns of few distinct values among those that may be changed."""
    if params.to_categorical_threshold < 1:
        raise EngineError("to_categorical_threshold must be at least 1.")
    values, copies = {}, {}
    for name in (name for name in table.column_names if name in free and is_number(table[name].type)):
        array = table[name].combine_chunks()
        if pa.types.is_floating(array.type):
            array = array.filter(pc.invert(pc.is_nan(array)))
        distinct = array.drop_null().unique()
        fitted = gauge(name, table[name])
        if fitted is not None and len(distinct) <= params.to_categorical_threshold:
            values[name] = distinct
            if params.keep_continuous:
                copies[name] = (free_name(table, name + params.continuous_suffix), fitted)
    return FittedCategories(params, values, copies)


def plain_text(values: pa.ChunkedArray) -> pa.Array:
    """One array of text, whatever the column holds."""
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        return array
    return array.cast(pa.string())


def _as_text(values: pa.ChunkedArray | pa.Array) -> pa.Array:
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_duration(array.type):
        array = array.cast(pa.int64())
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), null(array.type), array)
    return array.cast(pa.string())


def _counts(text: pa.Array) -> pa.StructArray:
    """Modalities in their own order with their numbers of rows."""
    known = text.filter(pc.and_(text.is_valid(), pc.not_equal(text, as_scalar("", text.type))))
    counted = known.value_counts()
    return counted.take(pc.sort_indices(counted.field("values")))
