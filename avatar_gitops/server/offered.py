"""What this version of the platform can run, said in `capabilities` and checked at the start of each job."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from avatar_gitops import __version__
from avatar_gitops.server.faults import JobFault
from avatar_gitops.server.processing import FEATURES as PROCESSORS
from avatar_gitops.wire import documents as wire

ENGINE: Final = f"avatar-gitops-engine/{__version__}"
FEATURES: Final = (
    "avatarization",
    "open_dp",
    "fast_dp",
    "dp:declarations",
    "generation:barycentre",
    "generation:local_gaussian",
    "column_weights",
    "column_types",
    "drop",
    "use_categorical_reduction",
    "transform_skewed",
    "exclude_variables",
    "data_augmentation",
    "pseudonymization",
    "pseudonymization:key",
    "pseudonymization:locale",
    "imputation:knn",
    "imputation:fast_knn",
    "imputation:mean",
    "imputation:median",
    "imputation:mode",
    "individual_level:false",
    "links:linear_sum_assignment",
    "links:minimum_distance_assignment",
    "links:sensitive_original_order_assignment",
    "links:time_series",
    "time_series",
    "time_series:unalignment",
    "metrics_only",
    "holdout",
    "holdout_share",
    "shadow_run",
    "groups",
    "signal_target",
    "privacy_metrics",
    "signal_metrics",
    *PROCESSORS,
    "advice:parameters",
    "advice:tables_links",
    "figures",
    "report:pdf",
    "report:docx",
    "report_pia:docx",
    "results:csv",
    "results:parquet",
)

# The same in the hosted platform's own, coarser words.
SCOPES: Final = (
    "avatar_parameters",
    "single_table",
    "multi_table",
    "time_series",
    "report",
    "geolocalization",
    "privacy_assessment",
    "differential_privacy",
    "data_augmentation",
)

TIME_SERIES: Final = "time_series"


def check_schema(schema: wire.SchemaSpec, private: Collection[str] = ()) -> None:
    """Refuse what a schema asks for and this version cannot do; `private` tables have a unit of privacy of their own.

    Raises:
        JobFault: names the table, the column and the parameter.
    """
    children = {link.to.table for table in schema.tables for link in table.links or []}
    for table in schema.tables:
        if table.individual_level is False and table.name not in {*children, *private}:
            raise JobFault(
                f"Table {table.name!r} has several rows for each person (individual_level: false) but no parent table."
                " Link the table of the people it is about to it."
            )


def check_parameters(spec: wire.ParametersSpec) -> None:
    """The same for an avatarization.

    Raises:
        JobFault: names the table and the parameter.
    """
    for table, record in (spec.avatarization or {}).items():
        if record.k is None:
            raise JobFault(f"Table {table!r}: expected k to be set.")


def check_series(schema: wire.SchemaSpec, records: Mapping[str, wire.TimeSeriesRecord]) -> None:
    """Refuse time series whose people or times are not known, and settings of tables that are no series.

    Raises:
        JobFault: names the table and the parameter.
    """
    children = {link.to.table for table in schema.tables for link in table.links or [] if link.method == TIME_SERIES}
    for table in schema.tables:
        times = [column for column in table.columns or [] if column.time_series_time]
        if times and table.name not in children:
            raise JobFault(
                f"Table {table.name!r} has a time column (time_series_time) but no link of the method time_series."
                " Link it from the primary key of the table of its people."
            )
        if table.name in children and len(times) != 1:
            raise JobFault(
                f"Table {table.name!r} is linked as time series and needs exactly one time column."
                " Declare it with time_series_time."
            )
    for name, record in records.items():
        if name not in children:
            raise JobFault(
                f"Table {name!r} has settings of time series (time_series) but is not linked as one."
                " Link it from the table of its people by the method time_series."
            )
        if record.exclude_variables is not None and record.exclude_variables.variable_names:
            _refuse(name, "excluded variables of time series (time_series: exclude_variables); drop them instead")


def _refuse(table: str, what: str) -> None:
    raise JobFault(f"Table {table!r}: this version of the platform does not offer {what}.")
