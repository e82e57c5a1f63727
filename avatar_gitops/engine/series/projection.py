"""The series of people as columns beside their table, fitted on the originals: extent, gaps, scores of curves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from avatar_gitops.engine.buffers import to_arrow
from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.links.enrich import free_name
from avatar_gitops.engine.links.model import Ids
from avatar_gitops.engine.series.alignment import align, number_of_points
from avatar_gitops.engine.series.basis import Basis, fit_basis
from avatar_gitops.engine.series.curves import Curves, SeriesLayout, fit_series_layout, read_curves
from avatar_gitops.engine.series.model import AlignmentMethod, ProjectionType, SeriesTable, Unalignment
from avatar_gitops.errors import EngineError

_RARE: Final = 3
EXTENT: Final = ("start", "duration", "length")


@dataclass(slots=True, frozen=True)
class FittedVariable:
    """How the curves of one variable become columns.

    `known` says who has a value, `gaps` which share of a person's points has none; None where everybody has all.
    `filling` are the scores that stand for those who have no curve.
    """

    basis: Basis
    filling: Floats
    scores: tuple[str, ...]
    known: str | None
    gaps: str | None


@dataclass(slots=True, frozen=True)
class FittedSeries:
    """A series table as columns of its people.

    `extent` names the columns of start, duration and length that are modelled; `fixed` are the values of those that are
    not, because they are the same for everybody or not released. `present` says who has a series.
    """

    table: str
    layout: SeriesLayout
    points: int
    unalignment: Unalignment
    variables: tuple[FittedVariable, ...]
    extent: dict[str, str]
    fixed: dict[str, float]
    present: str | None
    distinct: bool
    warnings: tuple[str, ...]

    @property
    def weights(self) -> dict[str, float]:
        """Column weights of the scores."""
        return {
            name: float(weight)
            for variable in self.variables
            for name, weight in zip(variable.scores, variable.basis.weights, strict=True)
        }


def fit_series(table: SeriesTable, owners: Ids, people: int, taken: Collection[str]) -> tuple[FittedSeries, Curves]:
    """Fit grid and bases on the originals; `taken` are column names that are not free.

    Raises EngineError when nobody has a series, and whatever the layout and the rows are refused for.
    """
    layout = fit_series_layout(table)
    if table.rows.num_rows == 0:
        raise EngineError(f"Table {table.name!r} has no rows.")
    curves = read_curves(layout, table, owners, people)
    points = number_of_points(curves.lengths[curves.known], table.params)
    names = _Names(table.name, set(taken))
    aligned = align(curves, points)
    gaps = _gaps(curves)
    variables = tuple(
        _fit_variable(names, name, aligned[:, i], gaps[:, i], table) for i, name in enumerate(layout.names)
    )
    extent, fixed = _extent(names, curves, table.params.unalignment)
    everybody = bool(curves.known.all())
    fitted = FittedSeries(
        table.name,
        layout,
        points,
        table.params.unalignment,
        variables,
        extent,
        fixed,
        None if everybody else names.new("is there"),
        table.rows.num_rows == len(curves.person),
        tuple(_warnings(table, curves, extent, variables)),
    )
    return fitted, curves


def person_columns(fitted: FittedSeries, curves: Curves) -> pa.Table:
    """One row for each person; the same columns for originals and for avatars."""
    columns: dict[str, pa.Array] = {}
    if fitted.present is not None:
        columns[fitted.present] = pa.array(curves.known)
    measured = {"start": curves.starts, "duration": curves.durations, "length": curves.lengths.astype(np.float64)}
    for what, name in fitted.extent.items():
        filled = _filled(measured[what], curves.known, fitted.fixed[what])
        columns[name] = to_arrow(np.rint(filled).astype(np.int64) if what == "length" else filled)
    aligned, gaps = align(curves, fitted.points), _gaps(curves)
    for i, variable in enumerate(fitted.variables):
        has = np.asarray(~np.isnan(aligned[:, i]).any(axis=1))
        scores = variable.basis.scores(aligned[:, i])
        scores[~has] = variable.filling
        if variable.known is not None:
            columns[variable.known] = pa.array(has)
        if variable.gaps is not None:
            columns[variable.gaps] = to_arrow(np.where(has, gaps[:, i], 0.0))
        columns |= {name: to_arrow(scores[:, j].copy()) for j, name in enumerate(variable.scores)}
    return pa.table(columns)


@dataclass(slots=True)
class _Names:
    """Names for new columns that are not taken."""

    table: str
    taken: set[str]

    def new(self, what: str) -> str:
        """A free name."""
        name = free_name(f"{self.table} {what}", self.taken)
        self.taken.add(name)
        return name


def _fit_variable(names: _Names, name: str, aligned: Floats, gaps: Floats, table: SeriesTable) -> FittedVariable:
    has = ~np.isnan(aligned).any(axis=1)
    basis = fit_basis(aligned[has], table.params)
    return FittedVariable(
        basis,
        basis.scores(aligned[has]).mean(axis=0),
        tuple(names.new(f"{name} {j + 1}") for j in range(len(basis.functions))),
        None if has.all() else names.new(f"{name} is known"),
        names.new(f"{name} gaps") if (gaps[has] > 0).any() else None,
    )


def _extent(names: _Names, curves: Curves, unalignment: Unalignment) -> tuple[dict[str, str], dict[str, float]]:
    """Columns for start, duration and length where people differ, and the mean of each."""
    known = curves.known
    measured = dict(zip(EXTENT, (curves.starts, curves.durations, curves.lengths), strict=True))
    fixed = {what: float(values[known].mean()) for what, values in measured.items()}
    if unalignment is Unalignment.SKIP:
        return {}, fixed
    differ = [what for what, values in measured.items() if np.ptp(values[known]) > 0]
    return {what: names.new(what) for what in differ}, fixed


def _gaps(curves: Curves) -> Floats:
    """Share of the points of each person where a variable is missing (people, variables); 0 without a series."""
    people = len(curves.lengths)
    points = np.bincount(curves.person, minlength=people)
    missing = np.stack(
        [np.bincount(curves.person, np.isnan(column), minlength=people) for column in curves.values.T], axis=1
    )
    return np.asarray(missing / np.maximum(points, 1)[:, None])


def _filled(values: Floats, known: npt.NDArray[np.bool_], otherwise: float) -> Floats:
    return np.where(known, values, otherwise)


def _warnings(
    table: SeriesTable, curves: Curves, extent: Collection[str], variables: tuple[FittedVariable, ...]
) -> list[str]:
    found: list[str] = []
    if extent:
        rare = [
            what
            for what, values in zip(EXTENT, (curves.starts, curves.durations, curves.lengths), strict=True)
            if np.unique(values[curves.known], return_counts=True)[1].min() < _RARE
        ]
        found.extend(
            f"Table {table.name!r}: the {what} of series differs between people and can give somebody away"
            f"{', as fewer than 3 people share some' if what in rare else ''}: bucket or cap unusual ones, or use the"
            " un-alignment 'skip'."
            for what in extent
        )
    params = table.params
    if params.projection is ProjectionType.FPCA and params.nf is not None:
        fewest = min(len(variable.scores) for variable in variables)
        if fewest < params.nf:
            found.append(
                f"Table {table.name!r}: nf is larger than what some curves can vary in; fewer scores are used."
            )
    if params.projection is ProjectionType.FLATTEN and params.nf is not None:
        found.append(f"Table {table.name!r}: nf has no effect on the projection 'flatten'.")
    if params.nb_points is not None and params.alignment not in (None, AlignmentMethod.SPECIFIED):
        found.append(f"Table {table.name!r}: nb_points has no effect on the alignment {params.alignment.value!r}.")
    return found
