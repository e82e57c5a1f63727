"""Rules that span fields, files or the header of the data; none of them needs a network or a value of a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from avatar_gitops.diagnostics import Diagnostic, Related, Severity
from avatar_gitops.spec.checks_columns import check_columns
from avatar_gitops.spec.checks_dp import check_dp
from avatar_gitops.spec.checks_gates import check_gates
from avatar_gitops.spec.checks_links import check_links
from avatar_gitops.spec.checks_methods import check_methods
from avatar_gitops.spec.checks_processors import check_processors
from avatar_gitops.spec.checks_series import check_series, series_of
from avatar_gitops.spec.facts import REMOTE_SCHEMES, Shape, bucket, scheme
from avatar_gitops.spec.models import AvatarRun, ColumnTag, Job, Source, Table
from avatar_gitops.spec.nodes import Path
from avatar_gitops.spec.parse import Parsed
from avatar_gitops.spec.wording import listed

METHODS: Final = ("k", "open_dp", "fast_dp")
NEEDS: Final = {
    Job.REPORT: (Job.PRIVACY_METRICS, Job.SIGNAL_METRICS),
    Job.REPORT_PIA: (Job.PRIVACY_METRICS, Job.SIGNAL_METRICS),
    Job.PRIVACY_METRICS: (Job.STANDARD,),
    Job.SIGNAL_METRICS: (Job.STANDARD,),
}


def check_run(parsed: Parsed[AvatarRun], shapes: Mapping[str, Shape]) -> list[Diagnostic]:
    """Every cross-check of one run; `shapes` holds the tables whose header could be read.

    Of a run with errors, only what does not depend on the wrong places is reported.
    """
    run = parsed.readable
    if run is None:
        return []
    found = [*_jobs(parsed, run), *check_gates(parsed, run), *check_links(parsed, run, shapes)]
    found += check_series(parsed, run)
    series = series_of(run)
    for name, table in run.spec.tables.items():
        if name not in series or table.avatarization is not None:
            found += _method(parsed, name, table)
        found += _declared_digest(parsed, name, table)
        found += _identifiers(parsed, name, table)
        found += check_processors(parsed, name, table)
        found += check_columns(parsed, name, table, shapes.get(name))
        found += check_methods(parsed, name, table, shapes.get(name))
        found += check_dp(parsed, name, table, shapes.get(name))
        found += _neighbours(parsed, name, table, shapes.get(name))
    return [finding for finding in found if not _touched(finding.path, parsed.pruned)]


def _touched(path: Path, pruned: frozenset[Path]) -> bool:
    """Whether a place that was taken out lies at or below a path, so that a finding there may be its echo."""
    return any(wrong[: len(path)] == path for wrong in pruned)


def check_names(runs: Sequence[Parsed[AvatarRun]]) -> list[Diagnostic]:
    """Set names that two files use; the later file is the one that is reported."""
    first: dict[str, Parsed[AvatarRun]] = {}
    found: list[Diagnostic] = []
    for parsed in runs:
        name = written_name(parsed)
        if name is None:
            continue
        if name not in first:
            first[name] = parsed
            continue
        path: Path = ("metadata", "name")
        found.append(
            Diagnostic(
                code="X001",
                message=f"set name `{name}` is used twice",
                span=parsed.locate(path),
                path=path,
                label="second use",
                fix="rename one; if the file was moved, delete the old one",
                related=(Related(first[name].locate(path), "first use"),),
            )
        )
    return found


def written_name(parsed: Parsed[AvatarRun]) -> str | None:
    """The name in a file, also if the file has errors elsewhere."""
    data = parsed.document.data if parsed.document else None
    metadata = data.get("metadata") if isinstance(data, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else None


def _method(parsed: Parsed[AvatarRun], name: str, table: Table) -> Iterator[Diagnostic]:
    path: Path = ("spec", "tables", name)
    method = table.avatarization
    if method is None:
        if table.avatars is None:
            yield Diagnostic(
                code="X004",
                message=f"table `{name}` has no method",
                span=parsed.locate_key(path),
                path=path,
                why="a table is anonymized by `avatarization`, or measured against the file in `avatars`",
                fix="add `avatarization: {k: 20}`",
            )
        return
    inner: Path = (*path, "avatarization")
    if table.avatars is not None:
        yield Diagnostic(
            code="X005",
            message=f"table `{name}` has avatars and a method to make them",
            span=parsed.locate_key(inner),
            path=inner,
            label="method",
            why="with `avatars` the run only measures the two files that exist",
            fix="remove `avatarization`, or remove `avatars`; settings of the metrics go to `privacy_metrics`",
            related=(Related(parsed.locate_key((*path, "avatars")), "existing avatars"),),
        )
    chosen = [key for key in METHODS if getattr(method, key) is not None]
    if not chosen:
        yield Diagnostic(
            code="X004",
            message=f"`avatarization` of table `{name}` names no method",
            span=parsed.locate_key(inner),
            path=inner,
            label="one of k, open_dp, fast_dp is needed",
            fix="add `k: 20` for the avatar method",
        )
    for extra in chosen[1:]:
        first, second = (parsed.locate_key((*inner, key)) for key in (chosen[0], extra))
        inherited = chosen[0] if first.file != parsed.file else extra if second.file != parsed.file else ""
        yield Diagnostic(
            code="X005",
            message=f"`{chosen[0]}` and `{extra}` are two methods for one table",
            span=second,
            path=(*inner, extra),
            label="second method",
            fix=f"take the inherited one away: `{inherited}: null`"
            if inherited
            else "keep one; `k` is the avatar method, `open_dp` and `fast_dp` are differential privacy",
            related=(Related(first, "first method"),),
        )


def _declared_digest(parsed: Parsed[AvatarRun], name: str, table: Table) -> Iterator[Diagnostic]:
    for key in ("source", "avatars", "holdout", "sample"):
        source = getattr(table, key)
        if source is None:
            continue
        uri = source.uri if isinstance(source, Source) else source
        path: Path = ("spec", "tables", name, key)
        kind = scheme(uri)
        if kind is None:
            continue
        if kind not in REMOTE_SCHEMES:
            yield Diagnostic(
                code="X012",
                message=f"`{kind}://` is not a kind of source",
                span=parsed.locate((*path, "uri")),
                path=path,
                label="a path in the project, or one of " + ", ".join(f"{known}://" for known in REMOTE_SCHEMES),
            )
        elif not isinstance(source, Source) or source.digest is None:
            yield Diagnostic(
                code="X011",
                message=f"the {key} of table `{name}` is remote and has no digest",
                span=parsed.locate((*path, "uri")),
                path=path,
                why="nobody could tell later which data were anonymized; remote files are not opened here",
                fix=f'write {key}: {{uri: …, digest: "sha256:…"}} with the output of sha256sum',
            )


def _identifiers(parsed: Parsed[AvatarRun], name: str, table: Table) -> Iterator[Diagnostic]:
    for column, about in table.columns.items():
        handled = about.drop or about.pseudonymization or about.primary_key or about.identifier
        if about.tag is ColumnTag.IDENTIFIER and not handled:
            path: Path = ("spec", "tables", name, "columns", column)
            yield Diagnostic(
                code="X010",
                severity=Severity.WARNING,
                message=f"`{column}` identifies people and goes through anonymization like any other column",
                span=parsed.locate_key(path),
                path=path,
                why="an identifier has a new value on every row, so its avatars are real identifiers of other people",
                fix="add `drop: true`, a `pseudonymization`, or `primary_key: true` if it is the key",
            )


def _neighbours(parsed: Parsed[AvatarRun], name: str, table: Table, shape: Shape | None) -> Iterator[Diagnostic]:
    k = table.avatarization.k if table.avatarization else None
    if shape is None or k is None or k < shape.rows:
        return
    path: Path = ("spec", "tables", name, "avatarization", "k")
    yield Diagnostic(
        code="X007",
        message=f"`k` is not smaller than the number of rows of table `{name}`",
        span=parsed.locate(path),
        path=path,
        label=f"got {k}, the table has {bucket(shape.rows)} rows",
        why="a row has as many neighbours as there are other rows",
        fix="choose a smaller k, or a larger table; k / rows below 5 % keeps detail",
        note="rows were counted, no data was kept",
    )


def _jobs(parsed: Parsed[AvatarRun], run: AvatarRun) -> Iterator[Diagnostic]:
    jobs = set(run.spec.jobs)
    measured = all(table.avatarization is None for table in run.spec.tables.values())
    for index, job in enumerate(run.spec.jobs):
        path: Path = ("spec", "jobs", index)
        if job in run.spec.jobs[:index]:
            yield Diagnostic(
                code="X009",
                severity=Severity.WARNING,
                message=f"job `{job}` is listed twice",
                span=parsed.locate(path),
                path=path,
                fix="remove one",
            )
            continue
        missing = [need.value for need in NEEDS.get(job, ()) if need not in jobs]
        if measured:
            missing = [need for need in missing if need != Job.STANDARD]
        if missing:
            yield Diagnostic(
                code="X008",
                message=f"job `{job}` needs {listed([f'`{need}`' for need in missing], 'and')}",
                span=parsed.locate(path),
                path=path,
                fix=f"add {listed([f'`{need}`' for need in missing], 'and')}, or remove the line `jobs` to run all",
            )
