"""Rows that a run keeps apart: they are not anonymized, and the attacks of its metrics use them as control.

Which rows those are depends on the name of the table, the share and the number of rows only, so that the metrics job
finds the rows that the standard job left out. Reserving rows makes the deliverable smaller, so it must be asked for.
"""

from __future__ import annotations

import pyarrow as pa

from avatar_gitops.engine.holdout import FEWEST, split
from avatar_gitops.server.faults import JobFault
from avatar_gitops.wire import documents as wire


def set_apart(table: str, rows: pa.Table, record: wire.MethodRecord | None) -> tuple[pa.Table, pa.Table | None]:
    """The rows to anonymize and those kept apart; all and None when the record names no share.

    Raises:
        JobFault: the share leaves too few rows on one side.
    """
    share = record.holdout_share if record is not None else None
    if share is None:
        return rows, None
    used, apart = split(rows.num_rows, float(share), 0, table)
    if min(len(used), len(apart)) < FEWEST:
        raise JobFault(
            f"Table {table!r}: holdout_share leaves fewer than {FEWEST} rows on one side."
            " Choose another share, or take it out and give a holdout file."
        )
    return rows.take(used), rows.take(apart)


def check_shares(schema: wire.SchemaSpec, spec: wire.ParametersSpec) -> None:
    """Refuse shares where no rows can be kept apart.

    Raises:
        JobFault: a table with links, whose rows hang together, or one under differential privacy.
    """
    linked = {name for table in schema.tables for link in table.links or [] for name in (table.name, link.to.table)}
    for table, cut in (spec.avatarization or {}).items():
        if cut.holdout_share is not None and table in linked:
            raise JobFault(
                f"Table {table!r}: holdout_share cannot cut a table with links. Give a holdout file instead."
            )
    private: dict[str, wire.MethodRecord] = {**(spec.avatarization_open_dp or {}), **(spec.avatarization_fast_dp or {})}
    for table, record in private.items():
        if record.holdout_share is not None:
            raise JobFault(
                f"Table {table!r}: holdout_share goes with k, not with differential privacy."
                " Give a holdout file instead."
            )
