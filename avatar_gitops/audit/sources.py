"""Whether the files that people wrote can be read, and whether the specs in a bundle are those that ran."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from avatar_gitops.audit.archive import Finding
from avatar_gitops.audit.integrity import Files, statement_in
from avatar_gitops.audit.layout import MANIFEST, PROJECT, RESOLVED
from avatar_gitops.audit.story import Story, Told
from avatar_gitops.plan.lock import Lock
from avatar_gitops.spec.canonical import canonical, resolved
from avatar_gitops.spec.importing import from_platform
from avatar_gitops.spec.layers import DEFAULTS_FILE, subtree, without_positions
from avatar_gitops.spec.nodes import Document, read
from avatar_gitops.spec.parse import (
    DEFAULTS,
    Parsed,
    parse_defaults,
    parse_policy,
    parse_project,
    parse_waivers,
    says_waivers,
)
from avatar_gitops.spec.policies import FOLDER as POLICIES
from avatar_gitops.spec.project import PROJECT_FILE, Project
from avatar_gitops.spec.resolving import make_runs, starts_from


def check(story: Story, told: Told) -> Iterator[Finding]:
    """Settings and policies that nobody can read, and settings of another project; notes about specs that did not run.

    A spec may change after its run, so that another one in the bundle is no finding: `resolved/` holds what ran.
    """
    project = parse_project(story.files.get(PROJECT + PROJECT_FILE, b""), PROJECT_FILE)
    yield from _project(story.files, project.value)
    yield from _policies(story.files)
    if project.value is not None:
        told.notes += _other_specs(story, project, project.value)


def _project(files: Files, project: Project | None) -> Iterator[Finding]:
    manifest = statement_in(files, MANIFEST)
    if project is None:
        yield Finding(
            PROJECT + PROJECT_FILE, "it is no valid project file" if _has(files, PROJECT_FILE) else "it is missing"
        )
    elif manifest is not None and manifest["predicate"].get("project") != project.metadata.name:
        yield Finding(PROJECT + PROJECT_FILE, "it is of another project than the manifest says")


def _policies(files: Files) -> Iterator[Finding]:
    place = f"{PROJECT}{POLICIES}/"
    for name in sorted(name for name in files if name.startswith(place) and name.count("/") == place.count("/")):
        waivers = says_waivers(files[name])
        if (parse_waivers(files[name], name) if waivers else parse_policy(files[name], name)).value is None:
            yield Finding(name, f"it is no valid file of {'waivers' if waivers else 'policies'}")


def _other_specs(story: Story, parsed: Parsed[Project], project: Project) -> Iterator[str]:
    """Specs in the bundle that do not say what ran; the sets of one matrix are made once."""
    made: dict[str, Mapping[str, bytes] | str] = {}
    for lock in sorted(story.locks.values(), key=lambda lock: lock.set):
        if lock.path not in made:
            made[lock.path] = _sets(story.files, parsed, project, lock.path)
        if why := _differs(made[lock.path], lock):
            yield f"{lock.set}: {why}; {RESOLVED}{lock.set}.json is what ran"


def _differs(made: Mapping[str, bytes] | str, lock: Lock) -> str:
    """Why the source of a run does not say what ran; empty when it does."""
    if isinstance(made, str):
        return made
    if lock.set not in made:
        return f"{lock.path} does not make it, or is not valid"
    return "" if made[lock.set] == canonical(lock.spec) else f"{lock.path} in the bundle is not what ran"


def _sets(files: Files, parsed: Parsed[Project], project: Project, path: str) -> Mapping[str, bytes] | str:
    """The resolved spec of each set that a source makes; a text when the bundle cannot tell them."""
    if not _has(files, path):
        return f"its spec {path} is not in the bundle"
    spec, found = read(files[PROJECT + path], path)
    if spec is None:
        return f"{path} cannot be read"
    uri = starts_from(spec)
    name = str(PurePosixPath(uri)) if uri else ""
    if name and not _has(files, name):
        return f"{path} starts from a file that is not in the bundle, so that nobody can compare it"
    start = _start(files[PROJECT + name], name) if name else None
    runs = make_runs(spec, found, list(_defaults(files, parsed, project, path)), start)
    values = [run.parsed.value for run in runs if run.parsed.value is not None]
    return {value.metadata.name: canonical(resolved(value)) for value in values}


def _start(content: bytes, name: str) -> Document:
    return without_positions({"spec": from_platform(content, name).data.get("spec", {})}, name)


def _defaults(files: Files, parsed: Parsed[Project], project: Project, path: str) -> Iterator[Document]:
    """Layers below a spec, the farthest first: those of the project file, then those of each folder."""
    if project.spec.defaults is not None and parsed.document is not None:
        yield subtree(parsed.document, DEFAULTS)
    specs = PurePosixPath(project.spec.specs)
    for folder in reversed(PurePosixPath(path).parents):
        name = str(folder / DEFAULTS_FILE)
        if folder.is_relative_to(specs) and _has(files, name):
            document = parse_defaults(files[PROJECT + name], name).document
            if document is not None:
                yield document


def _has(files: Files, name: str) -> bool:
    return PROJECT + name in files
