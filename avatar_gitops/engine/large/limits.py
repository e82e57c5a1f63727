"""Which tables are large, what can be asked for them, and into how many batches they go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa

from avatar_gitops.engine.batches import bounds_of_batches, estimate_memory, smallest_batch
from avatar_gitops.engine.columns import is_text
from avatar_gitops.engine.frame import Layout, modelled
from avatar_gitops.engine.large.source import Source
from avatar_gitops.engine.params import AvatarParams, ColumnSpec, ColumnType, Limits, Replacement
from avatar_gitops.engine.pseudonyms.numbered import check_numbered
from avatar_gitops.engine.space import DEFAULT_NCP
from avatar_gitops.errors import EngineError

# Bytes per row of a batch and numeric column, categorical column, axis, and anyway; measured (`benchmarks memory`).
_BATCH_BYTES: Final = (34, 18, 34, 40)
_CATEGORIES: Final = frozenset({ColumnType.CATEGORY, ColumnType.BOOL})


def needed_memory(source: Source, specs: Sequence[ColumnSpec], ncp: int | None) -> int:
    """Bytes of a run that holds all rows, by the number of rows and the types of the columns.

    The rows of a CSV are its lines, and its types those of its first rows: nothing is read twice for the estimate.
    """
    widths = [0, 0]
    for spec in modelled(source.schema.names, specs):
        kind = source.schema.field(spec.name).type
        is_category = spec.type in _CATEGORIES if spec.type else is_text(kind) or pa.types.is_boolean(kind)
        widths[is_category] += 1
    return estimate_memory(source.rows_at_most(), (widths[0], widths[1], ncp or DEFAULT_NCP))


def check_possible(names: Sequence[str], specs: Sequence[ColumnSpec], params: AvatarParams) -> None:
    """Raises EngineError, with the way out, when a run asks for something that needs all rows at once."""
    modelled(names, specs)  # names that the table does not have come first
    exclude = params.space.exclude
    asked: Mapping[str, bool] = {
        "column processors": bool(params.processors),
        "data augmentation": params.augmentation is not None,
        "excluded variables that come from similar rows (coordinate_similarity)": exclude is not None
        and exclude.replacement is Replacement.COORDINATE_SIMILARITY,
    }
    for what, wanted in asked.items():
        if wanted:
            raise needs_all_rows(what)
    dropped = {spec.name for spec in specs if spec.drop}
    check_numbered([spec for spec in specs if not spec.drop], set(names) - dropped)


def needs_all_rows(what: str) -> EngineError:
    """What a large table says that cannot be anonymized in pieces."""
    return EngineError(
        f"The table does not fit into the memory of a run, and all its rows are needed at once for {what}.",
        hint="Drop columns that nobody needs, give fewer rows, do without, or let whoever runs the platform allow more"
        " memory.",
    )


def count_large_batches(rows: int, layout: Layout, params: AvatarParams, limits: Limits) -> int:
    """How many batches a table needs that is anonymized from file to file.

    Raises EngineError when not even the smallest batches fit into the memory.
    """
    wanted, most = bounds_of_batches(rows, params.k, limits)
    if limits.memory is None:
        return wanted
    width = (len(layout.numbers), len(layout.categories), params.space.ncp or DEFAULT_NCP, 1)
    row = sum(size * count for size, count in zip(_BATCH_BYTES, width, strict=True))
    wanted = max(wanted, -(-rows * row // limits.memory))
    if wanted > most:
        raise EngineError(
            f"The table needs more than {max(1, limits.memory >> 20)} MiB of memory, even in batches of"
            f" {smallest_batch(params.k):,} rows.",
            hint="Drop columns that nobody needs, take a smaller k, or allow more memory.",
        )
    return wanted
