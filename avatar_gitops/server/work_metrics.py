"""The two metrics jobs: originals beside avatars through the engine, one JSON entry per table into files.

On the wire a metric has the scale of the hosted platform: `wire.metrics` turns the engine's natural units
into it, values, intervals, references and targets alike. The targets are the engine's own for the data recipient of
the set (`engine.targets`), so a natural "< 0.1" for `hellinger_mean` reads "> 90" here.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from avatar_gitops.assessment.column_distances import COLUMN_HELLINGER
from avatar_gitops.assessment.guarantee import GUARANTEE
from avatar_gitops.engine.buffers import to_numpy
from avatar_gitops.engine.facts import rows_bucket
from avatar_gitops.engine.links.measure import measure_privacy_view, measure_signal_view
from avatar_gitops.engine.links.model import Ids
from avatar_gitops.engine.links.views import Computation, View, mean_views
from avatar_gitops.engine.params import ColumnSpec, Metrics, PrivacyParams, SignalParams, Space, declared_types
from avatar_gitops.engine.series.measure import SeriesPair, measure_series_signal
from avatar_gitops.engine.tables import read_table
from avatar_gitops.engine.unlinked import NO_LINK, NOT_BESIDE, as_many, not_private, without_link
from avatar_gitops.server.apart import set_apart
from avatar_gitops.server.assignment import Assignment, Progress, ResultFile
from avatar_gitops.server.control import read_holdout, shadow_params, text_columns, with_types_of
from avatar_gitops.server.faults import JobFault
from avatar_gitops.server.naming import escaped, metrics_file, table_of
from avatar_gitops.server.offered import check_schema, check_series
from avatar_gitops.server.processing import measured_columns
from avatar_gitops.server.result_json import write_json
from avatar_gitops.server.work_avatars import column_specs, space
from avatar_gitops.server.work_dp import promises_of
from avatar_gitops.server.work_large import large_source, no_share, refuse_large
from avatar_gitops.server.work_linked import ReadPair, cross_views, has_attributes, links_of
from avatar_gitops.server.work_sample import Sample, read_sampled, sample_notes
from avatar_gitops.server.work_series import (
    check_series_record,
    compared_in,
    pair_up_series,
    series_links,
    series_views,
)
from avatar_gitops.wire import documents as wire
from avatar_gitops.wire.documents import DocumentKind
from avatar_gitops.wire.metrics import target_to_score, to_score
from avatar_gitops.wire.models import JobKind, ResultKind

MEASURING: Final = "measuring tables"


def run_metrics(assignment: Assignment, folder: Path, progress: Progress) -> list[ResultFile]:
    """One entry per table, and the summary over all tables."""
    is_privacy = assignment.kind is JobKind.PRIVACY_METRICS
    what = "privacy" if is_privacy else "signal"
    spec = wire.MetricsSpec.model_validate(assignment.parameters.spec)
    records = (spec.privacy_metrics if is_privacy else spec.signal_metrics) or {}
    pairs = _pairs(assignment, spec)
    made_with = _made_with(assignment, spec)
    promises = promises_of(assignment)
    recipient = assignment.documents.pia().datarecipient
    files: list[ResultFile] = []
    summary: dict[str, dict[str, float | None]] = {}
    views = _views((assignment, folder), pairs, (records, made_with), promises)
    of_series = ((view, series, True) for view, series in _series_views(assignment, pairs, spec.time_series or {}))
    for done, (view, series, is_beside) in enumerate(chain(views, of_series)):
        progress(min(0.99, done / len(pairs)), MEASURING, min(done, len(pairs)), len(pairs))
        record = records.get(view.table, wire.MetricsRecord())
        curves = series if series is not None and view.table == series.name else None
        if curves is not None:
            check_series_record(record, view.table)
        compared = compared_in(series, space(record, None if curves else made_with.get(view.table)))
        if is_privacy:
            params = replace(_privacy_params(record, compared, recipient), shadow=shadow_params(assignment, spec, view))
            measured = measure_privacy_view(view, params, spec.seed or 0)
        elif curves is not None:
            measured = measure_series_signal(curves, SignalParams(compared), spec.seed or 0)
        else:
            measured = measure_signal_view(view, SignalParams(compared, _predicted(record, view)), spec.seed or 0)
        if is_privacy and not is_beside:
            measured = without_link(measured, NO_LINK if view.table in promises else NOT_BESIDE)
        if view.table in promises:
            measured = not_private(measured)
        entry = _entry(view, measured)
        if view.table in promises:
            entry["metadata"][GUARANTEE] = promises[view.table]
        filename = metrics_file(view.table, view.computation, what, view.reference)
        write_json(folder / filename, entry)
        kind = ResultKind.PRIVACY_METRICS if is_privacy else ResultKind.SIGNAL_METRICS
        files.append(ResultFile(kind, filename))
        _add_meta(summary.setdefault(view.table, {}), view.reference or view.table, measured.meta)
    filename = f"{what}_metrics_summary.json"
    write_json(folder / filename, summary)
    summary_kind = ResultKind.PRIVACY_METRICS_SUMMARY if is_privacy else ResultKind.SIGNAL_METRICS_SUMMARY
    return [*files, ResultFile(summary_kind, filename)]


def _made_with(assignment: Assignment, spec: wire.MetricsSpec) -> dict[str, wire.MethodRecord]:
    """What each table was anonymized with; empty for avatars that come from elsewhere."""
    found = assignment.documents.find(spec.avatarization_ref or "standard", (DocumentKind.PARAMETERS,))
    if found is None:
        return {}
    said = wire.ParametersSpec.model_validate(found.spec)
    return {**(said.avatarization_open_dp or {}), **(said.avatarization_fast_dp or {}), **(said.avatarization or {})}


def _views(
    work: tuple[Assignment, Path],
    pairs: Sequence[tuple[wire.Table, Path]],
    said_of: tuple[Mapping[str, wire.MetricsRecord], Mapping[str, wire.MethodRecord]],
    private: Container[str],
) -> Iterator[tuple[View, None, bool]]:
    """Each table alone, then what links add to it; and whether each avatar stands beside its own original.

    A linked table of keys only has nothing to be measured alone.
    """
    assignment, folder = work
    records, made_with = said_of
    everything = [table for table, _ in pairs]
    of_series = series_links(everything)
    pairs = [pair for pair in pairs if pair[0].name not in {link.child for link in of_series}]
    tables = [table for table, _ in pairs]
    links = links_of(tables)
    linked = {name for link in (*links, *of_series) for name in (link.parent, link.child)}
    if linked:
        together = [(table, column_specs(table)) for table in everything]
        refuse_large(assignment, together, "metrics of tables with links")
    read: dict[str, ReadPair] = {}
    for table, avatars in pairs:
        origins = _origins(assignment, table.name, avatars)
        method = made_with.get(table.name)
        rows, avatar_rows, said, apart, sampled = _read_pair(assignment, (table, avatars, method), folder)
        avatar_rows, is_beside = _beside(
            table.name, (rows, avatar_rows, origins), linked, is_private=table.name in private
        )
        columns = measured_columns(table.name, said, method)
        pair = (rows, avatar_rows, columns)
        given = read_holdout(assignment, table, rows)
        holdout = apart if given is None else given
        if links:  # one table after the other needs less memory
            read[table.name] = pair
        if not (links or of_series) or has_attributes(table.name, pair, (*links, *of_series)):
            alone = Computation.STANDALONE
            sides = rows, avatar_rows, tuple(columns)
            view = View(table.name, alone, None, *sides, None, holdout, origins)
            if sampled is not None:
                view = replace(view, sampled_from=sampled.of, whole=sampled.whole)
            yield view, None, is_beside
            if assignment.kind is JobKind.PRIVACY_METRICS:
                yield from ((mean, None, is_beside) for mean in mean_views(view))
    spaces = {name: space(records.get(name, wire.MetricsRecord()), made_with.get(name)) for name in read}
    yield from ((view, None, True) for view in cross_views(tables, read, spaces, assignment.kind))


def _series_views(
    assignment: Assignment, pairs: Sequence[tuple[wire.Table, Path]], settings: Mapping[str, wire.TimeSeriesRecord]
) -> Iterator[tuple[View, SeriesPair]]:
    """Series as their people show them, alone and with the people's rows; tables without series are not read again."""
    tables = [table for table, _ in pairs]
    concerned = {name for link in series_links(tables) for name in (link.parent, link.child)}
    read = {table.name: _read_sides(assignment, table, avatars) for table, avatars in pairs if table.name in concerned}
    found = pair_up_series([table for table in tables if table.name in concerned], read, settings)
    yield from series_views(found, read)


def _predicted(record: wire.MetricsRecord, view: View) -> str | None:
    """The column that a model is to predict; it is tried on the table alone."""
    return record.target if view.computation is Computation.STANDALONE else None


def _add_meta(cells: dict[str, float | None], reference: str, meta: float | None) -> None:
    """One number for each pair of tables: the least of its entries."""
    known = [value for value in (cells.get(reference), meta) if value is not None]
    cells[reference] = min(known, default=None)


def _privacy_params(record: wire.MetricsRecord, compared: Space, recipient: str) -> PrivacyParams:
    default = PrivacyParams()
    threshold = record.quantile_threshold
    return PrivacyParams(
        space=compared,
        known_variables=tuple(record.known_variables or ()),
        groups=tuple(record.groups or ()),
        target=record.target,
        quantile_threshold=default.quantile_threshold if threshold is None else float(threshold),
        recipient=recipient,
    )


def _pairs(assignment: Assignment, spec: wire.MetricsSpec) -> list[tuple[wire.Table, Path]]:
    """Tables of the original schema with the file of their avatars: supplied by the user, or made by `standard`."""
    avatarized = assignment.documents.schema(spec.schema_)
    original = assignment.documents.schema(avatarized.schema_ref) if avatarized and avatarized.schema_ref else None
    if avatarized is None or original is None:
        raise JobFault(f"The schema {spec.schema_!r} does not say which original schema it belongs to.")
    check_schema(original)
    check_series(original, spec.time_series or {})
    tables = {table.name: table for table in original.tables}
    made = {
        table_of(file.filename, "unshuffled"): file.path
        for file in assignment.results_of(JobKind.STANDARD, ResultKind.UNSHUFFLED)
    }
    pairs = []
    for table in avatarized.tables:
        if table.name not in tables:
            raise JobFault(f"Table {table.name!r} of schema {spec.schema_!r} is not in the original schema.")
        if table.avatars_data is not None and table.avatars_data.file is not None:
            path = assignment.input_file(table.name, table.avatars_data.file)
        elif escaped(table.name) in made:
            path = made[escaped(table.name)]
        elif made:
            continue  # the standard job had no method for this table, so there is nothing to measure
        else:
            raise JobFault(f"Table {table.name!r} has no avatars: run the standard job first or supply a file.")
        pairs.append((tables[table.name], path))
    return pairs


def _origins(assignment: Assignment, table: str, avatars: Path) -> Ids | None:
    """Whose avatar each row is, for augmented avatars of the standard job; None for one avatar each."""
    standard = {
        kind: {table_of(file.filename, name): file.path for file in assignment.results_of(JobKind.STANDARD, kind)}
        for kind, name in ((ResultKind.UNSHUFFLED, "unshuffled"), (ResultKind.ORIGINS, "origins"))
    }
    path = standard[ResultKind.ORIGINS].get(escaped(table))
    if path is None or standard[ResultKind.UNSHUFFLED].get(escaped(table)) != avatars:
        return None
    return to_numpy(read_table(path)["origin"].combine_chunks().cast(pa.int64()))


def _read_pair(
    assignment: Assignment, what: tuple[wire.Table, Path, wire.MethodRecord | None], folder: Path
) -> tuple[pa.Table, pa.Table, list[ColumnSpec], pa.Table | None, Sample | None]:
    """Originals that were anonymized, their avatars, what is said of the columns, and originals that were not.

    Of a table that does not fit into memory these are random rows, which the last then tells of.
    """
    table, avatars, method = what
    columns = column_specs(table)
    large = large_source(assignment.input_file(table.name, table.data.file if table.data else None), columns)
    if large is None:
        rows, avatar_rows, columns = _read_sides(assignment, table, avatars)
        rows, apart = set_apart(table.name, rows, method)
        return rows, avatar_rows, columns, apart, None
    no_share(table.name, method)
    sampled = read_sampled(table.name, (large, avatars), columns, folder)
    return sampled.rows, sampled.avatars, columns, None, sampled


def _beside(
    table: str, what: tuple[pa.Table, pa.Table, Ids | None], linked: Container[str], *, is_private: bool
) -> tuple[pa.Table, bool]:
    """As many avatars as there are originals, and whether each stands beside its own.

    Avatars that come from elsewhere may be more or fewer, as those of a private release are. Then none has an original
    of its own, and what rests on that is not measured.

    Raises:
        JobFault: they differ in number where other tables or an augmentation refer to rows.
    """
    rows, avatars, origins = what
    expected = rows.num_rows if origins is None else len(origins)
    if avatars.num_rows == expected and not is_private:
        return avatars, True
    if origins is not None or table in linked:
        raise JobFault(
            f"Table {table!r}: the original and the avatars have different numbers of rows."
            " Row by row, each avatar must stand where its original stands."
        )
    return as_many(avatars, rows.num_rows, 0), False


def _read_sides(assignment: Assignment, table: wire.Table, avatars: Path) -> ReadPair:
    """Originals and avatars of a table, both with the types of the originals."""
    columns = column_specs(table)
    types = declared_types(columns)
    rows = read_table(assignment.input_file(table.name, table.data.file if table.data else None), types)
    avatar_rows = read_table(avatars, text_columns(rows) | types)
    return rows, with_types_of(rows, avatar_rows), columns


def _entry(view: View, measured: Metrics) -> dict[str, Any]:
    rows, columns = view.size or view.original.shape
    values = {name: None if value is None else to_score(name, value) for name, value in measured.values.items()}
    return {
        **values,
        "targets": {name: target_to_score(name, measured.targets[name]) for name in values if name in measured.targets},
        "metadata": {
            "table_name": view.table,
            "computation_type": view.computation,
            "reference": view.reference,
            "rows": rows_bucket(view.sampled_from or rows),
            "columns": columns,
            **_sample(view),
            "meta": measured.meta,
            "population": dict(measured.population),
            "intervals": {name: _interval(name, ends) for name, ends in measured.intervals.items()},
            "references": _scores(measured.references),
            "notes": _notes(view, measured),
            **_distances(view, measured),
        },
    }


def _distances(view: View, measured: Metrics) -> dict[str, Any]:
    """The distance of each column of a table alone; other views have columns that only a model sees."""
    alone = view.computation is Computation.STANDALONE and measured.distances
    return {COLUMN_HELLINGER: dict(measured.distances)} if alone else {}


def _notes(view: View, measured: Metrics) -> dict[str, str]:
    """Notes of metrics, and how far each can be read when a sample was measured."""
    if view.sampled_from is None:
        return dict(measured.notes)
    of_sample = sample_notes(view.original.num_rows, measured.values)
    return of_sample | {name: f"{note} {of_sample.get(name, '')}".strip() for name, note in measured.notes.items()}


def _sample(view: View) -> dict[str, Any]:
    """How many random rows of a table were measured that does not fit into memory."""
    if view.sampled_from is None:
        return {}
    return {"sample": {"rows": view.original.num_rows, "of": rows_bucket(view.sampled_from)}}


def _interval(name: str, ends: tuple[float, float]) -> list[float]:
    """An interval on the scale of the wire, lower end first."""
    return sorted(to_score(name, end) for end in ends)


def _scores(values: Mapping[str, float]) -> dict[str, float]:
    return {name: to_score(name, value) for name, value in values.items()}
