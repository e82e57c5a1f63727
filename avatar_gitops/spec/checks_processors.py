"""Cross-checks of processors: where they name columns, and what they cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from avatar_gitops.diagnostics import Diagnostic, Related, Severity
from avatar_gitops.spec.models import AvatarRun, Table
from avatar_gitops.spec.nodes import Path
from avatar_gitops.spec.parse import Parsed
from avatar_gitops.spec.processors import GroupModalitiesProcessor, PerturbationProcessor

PLATFORM: Final = ("avatarization", "avatarization_processors_parameters")
OURS: Final = ("processors",)
_COLUMNS: Final = (
    "id_variable",
    "target",
    "target_variable",
    "target_start_variable",
    "target_end_variable",
    "sort_by_variable",
    "reference",
    "latitude_variable",
    "longitude_variable",
)
_LISTS: Final = ("references", "variable_names", "target_variables", "groupby_variables")
_MAPS: Final = ("variable_thresholds", "perturbation_level")
_ANYWHERE: Final = frozenset({"id_variable", "sort_by_variable"})


def places(table: Table) -> Iterator[tuple[Path, object]]:
    """Every processor of a table with its place below the table."""
    for at, one in enumerate(table.processors or ()):
        yield (*OURS, at), one
    method = table.avatarization
    for at, other in enumerate((method.avatarization_processors_parameters if method else None) or ()):
        yield (*PLATFORM, at), other


def named(processor: object) -> Iterator[tuple[str, Path, bool]]:
    """Columns that a processor names, with the place in it and whether the name is a key there."""
    for field in _COLUMNS:
        name = getattr(processor, field, None)
        if name is not None:
            yield name, (field,), False
    for field in _LISTS:
        for at, name in enumerate(getattr(processor, field, None) or ()):
            yield name, (field, at), False
    for field in _MAPS:
        for name in getattr(processor, field, None) or ():
            yield name, (field, name), True


def check_processors(parsed: Parsed[AvatarRun], name: str, table: Table) -> Iterator[Diagnostic]:
    """Processors without a method, thresholds said twice or not at all, columns that are named twice or excluded."""
    base: Path = ("spec", "tables", name)
    if table.processors:
        yield from _without_method(parsed, base, table)
    method = table.avatarization
    excluded = method.exclude_variables if method is not None and method.k is not None else None
    for place, processor in places(table):
        path: Path = (*base, *place)
        if isinstance(processor, GroupModalitiesProcessor):
            yield from _thresholds(parsed, path, processor)
        if isinstance(processor, PerturbationProcessor):
            yield from _originals(parsed, path, processor)
        yield from _twice(parsed, path, processor)
        for column, inner, in_key in named(processor):
            if excluded is None or inner[0] in _ANYWHERE or column not in excluded.variable_names:
                continue
            at: Path = (*path, *inner)
            where: Path = (*base, "avatarization", "exclude_variables", "variable_names")
            index = excluded.variable_names.index(column)
            yield Diagnostic(
                code="X006",
                message=f"column `{column}` is excluded, but it is also read by a processor",
                span=parsed.locate_key(at) if in_key else parsed.locate(at),
                path=at,
                label="read by a processor",
                why="excluded columns are set aside before processors run",
                fix="remove one of the two",
                related=(Related(parsed.locate((*where, index)), "excluded here"),),
            )


def _without_method(parsed: Parsed[AvatarRun], base: Path, table: Table) -> Iterator[Diagnostic]:
    method = table.avatarization
    path: Path = (*base, *OURS)
    private = next((key for key in ("open_dp", "fast_dp") if method and getattr(method, key) is not None), "")
    if private:
        yield Diagnostic(
            code="X040",
            message="`processors` has no place beside differential privacy",
            span=parsed.locate_key(path),
            path=path,
            why="a processor reads and restores values of rows",
            fix="take it away, or use the avatar method: `avatarization: {k: 20}`",
        )
    elif method is None:
        yield Diagnostic(
            code="X025",
            message=f"the processors of table `{base[-1]}` have no method to work with",
            span=parsed.locate_key(path),
            path=path,
            label="never run",
            why="they work before and after an anonymization, and the avatars are there already",
            fix="remove `processors`",
        )


def _thresholds(parsed: Parsed[AvatarRun], path: Path, said: GroupModalitiesProcessor) -> Iterator[Diagnostic]:
    shared = (said.min_unique, said.global_threshold)
    if (said.variable_thresholds is None) is (None not in shared) and (None not in shared or shared == (None, None)):
        return
    yield Diagnostic(
        code="X025",
        message="`group_modalities` needs thresholds, said in one way",
        span=parsed.locate(path),
        path=path,
        why="either each column has its own in `variable_thresholds`, or one holds for every column of many modalities",
        fix="give `variable_thresholds`, or both `min_unique` and `global_threshold`",
    )


def _originals(parsed: Parsed[AvatarRun], path: Path, said: PerturbationProcessor) -> Iterator[Diagnostic]:
    for column, level in said.perturbation_level.items():
        if level == 0:
            at: Path = (*path, "perturbation_level", column)
            yield Diagnostic(
                code="X025",
                severity=Severity.WARNING,
                message=f"column `{column}` gets the values of the originals back",
                span=parsed.locate(at),
                path=at,
                why="level 0 keeps nothing of the avatar: each person's own value is released",
                fix="choose a level near 1, or exclude the column by name",
            )


def _twice(parsed: Parsed[AvatarRun], path: Path, processor: object) -> Iterator[Diagnostic]:
    seen: dict[str, Path] = {}
    for column, inner, in_key in named(processor):
        at: Path = (*path, *inner)
        if column in seen and inner[0] != "sort_by_variable":
            yield Diagnostic(
                code="X025",
                message=f"one processor names column `{column}` twice",
                span=parsed.locate_key(at) if in_key else parsed.locate(at),
                path=at,
                label="second use",
                fix="name a column of its own for each parameter",
                related=(Related(parsed.locate(seen[column]), "first use"),),
            )
        if inner[0] != "sort_by_variable":
            seen.setdefault(column, at)
