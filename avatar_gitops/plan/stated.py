"""What the documents of a run say in the words of its spec, the same wherever they are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.spec.models import ColumnTag, Table
from avatar_gitops.wire.stated import STATED_FIELDS, Stated

CALIBRATION: Final = ("data_recipient", "data_type", "data_subject", "sensitivity_level")


def stated_in(desired: DesiredSet) -> Stated:
    """What a spec and its data files state for the documents of a run."""
    spec = desired.run.spec
    texts: dict[str, Any] = {field: getattr(spec.pia, field) for field in STATED_FIELDS if field != "owner"}
    identifiers = {name: tuple(_kept_identifiers(table)) for name, table in spec.tables.items()}
    return Stated(
        owner=desired.run.metadata.owner,
        **texts,
        direct_identifiers={name: columns for name, columns in identifiers.items() if columns},
        input_digests={item.table: item.digest for item in desired.inputs},
        sources=dict(_sources(desired)),
    )


def _kept_identifiers(table: Table) -> Iterator[str]:
    """Columns that name a person and are still in the output as they were."""
    for column, said in table.columns.items():
        kept = not (said.drop or said.pseudonymization or said.primary_key or said.identifier)
        if said.tag is ColumnTag.IDENTIFIER and kept:
            yield column


def _sources(desired: DesiredSet) -> Iterator[tuple[str, str]]:
    """Field of the context to its place in the spec file."""
    places: dict[str, tuple[str, ...]] = {"owner": ("metadata", "owner")}
    places |= {field: ("spec", "pia", field) for field in (*STATED_FIELDS, *CALIBRATION) if field != "owner"}
    for field, path in places.items():
        if path in desired.lines:
            yield field, f"{'.'.join(path[1:])}, {':'.join(map(str, desired.place(path)))}"
    for table in desired.run.spec.tables:
        place = ("spec", "tables", table)
        if place in desired.lines:
            yield f"table.{table}", ":".join(map(str, desired.place(place)))
