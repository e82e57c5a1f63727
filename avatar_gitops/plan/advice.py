"""From advice to proposals: which fields of a spec would be other than they are, why, and whether privacy gets weaker.

What is said of columns rests on their names and on numbers of distinct values, never on a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from avatar_gitops.plan.desired import DesiredSet, FieldPath
from avatar_gitops.spec import fields
from avatar_gitops.spec.fields import Privacy
from avatar_gitops.spec.models import Avatarization, Column, ColumnTag, Table

FEW_VALUES: Final = 10
IDENTIFYING_SHARE: Final = 0.9
MOST_KNOWN: Final = 6
NUMBERS: Final = frozenset({"int", "integer", "int64", "int32", "float", "float64"})
TEXTS: Final = frozenset({"category", "object", "string", "str"})
ID_NAMES: Final = frozenset({"id", "uuid", "guid", "ssn", "nir", "email", "mail", "phone", "iban"})
QUASI_NAMES: Final = frozenset(
    {
        "age", "sex", "gender", "sexe", "birth", "birthdate", "birthday", "dob", "zip", "zipcode", "postcode", "postal",
        "city", "town", "region", "country", "department", "county", "marital", "education", "occupation", "job",
        "profession", "race", "ethnicity", "nationality", "height", "weight", "ville", "pays", "naissance",
    }
)  # fmt: skip
TARGET_NAMES: Final = frozenset(
    {"target", "class", "label", "outcome", "diagnosis", "diagnostic", "status", "disease", "income", "salary"}
)
BY_PLATFORM: Final = "advised by the platform"
WORDS: Final = re.compile(r"[A-Za-z][a-z]*")


@dataclass(frozen=True, slots=True)
class AdvisedColumn:
    """One column in numbers: distinct values and their share of the rows."""

    name: str
    type: str
    unique: int
    share: float
    identifying: bool = False


@dataclass(frozen=True, slots=True)
class Advised:
    """What a platform advises for one table; 0 or empty where it advises nothing."""

    k: int | None = None
    ncp: int | None = None
    use_categorical_reduction: bool = False
    imputation: Mapping[str, Any] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    columns: tuple[AdvisedColumn, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """One field as it is and as it could be; `now` is None where the spec says nothing."""

    table: str
    path: FieldPath
    now: Any
    proposed: Any
    why: str
    privacy: Privacy

    @property
    def written(self) -> bool:
        """Whether the spec says something else on purpose."""
        return self.now is not None


def proposals(desired: DesiredSet, advice: Mapping[str, Advised]) -> tuple[Proposal, ...]:
    """Fields that could be other than they are, table by table: parameters, then columns, then attacks to measure."""
    return tuple(
        proposal
        for name, table in desired.run.spec.tables.items()
        if name in advice
        for proposal in _Table(name, table, advice[name]).proposals()
    )


class _Table:
    """One table and what is advised for it."""

    def __init__(self, name: str, said: Table, advised: Advised) -> None:
        self._name, self._said, self._advised = name, said, advised

    def proposals(self) -> Iterator[Proposal]:
        if self._said.avatarization is not None:
            yield from self._parameters(self._said.avatarization)
        columns = list(self._columns())
        yield from columns
        yield from self._attacks(columns)

    def _parameters(self, said: Avatarization) -> Iterator[Proposal]:
        advised = self._advised
        if said.k is not None and advised.k is not None:
            yield from self._one("k", said.k, advised.k)
        if advised.ncp is not None:
            yield from self._one("ncp", said.ncp, advised.ncp)
        if advised.use_categorical_reduction:
            yield from self._one("use_categorical_reduction", said.use_categorical_reduction, True)
        if said.imputation is None and advised.imputation:
            yield from self._one("imputation", None, dict(advised.imputation))

    def _one(self, name: str, now: Any, proposed: Any) -> Iterator[Proposal]:
        why = self._advised.reasons.get(name, BY_PLATFORM)
        yield from self._proposal(("avatarization", name), now, proposed, why)

    def _proposal(self, inner: FieldPath, now: Any, proposed: Any, why: str) -> Iterator[Proposal]:
        if now != proposed:
            path: FieldPath = ("spec", "tables", self._name, *inner)
            yield Proposal(self._name, path, now, proposed, why, _direction(path, now, proposed))

    def _columns(self) -> Iterator[Proposal]:
        for column in self._advised.columns:
            said = self._said.columns.get(column.name, Column())
            if said.drop or said.identifier or said.primary_key or said.pseudonymization is not None:
                continue
            at: FieldPath = ("columns", column.name)
            if _identifies(column) and said.tag is None:
                why = "nearly every row has a value of its own: it names people and has no avatar"
                yield from self._proposal((*at, "tag"), None, ColumnTag.IDENTIFIER.value, why)
                yield from self._proposal((*at, "drop"), None, True, why)
                continue
            if said.type is None and column.type.lower() in NUMBERS and 2 <= column.unique <= FEW_VALUES:
                why = f"{column.unique} distinct numbers are rather classes than measurements"
                yield from self._proposal((*at, "type"), None, "category", why)
            if said.tag is None and (word := _word(column.name, QUASI_NAMES)):
                why = f"others may know it of a person, says the name (`{word}`)"
                yield from self._proposal((*at, "tag"), None, ColumnTag.QUASI_IDENTIFIER.value, why)

    def _attacks(self, columns: Sequence[Proposal]) -> Iterator[Proposal]:
        """What an attacker may know and want, for the privacy metrics; only where nothing was said."""
        said = self._said.privacy_metrics
        tags = {name: column.tag for name, column in self._said.columns.items() if column.tag}
        tags |= {str(one.path[-2]): ColumnTag(one.proposed) for one in columns if one.path[-1] == "tag"}
        left = [column.name for column in self._advised.columns if not self._gone(column.name)]
        target = said.target if said else None
        if target is None:
            target = self._target(left, tags)
            if target is not None and not (said and said.known_variables and target in said.known_variables):
                why = "what an attacker may want to learn of a person"
                yield from self._proposal(("privacy_metrics", "target"), None, target, why)
        known = [name for name in left if tags.get(name) is ColumnTag.QUASI_IDENTIFIER and name != target]
        if known and not (said and said.known_variables):
            why = "what an attacker may know of a person"
            yield from self._proposal(("privacy_metrics", "known_variables"), None, known[:MOST_KNOWN], why)

    def _target(self, names: Sequence[str], tags: Mapping[str, ColumnTag]) -> str | None:
        sensitive = [name for name in names if tags.get(name) is ColumnTag.SENSITIVE]
        named = [name for name in names if name not in tags and _word(name, TARGET_NAMES)]
        return next(iter([*sensitive, *named]), None)

    def _gone(self, name: str) -> bool:
        """Whether a column is no part of what is compared, by the spec or by what is advised of it."""
        said = self._said.columns.get(name, Column())
        advised = next(column for column in self._advised.columns if column.name == name)
        return said.drop or said.identifier or said.primary_key or _identifies(advised)


def _identifies(column: AdvisedColumn) -> bool:
    text = column.identifying or (column.type.lower() in TEXTS and column.share >= IDENTIFYING_SHARE)
    return text or (column.share >= IDENTIFYING_SHARE and _word(column.name, ID_NAMES) != "")


def _word(name: str, words: frozenset[str]) -> str:
    """The first part of a column name that is one of these words: `birth_date`, `birthDate`, `DATE-OF-BIRTH`."""
    parts = [name.lower(), *(part.lower() for part in WORDS.findall(name if name != name.upper() else name.lower()))]
    return next((part for part in parts if part in words), "")


def _direction(path: FieldPath, now: Any, proposed: Any) -> Privacy:
    """Which way privacy moves; a group of fields moves it no more than what stands in it."""
    if isinstance(proposed, Mapping):
        inner = {fields.direction((*path, key), None, value) for key, value in proposed.items()}
        return next(
            (one for one in (Privacy.WEAKER, Privacy.UNKNOWN, Privacy.STRONGER) if one in inner), Privacy.NEUTRAL
        )
    return fields.direction(path, now, proposed)
