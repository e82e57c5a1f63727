"""Words for structural findings: names of types, lists of choices, near misses, and reasons per field."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

TYPE_NAMES: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a field has its limits, how to repair it, and the form of its text in words."""

    why: str = ""
    fix: str = ""
    form: str = ""


NAME_FORM: Final = "be letters, digits, `_`, `-` or `.`, start with a letter or digit, and have at most 200 characters"
RULE_FORM: Final = "be the id of a rule: letters, digits, `-` or `_`, starting with a letter, at most 40 characters"
DATE_FORM: Final = "be a date such as 2026-12-31"

REASONS: Final = {
    "k": Reason(
        why="each avatar is drawn from its k nearest neighbours; below 2 it copies one person",
        fix="write 2 or more; 20 is a good first value",
    ),
    "ncp": Reason(
        why="ncp is the number of dimensions in which distances are measured",
        fix="write 1 or more, or remove the line to let the method choose",
    ),
    "epsilon": Reason(
        why="epsilon is the privacy budget; 0 would allow no information at all", fix="write a number such as 1.0"
    ),
    "column_weights.*": Reason(form="be a column name"),
    "quantile_threshold": Reason(why="it is a percentage of the rows", fix="write a whole number from 1 to 99"),
    "training_fraction": Reason(
        why="it is the share of the rows that the imputation learns from", fix="write a number above 0, at most 1"
    ),
    "seed": Reason(why="the same seed gives the same avatars", fix="write a whole number from 0 to 2147483647"),
    "variable_names": Reason(why="there is nothing to exclude", fix="name a column, or remove `exclude_variables`"),
    "replacement_strategy": Reason(
        why="`row_order` gives each avatar the real excluded values of its own original, so the choice must be visible",
        fix="add `replacement_strategy: coordinate_similarity`, or `row_order` if you mean it",
    ),
    "tables": Reason(fix="write a name for each table: `tables: {patients: {source: data/patients.csv}}`"),
    "tables.*": Reason(form="be 1 to 200 characters without `#`, `%` and control characters"),
    "name": Reason(form=NAME_FORM, fix="choose a name such as patients-2026q3"),
    "gates.*": Reason(form="be a metric name in lower case, such as `hidden_rate`"),
    "gates": Reason(fix='write a mapping such as {hidden_rate: ">= 90"}'),
    "labels.*": Reason(form="be letters, digits, `_`, `-` or `.`, at most 63 characters"),
    "servers.*": Reason(form="be lower-case letters, digits, `_` or `-`, and start with a letter"),
    "digest": Reason(form="be `sha256:` or `hmac-sha256:` and 64 hexadecimal digits", fix="on Linux: sha256sum FILE"),
    "keep_versions": Reason(why="it counts published versions", fix="write a whole number from 1 to 100"),
    "matrix.=": Reason(fix="write a list of values, such as k: [5, 10, 20]"),
    "matrix": Reason(fix="write the values of each key, such as matrix: {k: [5, 10, 20]}, or remove it"),
    "source": Reason(fix="write a path such as `source: data/patients.csv`"),
    "gates.=": Reason(
        form='be a comparison such as ">= 90": one of >=, <=, >, < and a number',
        fix='write a comparison in quotes, such as ">= 90"',
    ),
    "imputation.k": Reason(why="missing values are filled from the k nearest complete rows", fix="write 1 or more"),
    "jobs": Reason(fix="remove the line to run every job"),
    "rule": Reason(form=RULE_FORM, fix="list them: avatar-gitops policy list --all"),
    "id": Reason(form=RULE_FORM, fix="choose an id such as X-hidden-rate"),
    "disabled": Reason(form=RULE_FORM, fix="list them: avatar-gitops policy list --all"),
    "expect": Reason(form=RULE_FORM),
    "severity.*": Reason(form=RULE_FORM, fix="write a mapping such as {P010: warn}"),
    "metric": Reason(form="be a metric name in lower case, such as `hidden_rate`"),
    "metrics.*": Reason(form="be a metric name in lower case, such as `hidden_rate`"),
    "condition": Reason(
        form='be a comparison such as ">= 90": one of >=, <=, >, < and a number',
        fix='write a comparison in quotes, such as ">= 90"',
    ),
    "sets": Reason(form="be a set name, or a pattern such as `claims-*`", fix="write a list such as sets: [claims-*]"),
    "granted": Reason(form=DATE_FORM),
    "expires": Reason(
        why="a waiver without an end is a rule that nobody decided to drop; 180 days are the most",
        form=DATE_FORM,
        fix="write the last day on which it counts, such as `expires: 2026-12-31`",
    ),
}
NO_REASON: Final = Reason()


def reason_for(path: Sequence[str | int]) -> Reason:
    """The reason of a field; `PARENT.FIELD` wins over `FIELD`, and `PARENT.=` means any value under a parent."""
    names = [part for part in path if isinstance(part, str)]
    if not names:
        return NO_REASON
    parent = names[-2] if len(names) > 1 else ""
    for key in (f"{parent}.{names[-1]}", f"{parent}.=", names[-1]):
        if key in REASONS:
            return REASONS[key]
    return NO_REASON


def listed(parts: Iterable[str], last: str) -> str:
    """`a, b or c`."""
    *front, end = list(parts)
    return f"{', '.join(front)} {last} {end}" if front else end


def near(word: str, known: Sequence[str]) -> str | None:
    """The known word that was probably meant, None if none is close; case and `-` for `_` never matter."""
    folded: dict[str, str] = {}
    for name in known:
        folded.setdefault(_fold(name), name)
    found = difflib.get_close_matches(_fold(word), folded, n=1, cutoff=0.65)
    return folded[found[0]] if found else None


def only_near(word: str, known: Sequence[str]) -> bool:
    """Whether one known word is so close that a repair without asking is safe, and no other is."""
    return len(difflib.get_close_matches(_fold(word), {_fold(name) for name in known}, n=2, cutoff=0.8)) == 1


def _fold(word: str) -> str:
    return re.sub(r"[-_ ]", "", word).lower()


NOUNS: Final = {"Prune": "prune setting", "Generation": "way of generation", "NamedStrategy": "augmentation strategy"}


def noun(title: str) -> str:
    """Words of a type or field name: `SensitivityLevel` and `sensitivity_level` are "sensitivity level"."""
    if title in NOUNS:
        return NOUNS[title]
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", title.replace("_", " "))
    return spaced.lower().replace("pii", "PII").replace("dp", "DP")


def article(word: str) -> str:
    """`a` or `an`."""
    return "an" if word[0] in "aeio" else "a"


def type_name(value: Any) -> str:
    """Name of the type of a plain value, as a person says it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case str():
            return "text"
        case int() | float():
            return "the number"
        case list():
            return "a list"
    return "a mapping"
