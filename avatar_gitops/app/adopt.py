"""`adopt`: a set on the server that somebody made by other means becomes one of this project's. The server stays as
it is; what is written is the project file, and a spec where there was none."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from avatar_gitops.app.auditing import Call, done, refusals
from avatar_gitops.app.clock import SystemClock
from avatar_gitops.app.import_ import Wishes, Written, find, make, origin_of, project_of, spec_named, write
from avatar_gitops.app.loading import load
from avatar_gitops.app.servers import open_server
from avatar_gitops.audit.entry import Override
from avatar_gitops.client.catalog import Catalog, Entry
from avatar_gitops.client.compile import to_yaml
from avatar_gitops.diagnostics import SpecError
from avatar_gitops.errors import UnsafePlan, UsageError
from avatar_gitops.plan.desired import DesiredSet
from avatar_gitops.plan.diff import placed, spec_changes, weaker_first
from avatar_gitops.plan.model import FieldChange
from avatar_gitops.spec import canonical
from avatar_gitops.spec.editing import with_item
from avatar_gitops.spec.fields import Consequence
from avatar_gitops.spec.importing import Imported, from_platform
from avatar_gitops.spec.models import AvatarRun
from avatar_gitops.spec.project import PROJECT_FILE, Project
from avatar_gitops.workspace.discover import shown
from avatar_gitops.workspace.files import write_atomic

OWNED_BY_OTHERS: Final = "R004"
ADOPTED: Final = ("spec", "adopted")


@dataclass(frozen=True, slots=True)
class Consent:
    """What the caller agrees to: a spec that differs from the set, and, with a reason, a set of another project."""

    differences: bool = False
    take_over: str = ""


@dataclass(frozen=True, slots=True)
class Adoption:
    """What was compared and what was written.

    `differences` go from the set on the server to the spec. `recorded` = the project file names the set now; `known` =
    it belonged to the project before. `written` is the spec that was made, None when there was one.
    """

    name: str
    id: str
    server: str
    path: str
    recorded: bool
    known: bool = False
    differences: tuple[FieldChange, ...] = ()
    notes: tuple[str, ...] = ()
    written: Written | None = None


def adopt(
    project: Path | None, server: str | None, name: str, set_id: str | None, wishes: Wishes, consent: Consent
) -> Adoption:
    """Compare a set with its spec and, if they agree or the caller says so, name it in the project file."""
    root, loaded = project_of(project)
    call = Call.now(root, loaded.metadata.name, "adopt", _overrides(name, consent))
    with (
        open_server(root, loaded, server) as connection,
        closing(
            Catalog(connection.base_url, connection.api_key, clock=SystemClock(), verify=connection.verify_tls)
        ) as catalog,
    ):
        entry = find(catalog, connection.name, name, set_id)
        name = entry.version.display_name if name == entry.version.id else name
        found = Adoption(name, entry.version.id, connection.name, "", recorded=False)
    if _belongs_to_us(entry, loaded):
        return replace(found, known=True)
    with refusals(call):
        _refuse_owned(entry, loaded, consent)
    spec = spec_named(root, loaded, name)
    if spec is None:
        written = make(root, loaded, origin_of(entry, found.server), replace(wishes, name=name))
        write(root, written)
        found = replace(found, path=written.path, written=written, notes=tuple(_messages(written)))
    else:
        _refuse_wishes(wishes, shown(root, spec), name)
        found = _compared(found, project, entry, name)
    if found.differences and not consent.differences:
        return found
    done(call, {name: "adopted"})
    _record(root, found, entry, consent)
    return replace(found, recorded=True)


def _overrides(name: str, consent: Consent) -> tuple[Override, ...]:
    """What the caller passes, for the audit log."""
    reason = consent.take_over.strip()
    return (
        *([Override("--take-over", name, reason)] if reason else []),
        *([Override("--accept-differences", name)] if consent.differences else []),
    )


def _belongs_to_us(entry: Entry, project: Project) -> bool:
    ids = {adopted.id.lower() for adopted in project.spec.adopted}
    return entry.version.project == project.metadata.name or entry.version.id in ids


def _refuse_owned(entry: Entry, project: Project, consent: Consent) -> None:
    owner = entry.version.project
    if owner is None or consent.take_over.strip():
        return
    raise UnsafePlan(
        f"set {entry.version.display_name} ({entry.version.id}) belongs to project {owner}, not to"
        f" {project.metadata.name}",
        hint='two projects must not both answer for it; when that project has let go of it: --take-over "why"',
        code=OWNED_BY_OTHERS,
    )


def _refuse_wishes(wishes: Wishes, spec: str, name: str) -> None:
    """What only a new spec could take in must not be passed over in silence."""
    said = [f"--{role} {table}=…" for table, role in wishes.files] + (["--to"] if wishes.to else [])
    if said:
        raise UsageError(
            f"{spec} is the spec of `{name}` already, and {said[0]} is for a new one",
            hint=f"leave it out; {spec} says which files the set has",
        )


def _messages(written: Written) -> Iterator[str]:
    for note in written.notes:
        yield note.message


def _compared(found: Adoption, project: Path | None, entry: Entry, name: str) -> Adoption:
    """The set beside the spec, both by way of the documents that the platform has for them."""
    desired = {item.name: item for item in load(project).desired}
    if name not in desired:
        raise UsageError(f"the spec of `{name}` is not valid", hint="avatar-gitops validate")
    ours = desired[name]
    jobs = tuple(job.parameters for job in entry.version.jobs)
    theirs = from_platform(entry.documents, f"set {name} on {found.server}", name=name, jobs=jobs)
    mine = from_platform(to_yaml(ours, {}), ours.path, name=name)
    for side in (theirs, mine):
        if not side.ok:
            raise SpecError(f"{side.file} cannot be compared", side.findings)
    changes = spec_changes(_resolved(theirs, ours), _resolved(mine, ours), ours.lines)
    consequential = (placed(change, ours) for change in changes if change.consequence is not Consequence.METADATA)
    notes = (*(note.message for note in theirs.notes), *_other_data(theirs, ours))
    return replace(found, path=ours.path, differences=weaker_first(consequential), notes=notes)


def _resolved(imported: Imported, ours: DesiredSet) -> dict[str, object]:
    """An imported run with defaults; where the rows of a table are is only known to the spec."""
    tables = imported.data["spec"]["tables"]
    for name, table in tables.items():
        said = ours.run.spec.tables.get(name)
        table["source"] = _uri(said.source) if said else "unknown"
        for role in ("avatars", "holdout"):
            if (name, role) in imported.files:
                table[role] = _uri(getattr(said, role, None)) or "unknown"
    return canonical.resolved(AvatarRun.model_validate_json(json.dumps(imported.data)))


def _uri(source: object) -> str:
    return source if isinstance(source, str) else str(getattr(source, "uri", ""))


def _other_data(theirs: Imported, ours: DesiredSet) -> Iterator[str]:
    """Tables whose upload has the digest of other data in its name, as this program names uploads."""
    digests = {item.table: item.digest.partition(":")[2][:16] for item in ours.inputs}
    for (table, role), file in theirs.files.items():
        digest = Path(file).stem.rpartition("-")[2]
        ours_is = digests.get(table)
        if role == "source" and ours_is and len(digest) == len(ours_is) and digest != ours_is:
            yield f"the rows of table `{table}` on the server are not those of the data file here"


def _record(root: Path, found: Adoption, entry: Entry, consent: Consent) -> None:
    """Name the set in the project file, with its comments and layout as they are."""
    path = (root / PROJECT_FILE).resolve()
    text = path.read_bytes().decode("utf-8")
    mark = "\N{ZERO WIDTH NO-BREAK SPACE}" if text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}") else ""
    item: dict[str, object] = {"set": found.name, "id": found.id}
    comment = ""
    if entry.version.project is not None:
        item["take_over"] = True
        reason = " ".join(consent.take_over.split())
        comment = f"taken over from project {entry.version.project}: {reason}"
    if found.differences:
        item["differs"] = True
    written = with_item(text.removeprefix(mark), ADOPTED, item, comment)
    write_atomic(path, mark + written, mode=stat.S_IMODE(path.stat().st_mode))
