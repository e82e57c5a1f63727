"""Tables under differential privacy in the `standard` job: what is refused, the release, and its promise as plain data.

The rows of a release belong to nobody. So the row-aligned result is the deliverable itself, and there are no
projections: those of the originals, and the axes of those of the avatars, would be read off the rows without noise.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from avatar_gitops.assessment.guarantee import GUARANTEE
from avatar_gitops.engine.dp.params import DEFAULT_RATIO, DpModel, DpParams, Guarantee, PrivacyUnit, PublicColumn
from avatar_gitops.engine.dp.run import release
from avatar_gitops.engine.params import ColumnSpec, declared_types
from avatar_gitops.engine.tables import read_table, write_table
from avatar_gitops.server.assignment import Assignment, ResultFile
from avatar_gitops.server.faults import JobFault
from avatar_gitops.server.limits import run_limits
from avatar_gitops.server.made import output_format
from avatar_gitops.server.naming import table_file
from avatar_gitops.server.result_json import read_json
from avatar_gitops.wire import documents as wire
from avatar_gitops.wire.models import JobKind, ResultKind

SEED_NOTE: Final = (
    "The noise comes from the operating system: a seed does not repeat it, which would void the guarantee."
)

NO_GUARANTEE: Final = {
    "exclude_variables": "excluded variables (exclude_variables) come back as they are",
    "imputation": "filling missing values (imputation) looks at other rows; they are a category of their own",
    "use_categorical_reduction": "categorical reduction (use_categorical_reduction) would be learned from the rows",
    "data_augmentation": "the budget is for one release of about as many rows as there are (data_augmentation)",
    "avatarization_processors_parameters": "processors (avatarization_processors_parameters) restore values of rows",
}


def private_records(spec: wire.ParametersSpec) -> dict[str, wire.BudgetRecord]:
    """Records of the tables under differential privacy, whatever their method; no table has two."""
    return {**(spec.avatarization_open_dp or {}), **(spec.avatarization_fast_dp or {})}


def check_links(schema: wire.SchemaSpec, private: Collection[str]) -> None:
    """Refuse links of tables under differential privacy.

    Raises:
        JobFault: names the table and the reason.
    """
    for table in schema.tables:
        for link in table.links or []:
            for name in (table.name, link.to.table):
                if name in private:
                    raise JobFault(
                        f"Table {name!r}: no guarantee of differential privacy, because it is linked (links), and a"
                        " person may have rows in both tables. Release the tables apart, or use k."
                    )


def check_private(table: wire.Table, record: wire.BudgetRecord) -> None:
    """Refuse what voids the promise.

    Raises:
        JobFault: names the table, the parameter and the reason.
    """
    for name, why in NO_GUARANTEE.items():
        if _is_said(getattr(record, name)):
            raise JobFault(f"Table {table.name!r}: no guarantee of differential privacy, because {why}. Leave it out.")
    if table.individual_level is False and record.unit is None:
        raise JobFault(
            f"Table {table.name!r} has several rows per person (individual_level: false). Say which column names the"
            " person and how many rows count at most (unit: column, max_rows), or one row would be protected only."
        )


Private = tuple[wire.Table, wire.BudgetRecord, list[ColumnSpec]]
"""A table, its record, and what the schema says of its columns."""


def release_tables(
    assignment: Assignment, folder: Path, private: Sequence[Private], results: wire.Results | None, seed: int
) -> tuple[list[ResultFile], dict[str, dict[str, Any]]]:
    """The files of all releases, and by table what the metadata of the run say of them."""
    files: list[ResultFile] = []
    facts: dict[str, dict[str, Any]] = {}
    for what in private:
        made, facts[what[0].name] = _release_table(assignment, folder, what, results, seed)
        files += made
    return files, facts


def _release_table(
    assignment: Assignment, folder: Path, what: Private, results: wire.Results | None, seed: int
) -> tuple[list[ResultFile], dict[str, Any]]:
    table, record, columns = what
    check_private(table, record)
    source = assignment.input_file(table.name, table.data.file if table.data else None)
    rows = read_table(source, declared_types(columns))
    most = run_limits().rows
    if most is not None and rows.num_rows > most:  # a release has one budget: it cannot be made in batches
        raise JobFault(f"Table {table.name!r} has more than {most} rows, the limit of this platform.")
    made = release(rows, columns, dp_params(table, record), seed, table.name)
    extension = output_format(results, source)
    files = []
    for kind, name in ((ResultKind.SHUFFLED, "shuffled"), (ResultKind.UNSHUFFLED, "unshuffled")):
        filename = table_file(table.name, name, extension)
        write_table(made.table, folder / filename, extension)
        files.append(ResultFile(kind, filename))
    return files, {GUARANTEE: promise(made.guarantee), "warnings": list(made.guarantee.warnings)}


def dp_params(table: wire.Table, record: wire.BudgetRecord) -> DpParams:
    """The engine's parameters for one record.

    Raises:
        JobFault: a name or a number means nothing.
    """
    unit = record.unit
    model, bins, components, percentile = _model(table.name, record)
    for name, number in (("bins", bins), ("gmm_n_components", components), ("rows", record.rows)):
        if number is not None and number < (1 if name == "gmm_n_components" else 2):
            raise JobFault(f"Table {table.name!r}: {name} is too small.")
    default = DpParams(1.0)
    return DpParams(
        epsilon=record.epsilon,
        model=model,
        delta=record.delta,
        preprocess_ratio=DEFAULT_RATIO if record.preprocess_budget_ratio is None else record.preprocess_budget_ratio,
        public={column.field: _public(column.public) for column in table.columns or [] if column.public is not None},
        unit=PrivacyUnit() if unit is None else PrivacyUnit(unit.column, unit.max_rows or 1),
        rows=record.rows,
        ncp=record.ncp,
        bins=bins,
        components=default.components if components is None else components,
        bounds_percentile=default.bounds_percentile if percentile is None else percentile,
    )


def promise(guarantee: Guarantee) -> dict[str, Any]:
    """A promise as plain data; the stages name what was measured and what each cost."""
    return {
        "unit": "person",
        **{name: value for name, value in asdict(guarantee).items() if name != "warnings"},
        "reproducible": False,
        "note": SEED_NOTE,
    }


def promises_of(assignment: Assignment) -> dict[str, dict[str, Any]]:
    """Promises by table of the `standard` job before this one; tables without differential privacy have none."""
    found: dict[str, dict[str, Any]] = {}
    for file in assignment.results_of(JobKind.STANDARD, ResultKind.RUN_METADATA):
        for table, facts in (read_json(file.path).get("tables") or {}).items():
            if GUARANTEE in facts:
                found[table] = facts[GUARANTEE]
    return found


def _model(table: str, record: wire.BudgetRecord) -> tuple[DpModel, int | None, int | None, float | None]:
    """The model of a record with its bins, components and percentile."""
    if isinstance(record, wire.OpenDpRecord):
        return DpModel.MARGINALS, record.bins, None, None
    assert isinstance(record, wire.FastDpRecord)
    mechanisms = {model.value: model for model in DpModel if model is not DpModel.MARGINALS}
    chosen = mechanisms.get(record.mechanism or DpModel.GAUSSIAN.value)
    if chosen is None:
        raise JobFault(f"Table {table!r}: the mechanism of fast_dp is not one of {', '.join(mechanisms)}.")
    return chosen, record.histogram_n_bins, record.gmm_n_components, record.bounds_percentile


def _public(said: wire.PublicValues) -> PublicColumn:
    categories = None if said.categories is None else tuple(said.categories)
    return PublicColumn(said.lower, said.upper, categories, bool(said.complete))


def _is_said(value: object) -> bool:
    """Whether a parameter asks for something; an imputation without a method asks for nothing."""
    if isinstance(value, wire.Imputation):
        return value.method is not None or bool(value.return_data_imputed)
    if isinstance(value, wire.ExcludeVariables):
        return bool(value.variable_names)
    return bool(value)
