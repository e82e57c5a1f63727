"""Avatarization of a table that does not fit into memory: from a file to files, in random batches.

The file is read twice: once to type its columns, once to encode its rows, which are dealt at random to the files of
their batches. A space is fitted in passes over these (`engine.large.fit`), each batch is anonymized in memory as in
`engine.batches`, and the avatars are merged back into the order of their originals while they are written and dealt
again, in the order of the deliverable. Memory is that of one batch or of some pieces, never that of all rows; the
scratch folder takes about as much room as the avatars. Neither threads nor the machine have a say in the result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.batches import as_values, decode, label_of, tell_batches
from avatar_gitops.engine.buffers import to_arrow
from avatar_gitops.engine.facts import Tally, gather_facts
from avatar_gitops.engine.frame import Frame, check_keys, encode
from avatar_gitops.engine.generation import Donors
from avatar_gitops.engine.imputation import wanted_imputation
from avatar_gitops.engine.large.aside import Aside, look_at
from avatar_gitops.engine.large.fit import completed_rows, count_values, fit_shelves
from avatar_gitops.engine.large.keys import Keys, Marks, check_identifiers, hashed_columns
from avatar_gitops.engine.large.layout import Surveyed, survey
from avatar_gitops.engine.large.limits import check_possible, count_large_batches
from avatar_gitops.engine.large.sample import pick, whole
from avatar_gitops.engine.large.scratch import PIECE, Shelf, deal, frame_kind, frame_of, in_order, lines_of
from avatar_gitops.engine.large.source import Source
from avatar_gitops.engine.large.writing import Writer
from avatar_gitops.engine.limits import check_dimensions
from avatar_gitops.engine.missingness import draw_keeping_shares
from avatar_gitops.engine.params import AvatarParams, ColumnSpec, ImputationMethod, Limits
from avatar_gitops.engine.permutation import Permutation, Rows, draw_permutation
from avatar_gitops.engine.projection import project
from avatar_gitops.engine.run import Avatars, check_k, projection_table
from avatar_gitops.engine.space import FittedSpace, check_comparable, variables
from avatar_gitops.engine.streams import stream, stream_key
from avatar_gitops.engine.tables import Format
from avatar_gitops.engine.threads import single_threaded_algebra

_POINTS: Final = "points"
_PLACE: Final = "place"
_MARKED: Final = "identifiers"


def _nobody(share: float) -> None:
    """Nobody is told how far the work is."""


@dataclass(slots=True, frozen=True)
class Output:
    """Where the results go, in one format, a folder for what is needed meanwhile, and who is told the share done.

    `sample` is the number of rows that come back in memory, for figures.
    """

    unshuffled: Path
    shuffled: Path
    original_projection: Path
    avatar_projection: Path
    scratch: Path
    format: Format = "csv"
    sample: int = 0
    tell: Callable[[float], None] = field(default=_nobody)


@dataclass(slots=True, frozen=True)
class Sampled:
    """Some originals and their avatars (`shuffled` is as `unshuffled` here), and the facts of all."""

    original: pa.Table
    avatars: Avatars


@dataclass(slots=True, frozen=True)
class Job:
    """One table to anonymize: its rows as surveyed, the parameters, and the random streams by seed and label."""

    surveyed: Surveyed
    params: AvatarParams
    seed: int
    label: str
    limits: Limits
    files: Output
    scratch: Path

    def permutation(self, stage: str) -> Permutation:
        """The permutation of all rows for one stage."""
        return draw_permutation(self.surveyed.rows, stream(self.seed, self.label, stage))

    def sampled(self, rows: Rows) -> Rows:
        """The places of those of some rows that are in the sample; nothing of the seed of the run shows in it."""
        lot = draw_permutation(self.surveyed.rows, stream(0, "", "figure rows"))
        return np.flatnonzero(lot.places(rows) < self.files.sample)

    def marks(self) -> Marks:
        """Where the marks of keys stand."""
        return Marks.of(self.surveyed.layout.keys, self.scratch, self.seed, self.label)

    def real(self) -> tuple[str, ...]:
        """Columns whose real values are needed when avatars are written: those excluded, and those to be hashed."""
        return (*self.surveyed.layout.aside, *hashed_columns(self.surveyed.layout))

    def shelf(self, name: str, kind: np.dtype[np.void]) -> Shelf:
        """A file of the scratch folder."""
        return Shelf(self.scratch / name, kind)


@single_threaded_algebra
def avatarize_file(
    source: Source,
    columns: Sequence[ColumnSpec],
    params: AvatarParams,
    names: tuple[int, str],
    limits: Limits,
    files: Output,
) -> Sampled:
    """One avatar for each row of a file, written to `files`; `names` are seed and label.

    The same file, arguments and limits always give the same bytes. They are not those of `engine.run.avatarize`:
    batches and order are drawn in another way, and text that came as a dictionary goes as text. Raises EngineError as
    that one does, and when something is asked for that needs all rows at once (`check_possible`).
    """
    check_possible(source.schema.names, columns, params)
    surveyed = survey(source, columns, params.space.exclude)
    check_k(params, surveyed.rows)
    check_keys(surveyed.layout.keys, surveyed.source.schema)
    check_comparable(surveyed.layout, surveyed.rows, params.space)
    files.tell(0.1)
    with TemporaryDirectory(dir=files.scratch) as scratch:
        return _run(Job(surveyed, params, *names, limits, files, Path(scratch)))


def _run(job: Job) -> Sampled:
    layout, params, limits, tell = job.surveyed.layout, job.params, job.limits, job.files.tell
    batches = count_large_batches(job.surveyed.rows, layout, params, limits)
    dealt = job.permutation("batches")
    shelves, donors, original = _encode(job, dealt, batches)
    tell(0.2)
    counted = count_values(shelves, layout)
    check_dimensions(layout, int((counted.missing > 0).sum()), params.space, limits)
    space, completed, rarest = fit_shelves(layout, shelves, counted, donors, params.space, limits)
    tell(0.3)
    drawn: list[Shelf] = []
    for batch, shelf in enumerate(completed):
        drawn.append(_draw(job, space, shelf, batch))
        tell(0.3 + 0.4 * len(drawn) / batches)
    secret = stream_key(job.seed, job.label, "marks of excluded columns")
    looked = look_at(job.surveyed.source, job.real(), job.scratch, limits, secret)
    lone = tuple(name for name in looked.lone if name in layout.aside)
    unshuffled, originals, avatars = _write(job, space, drawn, (dealt, looked.at_once))
    sparse = (name for name, missing in zip(layout.names, counted.missing, strict=True) if missing > counted.rows / 2)
    seen = Tally(counted.rows, tuple(job.surveyed.source.schema.names), rarest, tuple(sparse), lone)
    facts = tell_batches(gather_facts(seen, space, params), batches)
    return Sampled(original, Avatars(unshuffled, unshuffled, originals, avatars, facts))


def _encode(job: Job, dealt: Permutation, batches: int) -> tuple[list[Shelf], Frame, pa.Table]:
    """The rows as numbers, each in the file of its batch; donors of missing values; the rows of the sample."""
    layout, rows = job.surveyed.layout, job.surveyed.rows
    kind = frame_kind(layout)
    shelves = [job.shelf(f"{batch}.encoded", kind) for batch in range(batches)]
    check_identifiers(layout.keys, rows, job.limits)
    marks = job.marks()
    wanted = wanted_imputation(job.params.space.imputation)
    few = wanted.donors(rows) if wanted.method is ImputationMethod.FAST_KNN else 0
    lot = job.permutation("imputation donors")
    donors: list[Frame] = []
    sample: list[pa.Table] = []
    start = 0
    for piece in job.surveyed.source.pieces():
        own = np.arange(start, start + piece.num_rows)
        frame = encode(layout, piece)
        deal(lines_of(kind, frame), shelves, dealt.groups(own, batches))
        donors.append(frame.take(np.flatnonzero(lot.places(own) < few)))
        sample.append(pick(piece, job.sampled(own)))
        marks.add(piece)
        start += piece.num_rows
    numbers = np.concatenate([frame.numbers for frame in donors])
    codes = np.concatenate([frame.codes for frame in donors])
    return shelves, Frame(np.asfortranarray(numbers), np.asfortranarray(codes)), whole(sample)


def _draw(job: Job, space: FittedSpace, shelf: Shelf, batch: int) -> Shelf:
    """The avatars of a batch, each with the coordinates of its original; the rows of the batch are deleted."""
    frame, flags = completed_rows(shelf.read())
    points = project(space.projection, *variables(space.reduction, frame, flags))
    names = job.seed, label_of(job.label, batch)
    donors = Donors(frame, flags)
    numbers, codes = draw_keeping_shares(donors, points, job.params, names, np.arange(frame.rows))
    shelf.remove()
    made = as_values(space, job.params, numbers, codes)
    kind = frame_kind(space.layout, **{_POINTS: ("f8", points.shape[1])})
    drawn = job.shelf(f"{batch}.drawn", kind)
    for start in range(0, made.rows, PIECE):
        some = slice(start, start + PIECE)
        part = Frame(made.numbers[some], made.codes[some])
        drawn.append(lines_of(kind, part, **{_POINTS: points[some]}))
    return drawn


def _write(
    job: Job, space: FittedSpace, drawn: Sequence[Shelf], placed: tuple[Permutation, int]
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """All four files: three in the order of the originals, then the deliverable in its own.

    What comes back is the sample of these three.
    """
    layout, rows, files = space.layout, job.surveyed.rows, job.files
    dealt, at_once = placed
    order = job.permutation("shuffle")
    keys = Keys(job.surveyed, job.marks(), job.seed, job.label)
    kind = frame_kind(layout, **{_PLACE: ("i8", 1), _MARKED: ("i8", keys.width)})
    shuffled = [job.shelf(f"{part}.shuffled", kind) for part in range(-(-rows // at_once))]
    aside = Aside(job.surveyed.source, job.real(), job.scratch)
    sample: list[list[pa.Table]] = [[], [], []]
    with ExitStack() as stack:
        writers = [
            stack.enter_context(Writer(path, files.format))
            for path in (files.unshuffled, files.original_projection, files.avatar_projection)
        ]
        for start, lines in in_order(drawn, rows, lambda own: dealt.groups(own, len(drawn))):
            frame, own = frame_of(lines), np.arange(start, start + len(lines))
            places = order.places(own)
            numbers = keys.numbers(start, len(lines))
            real = aside.next(len(lines))
            table = _rows(job, keys, frame, (numbers, places), real)
            coordinates = projection_table(lines[_POINTS]), projection_table(space.project(encode(layout, table)))
            chosen = job.sampled(own)
            for writer, parts, written in zip(writers, sample, (table, *coordinates), strict=True):
                writer.write(written)
                parts.append(written.take(to_arrow(chosen)))
            marked = lines_of(kind, frame, **{_PLACE: places[:, None], _MARKED: numbers})
            deal(marked, shuffled, places // at_once)
            aside.deal(real, places // at_once)
    for shelf in drawn:
        shelf.remove()
    job.files.tell(0.9)
    with Writer(files.shuffled, files.format) as deliverable:
        for part, shelf in enumerate(shuffled):
            lines = shelf.read()
            shelf.remove()
            sorting = np.argsort(lines[_PLACE][:, 0])
            lines, real = lines[sorting], aside.collect(part, sorting)
            numbered = lines[_MARKED], lines[_PLACE][:, 0]
            deliverable.write(_rows(job, keys, frame_of(lines), numbered, real))
    unshuffled, originals, avatars = map(whole, sample)
    return unshuffled, originals, avatars


def _rows(job: Job, keys: Keys, frame: Frame, numbered: tuple[Rows, Rows], real: pa.Table) -> pa.Table:
    """Rows of the output in the order of the originals' columns; `numbered` is what new keys are made of."""
    layout = job.surveyed.layout
    columns = decode(layout, frame) | dict(zip(real.column_names, real.columns, strict=True))
    columns |= keys.columns(*numbered, columns)
    return pa.table({name: columns[name] for name in job.surveyed.source.schema.names if name not in layout.dropped})
