"""Cross-checks of time series: a time column, a link from the people, and settings that work together."""

from __future__ import annotations

from collections.abc import Iterator

from avatar_gitops.diagnostics import Diagnostic, Severity
from avatar_gitops.spec.models import AvatarRun, LinkMethod, Table
from avatar_gitops.spec.nodes import Path
from avatar_gitops.spec.parse import Parsed
from avatar_gitops.spec.series import AlignmentMethod, ProjectionType

TABLES: Path = ("spec", "tables")


def series_of(run: AvatarRun) -> frozenset[str]:
    """Tables of series: those that a link of the method `time_series` leads to."""
    links = [link for table in run.spec.tables.values() for link in table.links or ()]
    return frozenset(link.to.table for link in links if link.method is LinkMethod.TIME_SERIES)


def check_series(parsed: Parsed[AvatarRun], run: AvatarRun) -> Iterator[Diagnostic]:
    """Findings about the series of a run."""
    series = series_of(run)
    for name, table in run.spec.tables.items():
        yield from _times(parsed, name, table, linked=name in series)
        yield from _settings(parsed, name, table)


def _times(parsed: Parsed[AvatarRun], name: str, table: Table, *, linked: bool) -> Iterator[Diagnostic]:
    times = [column for column, about in table.columns.items() if about.time_series_time]
    base: Path = (*TABLES, name)
    if linked and not times:
        yield Diagnostic(
            code="X028",
            message=f"table `{name}` is linked as time series and has no time column",
            span=parsed.locate_key(base),
            path=base,
            why="the points of a series are put in order and aligned by their time",
            fix="add `time_series_time: true` to its time column",
        )
    for extra in times[1:]:
        path: Path = (*base, "columns", extra, "time_series_time")
        yield Diagnostic(
            code="X028",
            message=f"table `{name}` has a second time column",
            span=parsed.locate_key(path),
            path=path,
            fix=f"keep one of `{times[0]}` and `{extra}`, and drop the other column",
        )
    if linked or not (times or table.time_series):
        return
    where: Path = (*base, "time_series") if table.time_series else (*base, "columns", times[0], "time_series_time")
    yield Diagnostic(
        code="X028",
        message=f"table `{name}` has time series and no link from the table of their people",
        span=parsed.locate_key(where),
        path=where,
        why="a series is anonymized with the person it is of",
        fix=f"add a link to `{name}` with `method: time_series` under the table that has one row per person",
    )


def _settings(parsed: Parsed[AvatarRun], name: str, table: Table) -> Iterator[Diagnostic]:
    said = table.time_series
    if said is None:
        return
    base: Path = (*TABLES, name, "time_series")
    points = said.alignment.nb_points if said.alignment else None
    method = said.alignment.method if said.alignment else None
    if method is AlignmentMethod.SPECIFIED and points is None:
        path: Path = (*base, "alignment", "method")
        yield Diagnostic(
            code="X029",
            message="the alignment is `specified`, but no number of points is",
            span=parsed.locate(path),
            path=path,
            fix="add `nb_points: 20`, or let the lengths of the series decide: max, min or mean",
        )
    if method not in (None, AlignmentMethod.SPECIFIED) and points is not None:
        yield _unused(parsed, (*base, "alignment", "nb_points"), f"the alignment `{method}` counts points itself")
    if said.projection and said.projection.projection_type is ProjectionType.FLATTEN and said.projection.nf:
        yield _unused(parsed, (*base, "projection", "nf"), "`flatten` keeps every point of the grid")


def _unused(parsed: Parsed[AvatarRun], path: Path, why: str) -> Diagnostic:
    return Diagnostic(
        code="X029",
        severity=Severity.WARNING,
        message=f"`{path[-1]}` has no effect",
        span=parsed.locate_key(path),
        path=path,
        why=why,
        fix="remove the line, or choose `specified`"
        if path[-1] == "nb_points"
        else "remove the line, or choose `fpca`",
    )
