"""People who were not anonymized, for the attacks that need them: from an uploaded holdout or a shadow run."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from avatar_gitops.engine.buffers import cast_or_none
from avatar_gitops.engine.columns import is_text
from avatar_gitops.engine.links.views import Computation, View
from avatar_gitops.engine.params import AvatarParams, ColumnType, declared_types
from avatar_gitops.engine.tables import read_table
from avatar_gitops.server.assignment import Assignment
from avatar_gitops.server.faults import JobFault
from avatar_gitops.server.work_avatars import avatar_params, column_specs
from avatar_gitops.wire import documents as wire
from avatar_gitops.wire.documents import DocumentKind


def read_holdout(assignment: Assignment, table: wire.Table, rows: pa.Table) -> pa.Table | None:
    """The holdout of a table, typed as its original rows; None when the set has none."""
    if table.holdout_data is None or table.holdout_data.file is None:
        return None
    types = declared_types(column_specs(table))
    holdout = read_table(assignment.input_file(table.name, table.holdout_data.file), text_columns(rows) | types)
    return with_types_of(rows, holdout)


def shadow_params(assignment: Assignment, spec: wire.MetricsSpec, view: View) -> AvatarParams | None:
    """How avatars of a table are made again, when its metrics ask for a shadow run and it has no holdout.

    Raises:
        JobFault: the avatars were not made by the avatar method in this set, so they cannot be made again.
    """
    record = (spec.privacy_metrics or {}).get(view.table)
    wanted = record is not None and record.shadow_run and view.holdout is None
    if not wanted or view.computation is not Computation.STANDALONE:
        return None
    found = assignment.documents.find(spec.avatarization_ref or "standard", (DocumentKind.PARAMETERS,))
    made = wire.ParametersSpec.model_validate(found.spec).avatarization if found is not None else None
    if view.table not in (made or {}):
        raise JobFault(
            f"Table {view.table!r}: a shadow run makes the avatars again, and this set did not make them with k."
            " Give a holdout instead, or take shadow_run out."
        )
    return avatar_params(view.table, (made or {})[view.table])


def text_columns(rows: pa.Table) -> dict[str, ColumnType]:
    """Text stays text in every other table of the same columns, even where its values look like numbers."""
    return {name: ColumnType.CATEGORY for name in rows.column_names if is_text(rows[name].type)}


def with_types_of(rows: pa.Table, avatars: pa.Table) -> pa.Table:
    """The avatars with the column types of the originals where that is possible: CSV does not keep types."""
    for index, name in enumerate(avatars.column_names):
        if name not in rows.column_names:
            continue
        wanted = rows.schema.field(name).type
        if avatars.column(index).type != wanted:
            fitting = _as(avatars.column(index), wanted)
            if fitting is not None:  # the engine says what does not fit
                avatars = avatars.set_column(index, name, fitting)
    return avatars


def _as(values: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | None:
    """Values as another type; times of day that are finer than seconds are text in a CSV."""
    if pa.types.is_time(kind) and is_text(values.type):
        day = pa.scalar("1970-01-01", pa.string())
        moments = pc.binary_join_element_wise(day, values.cast(pa.string()), " ")
        values = cast_or_none(moments, pa.timestamp(kind.unit))
    return None if values is None else cast_or_none(values, kind)
