"""Processors on the wire: records of `avatarization_processors_parameters` as the engine's parameters.

The platform's own two records are untagged and told apart by their keys; the others are an addition of the embedded
platform and say their `kind`. Keys that are not known are left aside, as everywhere in documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from avatar_gitops.engine.params import ColumnSpec
from avatar_gitops.engine.processors import params as asked
from avatar_gitops.engine.processors.chain import with_identifiers
from avatar_gitops.server.faults import JobFault
from avatar_gitops.wire import documents as wire

KINDS: Final[Mapping[str, type[Any]]] = {
    "datetime": asked.Datetime,
    "group_modalities": asked.GroupModalities,
    "to_categorical": asked.ToCategorical,
    "proportions": asked.Proportions,
    "perturbation": asked.Perturbation,
    "expected_mean": asked.ExpectedMean,
    "geolocation_normalization": asked.GeolocationNormalization,
    "inter_record_cumulated_difference": asked.CumulatedDifference,
    "inter_record_bounded_cumulated_difference": asked.BoundedCumulatedDifference,
    "inter_record_bounded_range_difference": asked.BoundedRangeDifference,
}
FEATURES: Final = ("avatarization_processors_parameters", *(f"processors:{kind}" for kind in KINDS))
"""What `GET /capabilities` says of processors."""


def read_processors(table: str, records: Sequence[Mapping[str, Any]] | None) -> tuple[asked.Processor, ...]:
    """The processors of one table, in order.

    Raises:
        JobFault: names the table, the place in the list and the parameter.
    """
    return tuple(_read(table, at, record) for at, record in enumerate(records or (), start=1))


def measured_columns(table: str, columns: Sequence[ColumnSpec], record: wire.MethodRecord | None) -> list[ColumnSpec]:
    """Columns as metrics and figures see them: what tells people apart for a processor is an identifier.

    Both are made on the columns of the user, before and after; what processors make of them is seen by the model only.
    `record` is what the avatars were made with, None for avatars that come from elsewhere.
    """
    if record is None:
        return list(columns)
    aside = record.exclude_variables.variable_names if record.exclude_variables is not None else ()
    return with_identifiers(columns, read_processors(table, record.avatarization_processors_parameters), aside)


def _read(table: str, at: int, record: Mapping[str, Any]) -> asked.Processor:
    where = f"Table {table!r}, item {at} of avatarization_processors_parameters"
    kind = _kind(where, record)
    said = {key: value for key, value in record.items() if value is not None and key != "kind"}
    try:
        found: asked.Processor = TypeAdapter(kind).validate_python(said)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"][:1]) or "a parameter"
        problem = "is missing" if first["type"] == "missing" else "has a value of the wrong kind"
        raise JobFault(f"{where}: {name} {problem}.") from None
    return found


def _kind(where: str, record: Mapping[str, Any]) -> type[Any]:
    kind = record.get("kind")
    if kind is not None:
        if kind not in KINDS:
            raise JobFault(f"{where}: the kind of processor is not one of {', '.join(KINDS)}.")
        found: type[Any] = KINDS[kind]
        return found
    if "id_variable" in record:
        return asked.RangeDifference
    if "target" in record:
        return asked.RelativeDifference
    raise JobFault(
        f"{where}: expected id_variable, target_start_variable and target_end_variable, or target and references."
    )
