"""Cross-checks of column names: against the header of the file, and against the rest of what the spec says of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from avatar_gitops.diagnostics import Diagnostic, Related, Severity
from avatar_gitops.spec.checks_processors import named, places
from avatar_gitops.spec.facts import Shape
from avatar_gitops.spec.models import (
    AvatarRun,
    Geometry,
    PrivacyMetrics,
    SpecificIdPseudonymization,
    Table,
)
from avatar_gitops.spec.nodes import Path
from avatar_gitops.spec.parse import Parsed
from avatar_gitops.spec.wording import near

HEADER_NOTE: Final = "column names come from the file header, no data was read"
MAX_LISTED: Final = 12
GEOMETRIES: Final = ("avatarization", "privacy_metrics", "signal_metrics")


@dataclass(frozen=True, slots=True)
class Use:
    """A place that names a column; `role` says what the column is used for, `in_key` that the name is a key."""

    column: str
    path: Path
    role: str
    in_key: bool = False


def check_columns(parsed: Parsed[AvatarRun], name: str, table: Table, shape: Shape | None) -> Iterator[Diagnostic]:
    """Findings about the columns of one table; the header is checked only if its shape is known."""
    base: Path = ("spec", "tables", name)
    used = list(uses(table, base))
    declared = [Use(column, (*base, "columns", column), "declared", True) for column in table.columns]
    if shape is not None:
        yield from _header(parsed, name, shape)
        for use in (*declared, *used):
            if use.column not in shape.columns:
                yield not_a_column(parsed, name, use, shape)
    yield from _dropped(parsed, table, base, used)
    yield from _weighted_and_excluded(parsed, table, base)
    yield from _known_target(parsed, table, base)


def uses(table: Table, base: Path) -> Iterator[Use]:
    """Every place below a table, except its `columns`, that names a column."""
    for key in GEOMETRIES:
        settings: Geometry | None = getattr(table, key)
        if settings is not None:
            yield from _geometry(settings, (*base, key))
    links = enumerate(table.links or ())
    yield from (Use(link.field, (*base, "links", index, "field"), "the key of a link") for index, link in links)
    if table.time_series is not None and table.time_series.exclude_variables is not None:
        for index, column in enumerate(table.time_series.exclude_variables.variable_names):
            yield Use(column, (*base, "time_series", "exclude_variables", "variable_names", index), "excluded")
    method = table.avatarization
    if method is not None:
        inner: Path = (*base, "avatarization")
        augmentation = method.data_augmentation
        if augmentation is not None and augmentation.target_column is not None:
            path: Path = (*inner, "data_augmentation", "target_column")
            yield Use(augmentation.target_column, path, "the target of the augmentation")
    for place, processor in places(table):
        for column, field, in_key in named(processor):
            yield Use(column, (*base, *place, *field), "read by a processor", in_key)
    for column, about in table.columns.items():
        if isinstance(about.pseudonymization, SpecificIdPseudonymization):
            for other in re.findall(r"\{\{([^{}]+)\}\}", about.pseudonymization.pattern):
                place = (*base, "columns", column, "pseudonymization", "pattern")
                yield Use(other.strip(), place, "part of a pattern")


def _geometry(settings: Geometry, base: Path) -> Iterator[Use]:
    for column in settings.column_weights or ():
        yield Use(column, (*base, "column_weights", column), "weighted", True)
    if settings.exclude_variables is not None:
        for index, column in enumerate(settings.exclude_variables.variable_names):
            yield Use(column, (*base, "exclude_variables", "variable_names", index), "excluded")
    if isinstance(settings, PrivacyMetrics):
        for index, column in enumerate(settings.known_variables or ()):
            yield Use(column, (*base, "known_variables", index), "known to the attacker")
        if settings.target is not None:
            yield Use(settings.target, (*base, "target"), "the target of the attacker")
        for index, column in enumerate(settings.groups or ()):
            yield Use(column, (*base, "groups", index), "a column of groups")


def _header(parsed: Parsed[AvatarRun], name: str, shape: Shape) -> Iterator[Diagnostic]:
    path: Path = ("spec", "tables", name, "source")
    span = parsed.locate((*path, "uri"))
    if shape.looks_like_data:
        yield Diagnostic(
            code="X018",
            severity=Severity.WARNING,
            message=f"the first line of the file of table `{name}` looks like data, not like column names",
            span=span,
            path=path,
            why="the first line is read as the header; it holds a number, a date, an address, a blank or a line break",
            fix="add a header line to the file; to protect your data, its column names are not shown here",
        )
    repeated = [column for column, count in Counter(shape.columns).items() if count > 1]
    if repeated:
        names = "" if shape.looks_like_data else ": " + ", ".join(f"`{column}`" for column in repeated[:MAX_LISTED])
        yield Diagnostic(
            code="X017",
            message=f"the header of table `{name}` uses a column name twice{names}",
            span=span,
            path=path,
            fix="give each column of the file its own name",
            note=HEADER_NOTE,
        )


def not_a_column(parsed: Parsed[AvatarRun], name: str, use: Use, shape: Shape) -> Diagnostic:
    """The finding about a name that the header does not have, with the one that was probably meant."""
    label = ""
    if not shape.looks_like_data:
        guess = near(use.column, shape.columns)
        label = f"did you mean `{guess}`? " if guess else ""
        rest = len(shape.columns) - MAX_LISTED
        more = f", and {rest} more" if rest > 0 else ""
        label += (
            ""
            if guess and len(shape.columns) > MAX_LISTED
            else f"columns: {', '.join(sorted(shape.columns)[:MAX_LISTED])}{more}"
        )
    return Diagnostic(
        code="X003",
        message=f"`{use.column}` is not a column of table `{name}`",
        span=parsed.locate_key(use.path) if use.in_key else parsed.locate(use.path),
        path=use.path,
        label=label.strip(),
        note=HEADER_NOTE,
    )


def _dropped(parsed: Parsed[AvatarRun], table: Table, base: Path, used: list[Use]) -> Iterator[Diagnostic]:
    for column, about in table.columns.items():
        path: Path = (*base, "columns", column)
        if not about.drop:
            continue
        related = (Related(parsed.locate_key((*path, "drop")), "dropped here"),)
        if about.pseudonymization is not None:
            yield _contradiction(parsed, Use(column, (*path, "pseudonymization"), "pseudonymized", True), related)
        for use in used:
            if use.column == column:
                yield _contradiction(parsed, use, related)


def _contradiction(parsed: Parsed[AvatarRun], use: Use, related: tuple[Related, ...]) -> Diagnostic:
    return Diagnostic(
        code="X006",
        message=f"column `{use.column}` is dropped, but it is also {use.role}",
        span=parsed.locate_key(use.path) if use.in_key else parsed.locate(use.path),
        path=use.path,
        label=use.role,
        why="a dropped column is gone before anything else happens",
        fix="remove one of the two",
        related=related,
    )


def _weighted_and_excluded(parsed: Parsed[AvatarRun], table: Table, base: Path) -> Iterator[Diagnostic]:
    for key in GEOMETRIES:
        settings: Geometry | None = getattr(table, key)
        if settings is None or settings.exclude_variables is None:
            continue
        for column in settings.column_weights or ():
            if column in settings.exclude_variables.variable_names:
                path: Path = (*base, key, "column_weights", column)
                names: Path = (*base, key, "exclude_variables", "variable_names")
                index = settings.exclude_variables.variable_names.index(column)
                yield Diagnostic(
                    code="X006",
                    severity=Severity.WARNING,
                    message=f"the weight of column `{column}` has no effect",
                    span=parsed.locate_key(path),
                    path=path,
                    why="an excluded column takes no part in distances",
                    fix="remove the weight",
                    related=(Related(parsed.locate((*names, index)), "excluded here"),),
                )


def _known_target(parsed: Parsed[AvatarRun], table: Table, base: Path) -> Iterator[Diagnostic]:
    attack = table.privacy_metrics
    if attack is None or attack.target is None or attack.target not in (attack.known_variables or ()):
        return
    path: Path = (*base, "privacy_metrics", "target")
    index = (attack.known_variables or []).index(attack.target)
    known = parsed.locate((*base, "privacy_metrics", "known_variables", index))
    yield Diagnostic(
        code="X016",
        message=f"the target `{attack.target}` is already known to the attacker",
        span=parsed.locate(path),
        path=path,
        label="target",
        why="the target is what the attacker tries to infer from the known variables",
        fix="remove it from `known_variables`, or choose another target",
        related=(Related(known, "known here"),),
    )
