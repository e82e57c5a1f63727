"""The `standard` job: each table through the engine, avatars and projections into files."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from avatar_gitops.engine.figures.draw import DISTRIBUTIONS, FigureOptions, draw_figures
from avatar_gitops.engine.params import (
    Augmentation,
    AvatarParams,
    Balancing,
    ColumnSpec,
    ColumnType,
    Exclusion,
    Facts,
    Generation,
    Imputation,
    ImputationMethod,
    Replacement,
    Space,
    declared_types,
)
from avatar_gitops.engine.pseudonyms.kinds import Pseudonym
from avatar_gitops.engine.run import avatarize
from avatar_gitops.engine.tables import read_table
from avatar_gitops.server.apart import check_shares, set_apart
from avatar_gitops.server.assignment import Assignment, Progress, ResultFile
from avatar_gitops.server.faults import JobFault
from avatar_gitops.server.limits import run_limits
from avatar_gitops.server.made import Made, output_format, run_facts, write_made
from avatar_gitops.server.offered import check_parameters, check_schema, check_series
from avatar_gitops.server.processing import measured_columns, read_processors
from avatar_gitops.server.pseudonyms import pseudonym
from avatar_gitops.server.work_dp import check_links, private_records, release_tables
from avatar_gitops.server.work_figures import write_figures
from avatar_gitops.server.work_large import anonymize_large, large_source, no_share, refuse_large
from avatar_gitops.wire import documents as wire
from avatar_gitops.wire.models import ResultKind

AVATARIZING: Final = "anonymizing tables"
WRITING: Final = "writing tables"
DRAWING: Final = "drawing figures"
MAKING_SHARE: Final = 0.6  # of the whole job; then come files and figures
WRITTEN_SHARE: Final = 0.7

Together = Callable[
    [Assignment, wire.SchemaSpec, Mapping[str, wire.AvatarizationRecord], wire.Results | None, int], list[Made]
]
"""How tables with links are anonymized: all at once, with a seed."""


def run_standard(
    assignment: Assignment, folder: Path, progress: Progress, together: Together
) -> tuple[list[ResultFile], dict[str, Any]]:
    """Avatars, their row-aligned form and both projections of every table that has a method; facts for the metadata."""
    spec = wire.ParametersSpec.model_validate(assignment.parameters.spec)
    schema = assignment.documents.schema(spec.schema_)
    if schema is None:
        raise JobFault(f"The set has no schema called {spec.schema_!r}.")
    budgets = private_records(spec)
    check_schema(schema, budgets)
    check_links(schema, budgets)
    check_parameters(spec)
    check_series(schema, spec.time_series or {})
    check_shares(schema, spec)
    records = spec.avatarization or {}
    tables = [table for table in schema.tables if table.name in records]
    private = [(table, budgets[table.name], column_specs(table)) for table in schema.tables if table.name in budgets]
    if not tables and not private:
        raise JobFault("No table has an avatarization method. Set k for at least one table.")
    for table, _, columns in private:
        refuse_large(assignment, [(table, columns)], "a private release, which has one budget for all of them")
    # Without a seed nobody, not even the owner, can draw the same numbers again.
    seed = spec.seed if spec.seed is not None else secrets.randbits(63)
    if any(table.links for table in schema.tables):
        refuse_large(assignment, [(table, column_specs(table)) for table in schema.tables], "links between tables")
        progress(0.0, AVATARIZING, 0, len(tables))
        made = together(assignment, schema, records, spec.results, seed)
    else:
        made = []
        for done, table in enumerate(tables):

            def tell(share: float, done: int = done) -> None:
                progress(MAKING_SHARE * (done + share) / len(tables), AVATARIZING, done, len(tables))

            tell(0.0)
            made.append(_anonymize(assignment, (table, records[table.name], spec.results), seed, folder, tell))
    progress(MAKING_SHARE, WRITING, 0, len(made))
    files = [file for item in made for file in write_made(item, folder)]
    progress(WRITTEN_SHARE, DRAWING, 0, len(made))
    if spec.compute_figures is not False:
        files += _figures(assignment, made, spec, folder)
    released, promises = release_tables(assignment, folder, private, spec.results, seed)
    order = list(ResultKind)
    facts = run_facts(made)
    facts["tables"] |= promises
    return sorted([*files, *released], key=lambda file: order.index(ResultKind(file.kind))), facts


def _anonymize(
    assignment: Assignment,
    what: tuple[wire.Table, wire.AvatarizationRecord, wire.Results | None],
    seed: int,
    folder: Path,
    tell: Callable[[float], None],
) -> Made:
    table, record, results = what
    columns = measured_columns(table.name, column_specs(table), record)
    params = avatar_params(table.name, record)
    path = assignment.input_file(table.name, table.data.file if table.data else None)
    large = large_source(path, columns, record.ncp)
    if large is not None:
        no_share(table.name, record)
        where = folder, output_format(results, path)
        return anonymize_large(large, (table.name, columns, params), where, seed, tell)
    rows, _ = set_apart(table.name, read_original(assignment, table)[0], record)
    limits = run_limits()
    avatars = avatarize(rows, columns, params, seed, table.name, limits)
    if record.data_augmentation and limits.rows is not None and avatars.shuffled.num_rows > limits.rows:
        raise JobFault(
            f"Table {table.name!r} would have more than {limits.rows} rows after the augmentation, the limit of this"
            " platform. Choose a smaller augmentation_strategy."
        )
    balanced = record.data_augmentation.target_column if record.data_augmentation else None
    return Made(table.name, rows, columns, avatars, output_format(results, path), balanced)


def read_original(assignment: Assignment, table: wire.Table) -> tuple[pa.Table, list[ColumnSpec], Path]:
    """The rows of a table, what is said of its columns, and its file."""
    source = assignment.input_file(table.name, table.data.file if table.data else None)
    columns = column_specs(table)
    rows = read_table(source, declared_types(columns))
    return rows, columns, source


def check_dimensions(table: str, facts: Facts) -> None:
    """Refuse a table that is wider than the limit of this platform."""
    limits = run_limits()
    if limits.dimensions is not None and facts.dimensions > limits.dimensions:
        raise JobFault(
            f"Table {table!r} has more than {limits.dimensions} dimensions (numeric columns plus categories),"
            " the limit of this platform. Drop columns with many categories or group their categories."
        )


def _figures(assignment: Assignment, made: Sequence[Made], spec: wire.ParametersSpec, folder: Path) -> list[ResultFile]:
    most = spec.results.max_distribution_plots if spec.results is not None else None
    recipient = assignment.documents.pia().datarecipient
    drawn = []
    for item in made:
        if item.figures is not None:
            drawn.append((item.name, list(item.figures)))
            continue
        exclude = space((spec.avatarization or {})[item.name]).exclude
        options = FigureOptions(DISTRIBUTIONS if most is None else most, item.class_column, recipient, exclude)
        drawn.append((item.name, draw_figures(item.original, item.avatars, item.columns, options)))
    return write_figures(drawn, folder)


def column_specs(table: wire.Table) -> list[ColumnSpec]:
    """What the schema says about columns, for the engine."""
    return [
        ColumnSpec(
            name=column.field,
            type=_column_type(table.name, column),
            drop=bool(column.drop),
            identifier=bool(column.identifier),
            primary_key=bool(column.primary_key),
            pseudonym=_pseudonym(table.name, column),
        )
        for column in table.columns or []
    ]


def _column_type(table: str, column: wire.Column) -> ColumnType | None:
    try:
        return ColumnType(column.type) if column.type is not None else None
    except ValueError:
        known = ", ".join(ColumnType)
        raise JobFault(f"Table {table!r}: the type of column {column.field!r} is not one of {known}.") from None


def _pseudonym(table: str, column: wire.Column) -> Pseudonym | None:
    if column.pseudonymization is None or column.drop:
        return None
    return pseudonym(f"Table {table!r}, column {column.field!r}", column.pseudonymization)


def avatar_params(table: str, record: wire.AvatarizationRecord) -> AvatarParams:
    """The engine's parameters for one record; absent fields take the engine's defaults."""
    return AvatarParams(
        k=record.k or 0,
        space=space(record),
        generation=Generation(record.generation) if record.generation else Generation.BARYCENTRE,
        augmentation=_augmentation(record.data_augmentation),
        processors=read_processors(table, record.avatarization_processors_parameters),
    )


def space(record: wire.MethodRecord | wire.MetricsRecord, made_with: wire.MethodRecord | None = None) -> Space:
    """The geometry that a record asks for.

    For metrics, `made_with` is the record of the anonymization: the columns that it excluded are in the deliverable and
    are measured, unless the record of the metrics excludes them itself.
    """
    is_measured = isinstance(record, wire.MetricsRecord)
    excluded = record.exclude_variables
    if excluded is None and made_with is not None:
        exclusion = _exclusion(made_with.exclude_variables, in_metrics=True)
    else:
        exclusion = _exclusion(excluded, in_metrics=not is_measured)
    return Space(
        ncp=record.ncp,
        column_weights={name: float(weight) for name, weight in (record.column_weights or {}).items()},
        imputation=_imputation(record.imputation),
        use_categorical_reduction=bool(record.use_categorical_reduction),
        transform_skewed=bool(record.transform_skewed),
        exclude=exclusion,
    )


def _exclusion(said: wire.ExcludeVariables | None, *, in_metrics: bool) -> Exclusion | None:
    if said is None or not said.variable_names:
        return None
    try:
        # metrics leave columns out in one way only
        replacement = Replacement(said.replacement_strategy or "") if in_metrics else Replacement.ROW_ORDER
    except ValueError:
        raise JobFault(
            "exclude_variables needs a replacement_strategy: coordinate_similarity, which copies the excluded values of"
            " a similar row, or row_order, which keeps real values with the avatar of their own person."
        ) from None
    return Exclusion(tuple(said.variable_names), replacement, in_metrics)


def _augmentation(said: wire.DataAugmentation | None) -> Augmentation | None:
    if said is None:
        return None
    strategy = said.augmentation_strategy
    if isinstance(strategy, str):
        try:
            strategy = Balancing(strategy)
        except ValueError:
            raise JobFault(
                f"The augmentation strategy is neither a number nor one of {', '.join(Balancing)}."
            ) from None
    return Augmentation(strategy, said.target_column, said.should_anonymize_original_table is not False)


def _imputation(said: wire.Imputation | None) -> Imputation | None:
    if said is None:
        return None
    try:
        method = ImputationMethod(said.method) if said.method is not None else None
    except ValueError:
        raise JobFault(f"The imputation method is not one of {', '.join(ImputationMethod)}.") from None
    return Imputation(method, said.k, said.training_fraction, bool(said.return_data_imputed))
