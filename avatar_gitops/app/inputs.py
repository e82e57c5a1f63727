"""The data files of a run as its spec names them: found, opened for their header, and, for a plan, fingerprinted."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from avatar_gitops.diagnostics import Diagnostic
from avatar_gitops.errors import AvatarGitOpsError
from avatar_gitops.plan.desired import input_name
from avatar_gitops.spec.facts import InputFacts, Shape, scheme
from avatar_gitops.spec.models import AvatarRun, Source
from avatar_gitops.spec.nodes import Path as FieldPath
from avatar_gitops.spec.parse import Parsed
from avatar_gitops.spec.project import Project
from avatar_gitops.workspace.inputs import InputUnreadable, local_facts, local_path, read_shape, remote_facts

LFS_HEADER = "version https://git-lfs"
ROLES: Final = ("source", "avatars", "holdout")
SAMPLE: Final = "sample"
ABSENT: Final = "absent"
MOST_NAMED: Final = 6


def check_inputs(
    root: Path, parsed: Parsed[AvatarRun], *, absent_ok: bool = False
) -> tuple[dict[str, Shape], list[Diagnostic]]:
    """Header of every local table by name, and what is wrong with the files; counts no more rows than `k` needs.

    With `absent_ok` a file that is not here, or only as a pointer of Git LFS, is no finding.
    """
    shapes: dict[str, Shape] = {}
    found: list[Diagnostic] = []
    for name, key, source, path in sources_of(parsed, (*ROLES, SAMPLE)):
        uri = source.uri
        if scheme(uri) is not None:
            continue
        run = parsed.readable
        method = run.spec.tables[name].avatarization if run else None
        k = method.k if method else None
        try:
            shape = read_shape(existing_file(root, uri), max_rows=(k or 0) + 1)
        except InputUnreadable as error:
            if not (absent_ok and error.code == ABSENT):
                found.append(_problem(parsed, name, key, path, error))
            continue
        if is_pointer(shape):
            if absent_ok:
                continue
            lfs = InputUnreadable("it is a pointer of Git LFS, not the data", hint="git lfs pull")
            found.append(_problem(parsed, name, key, path, lfs))
        elif key == "source":
            shapes[name] = shape
        elif key == SAMPLE and name in shapes:
            found += _other_columns(parsed, name, shapes[name], shape)
    return shapes, found


def facts_of(
    root: Path, project: Project, parsed: Parsed[AvatarRun], environ: Mapping[str, str]
) -> tuple[tuple[InputFacts, ...], list[Diagnostic]]:
    """Facts with digests of every input of a valid run; they are called as `input_name` says."""
    key = digest_key(project, environ)
    facts: list[InputFacts] = []
    found: list[Diagnostic] = []
    for name, role, source, path in sources_of(parsed):
        table = input_name(name, role)
        if scheme(source.uri) is not None:
            facts.append(remote_facts(table, source.uri, source.digest or ""))
            continue
        try:
            fact = local_facts(table, source.uri, existing_file(root, source.uri), key)
        except InputUnreadable as error:
            found.append(_problem(parsed, name, role, path, error))
            continue
        facts.append(fact)
        found += not_declared(parsed, name, source, path, fact)
    return tuple(facts), found


def not_declared(
    parsed: Parsed[AvatarRun], name: str, source: Source, path: FieldPath, fact: InputFacts
) -> Iterator[Diagnostic]:
    """A finding when a file is not the one whose digest the spec declares."""
    said = source.digest
    if said and said.partition(":")[0] == fact.digest.partition(":")[0] and said != fact.digest:
        yield _changed(parsed, name, path)


def _other_columns(parsed: Parsed[AvatarRun], name: str, data: Shape, sample: Shape) -> Iterator[Diagnostic]:
    """What a sample lacks or has too much; columns are named only where neither header may be a row of data."""
    missing = sorted(set(data.columns) - set(sample.columns))
    extra = sorted(set(sample.columns) - set(data.columns))
    if not missing and not extra:
        return
    quoted = not (data.looks_like_data or sample.looks_like_data)
    said = [f"{word} {', '.join(names[:MOST_NAMED])}" for word, names in (("lacks", missing), ("has", extra)) if names]
    path: FieldPath = ("spec", "tables", name, SAMPLE)
    yield Diagnostic(
        code="X023",
        message=f"the sample of table `{name}` has other columns than its source",
        span=parsed.locate((*path, "uri")),
        path=path,
        label=f"it {' and '.join(said)}" if quoted else "",
        why="a preview runs the spec on the sample in place of the data, so both need the same header",
        fix="make the sample again with the columns of the source",
    )


def is_pointer(shape: Shape) -> bool:
    """Whether a file is a pointer of Git LFS and not the table itself."""
    return shape.columns[0].startswith(LFS_HEADER)


def sources_of(parsed: Parsed[AvatarRun], roles: Sequence[str] = ROLES) -> Iterator[tuple[str, str, Source, FieldPath]]:
    """Table, role, long form and place of every input of a run."""
    tables = parsed.readable.spec.tables if parsed.readable else {}
    for name, table in tables.items():
        for role in roles:
            source = getattr(table, role)
            if source is not None:
                long = source if isinstance(source, Source) else Source(uri=source)
                yield name, role, long, ("spec", "tables", name, role)


def existing_file(root: Path, uri: str) -> Path:
    """The file that a path in a spec means. Raises InputUnreadable, with code `ABSENT` when there is no such file."""
    path = local_path(root, uri)
    if path is None:
        inside = uri.lstrip("./")
        hint = "copy the file into the project, or use a URL"
        if uri.startswith("../") and (root / inside).is_file():
            hint = f"did you mean `{inside}`? paths start at the folder of avatar-gitops.yaml"
        raise InputUnreadable("the path leaves the project", hint=hint, code="X019")
    if path.is_dir():
        raise InputUnreadable("it is a folder", hint="name the file")
    if not path.exists():
        names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, names, n=1)
        hint = f"did you mean `{Path(uri).with_name(near[0]).as_posix()}`?" if near else ""
        hint = hint or "paths start at the folder of avatar-gitops.yaml"
        raise InputUnreadable("there is no such file", hint=hint, code=ABSENT)
    return path


def _problem(parsed: Parsed[AvatarRun], name: str, role: str, path: FieldPath, error: InputUnreadable) -> Diagnostic:
    hint = error.hint or ""
    guess = hint if hint.startswith("did you mean") else ""
    return Diagnostic(
        code="X019" if error.code == "X019" else "X002",
        message=f"the {role} of table `{name}` cannot be used: {error.message}",
        span=parsed.locate((*path, "uri")),
        path=path,
        label=guess,
        fix="" if guess else hint,
    )


def _changed(parsed: Parsed[AvatarRun], name: str, path: FieldPath) -> Diagnostic:
    return Diagnostic(
        code="X020",
        message=f"the file of table `{name}` is not the one that the spec names",
        span=parsed.locate((*path, "digest")),
        path=(*path, "digest"),
        label="the digest of the file is another one",
        fix="restore the file, or write the digest of the new one",
    )


def digest_key(project: Project, environ: Mapping[str, str], *, required: bool = True) -> bytes | None:
    """The key of keyed digests, if the project has one; one that is not set is None, or an error if it is required."""
    reference = project.spec.digest_key
    if reference is None:
        return None
    name = reference.removeprefix("env/")
    value = environ.get(name)
    if not value:
        if not required:
            return None
        raise AvatarGitOpsError(
            f"the project asks for keyed digests, and {name} is not set", hint=f"export {name}=… (any long secret)"
        )
    return value.encode()
