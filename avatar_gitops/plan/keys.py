"""Which columns of several tables are keys: what a spec declares, else a guess from names and numbers of values.

A primary key is called like a key of its table and has another value in each row, or in nearly each if its name leaves
no doubt: then the data, not the name, are wrong. A foreign key is called like another
table that has a primary key, or like that key. No value of a table is known here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.spec.models import AvatarRun, Column, Table

KEY_WORDS: Final = frozenset(
    {
        "id", "key", "code", "no", "nr", "num", "number", "numero", "ref", "reference", "uuid", "guid", "pk", "fk",
        "identifier", "identifiant", "mrn", "nip", "ipp", "nir", "ssn",
    }
)  # fmt: skip
LEADING: Final = frozenset({"id", "pk", "fk", "no", "num", "numero", "code", "ref"})
COUNTS: Final = frozenset({"n", "nb", "no", "num", "number", "count", "total"})
SHORTEST_STEM: Final = 3
FEWEST_ROWS: Final = 2
UNDOUBTED: Final = 2
SHARED: Final = 0.2  # of the rows; above, a column holds several rows of each thing that it names
PARTS: Final = re.compile(r"[A-Z]?[^\W\d_A-Z]+|[A-Z]+(?![^\W\d_A-Z])|\d+")


class Kind(StrEnum):
    """What the values of a column are, as far as a key depends on it."""

    WHOLE_NUMBERS = "whole numbers"
    OTHER_NUMBERS = "other numbers"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class KeyFacts:
    """One column in numbers of rows: without a value, and with one that other rows have, too. Never shown as they are.

    `known` is false where there are too many different values to keep apart.
    """

    kind: Kind
    rows: int = field(repr=False)
    empty: int = field(repr=False)
    repeated: int = field(repr=False)
    known: bool = True

    @property
    def unique(self) -> bool:
        """Whether each row has a value of its own."""
        return self.nearly_unique and not self.empty and not self.repeated

    @property
    def nearly_unique(self) -> bool:
        """Whether few rows have no value or one that others have, too."""
        return self.known and self.rows >= FEWEST_ROWS and self.empty + self.repeated <= SHARED * self.rows


@dataclass(frozen=True, slots=True)
class TableKeys:
    """The keys of one table, declared or guessed."""

    primary: str | None = None
    foreign: tuple[str, ...] = ()


def may_be_key(column: str, table: str, run: AvatarRun) -> bool:
    """Whether a column is worth reading as a key: declared as one, or called like a key or a table."""
    said = run.spec.tables[table].columns.get(column, Column())
    if said.primary_key or said.identifier or column in _linked(run, table):
        return True
    if said.drop or said.pseudonymization is not None or said.time_series_time:
        return False
    folded, parts = _folded(column), _parts(column)
    if not parts or _is_count(parts):
        return False
    return (
        parts[-1] in KEY_WORDS
        or parts[0] in LEADING
        or any(
            folded == _stem(name) or folded in {f"{_stem(name)}{word}" for word in KEY_WORDS}
            for name in run.spec.tables
        )
    )


def guess_keys(run: AvatarRun, facts: Mapping[str, Mapping[str, KeyFacts]]) -> dict[str, TableKeys]:
    """The keys of every table; a guess never contradicts what is declared."""
    tables = run.spec.tables
    primary = {name: _primary(name, table, facts.get(name, {}), tables) for name, table in tables.items()}
    return {
        name: TableKeys(primary[name], tuple(_foreign(name, table, facts.get(name, {}), primary)))
        for name, table in tables.items()
    }


def with_keys(desired: DesiredSet, keys: Mapping[str, TableKeys], *, links: bool = True) -> DesiredSet:
    """The set with these keys declared, as advice is asked for it; its digests stay. `links` = with those declared."""
    tables = {
        name: table.model_copy(
            update={
                "columns": _declared(table, keys.get(name, TableKeys())),
                "links": table.links if links else None,
            }
        )
        for name, table in desired.run.spec.tables.items()
    }
    spec = desired.run.spec.model_copy(update={"tables": tables})
    return replace(desired, run=desired.run.model_copy(update={"spec": spec}))


def _declared(table: Table, keys: TableKeys) -> dict[str, Column]:
    columns = dict(table.columns)
    said = [(keys.primary, "primary_key"), *((column, "identifier") for column in keys.foreign)]
    for column, role in said:
        if column is not None:
            columns[column] = columns.get(column, Column()).model_copy(update={role: True})
    return columns


def _linked(run: AvatarRun, table: str) -> set[str]:
    """Columns of a table that a declared link names."""
    links = [(name, link) for name, said in run.spec.tables.items() for link in said.links or ()]
    return {link.field for name, link in links if name == table} | {
        link.to.field for _, link in links if link.to.table == table
    }


def _primary(name: str, table: Table, facts: Mapping[str, KeyFacts], tables: Mapping[str, Table]) -> str | None:
    declared = next((column for column, said in table.columns.items() if said.primary_key), None)
    if declared is not None:
        return declared
    others = [other for other in tables if other != name]
    ranked = [
        (rank, place, column)
        for place, (column, about) in enumerate(facts.items())
        if about.nearly_unique
        and about.kind is not Kind.OTHER_NUMBERS
        and not table.columns.get(column, Column()).identifier
        and (rank := _rank(column, name, others)) is not None
        and (about.unique or rank < UNDOUBTED)
    ]
    return min(ranked)[2] if ranked else None


def _rank(column: str, table: str, others: list[str]) -> int | None:
    """How well the name of a column says that it is the key of its table, 0 best, below `UNDOUBTED` for sure; None when
    it is that of another.
    """
    folded, stem, parts = _folded(column), _stem(table), _parts(column)
    own = {stem, *KEY_WORDS, *(f"{stem}{word}" for word in KEY_WORDS), f"id{stem}"}
    if folded in own:
        return 0
    rest = [part for part in parts if part not in KEY_WORDS]
    if len(rest) == 1 and len(parts) > 1 and stem.startswith(rest[0]):
        return 1
    if any(_names(column, other) for other in others):
        return None
    return UNDOUBTED


def _foreign(
    name: str, table: Table, facts: Mapping[str, KeyFacts], primary: Mapping[str, str | None]
) -> Iterator[str]:
    declared = [column for column, said in table.columns.items() if said.identifier]
    yield from declared
    parents = {other: key for other, key in primary.items() if key is not None and other != name}
    for column, about in facts.items():
        if column in declared or column == primary[name] or about.kind is Kind.OTHER_NUMBERS:
            continue
        if any(_folded(column) == _folded(key) or _names(column, other) for other, key in parents.items()):
            yield column


def _names(column: str, table: str) -> bool:
    """Whether a column is called after a table, in full or shortened: `patient_id`, `pat_id`."""
    stem, folded = _stem(table), _folded(column)
    if folded == stem or (len(stem) >= SHORTEST_STEM and stem in folded):
        return True
    return any(
        len(part) >= SHORTEST_STEM and stem.startswith(part) and part not in KEY_WORDS for part in _parts(column)
    )


def _is_count(parts: list[str]) -> bool:
    """Whether a name says how many there are of something: `number_of_visits`, `nb_visites`, `visit_count`."""
    many = len(parts) > 1 and (parts[1] in {"of", "de"} or parts[-1].endswith("s"))
    return (parts[0] in COUNTS and many) or parts[-1] in {"count", "total"}


def _parts(name: str) -> list[str]:
    return [part.lower() for part in PARTS.findall(_unaccented(name))]


def _folded(name: str) -> str:
    return re.sub(r"[\W_]", "", _unaccented(name).casefold())


def _unaccented(name: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))


def _stem(table: str) -> str:
    """A table name without the ending of an English or French plural."""
    folded = _folded(table)
    return folded[:-1] if len(folded) > SHORTEST_STEM and folded.endswith("s") else folded
