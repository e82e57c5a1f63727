"""Avatarization of linked tables, parents before children; every key is issued again and every reference holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.frame import encode, fit_layout
from avatar_gitops.engine.keys import as_foreign_keys, fresh_keys
from avatar_gitops.engine.links.assign import MOST_AXES, least_sum, nearest, places_of
from avatar_gitops.engine.links.enrich import (
    Schema,
    count_column,
    look_up,
    number_of_children,
    presence_column,
    specs_by_name,
)
from avatar_gitops.engine.links.model import Ids, Link, LinkedAvatars, LinkedTable, LinkMethod, build_graph
from avatar_gitops.engine.links.ties import Ties, tie
from avatar_gitops.engine.params import ColumnSpec
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.space import fit_space
from avatar_gitops.engine.streams import stream
from avatar_gitops.engine.threads import single_threaded_algebra
from avatar_gitops.errors import EngineError


@dataclass(slots=True, frozen=True)
class _Model:
    """What is modelled of one table: its rows with the columns that its links add."""

    rows: pa.Table
    columns: tuple[ColumnSpec, ...]
    counts: Mapping[Link, str]
    presence: Mapping[Link, str]


@single_threaded_algebra
def avatarize_linked(tables: Sequence[LinkedTable], links: Sequence[Link], seed: int) -> dict[str, LinkedAvatars]:
    """Avatars of all tables, in the order parents before children.

    A parent is modelled with its number of children for each link, a child with the attributes of all its ancestors;
    both are dropped from the output. The link then finds a parent avatar for each child avatar: in the space of the
    parent's attributes, fitted on the originals, the parent's part of a child avatar is compared with the parent
    avatars. `linear_sum_assignment` gives each parent as many children as its avatar's number of children says, so that
    not even the number of a person's children is kept as it was. A child without a parent stays possible: whether an
    avatar has one is modelled like any other column. With `sensitive_original_order_assignment` each avatar keeps the
    avatar of its own original's parent, which gives people away.

    Raises EngineError for links that do not hang together, keys that are missing, repeated or orphaned, and whatever
    `avatarize` refuses.
    """
    graph = build_graph(tables, links)
    if series := next((link for link in links if link.method is LinkMethod.TIME_SERIES), None):
        raise EngineError(f"The link of {series.parent!r} and {series.child!r} is one of time series.")
    schema = Schema(graph, {table.name: keyed(table, links) for table in tables})
    originals = {name: table.rows for name, table in schema.tables.items()}
    ties = {link: tie(link, originals[link.parent], originals[link.child]) for link in links}
    done: dict[str, LinkedAvatars] = {}
    sizes: dict[Link, Ids] = {}
    for name in graph.names:
        model = _model(schema, name, originals, ties)
        done[name] = _one(schema, name, model, done, (ties, sizes), seed)
    return done


def keyed(table: LinkedTable, links: Sequence[Link]) -> LinkedTable:
    """The table with the keys that its links use declared as keys, and with a spec for every column."""
    primary = {link.key for link in links if link.parent == table.name}
    foreign = {link.foreign_key for link in links if link.child == table.name}
    specs = [
        replace(spec, primary_key=spec.primary_key or name in primary, identifier=spec.identifier or name in foreign)
        for name, spec in specs_by_name(table).items()
    ]
    unknown = [spec for spec in table.columns if spec.name not in table.rows.column_names]
    return replace(table, columns=(*specs, *unknown))


def _model(schema: Schema, name: str, originals: Mapping[str, pa.Table], ties: Ties) -> _Model:
    table = schema.tables[name]
    joined = schema.joined(name)
    columns = {column: table.rows[column] for column in table.rows.column_names}
    columns |= look_up(joined, originals, ties)
    specs = [*table.columns, *schema.specs(joined)]
    if table.attached is not None:
        columns |= {extra: table.attached[extra] for extra in table.attached.column_names}
    counts, presence = {}, {}
    for link in schema.graph.children(name):
        spec = count_column(link, columns)
        columns[spec.name] = number_of_children(ties[link], table.rows.num_rows)
        specs.append(spec)
        counts[link] = spec.name
    for link in schema.graph.parents(name):
        known = ties[link] >= 0
        if known.any() and not known.all():
            spec = presence_column(link, columns)
            columns[spec.name] = pa.array(known)
            specs.append(spec)
            presence[link] = spec.name
    return _Model(pa.table(columns), tuple(specs), counts, presence)


def _one(
    schema: Schema,
    name: str,
    model: _Model,
    done: Mapping[str, LinkedAvatars],
    numbers: tuple[Ties, dict[Link, Ids]],
    seed: int,
) -> LinkedAvatars:
    table = schema.tables[name]
    ties, sizes = numbers
    if table.params is None:
        raise EngineError(f"Table {name!r} is linked but has no method.", hint="Set k for every linked table.")
    _check_processors(schema, name)
    try:
        made = avatarize(model.rows, model.columns, table.params, seed, name)
    except EngineError as error:
        raise EngineError(f"Table {name!r}: {error.message}", hint=error.hint) from None
    rows = made.unshuffled
    if rows.num_rows != table.rows.num_rows:
        raise EngineError(
            f"Table {name!r}: data augmentation is not possible for linked tables.",
            hint="Take data_augmentation out, or anonymize the table in a run without links.",
        )
    for link, column in model.counts.items():
        sizes[link] = np.asarray(rows[column].to_numpy(), dtype=np.int64)
    parents = {
        link: _parents(schema, link, model, rows, (done, ties, sizes), seed) for link in schema.graph.parents(name)
    }
    order = stream(seed, name, "shuffle of linked rows").permutation(rows.num_rows)
    unshuffled = _with_keys(table, rows, parents, done, order, seed)
    attached = rows.select(table.attached.column_names) if table.attached is not None else None
    return LinkedAvatars(
        unshuffled,
        unshuffled.take(pa.array(order)),
        made.original_projection,
        made.avatar_projection,
        replace(made.facts, sensitive=(*made.facts.sensitive, *_breaches(schema.graph.parents(name)))),
        parents=parents,
        attached=attached,
    )


def _check_processors(schema: Schema, name: str) -> None:
    """A processor that follows the records of one original would spread them over several avatars of the parent."""
    foreign = {link.foreign_key for link in schema.graph.parents(name)}
    params = schema.tables[name].params
    for processor in params.processors if params is not None else ():
        if followed := sorted(foreign & set(processor.read)):
            raise EngineError(
                f"Table {name!r}: a processor follows the records of {followed[0]!r}, which is the key of a link,"
                " and links give the rows of one person to several avatars.",
                hint="Take the processor out, or anonymize this table in a run without links.",
            )


def _breaches(links: Sequence[Link]) -> tuple[str, ...]:
    return tuple(
        f"The link by {link.foreign_key!r} keeps each row with the avatar of its own parent, which gives people away."
        for link in links
        if link.method is LinkMethod.SENSITIVE_ORIGINAL_ORDER_ASSIGNMENT
    )


def _parents(
    schema: Schema,
    link: Link,
    model: _Model,
    rows: pa.Table,
    known: tuple[Mapping[str, LinkedAvatars], Ties, Mapping[Link, Ids]],
    seed: int,
) -> Ids:
    """The row of the parent avatars for each avatar of the child, -1 for none."""
    done, ties, sizes = known
    if link.method is LinkMethod.SENSITIVE_ORIGINAL_ORDER_ASSIGNMENT or not (ties[link] >= 0).any():
        return ties[link]
    tied = np.ones(rows.num_rows, dtype=bool)
    if link in model.presence:
        tied = np.asarray(rows[model.presence[link]].combine_chunks().fill_null(False).to_numpy(zero_copy_only=False))
    children, parents = _coordinates(schema, link, rows.filter(pa.array(tied)), (done, ties), seed)
    random = stream(seed, link.child, f"link by {link.foreign_key}")
    found = np.full(rows.num_rows, -1, dtype=np.int64)
    if link.method is LinkMethod.MINIMUM_DISTANCE_ASSIGNMENT:
        found[tied] = nearest(children, parents, random)
    else:
        found[tied] = least_sum(children, parents, places_of(sizes[link], int(tied.sum()), random), random)
    return found


def _coordinates(
    schema: Schema, link: Link, rows: pa.Table, known: tuple[Mapping[str, LinkedAvatars], Ties], seed: int
) -> tuple[Floats, Floats]:
    """Child avatars and parent avatars in the space of the parent's attributes, at most 64 axes.

    The attributes of the parent's own ancestors count too; parent avatars have those of the ancestors they were given.
    """
    done, ties = known
    pairs = schema.across(link)
    parent = schema.tables[link.parent]
    assert parent.params is not None
    view = [theirs for _, theirs in pairs]
    tables = {name: table.rows for name, table in schema.tables.items()}
    after = {step: done[step.child].parents[step] for attribute in view for step in attribute.path}
    avatars = {name: result.unshuffled for name, result in done.items()}
    originals = pa.table(look_up(view, tables, ties))
    layout = fit_layout(originals, schema.specs(view)) if view else None
    if layout is None or not layout.names:
        return np.zeros((rows.num_rows, 1)), np.zeros((parent.rows.num_rows, 1))
    weights = {name: weight for name, weight in parent.params.space.column_weights.items() if name in layout.names}
    options = replace(parent.params.space, ncp=MOST_AXES, column_weights=weights, exclude=None)
    space = fit_space(layout, encode(layout, originals), options, seed, link.parent)
    mine = pa.table({theirs.name: rows[own.name] for own, theirs in pairs})
    return space.project(encode(layout, mine)), space.project(encode(layout, pa.table(look_up(view, avatars, after))))


def _with_keys(
    table: LinkedTable,
    rows: pa.Table,
    parents: Mapping[Link, Ids],
    done: Mapping[str, LinkedAvatars],
    order: Ids,
    seed: int,
) -> pa.Table:
    """The columns of the table with the keys of the avatars; what was only modelled is left out."""
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    foreign = {link.foreign_key: link for link in parents}
    columns: dict[str, pa.Array] = {}
    for spec in table.columns:
        if spec.name not in rows.column_names:
            continue  # dropped
        if spec.name in foreign:
            columns[spec.name] = _foreign(foreign[spec.name], parents, done, table.rows.schema.field(spec.name).type)
        elif spec.primary_key and spec.pseudonym is None:
            rows_of = (places, np.zeros_like(places))
            columns[spec.name] = fresh_keys(spec, table.rows[spec.name], rows_of, seed, table.name)
        else:
            columns[spec.name] = rows[spec.name]
    return pa.table(columns)


def _foreign(link: Link, parents: Mapping[Link, Ids], done: Mapping[str, LinkedAvatars], kind: pa.DataType) -> pa.Array:
    ids = parents[link]
    keys = done[link.parent].unshuffled[link.key].combine_chunks().take(pa.array(ids, mask=ids < 0))
    return as_foreign_keys(keys, kind)
