"""Privacy and utility of series: the people's projected rows, and how close the curves of avatars come as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.ledger import Ledger
from avatar_gitops.engine.links.model import Link, LinkedTable
from avatar_gitops.engine.links.ties import tie
from avatar_gitops.engine.links.views import Computation, View
from avatar_gitops.engine.params import Metrics, SignalParams, Space
from avatar_gitops.engine.resampling import resampling
from avatar_gitops.engine.series.alignment import align
from avatar_gitops.engine.series.curves import Curves, read_curves
from avatar_gitops.engine.series.distances import WIDTH, density_distances, pointwise_distances
from avatar_gitops.engine.series.model import SeriesTable
from avatar_gitops.engine.series.projection import person_columns
from avatar_gitops.engine.series.run import ProjectedSeries, project_series
from avatar_gitops.engine.signal import measure_signal
from avatar_gitops.engine.streams import stream
from avatar_gitops.engine.targets import SERIES
from avatar_gitops.engine.threads import single_threaded_algebra

_LISTED: Final = 5


@dataclass(slots=True, frozen=True)
class SeriesPair:
    """A series table before and after: both sides as curves and as columns of the people, in one projection.

    Person i of the avatars is the avatar of person i of the originals.
    """

    projected: ProjectedSeries
    avatar_curves: Curves
    avatar_columns: pa.Table

    @property
    def name(self) -> str:
        """The series table."""
        return self.projected.table.name

    def aligned(self) -> tuple[Floats, Floats]:
        """Curves of originals and avatars on the same grid (people, variables, points)."""
        points = self.projected.fitted.points
        return align(self.projected.curves, points), align(self.avatar_curves, points)

    def space(self, options: Space) -> Space:
        """A space of the people's columns with the weights of the scores."""
        return replace(options, column_weights={**options.column_weights, **self.projected.fitted.weights})


def pair_series(
    people: Mapping[str, LinkedTable],
    links: Sequence[Link],
    series: Sequence[SeriesTable],
    avatars: Mapping[str, pa.Table],
) -> list[SeriesPair]:
    """Originals and avatars of each series table in the projection fitted on the originals.

    `avatars` has the row-aligned avatars of the people and the avatars of the series, by table name. Raises EngineError
    when keys do not hold together on either side or when columns of the avatars are absent or of another kind.
    """
    found = []
    for item in project_series(people, links, series):
        table = item.table
        parent = avatars[item.link.parent]
        after = replace(table, rows=avatars[table.name])
        owners = tie(item.link, parent, after.rows)
        curves = read_curves(item.fitted.layout, after, owners, parent.num_rows)
        found.append(SeriesPair(item, curves, person_columns(item.fitted, curves)))
    return found


def series_view(pair: SeriesPair) -> View:
    """The people as their series show them, alone."""
    item = pair.projected
    return View(pair.name, Computation.STANDALONE, None, item.columns, pair.avatar_columns, ())


def joint_view(pair: SeriesPair, people: LinkedTable, avatars: pa.Table) -> View:
    """The people's rows with what their series add: what somebody knows who knows both."""
    item = pair.projected
    sides = [
        pa.table({**_columns(rows), **_columns(extra)})
        for rows, extra in ((people.rows, item.columns), (avatars, pair.avatar_columns))
    ]
    return View(people.name, Computation.TO_TOP_ENRICHED, pair.name, sides[0], sides[1], people.columns)


@single_threaded_algebra
def measure_series_signal(pair: SeriesPair, params: SignalParams, seed: int) -> Metrics:
    """Utility of a series table: that of the people's projected rows, and of the curves (method reference 1.17).

    `pointwise_hellinger_mean` and `_std` are the mean and the standard deviation, over variables and grid points, of
    the Hellinger distance between the values that originals and avatars have at that point; `density_hellinger_mean`
    and `_std`, over variables, those of all values pooled. 10 bins on the pooled range, missing values in one of their
    own, 0 is equal. Their intervals come from resampled people (`engine.series.distances`). The meta score is the mean
    of the one of the projected rows and 100 (1 - each mean).
    """
    view = series_view(pair)
    rows = measure_signal(view.original, view.avatars, (), replace(params, space=pair.space(params.space)), seed)
    names = pair.projected.fitted.layout.names
    ledger = Ledger(seed, dict(rows.values), dict(rows.intervals), dict(rows.population), dict(rows.notes))
    people = int(pair.projected.curves.known.sum())
    draw = resampling(len(pair.projected.curves.lengths), WIDTH, stream(seed, pair.name, "series resampling"))
    for what, found in (
        ("pointwise_hellinger", pointwise_distances(*pair.aligned(), draw)),
        ("density_hellinger", density_distances(pair.projected.curves, pair.avatar_curves, draw)),
    ):
        ledger.add(f"{what}_mean", float(found.values.mean()), people, found.mean_interval)
        ledger.add(f"{what}_std", float(found.values.std()), people, found.std_interval)
        ledger.notes[f"{what}_mean"] = _by_variable(names, found.values.mean(axis=1))
    scores = [100 * (1 - (ledger.values[f"{what}_hellinger_mean"] or 0.0)) for what in ("pointwise", "density")]
    return replace(
        rows,
        values=ledger.values,
        intervals=ledger.intervals,
        notes=ledger.notes,
        population=ledger.population,
        targets={**rows.targets, **SERIES},
        meta=float(np.mean([*scores, *([] if rows.meta is None else [rows.meta])])),
        distances={},  # those of the rows are of columns that only the model sees
    )


def _by_variable(names: Sequence[str], distances: Floats) -> str:
    """The largest distances by variable, as people read them."""
    worst = np.argsort(-distances, kind="stable")[:_LISTED]
    said = ", ".join(f"{names[i]} {distances[i]:.3f}" for i in worst)
    return f"By variable: {said}{' and others' if len(names) > _LISTED else ''}."


def _columns(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    return {name: table[name] for name in table.column_names}
