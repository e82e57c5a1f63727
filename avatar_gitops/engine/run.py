"""Avatarization of one table: from an Arrow table to its avatars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.buffers import to_arrow
from avatar_gitops.engine.columns import MISSING, Codes, Floats, decode_category, decode_number
from avatar_gitops.engine.facts import gather_facts, rows_bucket
from avatar_gitops.engine.frame import Frame, Layout, encode, fit_layout
from avatar_gitops.engine.generation import Donors, draw_avatars
from avatar_gitops.engine.keys import fresh_keys
from avatar_gitops.engine.params import AvatarParams, ColumnSpec, Facts, Generation
from avatar_gitops.engine.space import FittedSpace, fit_space
from avatar_gitops.engine.streams import stream
from avatar_gitops.engine.threads import single_threaded_algebra
from avatar_gitops.errors import EngineError


@dataclass(slots=True, frozen=True)
class Avatars:
    """The avatars of one table.

    `unshuffled` row i is the avatar of original row i (sensitive), `shuffled` is the deliverable. The projections have
    one row per row of `unshuffled` and columns `Dim. 1`, `Dim. 2`, ...
    """

    unshuffled: pa.Table
    shuffled: pa.Table
    original_projection: pa.Table
    avatar_projection: pa.Table
    facts: Facts


@single_threaded_algebra
def avatarize(
    table: pa.Table, columns: Sequence[ColumnSpec], params: AvatarParams, seed: int, label: str = ""
) -> Avatars:
    """One avatar for each row; the same arguments always give the same bytes.

    `label` separates the random streams of tables that share a seed. Raises EngineError when `k` is not below the
    number of rows, or when a column contradicts its type, looks like an identifier or cannot be modelled.
    """
    _check_k(params, table.num_rows)
    layout = fit_layout(table, columns)
    frame = encode(layout, table)
    space = fit_space(layout, frame, params.space, seed, label)
    donors = Donors(space.completed, space.indicator_codes(frame))
    numbers, codes = draw_avatars(donors, space.points, params, seed, label)
    avatars, absent = _split(layout, space, numbers, codes)
    options = params.space.imputation
    shown = avatars if options and options.return_data_imputed else _blank(avatars, absent)
    order = stream(seed, label, "shuffle").permutation(table.num_rows)
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    decoded = _decode(layout, shown)
    keys = {key.name: fresh_keys(key, table[key.name], places, seed, label) for key in layout.keys}
    unshuffled = _assemble(table, layout, decoded | keys)
    return Avatars(
        unshuffled,
        unshuffled.take(to_arrow(order)),
        _projection(space.points),
        _projection(space.project(encode(layout, unshuffled))),
        gather_facts(table, space, params),
    )


def _check_k(params: AvatarParams, rows: int) -> None:
    if params.k < 1:
        raise EngineError("k must be at least 1.")
    if params.k >= rows:
        raise EngineError(
            f"k is {params.k} but must be smaller than the number of rows of the table ({rows_bucket(rows)} rows).",
            hint="Choose a smaller k or give more rows.",
        )
    if params.generation is Generation.LOCAL_GAUSSIAN and params.k < 2:
        raise EngineError("The local_gaussian generation needs k of at least 2.")


def _split(layout: Layout, space: FittedSpace, numbers: Floats, codes: Codes) -> tuple[Frame, np.ndarray]:
    """Drawn values, and where a drawn indicator says that the value is missing (columns of `Layout.names`)."""
    own = len(layout.categories)
    absent = np.zeros((len(numbers), len(layout.names)), dtype=bool)
    absent[:, space.indicators] = codes[:, own:] == 1
    return Frame(numbers, np.asfortranarray(codes[:, :own])), absent


def _blank(frame: Frame, absent: np.ndarray) -> Frame:
    m = frame.numbers.shape[1]
    return Frame(
        np.where(absent[:, :m], np.nan, frame.numbers),
        np.where(absent[:, m:], MISSING, frame.codes).astype(np.int32),
    )


def _decode(layout: Layout, frame: Frame) -> dict[str, pa.Array]:
    decoded: dict[str, pa.Array] = {}
    for i, number in enumerate(layout.numbers):
        decoded[number.name] = decode_number(number, frame.numbers[:, i])
    for i, category in enumerate(layout.categories):
        decoded[category.name] = decode_category(category, frame.codes[:, i])
    for empty in layout.empty:
        decoded[empty.name] = pa.nulls(frame.rows, empty.output)
    return decoded


def _assemble(table: pa.Table, layout: Layout, decoded: dict[str, pa.Array]) -> pa.Table:
    """Columns in the order of the original table."""
    return pa.table({name: decoded[name] for name in table.column_names if name not in layout.dropped})


def _projection(points: Floats) -> pa.Table:
    return pa.table({f"Dim. {axis + 1}": to_arrow(points[:, axis].copy()) for axis in range(points.shape[1])})
