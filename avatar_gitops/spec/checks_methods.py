"""Rules of augmentation, exclusion and pseudonyms that span fields or need the header of the data."""

from __future__ import annotations

from collections.abc import Iterator

from avatar_gitops.diagnostics import Diagnostic, Related
from avatar_gitops.spec.facts import Shape
from avatar_gitops.spec.models import AvatarRun, Column, Table
from avatar_gitops.spec.nodes import Path
from avatar_gitops.spec.parse import Parsed


def check_methods(parsed: Parsed[AvatarRun], name: str, table: Table, shape: Shape | None) -> Iterator[Diagnostic]:
    """Findings about one table; whether a column is left is only asked when its shape is known."""
    base: Path = ("spec", "tables", name)
    yield from _classes_without_target(parsed, table, base)
    yield from _excluded_keys(parsed, table, base)
    if shape is not None and not shape.looks_like_data:
        yield from _nothing_left(parsed, table, base, shape)


def _classes_without_target(parsed: Parsed[AvatarRun], table: Table, base: Path) -> Iterator[Diagnostic]:
    augmentation = table.avatarization.data_augmentation if table.avatarization else None
    if (
        augmentation is None
        or isinstance(augmentation.augmentation_strategy, float | int)
        or augmentation.target_column
    ):
        return
    path: Path = (*base, "avatarization", "data_augmentation", "augmentation_strategy")
    yield Diagnostic(
        code="X026",
        message="the augmentation raises classes, but names no column that holds them",
        span=parsed.locate(path),
        path=path,
        fix="add `target_column`, a column of type category, or give one factor for the whole table",
    )


def _excluded_keys(parsed: Parsed[AvatarRun], table: Table, base: Path) -> Iterator[Diagnostic]:
    excluded = table.avatarization.exclude_variables if table.avatarization else None
    for index, column in enumerate(excluded.variable_names if excluded else ()):
        about = table.columns.get(column)
        key = _key_field(about) if about is not None else None
        if key is None:
            continue
        path: Path = (*base, "avatarization", "exclude_variables", "variable_names", index)
        yield Diagnostic(
            code="X006",
            message=f"column `{column}` is excluded, but it also gets fresh values",
            span=parsed.locate(path),
            path=path,
            label="excluded",
            why="an excluded column comes back with real values, a key or a pseudonymized one never does",
            fix="remove it from `variable_names`",
            related=(Related(parsed.locate_key((*base, "columns", column, key)), "fresh values here"),),
        )


def _nothing_left(parsed: Parsed[AvatarRun], table: Table, base: Path, shape: Shape) -> Iterator[Diagnostic]:
    excluded = table.avatarization.exclude_variables if table.avatarization else None
    if excluded is None:
        return
    gone = {name for name, about in table.columns.items() if about.drop or _key_field(about)}
    if set(shape.columns) - gone - set(excluded.variable_names):
        return
    path: Path = (*base, "avatarization", "exclude_variables", "variable_names")
    yield Diagnostic(
        code="X027",
        message="no column is left to anonymize",
        span=parsed.locate(path),
        path=path,
        why="all columns are excluded, dropped, keys or pseudonymized, so nothing says who is like whom",
        fix="take columns out of `variable_names`",
    )


def _key_field(about: Column) -> str | None:
    """The field that makes a column one with fresh values."""
    if about.drop:
        return None
    if about.pseudonymization is not None:
        return "pseudonymization"
    return "primary_key" if about.primary_key else "identifier" if about.identifier else None
