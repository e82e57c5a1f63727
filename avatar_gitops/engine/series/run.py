"""Avatarization of tables of people together with their series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa

from avatar_gitops.engine.buffers import null_mask, to_arrow, to_numpy
from avatar_gitops.engine.columns import Floats
from avatar_gitops.engine.keys import fresh_keys
from avatar_gitops.engine.links.model import Link, LinkedAvatars, LinkedTable, LinkMethod
from avatar_gitops.engine.links.run import avatarize_linked
from avatar_gitops.engine.params import ColumnSpec
from avatar_gitops.engine.series.curves import Axes, Curves, align, fit_axes, people_of
from avatar_gitops.engine.series.model import SeriesTable
from avatar_gitops.engine.series.restore import named, unalign
from avatar_gitops.engine.series.scores import Basis, curves_of, fit_bases, scores_of
from avatar_gitops.engine.streams import stream
from avatar_gitops.engine.threads import single_threaded_algebra
from avatar_gitops.errors import EngineError

_ENDS: Final = ("start", "duration", "length")


@dataclass(slots=True, frozen=True)
class FittedSeries:
    """One table of series, aligned and described; `columns` are the names of what is attached to the people.

    The first three are start, duration and length, then the scores of each variable in turn.
    """

    table: SeriesTable
    axes: Axes
    curves: Curves
    bases: tuple[Basis, ...]
    columns: tuple[str, ...]

    def attached(self) -> dict[str, pa.Array]:
        """What is modelled with the people, row by row; missing for people without a series."""
        scores = [scores_of(basis, self.curves.values[:, :, at]) for at, basis in enumerate(self.bases)]
        parts = [self.curves.start, self.curves.duration, self.curves.length]
        numbers = np.column_stack([*parts, *scores])
        return {
            name: to_arrow(np.nan_to_num(column), np.isnan(column))
            for name, column in zip(self.columns, numbers.T, strict=True)
        }

    def restored(self, avatars: pa.Table) -> Curves:
        """Curves of avatars from the attached columns as they came back."""
        numbers = [_floats(avatars[name]) for name in self.columns]
        first = len(_ENDS)
        values = []
        for basis in self.bases:
            width = basis.functions.shape[1]
            values.append(curves_of(basis, np.column_stack(numbers[first : first + width])))
            first += width
        curves = np.stack(values, axis=2) if values else np.empty((len(numbers[0]), self.curves.points, 0))
        return Curves(curves, numbers[0], numbers[1], numbers[2])


@single_threaded_algebra
def avatarize_series(
    tables: Sequence[LinkedTable], links: Sequence[Link], series: Sequence[SeriesTable], seed: int
) -> dict[str, LinkedAvatars]:
    """Avatars of all tables; links of the method `time_series` lead from a table of people to a table of series.

    Scores, beginning, duration and length of a series are modelled beside the attributes of its person, with the k of
    the table of people. Each row of a series belongs to the avatar of its person: references hold by construction.
    Missing points are not reproduced: an avatar's series has a value wherever the person's variable had one at all.

    Raises EngineError for a table of series without a person's table, for rows of nobody, and for columns that are no
    numbers.
    """
    fitted = {table.name: fit_series(table, _link_to(table, links), tables) for table in series}
    of_people: dict[str, list[FittedSeries]] = {}
    for table in series:
        of_people.setdefault(_link_to(table, links).parent, []).append(fitted[table.name])
    people = [replace(table, attached=_attach(table, of_people.get(table.name, []))) for table in tables]
    plain = [link for link in links if link.method is not LinkMethod.TIME_SERIES]
    made = avatarize_linked(people, plain, seed)
    for table in series:
        link = _link_to(table, links)
        made[table.name] = _rows(fitted[table.name], link, made[link.parent], seed)
    return {name: replace(avatars, attached=None) for name, avatars in made.items()}


def fit_series(table: SeriesTable, link: Link, tables: Sequence[LinkedTable]) -> FittedSeries:
    """Align the series of a table and describe them."""
    parent = next((other for other in tables if other.name == link.parent), None)
    if parent is None or link.key not in parent.rows.column_names:
        raise EngineError(f"The link of table {table.name!r} names no table of people with the key {link.key!r}.")
    if table.rows.num_rows == 0:
        raise EngineError(f"Table {table.name!r} has no rows.")
    axes = fit_axes(table)
    people = people_of(table, parent.rows[link.key])
    curves = align(table, axes, people, parent.rows.num_rows)
    bases = fit_bases(curves, table.params)
    names = [f"{table.name} {end}" for end in _ENDS]
    for variable, basis in zip(axes.variables, bases, strict=True):
        names += [f"{table.name} {variable.name} score {at + 1}" for at in range(basis.functions.shape[1])]
    taken = set(parent.rows.column_names)
    return FittedSeries(table, axes, curves, bases, tuple(_free(name, taken) for name in names))


def _link_to(table: SeriesTable, links: Sequence[Link]) -> Link:
    for link in links:
        if link.child == table.name and link.method is LinkMethod.TIME_SERIES:
            return link
    raise EngineError(
        f"Table {table.name!r} has series but no link of the method time_series.",
        hint="Link it from the primary key of the table of the people that the series are of.",
    )


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "'"
    taken.add(name)
    return name


def _attach(table: LinkedTable, series: Sequence[FittedSeries]) -> pa.Table | None:
    columns: dict[str, pa.Array | pa.ChunkedArray] = {}
    if table.attached is not None:
        columns |= {name: table.attached[name] for name in table.attached.column_names}
    for fitted in series:
        columns |= fitted.attached()
    return pa.table(columns) if columns else None


def _rows(fitted: FittedSeries, link: Link, people: LinkedAvatars, seed: int) -> LinkedAvatars:
    """The series of all avatars, person after person; the deliverable has the people in an order of its own."""
    table = fitted.table
    assert people.attached is not None
    columns, person = unalign(table, fitted.axes, fitted.restored(people.attached))
    columns |= {name: pa.nulls(len(person), table.rows.schema.field(name).type) for name in fitted.axes.empty}
    kind = table.rows.schema.field(table.foreign_key).type
    columns[table.foreign_key] = named(people.unshuffled[link.key], person, kind)
    turn = stream(seed, table.name, "shuffle of series").permutation(people.unshuffled.num_rows)
    place = np.empty_like(turn)
    place[turn] = np.arange(len(turn))
    order = np.argsort(place[person], kind="stable")
    if table.primary_key is not None:
        places = np.empty_like(order)
        places[order] = np.arange(len(order))
        spec = ColumnSpec(table.primary_key, primary_key=True)
        values = table.rows[table.primary_key]
        columns[spec.name] = fresh_keys(spec, values, (places, np.zeros_like(places)), seed, table.name)
    unshuffled = pa.table({name: columns[name] for name in table.rows.column_names if name in columns})
    facts = replace(people.facts, columns=(), warnings=_warnings(fitted))
    shuffled = unshuffled.take(to_arrow(order))
    projections = (people.original_projection, people.avatar_projection)
    return LinkedAvatars(unshuffled, shuffled, *projections, facts, parents={link: person})


def _warnings(fitted: FittedSeries) -> tuple[str, ...]:
    """The length and the beginning of a series point to people when they differ from person to person."""
    curves = fitted.curves
    found = []
    for what, values in (("length", curves.length), ("beginning", curves.start)):
        known = values[~np.isnan(values)]
        if len(known) and known.min() != known.max():
            found.append(
                f"The {what} of series of table {fitted.table.name!r} differs between people and can give somebody"
                " away: cut or group unusual ones."
            )
    return tuple(found)


def _floats(values: pa.ChunkedArray) -> Floats:
    array = values.combine_chunks().cast(pa.float64())
    numbers = np.array(to_numpy(array), dtype=np.float64)
    numbers[null_mask(array)] = np.nan
    return numbers
