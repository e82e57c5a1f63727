"""Linked tables as values: what is given, how tables hang together, what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from avatar_gitops.engine.params import AvatarParams, ColumnSpec
from avatar_gitops.engine.run import Avatars
from avatar_gitops.errors import EngineError

Ids = npt.NDArray[np.int64]


class LinkMethod(StrEnum):
    """How each avatar of a child table finds the avatar of a parent that it belongs to."""

    LINEAR_SUM_ASSIGNMENT = "linear_sum_assignment"
    MINIMUM_DISTANCE_ASSIGNMENT = "minimum_distance_assignment"
    SENSITIVE_ORIGINAL_ORDER_ASSIGNMENT = "sensitive_original_order_assignment"
    TIME_SERIES = "time_series"


@dataclass(slots=True, frozen=True)
class Link:
    """The foreign key of a child names rows of a parent by the parent's primary key."""

    parent: str
    key: str
    child: str
    foreign_key: str
    method: LinkMethod = LinkMethod.LINEAR_SUM_ASSIGNMENT


@dataclass(slots=True, frozen=True)
class LinkedTable:
    """One table and how it is avatarized; `params` is None where tables are only measured.

    `attached` are more columns, row by row, that are modelled with the table and come back beside its avatars: the hook
    for what is not a column of the table itself, such as the scores of a series.
    """

    name: str
    rows: pa.Table
    columns: tuple[ColumnSpec, ...] = ()
    params: AvatarParams | None = None
    individual_level: bool = True
    attached: pa.Table | None = None


@dataclass(slots=True, frozen=True)
class LinkedAvatars(Avatars):
    """The avatars of one table of several.

    `parents` gives, for each link to a parent, the row of the parent's `unshuffled` that each avatar belongs to, -1 for
    none. `attached` has the avatars of the attached columns in the order of `unshuffled`.
    """

    parents: Mapping[Link, Ids] = field(default_factory=dict)
    attached: pa.Table | None = None


@dataclass(slots=True, frozen=True)
class Graph:
    """Tables in the order parents before children, and the links between them."""

    names: tuple[str, ...]
    links: tuple[Link, ...]

    def parents(self, name: str) -> tuple[Link, ...]:
        """Links of a table to its parents."""
        return tuple(link for link in self.links if link.child == name)

    def children(self, name: str) -> tuple[Link, ...]:
        """Links of a table to its children."""
        return tuple(link for link in self.links if link.parent == name)

    def paths(self, name: str) -> tuple[tuple[Link, ...], ...]:
        """Every way from a table to an ancestor, nearest first; a way starts with a link of the table itself."""
        found: list[tuple[Link, ...]] = [(link,) for link in self.parents(name)]
        for path in found:  # grows while it is read
            found.extend((*path, link) for link in self.parents(path[-1].parent))
        return tuple(found)


def build_graph(tables: Sequence[LinkedTable], links: Sequence[Link]) -> Graph:
    """The tables in working order.

    Raises EngineError for links that are not a connected acyclic graph over these tables with at most one link for each
    pair, one primary key for each parent, and people at its top.
    """
    known = {table.name: table for table in tables}
    pairs: set[frozenset[str]] = set()
    for link in links:
        _check_link(link, known)
        pair = frozenset({link.parent, link.child})
        if pair in pairs:
            raise EngineError(
                f"Tables {link.parent!r} and {link.child!r} are linked twice.",
                hint="Keep one link between two tables; further keys can be identifiers without a link.",
            )
        pairs.add(pair)
    for table in tables:
        if not table.individual_level and not any(link.child == table.name for link in links):
            raise EngineError(
                f"Table {table.name!r} has no parent, so each of its rows must be one person (individual_level).",
                hint="Link it to the table of the people it is about, or set individual_level to true.",
            )
    _check_connected(list(known), links)
    return Graph(_ordered(list(known), links), tuple(links))


def _check_link(link: Link, known: Mapping[str, LinkedTable]) -> None:
    for name in (link.parent, link.child):
        if name not in known:
            raise EngineError(f"A link names the table {name!r}, which is not one of the tables to anonymize.")
    if link.parent == link.child:
        raise EngineError(
            f"Table {link.parent!r} is linked to itself.", hint="Remove the link; declare the column an identifier."
        )
    for name, column in ((link.parent, link.key), (link.child, link.foreign_key)):
        if column not in known[name].rows.column_names:
            raise EngineError(f"A link names the column {column!r}, which table {name!r} does not have.")
        if any(spec.name == column and spec.drop for spec in known[name].columns):
            raise EngineError(
                f"Column {column!r} of table {name!r} is dropped, but it is the key of a link.",
                hint="Keep the column: keys are issued again, so that no key of a person comes back.",
            )
    for name in (link.parent, link.child):
        keys = {spec.name for spec in known[name].columns if spec.primary_key}
        if name == link.parent and keys - {link.key}:
            raise EngineError(
                f"A link starts from the column {link.key!r} of table {name!r}, which is not its primary key.",
                hint="Links start from the one primary key of the parent.",
            )
        if name == link.child and link.foreign_key in keys:
            raise EngineError(
                f"Column {link.foreign_key!r} of table {name!r} is a primary key and a foreign key at once.",
                hint="Put both tables together, or give the child a key of its own.",
            )


def _check_connected(names: list[str], links: Sequence[Link]) -> None:
    reached = {names[0]}
    while more := {
        name
        for link in links
        if {link.parent, link.child} & reached
        for name in (link.parent, link.child)
        if name not in reached
    }:
        reached |= more
    apart = next((name for name in names if name not in reached), None)
    if apart is not None:
        raise EngineError(
            f"Table {apart!r} is not linked, directly or through others, to table {names[0]!r}.",
            hint="Link all tables of a run, or put this one into a run of its own.",
        )


def _ordered(names: list[str], links: Sequence[Link]) -> tuple[str, ...]:
    done: list[str] = []
    while len(done) < len(names):
        ready = [
            name
            for name in names
            if name not in done and all(link.parent in done for link in links if link.child == name)
        ]
        if not ready:
            circle = next(name for name in names if name not in done)
            raise EngineError(
                f"The links of table {circle!r} run in a circle.", hint="Remove one link, so that parents come first."
            )
        done += ready
    return tuple(done)
