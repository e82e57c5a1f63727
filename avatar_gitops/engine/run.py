"""Avatarization of one table: from an Arrow table to its avatars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.augmentation import copy_numbers, plan_origins
from avatar_gitops.engine.batches import count_batches, draw_rows, tell_batches
from avatar_gitops.engine.buffers import to_arrow
from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.exclusion import put_back, set_aside
from avatar_gitops.engine.facts import gather_facts, rows_bucket, tally
from avatar_gitops.engine.frame import Frame, Layout, check_keys, encode, fit_layout
from avatar_gitops.engine.keys import fresh_keys
from avatar_gitops.engine.limits import check_dimensions
from avatar_gitops.engine.neighbours import Rows
from avatar_gitops.engine.params import AvatarParams, ColumnSpec, Facts, Generation, Limits
from avatar_gitops.engine.processors.chain import fit_chain
from avatar_gitops.engine.processors.params import ExpectedMean
from avatar_gitops.engine.space import fit_space
from avatar_gitops.engine.streams import stream
from avatar_gitops.engine.threads import single_threaded_algebra
from avatar_gitops.errors import EngineError

NO_LIMITS: Final = Limits()


@dataclass(slots=True, frozen=True)
class Avatars:
    """The avatars of one table.

    `unshuffled` row i is the avatar of original row i (sensitive), `shuffled` is the deliverable. After an augmentation
    `unshuffled` goes on with further avatars, and `origins` names the original row of each (None when there are none);
    when originals are kept, the first rows are the originals themselves. The projections have one row per original and
    per row of `unshuffled`, and columns `Dim. 1`, `Dim. 2`, ...
    """

    unshuffled: pa.Table
    shuffled: pa.Table
    original_projection: pa.Table
    avatar_projection: pa.Table
    facts: Facts
    origins: Rows | None = None


@single_threaded_algebra
def avatarize(
    table: pa.Table,
    columns: Sequence[ColumnSpec],
    params: AvatarParams,
    seed: int,
    label: str = "",
    limits: Limits = NO_LIMITS,
) -> Avatars:
    """One avatar for each row, or as many as an augmentation asks for; the same arguments always give the same bytes.

    `label` separates the random streams of tables that share a seed. Tables above `limits` are drawn in batches. Raises
    EngineError when `k` is not below the number of rows, when a table is too large even so, when a column contradicts
    its type, looks like an identifier or cannot be modelled, and when an exclusion, an augmentation or a pseudonym asks
    for what the table does not have.
    """
    check_k(params, table.num_rows)
    chain = fit_chain(table, columns, params.space, params.processors)
    names, modelled = table.column_names, chain.table
    params, exclusion = replace(params, space=chain.space), params.space.exclude
    layout = fit_layout(modelled, chain.columns, set_aside(modelled.column_names, chain.columns, exclusion))
    check_keys(layout.keys, modelled.schema)
    frame = encode(layout, modelled)
    check_dimensions(layout, int(frame.missing.any(axis=0).sum()), params.space, limits)
    batches = count_batches(frame.rows, layout, params, limits)
    space = fit_space(layout, frame, params.space, seed, label)
    origins = _origins(layout, frame, params, stream(seed, label, "augmentation"))
    drawn, points = draw_rows((space, frame), params, (origins, batches), (seed, label))
    decoded = pa.table(drawn)
    aside = {}
    if exclusion is not None:
        random = stream(seed, label, "excluded columns")
        aside = put_back(modelled, layout.aside, exclusion.replacement, (space.points, points, origins), random)
    if chain.links:
        told = chain.revert(decoded, seed, label, origins)
        decoded, points = told, space.project(encode(layout, chain.again(told, origins)))
    order = stream(seed, label, "shuffle").permutation(len(origins))
    known = dict(zip(decoded.column_names, decoded.columns, strict=True)) | aside
    known |= _keys(modelled, layout, (origins, order), known, (seed, label))
    unshuffled = pa.table({name: known[name] for name in names if name not in layout.dropped})
    facts = tell_batches(gather_facts(tally(modelled, space), space, params, origins), batches)
    return Avatars(
        unshuffled,
        unshuffled.take(to_arrow(order)),
        projection_table(space.points),
        projection_table(points),
        replace(facts, warnings=(*facts.warnings, *chain.warnings)),
        None if params.augmentation is None else origins,
    )


def check_k(params: AvatarParams, rows: int) -> None:
    """Raises EngineError when `k` is not possible with so many rows."""
    if params.k < 1:
        raise EngineError("k must be at least 1.")
    if params.k >= rows:
        raise EngineError(
            f"k is {params.k} but must be smaller than the number of rows of the table ({rows_bucket(rows)} rows).",
            hint="Choose a smaller k or give more rows.",
        )
    if params.generation is Generation.LOCAL_GAUSSIAN and params.k < 2:
        raise EngineError("The local_gaussian generation needs k of at least 2.")


def _origins(layout: Layout, frame: Frame, params: AvatarParams, random: np.random.Generator) -> Rows:
    """The original of each row of the output."""
    if params.augmentation is None:
        return np.arange(frame.rows)
    kept = not params.augmentation.anonymize_originals
    if kept and any(isinstance(one, ExpectedMean) for one in params.processors):
        raise EngineError(
            "The augmentation keeps the originals, and a processor would shift them to the expected mean.",
            hint="Take expected_mean out, or let the originals be anonymized (should_anonymize_original_table: true).",
        )
    origins = plan_origins(layout, frame, params.augmentation, random)
    if len(origins) == frame.rows and not params.augmentation.anonymize_originals:
        raise EngineError(
            "The augmentation keeps the originals and adds no avatar, so nothing would be anonymized.",
            hint="Give a factor above 1, or let the originals be anonymized (should_anonymize_original_table: true).",
        )
    return origins


def _keys(
    table: pa.Table,
    layout: Layout,
    rows: tuple[Rows, Rows],
    output: Mapping[str, pa.Array | pa.ChunkedArray],
    names: tuple[int, str],
) -> dict[str, pa.Array]:
    """Fresh keys and pseudonyms; `rows` are the original of each avatar and the order of the deliverable."""
    origins, order = rows
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    copies = copy_numbers(origins)
    fresh: dict[str, pa.Array] = {}
    for key in layout.keys:
        if key.pseudonym is None:
            values = table[key.name].take(to_arrow(origins))
            fresh[key.name] = fresh_keys(key, values, (places, copies), *names)
    if all(key.pseudonym is None for key in layout.keys):
        return fresh
    from avatar_gitops.engine.pseudonyms.substitution import substitute_rows

    return fresh | substitute_rows(layout.keys, table, (origins, copies), {**output, **fresh}, *names)


def projection_table(points: Floats) -> pa.Table:
    """Coordinates as the table that users get."""
    return pa.table({f"Dim. {axis + 1}": to_arrow(points[:, axis].copy()) for axis in range(points.shape[1])})
