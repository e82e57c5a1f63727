"""All figures of one table: which ones it has, in the order in which people look at them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.columns import MISSING, Floats, told
from avatar_gitops.engine.distances import nearest_two, rank_own, ratio
from avatar_gitops.engine.exclusion import out_of_metrics
from avatar_gitops.engine.figures.distributions import (
    distribution_of_categories,
    distribution_of_numbers,
    missing_note,
)
from avatar_gitops.engine.figures.matrices import (
    aggregate_figure,
    contribution_figure,
    correlation_figures,
    metrics_figure,
)
from avatar_gitops.engine.figures.model import Figure
from avatar_gitops.engine.figures.projections import class_projection, projection_2d, projection_3d
from avatar_gitops.engine.frame import Frame, Layout, encode, fit_layout
from avatar_gitops.engine.params import ColumnSpec, Exclusion
from avatar_gitops.engine.run import Avatars
from avatar_gitops.engine.streams import stream
from avatar_gitops.engine.targets import targets

DISTRIBUTIONS: Final = 30  # unless a run asks for another number
_RANKED_ROWS: Final = 20_000
_TEMPORAL: Final = frozenset({"datetime", "datetime_tz"})


@dataclass(slots=True, frozen=True)
class FigureOptions:
    """What is drawn: at most `distributions` columns (-1 = all), classes of `class_column`, targets of `recipient`.

    Of the columns that the run excluded those are drawn that metrics can compare.
    """

    distributions: int = DISTRIBUTIONS
    class_column: str | None = None
    recipient: str = "unknown"
    exclude: Exclusion | None = None


def draw_figures(
    original: pa.Table, avatars: Avatars, columns: Sequence[ColumnSpec], options: FigureOptions
) -> list[Figure]:
    """Figures of originals (rows of the table) and their unshuffled avatars; kinds that do not apply are left out.

    Which avatars of a large table are drawn is a matter of a fixed seed: nothing of the run's own seed shows.
    """
    layout = fit_layout(original, columns, out_of_metrics(original, columns, options.exclude))
    sides = encode(layout, original), encode(layout, avatars.unshuffled)
    found = [
        *_projections(avatars, layout, sides, options),
        *_whole_table(avatars, layout, sides),
        *_distributions(original, avatars.unshuffled, layout, sides, options.distributions),
        *_metrics(avatars, options.recipient),
    ]
    return [figure for figure in found if figure is not None]


def _projections(
    avatars: Avatars, layout: Layout, sides: tuple[Frame, Frame], options: FigureOptions
) -> Iterator[Figure | None]:
    points = _points(avatars.original_projection), _points(avatars.avatar_projection)
    explained = avatars.facts.explained_variance
    yield projection_2d(*points, explained, stream(0, "", "figure 2d"))
    yield projection_3d(*points, explained, stream(0, "", "figure 3d"))
    for at, category in enumerate(layout.categories):
        if category.name == options.class_column:
            names = [str(value) for value in category.modalities.to_pylist()]
            coded = [(cloud, side.codes[:, at]) for cloud, side in zip(points, sides, strict=True)]
            yield class_projection(coded[0], coded[1], (category.name, names), stream(0, "", "figure classes"))


def _whole_table(avatars: Avatars, layout: Layout, sides: tuple[Frame, Frame]) -> Iterator[Figure | None]:
    plain = [at for at, number in enumerate(layout.numbers) if number.type not in _TEMPORAL]
    names = [layout.numbers[at].name for at in plain]
    origins = np.array([layout.numbers[at].origin for at in plain], dtype=np.float64)
    numbers = [side.numbers[:, plain] for side in sides]
    yield from correlation_figures(names, *numbers)
    yield contribution_figure(avatars.facts.contributions)
    yield aggregate_figure(names, *(side + origins for side in numbers))


def _distributions(
    original: pa.Table, avatars: pa.Table, layout: Layout, sides: tuple[Frame, Frame], most: int
) -> Iterator[Figure | None]:
    numbers = {number.name: number for number in layout.numbers}
    categories = {category.name: at for at, category in enumerate(layout.categories)}
    chosen = [name for name in original.column_names if name in numbers or name in categories]
    for name in chosen if most < 0 else chosen[:most]:
        if name in numbers:
            yield distribution_of_numbers(name, *(told(numbers[name], side[name]) for side in (original, avatars)))
            continue
        at = categories[name]
        codes = sides[0].codes[:, at], sides[1].codes[:, at]
        missing = tuple(100.0 * float((side == MISSING).mean()) for side in codes)
        names = [str(value) for value in layout.categories[at].modalities.to_pylist()]
        yield distribution_of_categories(name, codes, names, missing_note((missing[0], missing[1])))


def _metrics(avatars: Avatars, recipient: str) -> Iterator[Figure]:
    """The metrics that the coordinates of a run tell at once; large tables have them in the privacy metrics only."""
    originals, own = _points(avatars.original_projection), _points(avatars.avatar_projection)
    if originals.shape != own.shape or not 2 <= len(originals) <= _RANKED_ROWS:
        return
    rank = rank_own(originals, own)
    nearest, second = nearest_two(originals, own)
    values = {
        "hidden_rate": 100.0 * float(((rank.closer > 0) | rank.earlier).mean()),
        "local_cloaking": float(np.median(rank.closer + rank.tied)),
        "distance_to_closest": float(np.median(nearest)),
        "closest_distances_ratio": float(np.median(ratio(nearest, second))),
    }
    yield metrics_figure(values, targets(recipient, {}))


def _points(projection: pa.Table) -> Floats:
    return np.column_stack([column.to_numpy() for column in projection.columns])
