"""Tables with what their links add: attributes of ancestors, numbers of children, sums of what children say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.frame import is_key
from avatar_gitops.engine.links.model import Graph, Ids, Link, LinkedTable
from avatar_gitops.engine.links.ties import Ties, climb
from avatar_gitops.engine.params import ColumnSpec, ColumnType


@dataclass(slots=True, frozen=True)
class Attribute:
    """A column of a table or of one of its ancestors, `path` links away, under the name it has in the joined table."""

    name: str
    path: tuple[Link, ...]
    table: str
    column: str

    def beyond(self, link: Link, taken: Collection[str]) -> Attribute:
        """The same attribute seen from a child across a link."""
        return replace(self, name=free_name(f"{link.foreign_key}.{self.name}", taken), path=(link, *self.path))


@dataclass(slots=True, frozen=True)
class Schema:
    """The graph with its tables by name."""

    graph: Graph
    tables: Mapping[str, LinkedTable]

    def own(self, name: str) -> tuple[Attribute, ...]:
        """Columns of a table that say something about its rows: no keys, nothing dropped or set aside."""
        table = self.tables[name]
        specs = specs_by_name(table)
        keys = {link.key for link in self.graph.children(name)}
        keys |= {link.foreign_key for link in self.graph.parents(name)}
        hidden = keys | set_aside(table)
        kept = [c for c in table.rows.column_names if c not in hidden and describes(specs[c])]
        return tuple(Attribute(column, (), name, column) for column in kept)

    def view(self, name: str) -> tuple[Attribute, ...]:
        """Attributes of a table and of all its ancestors."""
        return (*self.own(name), *self.joined(name))

    def joined(self, name: str) -> tuple[Attribute, ...]:
        """Attributes of the ancestors of a table, under names that its own columns leave free."""
        taken = set(self.tables[name].rows.column_names)
        found: list[Attribute] = []
        for link in self.graph.parents(name):
            for attribute in self.view(link.parent):
                found.append(attribute.beyond(link, taken))
                taken.add(found[-1].name)
        return tuple(found)

    def across(self, link: Link) -> tuple[tuple[Attribute, Attribute], ...]:
        """What a child has of a parent: each attribute as the child names it and as the parent names it."""
        theirs = [attribute for attribute in self.joined(link.child) if attribute.path[0] == link]
        return tuple(zip(theirs, self.view(link.parent), strict=True))

    def specs(self, attributes: Sequence[Attribute]) -> tuple[ColumnSpec, ...]:
        """Column types of joined attributes."""
        specs = {name: specs_by_name(table) for name, table in self.tables.items()}
        return tuple(replace(specs[a.table][a.column], name=a.name) for a in attributes)


def specs_by_name(table: LinkedTable) -> dict[str, ColumnSpec]:
    """What is known of each column; a column nobody spoke of has a spec that says nothing."""
    said = {spec.name: spec for spec in table.columns}
    return {name: said.get(name, ColumnSpec(name)) for name in table.rows.column_names}


def describes(spec: ColumnSpec) -> bool:
    """Whether a column takes part in the model."""
    return not (spec.drop or is_key(spec))


def set_aside(table: LinkedTable) -> frozenset[str]:
    """Columns that the parameters of a table exclude from its model."""
    excluded = table.params.space.exclude if table.params is not None else None
    return frozenset(excluded.names) if excluded is not None else frozenset()


def free_name(wanted: str, taken: Collection[str]) -> str:
    """The name, with apostrophes where columns are already called so."""
    while wanted in taken:
        wanted += "'"
    return wanted


def look_up(attributes: Sequence[Attribute], tables: Mapping[str, pa.Table], ties: Ties) -> dict[str, pa.Array]:
    """Values of attributes for each row of the table they are seen from; missing where there is no ancestor.

    `tables` and `ties` are those of the originals or those of the avatars.
    """
    rows: dict[tuple[Link, ...], pa.Array] = {}
    found: dict[str, pa.Array] = {}
    for attribute in attributes:
        column = tables[attribute.table][attribute.column]
        if attribute.path:
            if attribute.path not in rows:
                ids = climb(attribute.path, ties)
                rows[attribute.path] = pa.array(ids, mask=ids < 0)
            column = column.combine_chunks().take(rows[attribute.path])
        found[attribute.name] = column
    return found


def number_of_children(ties: Ids, rows: int) -> pa.Array:
    """How many children each row of a parent has."""
    return pa.array(np.bincount(ties[ties >= 0], minlength=rows))


def count_column(link: Link, taken: Collection[str]) -> ColumnSpec:
    """The column that holds numbers of children while a parent is modelled."""
    return ColumnSpec(free_name(f"number of {link.child}", taken), ColumnType.INT)


def presence_column(link: Link, taken: Collection[str]) -> ColumnSpec:
    """The column that says, while a child is modelled, whether it has this parent."""
    return ColumnSpec(free_name(f"{link.foreign_key} is known", taken), ColumnType.BOOL)
