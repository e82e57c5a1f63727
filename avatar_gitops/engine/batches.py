"""Batches of rows: tables above a limit of rows or memory are anonymized piece by piece and merged back.

Types, imputation, scales and axes are fitted once over all rows before; the search for neighbours, the draws and their
way back into values happen within a batch, so that an avatar is made of people of its own batch. Batches are random,
never pieces of the file, and have at least 20 k and 2,000 rows; with an augmentation that has a target, each holds
its classes in the proportions of the table, so that a small class has neighbours of its own in every batch. Their
number depends on the table and the limits alone: neither threads nor the machine have a say in the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.augmentation import target_classes
from avatar_gitops.engine.buffers import to_arrow
from avatar_gitops.engine.columns import MISSING, Codes, Floats, decode_category, decode_number, one_array
from avatar_gitops.engine.frame import Frame, Layout, encode
from avatar_gitops.engine.generation import Donors
from avatar_gitops.engine.missingness import draw_keeping_shares
from avatar_gitops.engine.neighbours import Rows
from avatar_gitops.engine.params import AvatarParams, Facts, Limits
from avatar_gitops.engine.space import DEFAULT_NCP, FittedSpace
from avatar_gitops.engine.streams import stream
from avatar_gitops.errors import EngineError

SMALLEST: Final = 2_000
NEIGHBOURS_A_ROW: Final = 20

# Bytes per row and numeric column, categorical column, and axis: of all rows, and of the rows of a batch.
_FIXED_BYTES: Final = (50, 21, 40)
_BATCH_BYTES: Final = (1, 1, 2)


def count_batches(rows: int, layout: Layout, params: AvatarParams, limits: Limits) -> int:
    """How many batches a table needs, 1 when it fits into the limits.

    Raises EngineError when it does not fit even in the smallest batches.
    """
    wanted, most = bounds_of_batches(rows, params.k, limits)
    if limits.memory is None:
        return wanted
    width = (len(layout.numbers), len(layout.categories), params.space.ncp or DEFAULT_NCP)
    while estimate_memory(rows, width, wanted) > limits.memory:
        wanted += 1
        if wanted > most:
            raise EngineError(
                f"The table needs more than {max(1, limits.memory >> 20)} MiB of memory, even in batches.",
                hint="Drop columns that nobody needs, give fewer rows, or allow more memory.",
            )
    return wanted


def bounds_of_batches(rows: int, k: int, limits: Limits) -> tuple[int, int]:
    """How many batches the rows of a batch ask for, and how many a table can have at most."""
    most = max(1, rows // smallest_batch(k))
    return 1 if limits.rows is None else min(most, -(-rows // max(1, limits.rows))), most


def smallest_batch(k: int) -> int:
    """Rows of the smallest batch in which neighbours are still near."""
    return max(SMALLEST, NEIGHBOURS_A_ROW * k)


def estimate_memory(rows: int, width: tuple[int, int, int], batches: int = 1) -> int:
    """Bytes of a run at its peak, without the program itself; `width` = numeric columns, categorical columns, ncp.

    Measured on columns without missing values. What stays for all rows (codes, completed values, coordinates, output)
    is nearly all of it: batches bound the search and the draws, whose memory is small, and cannot save a table whose
    values do not fit.
    """
    everywhere = sum(size * count for size, count in zip(_FIXED_BYTES, width, strict=True))
    at_once = sum(size * count for size, count in zip(_BATCH_BYTES, width, strict=True))
    return rows * everywhere + -(-rows // batches) * at_once


def split_rows(rows: int, batches: int, random: np.random.Generator, classes: Codes | None = None) -> list[Rows]:
    """Every row in exactly one batch, at random; sizes differ by at most one, rows ascend within a batch.

    With `classes`, the class of each row, the rows of a class in two batches differ by at most one, too (proportionate
    stratification): rows are dealt like cards, class after class, in random order within a class.
    """
    mixed = random.permutation(rows)
    if classes is None:
        return [np.sort(part) for part in np.array_split(mixed, batches)]
    dealt = mixed[np.argsort(classes[mixed], kind="stable")]
    return [np.sort(dealt[batch::batches]) for batch in range(batches)]


def draw_rows(
    fitted: tuple[FittedSpace, Frame], params: AvatarParams, wanted: tuple[Rows, int], names: tuple[int, str]
) -> tuple[dict[str, pa.Array], Floats]:
    """The modelled columns of the output as values, and their coordinates.

    `fitted` are the space and the originals, `wanted` the original of each row of the output and the number of batches,
    `names` seed and label. Originals that an augmentation keeps come first.
    """
    space, frame = fitted
    origins, batches = wanted
    places: list[Rows] = []
    tables: list[pa.Table] = []
    points: list[Floats] = []
    for rows, piece in _pieces(space, frame, params, (origins, batches), names):
        tables.append(pa.table(decode(space.layout, piece)))
        points.append(space.project(encode(space.layout, tables[-1])))
        places.append(rows)
    if len(places) == 1:
        return dict(
            zip(tables[0].column_names, (column.chunk(0) for column in tables[0].columns), strict=True)
        ), points[0]
    order = np.empty(len(origins), dtype=np.int64)
    order[np.concatenate(places)] = np.arange(len(origins))
    merged, taken = pa.concat_tables(tables), to_arrow(order)
    tables.clear()
    columns = {name: one_array(merged[name].take(taken)) for name in merged.column_names}
    return columns, np.concatenate(points)[order]


def tell_batches(facts: Facts, batches: int) -> Facts:
    """Facts that say in how many batches the rows were compared."""
    if batches == 1:
        return facts
    said = f"The table was anonymized in {batches} random batches: neighbours were sought within each of them."
    return replace(facts, batches=batches, warnings=(*facts.warnings, said))


def _pieces(
    space: FittedSpace, frame: Frame, params: AvatarParams, wanted: tuple[Rows, int], names: tuple[int, str]
) -> Iterator[tuple[Rows, Frame]]:
    """Places in the output and what stands there: originals that are kept, then the avatars of each batch."""
    origins, batches = wanted
    seed, label = names
    start = 0
    if params.augmentation is not None and not params.augmentation.anonymize_originals:
        start = frame.rows
        yield np.arange(start), frame
    around = origins[start:]
    donors = Donors(space.completed, space.indicator_codes(frame))
    if batches == 1:
        numbers, codes = draw_keeping_shares(donors, space.points, params, names, around)
        yield np.arange(start, len(origins)), as_values(space, params, numbers, codes)
        return
    classes = target_classes(space.layout, frame, params.augmentation) if params.augmentation else None
    for batch, rows in enumerate(split_rows(frame.rows, batches, stream(seed, label, "batches"), classes)):
        place = np.full(frame.rows, -1)
        place[rows] = np.arange(len(rows))
        own = place[around]
        chosen = np.flatnonzero(own >= 0)
        part = Donors(donors.frame.take(rows), donors.indicators[rows])
        within = seed, label_of(label, batch)
        numbers, codes = draw_keeping_shares(part, space.points[rows], params, within, own[chosen])
        yield start + chosen, as_values(space, params, numbers, codes)


def label_of(label: str, batch: int) -> str:
    """The label of the random streams of a batch."""
    return f"{label}\x1fbatch {batch}"


def as_values(space: FittedSpace, params: AvatarParams, numbers: Floats, codes: np.ndarray) -> Frame:
    """Drawn values on their own scales, blank where a drawn indicator says that the value is missing."""
    own = len(space.layout.categories)
    drawn = space.plain(Frame(numbers, np.asfortranarray(codes[:, :own])))
    options = params.space.imputation
    if (options and options.return_data_imputed) or not len(space.indicators):
        return drawn
    m = numbers.shape[1]
    absent = np.zeros((drawn.rows, len(space.layout.names)), dtype=bool)
    absent[:, space.indicators] = codes[:, own:] == 1
    return Frame(
        np.where(absent[:, :m], np.nan, drawn.numbers),
        np.where(absent[:, m:], MISSING, drawn.codes).astype(np.int32),
    )


def decode(layout: Layout, frame: Frame) -> dict[str, pa.Array]:
    """The modelled columns of the output and the empty ones, by name."""
    decoded: dict[str, pa.Array] = {}
    for i, number in enumerate(layout.numbers):
        decoded[number.name] = decode_number(number, frame.numbers[:, i])
    for i, category in enumerate(layout.categories):
        decoded[category.name] = decode_category(category, frame.codes[:, i])
    for empty in layout.empty:
        decoded[empty.name] = pa.nulls(frame.rows, empty.output)
    return decoded
