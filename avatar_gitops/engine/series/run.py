"""Avatarization of people with their series: scores beside their table, series rebuilt from what is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.buffers import to_arrow
from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.keys import as_foreign_keys, fresh_keys
from avatar_gitops.engine.links.model import Ids, Link, LinkedAvatars, LinkedTable, LinkMethod
from avatar_gitops.engine.links.run import avatarize_linked, keyed
from avatar_gitops.engine.links.ties import tie
from avatar_gitops.engine.params import AvatarParams, ColumnFact, Facts
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.series.curves import Curves
from avatar_gitops.engine.series.model import SeriesTable
from avatar_gitops.engine.series.projection import FittedSeries, fit_series, person_columns
from avatar_gitops.engine.series.rebuild import rebuild
from avatar_gitops.engine.streams import stream
from avatar_gitops.engine.threads import single_threaded_algebra
from avatar_gitops.errors import EngineError


@dataclass(slots=True, frozen=True)
class ProjectedSeries:
    """A series table, its link, fitted projection, the originals' curves, and their columns, one row per person."""

    table: SeriesTable
    link: Link
    fitted: FittedSeries
    curves: Curves
    columns: pa.Table


@single_threaded_algebra
def avatarize_series(
    tables: Sequence[LinkedTable], links: Sequence[Link], series: Sequence[SeriesTable], seed: int
) -> dict[str, LinkedAvatars]:
    """Avatars of all tables and of the series of their people (method reference 1.17).

    Links of the method `time_series` lead from a table of people to a table of series, the others between `tables`. The
    scores of a person's series are modelled with the person's row: one set of neighbours makes the row and the series.
    A series table with parameters of its own is drawn with those, from the same joint table. Each row of a series
    belongs to the avatar of its person; `unshuffled` follows the order of the people, `shuffled` an order of its own,
    and both are in time.

    Raises EngineError for series that belong to nobody or to no table, for columns that are no numbers, and whatever
    the tables are refused for.
    """
    given = {table.name: keyed(table, links) for table in tables}
    projected = project_series(given, links, series)
    ready = [_with_scores(table, projected) for table in given.values()]
    done = avatarize_linked(ready, [link for link in links if link.method is not LinkMethod.TIME_SERIES], seed)
    for item in projected:
        people = done[item.link.parent]
        done[item.table.name] = _avatars(item, people, _drawn(item, given[item.link.parent], people, seed), seed)
    return {name: replace(avatars, attached=None) for name, avatars in done.items()}


def project_series(
    people: Mapping[str, LinkedTable], links: Sequence[Link], series: Sequence[SeriesTable]
) -> list[ProjectedSeries]:
    """The columns that each series adds to the table of its people, fitted on these originals."""
    found: list[ProjectedSeries] = []
    taken = {name: set(table.rows.column_names) for name, table in people.items()}
    for table in series:
        link = _link_to(table, links)
        parent = people.get(link.parent)
        if parent is None or link.key not in parent.rows.column_names:
            raise EngineError(f"The link of table {table.name!r} names no table of people with the key {link.key!r}.")
        if table.foreign_key not in table.rows.column_names:
            raise EngineError(f"Table {table.name!r} does not have the column {table.foreign_key!r} of its link.")
        owners = tie(link, parent.rows, table.rows)
        fitted, curves = fit_series(table, owners, parent.rows.num_rows, taken[parent.name])
        columns = person_columns(fitted, curves)
        taken[parent.name] |= set(columns.column_names)
        found.append(ProjectedSeries(table, link, fitted, curves, columns))
    return found


def _link_to(table: SeriesTable, links: Sequence[Link]) -> Link:
    found = [link for link in links if link.child == table.name]
    series = next((link for link in found if link.method is LinkMethod.TIME_SERIES), None)
    if series is None:
        raise EngineError(
            f"Table {table.name!r} has series but no link of the method time_series.",
            hint="Link it from the primary key of the table of the people that the series are of.",
        )
    if len(found) > 1:
        raise EngineError(
            f"Table {table.name!r} has series and more than one link.",
            hint="Keep the link of the method time_series and drop the other keys.",
        )
    return series


def weighted(params: AvatarParams, series: Sequence[ProjectedSeries]) -> AvatarParams:
    """The parameters with the column weights of the scores beside those of the columns."""
    weights = dict(params.space.column_weights)
    for item in series:
        weights |= item.fitted.weights
    return replace(params, space=replace(params.space, column_weights=weights))


def _with_scores(table: LinkedTable, projected: Sequence[ProjectedSeries]) -> LinkedTable:
    mine = [item for item in projected if item.link.parent == table.name and item.table.own is None]
    if not mine or table.params is None:
        return table
    columns = {name: item.columns[name] for item in mine for name in item.columns.column_names}
    return replace(table, attached=pa.table(columns), params=weighted(table.params, mine))


def _drawn(item: ProjectedSeries, people: LinkedTable, made: LinkedAvatars, seed: int) -> pa.Table:
    """The avatars of the columns of a series, in the order of the people's `unshuffled`."""
    names = item.columns.column_names
    if item.table.own is None:
        assert made.attached is not None
        return made.attached.select(names)
    joint = pa.table({**_columns(people.rows), **_columns(item.columns)})
    params = weighted(item.table.own, [item])
    try:
        own = avatarize(joint, people.columns, params, seed, f"{people.name}/{item.table.name}")
    except EngineError as error:
        raise EngineError(f"Table {item.table.name!r}: {error.message}", hint=error.hint) from None
    return own.unshuffled.select(names)


def _columns(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    return {name: table[name] for name in table.column_names}


def _avatars(item: ProjectedSeries, people: LinkedAvatars, drawn: pa.Table, seed: int) -> LinkedAvatars:
    table, layout = item.table, item.fitted.layout
    made = rebuild(item.fitted, drawn, seed)
    order = _shuffled(made.person, people, table, seed)
    columns = dict(made.columns)
    keys = people.unshuffled[item.link.key].combine_chunks().take(to_arrow(made.person))
    columns[table.foreign_key] = as_foreign_keys(keys, table.rows.schema.field(table.foreign_key).type)
    if layout.key is not None:
        places = np.empty_like(order)
        places[order] = np.arange(len(order))
        shape = pa.chunked_array([pa.nulls(len(order), table.rows.schema.field(layout.key.name).type)])
        columns[layout.key.name] = fresh_keys(layout.key, shape, (places, np.zeros_like(places)), seed, table.name)
    unshuffled = pa.table({name: columns[name] for name in table.rows.column_names if name in columns})
    return LinkedAvatars(
        unshuffled,
        unshuffled.take(to_arrow(order)),
        _points(item, item.columns),
        _points(item, drawn),
        _facts(item),
        parents={item.link: made.person},
    )


def _shuffled(person: Ids, people: LinkedAvatars, table: SeriesTable, seed: int) -> Ids:
    """Whole series in a random order of people of its own, each in time."""
    place = stream(seed, table.name, "shuffle of series").permutation(people.unshuffled.num_rows)
    return np.argsort(place[person], kind="stable")


def _points(item: ProjectedSeries, columns: pa.Table) -> pa.Table:
    """Scores as coordinates, the first of each variable first; one row for each person."""
    variables = item.fitted.variables
    longest = max(len(variable.scores) for variable in variables)
    names = [variable.scores[j] for j in range(longest) for variable in variables if j < len(variable.scores)]
    points: list[Floats] = [columns[name].to_numpy() for name in names]
    return pa.table({f"Dim. {axis + 1}": to_arrow(np.array(values)) for axis, values in enumerate(points)})


def _facts(item: ProjectedSeries) -> Facts:
    table, fitted = item.table, item.fitted
    layout = fitted.layout
    roles = {layout.time.name: "time", table.foreign_key: "identifier"}
    roles |= {column.name: "empty" for column in layout.empty} | dict.fromkeys(layout.dropped, "dropped")
    if layout.key is not None:
        roles[layout.key.name] = "primary_key"
    types = {column.name: column.type for column in (layout.time, *layout.variables)}
    widths = {name: len(variable.scores) for name, variable in zip(layout.names, fitted.variables, strict=True)}
    return Facts(
        tuple(
            ColumnFact(name, roles.get(name, "modelled"), types.get(name), widths.get(name, 0))
            for name in table.rows.column_names
        ),
        item.columns.num_columns,
        max(widths.values()),
        tuple(float(share) for share in fitted.variables[0].basis.explained),
        {},
        fitted.warnings,
    )
