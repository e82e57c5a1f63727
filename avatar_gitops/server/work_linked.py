"""Linked tables in jobs: avatars of all of them together, and the pairs of tables that metrics compare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from avatar_gitops.engine.exclusion import out_of_metrics
from avatar_gitops.engine.frame import is_key
from avatar_gitops.engine.links.model import Link, LinkedTable, LinkMethod
from avatar_gitops.engine.links.run import avatarize_linked, keyed
from avatar_gitops.engine.links.views import View, pair_tables, privacy_views, signal_views
from avatar_gitops.engine.params import ColumnSpec, Space
from avatar_gitops.server.assignment import Assignment
from avatar_gitops.server.faults import JobFault
from avatar_gitops.server.made import Made, output_format
from avatar_gitops.server.processing import measured_columns
from avatar_gitops.server.work_avatars import avatar_params, check_dimensions, read_original
from avatar_gitops.wire import documents as wire
from avatar_gitops.wire.models import JobKind

Records = Mapping[str, wire.AvatarizationRecord]
ReadPair = tuple[pa.Table, pa.Table, list[ColumnSpec]]
"""Originals, avatars and what is said of the columns of one table."""


def links_of(tables: Sequence[wire.Table]) -> tuple[Link, ...]:
    """The links between the tables of a job; links of series are not among them.

    Raises:
        JobFault: a link has a method that does not exist.
    """
    names = {table.name for table in tables}
    found = []
    for table in tables:
        for said in table.links or []:
            method = _method(table.name, said)
            if said.to.table in names and method is not LinkMethod.TIME_SERIES:
                found.append(Link(table.name, said.field, said.to.table, said.to.field, method))
    return tuple(found)


def _method(table: str, said: wire.Link) -> LinkMethod:
    try:
        return LinkMethod(said.method) if said.method is not None else LinkMethod.LINEAR_SUM_ASSIGNMENT
    except ValueError:
        known = ", ".join(LinkMethod)
        raise JobFault(f"Table {table!r}: the method of its link to {said.to.table!r} is not one of {known}.") from None


def anonymize_linked(
    assignment: Assignment, schema: wire.SchemaSpec, records: Records, results: wire.Results | None, seed: int
) -> list[Made]:
    """The avatars of every table of a schema with links, in the order of the schema."""
    links = links_of(schema.tables)
    tables: dict[str, LinkedTable] = {}
    extensions = {}
    for table in schema.tables:
        rows, columns, source = read_original(assignment, table)
        record = records.get(table.name)
        columns = measured_columns(table.name, columns, record)
        params = avatar_params(table.name, record) if record is not None else None
        given = LinkedTable(table.name, rows, tuple(columns), params, table.individual_level is not False)
        tables[table.name] = keyed(given, links)
        extensions[table.name] = output_format(results, source)
    avatars = avatarize_linked(list(tables.values()), links, seed)
    for name, made in avatars.items():
        check_dimensions(name, made.facts)
    return [Made(name, table.rows, table.columns, avatars[name], extensions[name]) for name, table in tables.items()]


def has_attributes(table: str, pair: ReadPair, links: Sequence[Link]) -> bool:
    """Whether a table has columns that say something about its rows."""
    rows, _, columns = pair
    hidden = {spec.name for spec in columns if spec.drop or is_key(spec)}
    hidden |= {link.key for link in links if link.parent == table}
    hidden |= {link.foreign_key for link in links if link.child == table}
    return not set(rows.column_names) <= hidden


def cross_views(
    tables: Sequence[wire.Table], read: Mapping[str, ReadPair], spaces: Mapping[str, Space], kind: JobKind
) -> Iterator[View]:
    """What metrics look at beside each table alone: nothing when no table has a link.

    Columns that the metrics of a table leave out say nothing about the rows of other tables either.
    """
    links = links_of(tables)
    if not links:
        return iter(())
    given = []
    for table in tables:
        rows, _, columns = read[table.name]
        left = out_of_metrics(rows, columns, spaces[table.name].exclude)
        kept = [column for column in columns if column.name not in left]
        specs = (*kept, *(ColumnSpec(name, drop=True) for name in left))
        given.append(LinkedTable(table.name, rows, specs, None, table.individual_level is not False))
    pairs = pair_tables(given, {name: avatars for name, (_, avatars, _) in read.items()}, links)
    views = privacy_views(pairs) if kind is JobKind.PRIVACY_METRICS else signal_views(pairs)
    return (replace(view, size=read[view.table][0].shape) for view in views)
