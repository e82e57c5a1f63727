"""Time series in jobs: tables of series beside those of their people, and what metrics and figures see of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa

from avatar_gitops.engine.figures.model import Figure
from avatar_gitops.engine.links.model import Link, LinkedTable, LinkMethod
from avatar_gitops.engine.links.run import keyed
from avatar_gitops.engine.links.views import View
from avatar_gitops.engine.params import ColumnSpec, Space
from avatar_gitops.engine.run import Avatars
from avatar_gitops.engine.series.draw import draw_series
from avatar_gitops.engine.series.measure import SeriesPair, joint_view, pair_series, series_view
from avatar_gitops.engine.series.model import (
    AlignmentMethod,
    ProjectionType,
    SeriesParams,
    SeriesTable,
    Unalignment,
)
from avatar_gitops.engine.series.run import avatarize_series
from avatar_gitops.server.assignment import Assignment
from avatar_gitops.server.faults import JobFault
from avatar_gitops.server.made import Made, output_format
from avatar_gitops.server.work_avatars import avatar_params, check_dimensions, read_original
from avatar_gitops.server.work_linked import ReadPair, anonymize_linked, links_of
from avatar_gitops.wire import documents as wire

Records = Mapping[str, wire.AvatarizationRecord]
SeriesRecords = Mapping[str, wire.TimeSeriesRecord]


def series_links(tables: Sequence[wire.Table]) -> tuple[Link, ...]:
    """The links from people to their series."""
    names = {table.name for table in tables}
    return tuple(
        Link(table.name, said.field, said.to.table, said.to.field, LinkMethod.TIME_SERIES)
        for table in tables
        for said in table.links or []
        if said.method == LinkMethod.TIME_SERIES and said.to.table in names
    )


def anonymize_together(
    assignment: Assignment, schema: wire.SchemaSpec, records: Records, results: wire.Results | None, seed: int
) -> list[Made]:
    """The avatars of every table of a schema with links, series among them, in the order of the schema."""
    of_series = series_links(schema.tables)
    spec = wire.ParametersSpec.model_validate(assignment.parameters.spec)
    if not of_series:
        return anonymize_linked(assignment, schema, records, results, seed)
    links = (*links_of(schema.tables), *of_series)
    people: dict[str, LinkedTable] = {}
    series: dict[str, SeriesTable] = {}
    extensions = {}
    children = {link.child: link for link in of_series}
    for table in schema.tables:
        rows, columns, source = read_original(assignment, table)
        record = records.get(table.name)
        params = avatar_params(table.name, record) if record is not None else None
        extensions[table.name] = output_format(results, source)
        if table.name in children:
            made = series_table(table, rows, columns, children[table.name], spec.time_series or {})
            series[table.name] = replace(made, own=params)
        else:
            given = LinkedTable(table.name, rows, tuple(columns), params, table.individual_level is not False)
            people[table.name] = keyed(given, links)
    avatars = avatarize_series(list(people.values()), links, list(series.values()), seed)
    for name, found in avatars.items():
        check_dimensions(name, found.facts)
    figures = _figures(people, links, list(series.values()), avatars)
    return [
        Made(
            table.name,
            people[table.name].rows if table.name in people else series[table.name].rows,
            people[table.name].columns if table.name in people else series[table.name].columns,
            avatars[table.name],
            extensions[table.name],
            figures=figures.get(table.name),
        )
        for table in schema.tables
    ]


def series_table(
    table: wire.Table, rows: pa.Table, columns: Sequence[ColumnSpec], link: Link, records: SeriesRecords
) -> SeriesTable:
    """What the documents say about a table of series, for the engine."""
    record = records.get(table.name, wire.TimeSeriesRecord())
    specs = tuple(
        replace(column, identifier=False) if column.name == link.foreign_key else column for column in columns
    )
    return SeriesTable(
        table.name, rows, link.foreign_key, _time_columns(table)[0], specs, _series_params(table.name, record)
    )


def pair_up_series(
    tables: Sequence[wire.Table], read: Mapping[str, ReadPair], records: SeriesRecords
) -> dict[str, SeriesPair]:
    """Originals and avatars of each series table, in one projection; `read` has every table of the job."""
    of_series = series_links(tables)
    if not of_series:
        return {}
    children = {link.child: link for link in of_series}
    people, series, avatars = {}, [], {}
    for table in tables:
        rows, avatars[table.name], columns = read[table.name]
        if table.name in children:
            series.append(series_table(table, rows, columns, children[table.name], records))
        else:
            given = LinkedTable(table.name, rows, tuple(columns), None, table.individual_level is not False)
            people[table.name] = keyed(given, of_series)
    return {pair.name: pair for pair in pair_series(people, of_series, series, avatars)}


def series_views(pairs: Mapping[str, SeriesPair], read: Mapping[str, ReadPair]) -> Iterator[tuple[View, SeriesPair]]:
    """For each series table, its people as their series show them; then the people with their series."""
    for pair in pairs.values():
        yield replace(series_view(pair), size=read[pair.name][0].shape), pair
    for pair in pairs.values():
        link = pair.projected.link
        rows, avatars, columns = read[link.parent]
        people = keyed(LinkedTable(link.parent, rows, tuple(columns)), (link,))
        yield replace(joint_view(pair, people, avatars), size=rows.shape), pair


def check_series_record(record: wire.MetricsRecord, table: str) -> None:
    """Refuse settings of metrics that name columns where people are compared by scores.

    Raises:
        JobFault: names the table and the parameter.
    """
    for name in ("known_variables", "groups", "target", "column_weights", "exclude_variables"):
        if getattr(record, name):
            raise JobFault(
                f"Table {table!r}: {name} cannot be set for time series, whose people are compared by the scores of"
                " their curves. Set it for the table of the people."
            )


def compared_in(pair: SeriesPair | None, compared: Space) -> Space:
    """The space in which people are compared, with the weights of the scores of their series."""
    return compared if pair is None else pair.space(compared)


def _time_columns(table: wire.Table) -> list[str]:
    return [column.field for column in table.columns or [] if column.time_series_time]


def _series_params(table: str, record: wire.TimeSeriesRecord) -> SeriesParams:
    projection = record.projection or wire.SeriesProjection()
    alignment = record.alignment or wire.SeriesAlignment()
    try:
        return SeriesParams(
            ProjectionType(projection.projection_type) if projection.projection_type else ProjectionType.FPCA,
            projection.nf,
            AlignmentMethod(alignment.method) if alignment.method else None,
            alignment.nb_points,
            Unalignment(record.unalignment) if record.unalignment else Unalignment.UNIFORM,
        )
    except ValueError:
        raise JobFault(
            f"Table {table!r}: the projection of its series is one of {', '.join(ProjectionType)}, the alignment one of"
            f" {', '.join(AlignmentMethod)}, the un-alignment one of {', '.join(Unalignment)}."
        ) from None


def _figures(
    people: Mapping[str, LinkedTable], links: Sequence[Link], series: Sequence[SeriesTable], made: Mapping[str, Avatars]
) -> dict[str, tuple[Figure, ...]]:
    avatars = {name: found.unshuffled for name, found in made.items()}
    pairs = pair_series(people, links, series, avatars)
    return {
        pair.name: tuple(draw_series(pair.projected.fitted, pair.projected.curves, pair.avatar_curves))
        for pair in pairs
    }
