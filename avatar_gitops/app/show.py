"""`show --resolved`: one run as it is when its layers are merged, and where each value comes from. Needs no server."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from avatar_gitops.app.loading import locks_of
from avatar_gitops.app.validate import LoadedRun, invalid, validate
from avatar_gitops.errors import UsageError
from avatar_gitops.spec.canonical import resolved as resolve
from avatar_gitops.spec.nodes import Document
from avatar_gitops.spec.nodes import Path as FieldPath
from avatar_gitops.workspace.discover import shown

DEFAULT: Final = "default"
LOCK: Final = "lock file"


@dataclass(frozen=True, slots=True)
class Resolved:
    """One run in full: `path` of its spec, `content` with every default, `origins` of its values by their paths.

    The origin of a value is a file with a line, `default` for what nobody said, or `lock file` when the spec is gone.
    """

    name: str
    path: str
    content: Mapping[str, Any]
    origins: Mapping[FieldPath, str]


def show_resolved(project: Path | None, name: str) -> Resolved:
    """A run by the name of its set. Raises SpecError when its spec is not valid, UsageError when there is none."""
    found = validate(project, absent_ok=True)
    run = next((item for item in found.runs if item.run.metadata.name == name), None)
    if run is not None:
        content = resolve(run.run)
        return Resolved(name, shown(found.root, run.path), content, dict(_origins(found.root, run, content)))
    if found.project is None or not found.ok:
        raise invalid(found)
    locks = {lock.set: lock for lock in locks_of(found.root, found.project)}
    if name in locks:
        gone = locks[name]
        return Resolved(name, gone.path, gone.spec, {path: LOCK for path, _ in values(gone.spec)})
    names = sorted({*(item.run.metadata.name for item in found.runs), *locks})
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"sets: {', '.join(names) or 'none'}"
    raise UsageError(f"there is no set `{name}`", hint=hint)


def values(content: Mapping[str, Any], path: FieldPath = ()) -> Iterator[tuple[FieldPath, Any]]:
    """Every value of a run that is no group of others: a text, a number, a list, an empty mapping."""
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from values(value, (*path, key))
        else:
            yield (*path, key), value


def _origins(root: Path, run: LoadedRun, content: Mapping[str, Any]) -> Iterator[tuple[FieldPath, str]]:
    document = run.parsed.document
    assert document is not None
    for path, _ in values(content):
        said = _said(document, path)
        yield path, DEFAULT if said is None else _place(root, run, document, said)


def _said(document: Document, path: FieldPath) -> FieldPath | None:
    """The path at which somebody wrote a value; a plain source is the `uri` of its long form."""
    if path in document.values:
        return path
    return path[:-1] if path[-1] == "uri" and path[:-1] in document.values else None


def _place(root: Path, run: LoadedRun, document: Document, path: FieldPath) -> str:
    span = document.values[path]
    file = shown(root, Path(os.path.normpath(Path.cwd().resolve() / span.file)))
    if path in run.matrix:
        return f"matrix, {file}:{span.line}"
    return f"from: {file}:{span.line}" if span.file == run.start else f"{file}:{span.line}"
