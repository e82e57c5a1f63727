"""A list of processors around the model: fitted and applied in order, reverted in reverse order.

Post-processors that pull avatars towards the originals run here, that is before anything is measured. Source: sections
1.2 and 1.21 of the method notes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.buffers import to_arrow
from avatar_gitops.engine.columns import typed
from avatar_gitops.engine.frame import is_key
from avatar_gitops.engine.params import ColumnSpec, ColumnType, Space
from avatar_gitops.engine.processors import params as asked
from avatar_gitops.engine.processors.cumulated import fit_bounded_cumulated, fit_cumulated
from avatar_gitops.engine.processors.fitted import Fitted, Ids, Source
from avatar_gitops.engine.processors.geolocation import fit_geolocation
from avatar_gitops.engine.processors.instants import fit_instants
from avatar_gitops.engine.processors.modalities import FittedCategories, FittedGroups, fit_categories, fit_groups
from avatar_gitops.engine.processors.proportions import fit_proportions
from avatar_gitops.engine.processors.pulling import fit_mean, fit_perturbation
from avatar_gitops.engine.processors.ranges import fit_bounded_range, fit_range
from avatar_gitops.engine.processors.relative import fit_relative
from avatar_gitops.errors import EngineError


@dataclass(slots=True, frozen=True)
class Chain:
    """The table as it is modelled, what is said about its columns, and the way back.

    `columns` and `space` are those of the caller, told in the columns of `table`.
    """

    table: pa.Table
    columns: tuple[ColumnSpec, ...]
    space: Space
    links: tuple[tuple[Fitted, pa.Table], ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the results should know about the processors."""
        return tuple(warning for fitted, _ in self.links for warning in fitted.warnings)

    def revert(self, avatars: pa.Table, seed: int, label: str, origins: Ids | None = None) -> pa.Table:
        """Avatars with the columns, order and types of the originals; rows keep their places.

        `origins` is the original row of each avatar, by default the row at its own place.
        """
        for place, (fitted, before) in reversed(list(enumerate(self.links))):
            avatars = fitted.invert(avatars, _source(before, avatars, origins, (seed, label, place)))
        return avatars

    def again(self, avatars: pa.Table, origins: Ids | None = None) -> pa.Table:
        """Reverted avatars as the model sees them."""
        for fitted, before in self.links:
            avatars = fitted.apply(avatars, _source(before, avatars, origins))
        return avatars


def _source(
    before: pa.Table, avatars: pa.Table, origins: Ids | None, stream: tuple[int, str, int] = (0, "", 0)
) -> Source:
    if origins is None:
        return Source(before, np.arange(avatars.num_rows, dtype=np.int64), *stream)
    return Source(before.take(to_arrow(origins)), origins, *stream)


def fit_chain(
    table: pa.Table, columns: Sequence[ColumnSpec], space: Space, processors: Sequence[asked.Processor]
) -> Chain:
    """Fit and apply the processors on the originals; without any, everything stays as it is.

    The column that tells people apart becomes an identifier: it is not modelled and comes back with fresh values. A
    column weight counts for everything that is made of the column.

    Raises:
        EngineError: a column is absent, not modelled or of the wrong kind; see the processors for the rest.
    """
    if not processors:
        return Chain(table, tuple(columns), space)
    aside = set(space.exclude.names) if space.exclude is not None else set[str]()
    specs = with_identifiers(columns, processors, aside)
    kept = aside | {spec.name for spec in specs if spec.drop or is_key(spec)}
    table = _as_declared(table, [spec for spec in specs if spec.name not in kept])
    free = set(table.column_names) - kept
    weights = dict(space.column_weights)
    links: list[tuple[Fitted, pa.Table]] = []
    for processor in processors:
        _check_names(processor, table, kept)
        fitted = _fit(processor, table, free)
        links.append((fitted, table))
        table = fitted.apply(table)
        made = fitted.made
        weights |= {name: weights[source] for name, source in made.items() if source in weights}
        free |= set(made)
        specs = [replace(spec, type=None) if spec.name in made else spec for spec in specs]
    _check_groups([fitted for fitted, _ in links])
    return Chain(table, tuple(specs), replace(space, column_weights=weights), tuple(links))


def with_identifiers(
    columns: Sequence[ColumnSpec], processors: Sequence[asked.Processor], aside: Collection[str] = ()
) -> list[ColumnSpec]:
    """The columns, where those that tell people apart for a processor are identifiers, unless they are put `aside`.

    Metrics use it as well, so that they look at the same columns as the model.
    """
    ids = dict.fromkeys(one.id_variable for one in processors if isinstance(one, _RECORDS))
    known = {spec.name for spec in columns} | set(aside)
    said = [
        replace(spec, identifier=True)
        if spec.name in ids and not (is_key(spec) or spec.drop or spec.name in aside)
        else spec
        for spec in columns
    ]
    return [*said, *(ColumnSpec(name, identifier=True) for name in ids if name not in known)]


_RECORDS = (
    asked.RangeDifference,
    asked.CumulatedDifference,
    asked.BoundedCumulatedDifference,
    asked.BoundedRangeDifference,
)


def _fit(processor: asked.Processor, table: pa.Table, free: Collection[str]) -> Fitted:  # noqa: PLR0911 - one per kind
    match processor:
        case asked.RangeDifference():
            return fit_range(processor, table)
        case asked.RelativeDifference():
            return fit_relative(processor, table)
        case asked.Datetime():
            return fit_instants(table, free)
        case asked.GroupModalities():
            return fit_groups(processor, table, free)
        case asked.ToCategorical():
            return fit_categories(processor, table, free)
        case asked.Proportions():
            return fit_proportions(processor, table)
        case asked.Perturbation():
            return fit_perturbation(processor, table)
        case asked.ExpectedMean():
            return fit_mean(processor, table)
        case asked.GeolocationNormalization():
            return fit_geolocation(processor, table)
        case asked.CumulatedDifference():
            return fit_cumulated(processor, table)
        case asked.BoundedCumulatedDifference():
            return fit_bounded_cumulated(processor, table)
        case asked.BoundedRangeDifference():
            return fit_bounded_range(processor, table)


def _check_names(processor: asked.Processor, table: pa.Table, kept: Collection[str]) -> None:
    ids = [processor.id_variable] if isinstance(processor, _RECORDS) else []
    names = [*ids, *processor.modelled]
    for name in (*names, *processor.read):
        if name not in table.column_names:
            raise EngineError(
                f"A processor names {name!r}, which is not a column of the table at its turn.",
                hint="Correct the name, or the order of the processors.",
            )
        if names.count(name) > 1:
            raise EngineError(
                f"One processor names column {name!r} twice.",
                hint="Name a column of its own for each of its parameters.",
            )
    for name in processor.modelled:
        if name in kept:
            raise EngineError(
                f"A processor reads column {name!r} of avatars, but it is dropped, excluded or a key, so not modelled.",
                hint="Name a column that is modelled, or remove the processor.",
            )


def _as_declared(table: pa.Table, specs: Sequence[ColumnSpec]) -> pa.Table:
    """Columns in their declared types, so that dates that came as text can be subtracted."""
    kinds = {ColumnType.INT, ColumnType.FLOAT, ColumnType.DATETIME, ColumnType.DATETIME_TZ}
    for spec in specs:
        at = table.schema.get_field_index(spec.name)
        if at >= 0 and spec.type in kinds:
            table = table.set_column(at, spec.name, typed(spec.name, table.column(at), spec.type))
    return table


def _check_groups(fitted: Sequence[Fitted]) -> None:
    """A number that became text and then part of a group can only come back from a copy of the numbers."""
    texts: set[str] = set()
    for one in fitted:
        if isinstance(one, FittedCategories):
            texts |= one.values.keys() - one.copies.keys()
        elif isinstance(one, FittedGroups):
            lost = sorted(texts & one.rare.keys())
            if lost:
                raise EngineError(
                    f"Column {lost[0]!r} is made a category and then grouped: the group has no number to come back to.",
                    hint="Set keep_continuous to true, or do not group the modalities of this column.",
                )
