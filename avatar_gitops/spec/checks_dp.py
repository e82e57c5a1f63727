"""What differential privacy cannot promise together with the rest of a spec, and declarations that cannot be meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from avatar_gitops.diagnostics import Diagnostic, Severity
from avatar_gitops.spec.facts import Shape
from avatar_gitops.spec.models import Avatarization, AvatarRun, ColumnTag, ColumnType, PublicValues, Table
from avatar_gitops.spec.nodes import Path
from avatar_gitops.spec.parse import Parsed

NO_GUARANTEE: Final = {
    "exclude_variables": ("excluded columns come back as they are", "take it away, or drop the columns"),
    "imputation": ("missing values are a category of their own here; filling them looks at other rows", "take it away"),
    "use_categorical_reduction": ("how categories are coded would be learned from the rows", "take it away"),
    "holdout_share": ("rows are kept apart with `k` only", "take it away, or give the table a `holdout` file"),
    "data_augmentation": ("the budget is for one release of as many rows as there are", "take it away"),
    "avatarization_processors_parameters": ("a processor reads and restores values of rows", "take it away"),
}
"""Parameters that void the promise, why, and the way out."""


def check_dp(parsed: Parsed[AvatarRun], name: str, table: Table, shape: Shape | None) -> Iterator[Diagnostic]:
    """Findings about the differential privacy of one table, and about public values that nothing reads."""
    base: Path = ("spec", "tables", name)
    method = table.avatarization
    budget = (method.open_dp or method.fast_dp) if method is not None else None
    if method is None or budget is None:
        yield from _unread(parsed, table, base)
        return
    inner: Path = (*base, "avatarization")
    yield from _voided(parsed, method, inner)
    if table.privacy_metrics is not None and table.privacy_metrics.shadow_run:
        path: Path = (*base, "privacy_metrics", "shadow_run")
        yield Diagnostic(
            code="X040",
            message="`shadow_run` has no place beside differential privacy",
            span=parsed.locate_key(path),
            path=path,
            why="it makes the avatars again from a part of the rows, which the budget does not cover",
            fix="take it away, or give the table a `holdout` file",
        )
    if not table.individual_level and budget.unit is None:
        yield Diagnostic(
            code="X040",
            message=f"table `{name}` has several rows per person and no unit of privacy",
            span=parsed.locate((*base, "individual_level")),
            path=(*base, "individual_level"),
            why="one row would be protected, not one person",
            fix="add `unit: {column: …, max_rows: …}` below `epsilon`: the column that names the person",
        )
    if table.links:
        yield Diagnostic(
            code="X040",
            message=f"table `{name}` is linked, and differential privacy releases one table at a time",
            span=parsed.locate_key((*base, "links")),
            path=(*base, "links"),
            why="rows that belong to nobody cannot be joined, and a person in two tables is protected in neither",
            fix="remove the links, or use the avatar method (`k`)",
        )
    if budget.unit is not None and shape is not None and budget.unit.column not in shape.columns:
        path = (*inner, "open_dp" if method.open_dp else "fast_dp", "unit", "column")
        yield Diagnostic(
            code="X003",
            message=f"`{budget.unit.column}` is not a column of table `{name}`",
            span=parsed.locate(path),
            path=path,
            label="names the person",
        )
    yield from _columns(parsed, table, base)


def _voided(parsed: Parsed[AvatarRun], method: Avatarization, inner: Path) -> Iterator[Diagnostic]:
    for key, (why, fix) in NO_GUARANTEE.items():
        if getattr(method, key):
            yield Diagnostic(
                code="X040",
                message=f"`{key}` has no place beside differential privacy",
                span=parsed.locate_key((*inner, key)),
                path=(*inner, key),
                why=why,
                fix=fix,
            )


def _columns(parsed: Parsed[AvatarRun], table: Table, base: Path) -> Iterator[Diagnostic]:
    for column, about in table.columns.items():
        path: Path = (*base, "columns", column)
        if about.drop:
            continue
        if about.pseudonymization is not None:
            yield Diagnostic(
                code="X040",
                message=f"column `{column}` is pseudonymized under differential privacy",
                span=parsed.locate_key((*path, "pseudonymization")),
                path=(*path, "pseudonymization"),
                why="a substitute follows a real value, and rows belong to nobody here",
                fix="write `drop: true`, or `identifier: true` for new numbers",
            )
        if about.tag is ColumnTag.FREE_TEXT and about.public is None:
            yield Diagnostic(
                code="X040",
                message=f"column `{column}` is free text under differential privacy",
                span=parsed.locate((*path, "tag")),
                path=(*path, "tag"),
                why="a text that only one person has cannot be released",
                fix="write `drop: true`",
            )
        if about.public is not None:
            yield from _public(parsed, column, about.public, about.type, (*path, "public"))


def _public(
    parsed: Parsed[AvatarRun], column: str, public: PublicValues, kind: ColumnType | None, path: Path
) -> Iterator[Diagnostic]:
    wrong = ""
    low, high = public.lower, public.upper
    if (low is None) != (high is None):
        wrong = "has only one of `lower` and `upper`"
    elif low is not None and public.categories is not None:
        wrong = "has bounds and a list"
    elif type(low) is type(high) and low is not None and high is not None and not _ordered(low, high):
        wrong = "has a lower bound that is not below the upper one"
    elif public.categories is not None and len(set(public.categories)) < len(public.categories):
        wrong = "lists a category twice"
    elif low is not None and kind in (ColumnType.CATEGORY, ColumnType.BOOL):
        wrong = "is a category and has bounds"
    elif public.categories is not None and kind in (ColumnType.INT, ColumnType.FLOAT):
        wrong = "is a number and has a list"
    if wrong:
        yield Diagnostic(
            code="X041",
            message=f"what is public of column `{column}` {wrong}",
            span=parsed.locate_key(path),
            path=path,
            fix="give a number or a date `lower` and `upper`, a category `categories`",
        )


def _ordered(low: float | str, high: float | str) -> bool:
    """Dates are compared as text, which is right for ISO 8601 of one form."""
    return str(low) < str(high) if isinstance(low, str) or isinstance(high, str) else low < high


def _unread(parsed: Parsed[AvatarRun], table: Table, base: Path) -> Iterator[Diagnostic]:
    for column, about in table.columns.items():
        if about.public is not None:
            path: Path = (*base, "columns", column, "public")
            yield Diagnostic(
                code="X042",
                severity=Severity.WARNING,
                message=f"`public` of column `{column}` has no effect",
                span=parsed.locate_key(path),
                path=path,
                why="only differential privacy (`open_dp`, `fast_dp`) asks what is public",
                fix="remove it, or choose such a method",
            )
