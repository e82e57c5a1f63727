"""How the columns of a table are modelled, found piece by piece: what `engine.frame.fit_layout` finds in all rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from avatar_gitops.engine.columns import (
    CategoryColumn,
    Column,
    EmptyColumn,
    NumberColumn,
    as_float_at_most,
    check_span,
    fit_column,
    in_order,
    most_decimals,
)
from avatar_gitops.engine.exclusion import set_aside
from avatar_gitops.engine.frame import Layout, lay_out, modelled, without_identifiers
from avatar_gitops.engine.large.source import Retyped, Source
from avatar_gitops.engine.params import ColumnSpec, ColumnType, Exclusion
from avatar_gitops.errors import EngineError

MOST_MODALITIES: Final = 1 << 15


@dataclass(slots=True, frozen=True)
class Surveyed:
    """A table as one reading of it showed it: `source` with the types of its columns, and `rows`."""

    source: Source
    layout: Layout
    rows: int


def survey(source: Source, specs: Sequence[ColumnSpec], exclusion: Exclusion | None = None) -> Surveyed:
    """Type every column that is not excluded.

    Raises EngineError like `fit_layout` and `set_aside`, and for categories of too many values.
    """
    aside = set_aside(source.schema.names, specs, exclusion)
    while True:
        try:
            return _survey(source, specs, aside)
        except Retyped as again:
            source = again.source


def _survey(source: Source, specs: Sequence[ColumnSpec], aside: Collection[str]) -> Surveyed:
    wanted = modelled(source.schema.names, specs, aside)
    columns: dict[str, Column] = {spec.name: fit_piece(spec, source.schema.empty_table()[spec.name]) for spec in wanted}
    rows = 0
    for piece in source.pieces():
        rows += piece.num_rows
        for spec in wanted:
            columns[spec.name] = merge(columns[spec.name], fit_piece(spec, piece[spec.name]))
            _check_modalities(columns[spec.name])
    for name, column in columns.items():
        if isinstance(column, CategoryColumn) and len(column.modalities) == rows:
            columns[name] = without_identifiers(column, pa.chunked_array([column.modalities]))
    return Surveyed(source, lay_out(source.schema.names, specs, columns, aside), rows)


def fit_piece(spec: ColumnSpec, values: pa.ChunkedArray) -> Column:
    """How the values of a piece are modelled; text comes back as plain text."""
    column = fit_column(spec.name, values, spec.type)
    if pa.types.is_dictionary(column.output):
        plain = column.output.value_type
        if isinstance(column, CategoryColumn):
            return replace(column, output=plain, levels=None)
        return replace(column, output=plain)
    return column


def merge(one: Column, other: Column) -> Column:
    """How the values of two pieces of a column are modelled together."""
    if isinstance(one, EmptyColumn):
        return other
    if isinstance(other, EmptyColumn):
        return one
    if isinstance(one, CategoryColumn) and isinstance(other, CategoryColumn):
        return _merged_categories(one, other)
    assert isinstance(one, NumberColumn)
    assert isinstance(other, NumberColumn)
    if one.type is ColumnType.FLOAT:
        lower, upper = min(one.lower, other.lower), max(one.upper, other.upper)
        decimals = max(one.decimals, other.decimals)
        if not pa.types.is_decimal(one.output):
            decimals = min(decimals, most_decimals(max(abs(lower), abs(upper))))
        return replace(one, lower=lower, upper=upper, decimals=decimals)
    origin = min(one.origin, other.origin)
    highest = max(column.origin + int(column.upper) for column in (one, other))
    check_span(one.name, highest - origin)
    upper = as_float_at_most(highest - origin)
    return replace(one, origin=origin, upper=upper, step=min(one.step, other.step))


def _check_modalities(column: Column) -> None:
    if isinstance(column, CategoryColumn) and len(column.modalities) > MOST_MODALITIES:
        raise EngineError(
            f"Column {column.name!r} has more than {MOST_MODALITIES:,} different values, too many for a category.",
            hint="Drop the column, declare it as an identifier or as a datetime, or encode its values as numbers.",
        )


def _merged_categories(one: CategoryColumn, other: CategoryColumn) -> CategoryColumn:
    new = other.modalities.filter(pc.invert(pc.is_in(other.modalities, value_set=one.modalities)))
    if len(new) == 0:
        return one
    together = pa.concat_arrays([one.modalities, new])
    return replace(one, modalities=in_order(one.name, together, one.type))
