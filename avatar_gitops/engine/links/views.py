"""The pairs of tables that metrics of linked tables compare: each table alone, and with what its links add to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import pyarrow as pa

from avatar_gitops.engine.augmented import FEWEST, Means
from avatar_gitops.engine.copies import repeated
from avatar_gitops.engine.frame import encode, fit_layout
from avatar_gitops.engine.links.aggregates import aggregate
from avatar_gitops.engine.links.enrich import Schema, free_name, look_up, specs_by_name
from avatar_gitops.engine.links.model import Ids, Link, LinkedTable, build_graph
from avatar_gitops.engine.links.ties import Ties, climb, tie
from avatar_gitops.engine.params import ColumnSpec, ColumnType
from avatar_gitops.engine.surroundings import Whole


class Computation(StrEnum):
    """What a block of metrics was computed on; the names are the platform's."""

    STANDALONE = "standalone"
    TO_BOTTOM_ID_PROPAGATED = "to_bottom_id_propagated"
    TO_TOP_ENRICHED = "to_top_enriched"
    FULL_ENRICHED = "full_enriched"
    TO_BOTTOM_INFORMATION_PROPAGATED = "to_bottom_information_propagated"
    BARYCENTERED = Means.BARYCENTERED.value
    CLASS_BALANCING = Means.CLASS_BALANCING.value


@dataclass(slots=True, frozen=True)
class View:
    """One table, alone or seen across links, as originals and avatars.

    `reference` is the other table of a cross-table view. `people` are given where several rows belong to one person:
    the person of each original row and the person that each avatar row is tied to, -1 for nobody. `holdout` are rows of
    the table alone that were not anonymized. `origins` names the original of each augmented avatar; without, row i of
    the avatars belongs to row i of the originals. `sampled_from` is the number of rows of a table of which these are
    random ones, `whole` is that table. `size` is rows and columns of the table as it is, where the view shows others.
    """

    table: str
    computation: Computation
    reference: str | None
    original: pa.Table
    avatars: pa.Table
    columns: tuple[ColumnSpec, ...]
    people: tuple[Ids, Ids] | None = None
    holdout: pa.Table | None = None
    origins: Ids | None = None
    sampled_from: int | None = None
    whole: Whole | None = None
    size: tuple[int, int] | None = None


@dataclass(slots=True, frozen=True)
class Pairs:
    """Linked tables with their avatars, row i of the avatars belonging to row i of the originals."""

    schema: Schema
    avatars: Mapping[str, pa.Table]
    ties: Ties
    avatar_ties: Ties

    @property
    def originals(self) -> Mapping[str, pa.Table]:
        """Original rows by table."""
        return {name: table.rows for name, table in self.schema.tables.items()}


def pair_tables(tables: Sequence[LinkedTable], avatars: Mapping[str, pa.Table], links: Sequence[Link]) -> Pairs:
    """Both sides with their links followed; raises EngineError when keys of either side do not hold together."""
    graph = build_graph(tables, links)
    schema = Schema(graph, {table.name: table for table in tables})
    rows = {table.name: table.rows for table in tables}
    return Pairs(
        schema,
        avatars,
        {link: tie(link, rows[link.parent], rows[link.child]) for link in links},
        {link: tie(link, avatars[link.parent], avatars[link.child]) for link in links},
    )


def mean_views(view: View) -> Iterator[View]:
    """Views of an augmented table that compare people with the mean of their avatars."""
    if view.origins is None:
        return
    yield replace(view, computation=Computation.BARYCENTERED)
    if FEWEST <= len(repeated(view.origins, view.original.num_rows)) < view.original.num_rows:
        yield replace(view, computation=Computation.CLASS_BALANCING)


def privacy_views(pairs: Pairs) -> Iterator[View]:
    """Every view that privacy is measured on, after the tables alone.

    For each individual-level ancestor A of a table D: D as it is, where a person of A counts as found through any of
    their rows; A with what its rows in D say together; D with the attributes of all its ancestors, again by person.
    """
    for path in _relations(pairs):
        if pairs.schema.tables[path[-1].parent].individual_level:
            if pairs.schema.own(path[0].child):
                yield _plain(pairs, path, Computation.TO_BOTTOM_ID_PROPAGATED)
            yield _to_top(pairs, path)
            yield _joined(pairs, path, Computation.FULL_ENRICHED, all_ancestors=True)


def signal_views(pairs: Pairs) -> Iterator[View]:
    """Every view that utility is measured on, after the tables alone: each pair of tables in both directions."""
    for path in _relations(pairs):
        yield _to_top(pairs, path)
        yield _joined(pairs, path, Computation.TO_BOTTOM_INFORMATION_PROPAGATED, all_ancestors=False)


def _relations(pairs: Pairs) -> Iterator[tuple[Link, ...]]:
    """One way for each descendant and ancestor, the shortest; tables in the order of the graph."""
    graph = pairs.schema.graph
    for name in graph.names:
        seen: set[str] = set()
        for path in graph.paths(name):
            if path[-1].parent not in seen:
                seen.add(path[-1].parent)
                yield path


def _people(pairs: Pairs, path: tuple[Link, ...]) -> tuple[Ids, Ids]:
    return climb(path, pairs.ties), climb(path, pairs.avatar_ties)


def _plain(pairs: Pairs, path: tuple[Link, ...], computation: Computation) -> View:
    name = path[0].child
    table = pairs.schema.tables[name]
    return View(
        name,
        computation,
        path[-1].parent,
        table.rows,
        pairs.avatars[name],
        _specs(pairs, name),
        _people(pairs, path),
    )


def _joined(pairs: Pairs, path: tuple[Link, ...], computation: Computation, *, all_ancestors: bool) -> View:
    """A table with the attributes of all its ancestors, or of the one at the end of the path."""
    name = path[0].child
    attributes = [a for a in pairs.schema.joined(name) if all_ancestors or a.path == path]
    specs = (*_specs(pairs, name), *pairs.schema.specs(attributes))
    original = _beside(pairs.originals[name], look_up(attributes, pairs.originals, pairs.ties))
    avatars = _beside(pairs.avatars[name], look_up(attributes, pairs.avatars, pairs.avatar_ties))
    people = _people(pairs, path) if all_ancestors else None
    return View(name, computation, path[-1].parent, original, avatars, specs, people)


def _to_top(pairs: Pairs, path: tuple[Link, ...]) -> View:
    """A table with what the rows below it say together."""
    top, bottom = path[-1].parent, path[0].child
    own = [attribute.column for attribute in pairs.schema.own(bottom)]
    specs = pairs.schema.specs(pairs.schema.own(bottom))
    layout = fit_layout(pairs.originals[bottom].select(own), specs)
    rows = pairs.originals[top].num_rows
    people = _people(pairs, path)
    sides = [
        aggregate(layout, encode(layout, side.select(own)), owners, rows)
        for side, owners in zip((pairs.originals[bottom], pairs.avatars[bottom]), people, strict=True)
    ]
    taken = set(pairs.originals[top].column_names)
    names = {name: free_name(f"{bottom}: {name}", taken) for name in sides[0]}
    kinds = [
        ColumnSpec(names[name], ColumnType.FLOAT if pa.types.is_floating(values.type) else ColumnType.CATEGORY)
        for name, values in sides[0].items()
    ]
    original, avatars = (
        _beside(tables[top], {names[name]: values for name, values in side.items()})
        for tables, side in zip((pairs.originals, pairs.avatars), sides, strict=True)
    )
    return View(top, Computation.TO_TOP_ENRICHED, bottom, original, avatars, (*_specs(pairs, top), *kinds))


def _specs(pairs: Pairs, name: str) -> tuple[ColumnSpec, ...]:
    """Column specs of a table whose linking keys are declared as keys."""
    graph = pairs.schema.graph
    keys = {link.key for link in graph.children(name)} | {link.foreign_key for link in graph.parents(name)}
    specs = specs_by_name(pairs.schema.tables[name])
    return tuple(ColumnSpec(column, identifier=True) if column in keys else spec for column, spec in specs.items())


def _beside(table: pa.Table, more: Mapping[str, pa.Array]) -> pa.Table:
    for name, values in more.items():
        table = table.append_column(name, values)
    return table
