"""`audit verify`: whether a bundle is as it was made, tells one story, and is the word of somebody who is trusted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from avatar_gitops.app.loading import load_applied
from avatar_gitops.app.signing import trusted
from avatar_gitops.audit import archive, consistency, integrity
from avatar_gitops.audit.archive import Finding, Opened
from avatar_gitops.audit.bundle import how_to_check
from avatar_gitops.audit.integrity import Counts, Files, Signature, Trust
from avatar_gitops.audit.layout import HOW, MANIFEST, PROJECT
from avatar_gitops.audit.statement import sha256
from avatar_gitops.audit.story import Story, Told
from avatar_gitops.diagnostics import SpecError
from avatar_gitops.errors import IntegrityError, UsageError
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.signoff import SignOff
from avatar_gitops.spec import plain_yaml
from avatar_gitops.spec.parse import parse_policy, parse_project
from avatar_gitops.spec.policies import FOLDER as POLICIES
from avatar_gitops.spec.policies import LEDGER_FOLDER
from avatar_gitops.spec.project import PROJECT_FILE
from avatar_gitops.spec.signoffs import FOLDER as SIGNOFFS
from avatar_gitops.workspace.ledger import ledger_path, ledger_text, parse_ledger
from avatar_gitops.workspace.locks import lock_text, parse_lock
from avatar_gitops.workspace.signoffs import parse_signoffs

LOCK: Final = ".lock.yaml"


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification found. `overrides` are guard rails that somebody passed, in words; `digest` is the archive's.

    Nothing is wrong with a bundle without findings; whose word it is says `signature`.
    """

    findings: tuple[Finding, ...]
    signature: Signature
    counts: Counts = field(default_factory=Counts)
    notes: tuple[str, ...] = ()
    entries: int = 0
    since: str = ""
    sets: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()
    signoffs: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    digest: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing was changed, added or removed, and no document denies another."""
        return not self.findings

    def exit_code(self, *, allow_unsigned: bool) -> int:
        """1 when something is wrong, 4 when nobody who is trusted has signed, else 0."""
        if not self.whole:
            return 1
        return 0 if self.signature.trust is Trust.TRUSTED or allow_unsigned else 4


def verify_bundle(path: Path, keys: Mapping[str, str]) -> Verification:
    """Check a bundle, an archive or a folder. Needs nothing but the bundle and the keys that count."""
    return judged(archive.opened(path), keys)


def judged(bundle: Opened, keys: Mapping[str, str]) -> Verification:
    """What is to be said of a bundle that was opened."""
    if bundle.fatal:
        return Verification(bundle.findings, Signature(Trust.UNSIGNED), digest=_digest(bundle))
    counts, told = Counts(), Told()
    found = [*bundle.findings, *integrity.check(bundle.files, keys, counts)]
    locks, problems = _locks(bundle.files)
    found += [*problems, *_ledger(bundle.files)]
    out = _out(bundle.files)
    required, people = _approvers(bundle.files)
    signoffs, unread = _signoffs(bundle.files)
    found += unread
    story = Story(bundle.files, locks, out, required, people, signoffs)
    found += consistency.check(story, told)
    entries = told.log.entries
    signature = integrity.signature(bundle.files, keys)
    return Verification(
        findings=tuple(dict.fromkeys(sorted(found, key=lambda one: (one.file, one.message)))),
        signature=signature,
        counts=counts,
        notes=tuple(dict.fromkeys([*told.notes, *_how(bundle.files, signature)])),
        entries=len(entries),
        since=str(entries[0]["at"])[:10] if entries else "",
        sets=tuple(sorted(lock.set for lock in locks.values())),
        approvals=tuple(_approved(locks)),
        signoffs=tuple(told.signed),
        overrides=tuple(_overridden(told)),
        digest=_digest(bundle),
    )


def _how(files: Files, signature: Signature) -> Iterator[str]:
    """A note about a text on checking that neither this version nor anybody who is trusted wrote."""
    if signature.trust is not Trust.TRUSTED and files.get(HOW, how_to_check()) != how_to_check():
        yield f"{HOW} is not the text of this version; follow one from a source that you trust"


def _digest(bundle: Opened) -> str:
    return sha256(bundle.archive) if bundle.archive is not None else ""


def _locks(files: Files) -> tuple[dict[str, Lock], list[Finding]]:
    locks: dict[str, Lock] = {}
    found: list[Finding] = []
    for name in sorted(name for name in files if name.startswith(PROJECT) and name.endswith(LOCK)):
        if _unfolds(files[name]):
            found.append(Finding(name, "it is not written as avatar-gitops writes lock files"))
            continue
        try:
            locks[name] = parse_lock(files[name], name)
        except IntegrityError as error:
            found.append(Finding(name, error.message.removeprefix(name).strip()))
            continue
        if not _same(files[name], lock_text(locks[name])):
            found.append(Finding(name, "it is not written as avatar-gitops writes lock files"))
    return locks, found


def _unfolds(content: bytes) -> bool:
    """Whether a YAML text has aliases, by which a small one can become very large; locks have none."""
    text = content.decode("utf-8", "replace")
    if plain_yaml.load(text) is not None:
        return False
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.events import AliasEvent

    try:
        return any(isinstance(event, AliasEvent) for event in YAML(typ="safe", pure=True).parse(text))
    except (YAMLError, ValueError, RecursionError):
        return False  # it cannot be read at all, which is told by whoever tries


def _ledger(files: Files) -> Iterator[Finding]:
    """Records of releases that nobody can read, or that avatar-gitops did not write so."""
    place = f"{PROJECT}{LEDGER_FOLDER}/"
    for name in sorted(name for name in files if name.startswith(place)):
        try:
            releases = () if _unfolds(files[name]) else parse_ledger(files[name], name)
        except IntegrityError as error:
            yield Finding(name, error.message.removeprefix(name).strip())
            continue
        if not releases or not _same(files[name], ledger_text(releases[0].source, releases)):
            yield Finding(name, "it is not written as avatar-gitops writes records of releases")
        elif ledger_path(Path(), releases[0].source).name != PurePosixPath(name).name:
            yield Finding(name, "it stands under the name of another source")


def _same(content: bytes, text: str) -> bool:
    """Whether a file is what was written, also where git gave it the line ends of Windows."""
    return content.replace(b"\r\n", b"\n") == text.encode()


def _signoffs(files: Files) -> tuple[dict[str, tuple[SignOff, ...]], list[Finding]]:
    """Signatures by set, and files of signatures that cannot be read."""
    read: dict[str, tuple[SignOff, ...]] = {}
    found: list[Finding] = []
    place = f"{PROJECT}{SIGNOFFS}/"
    for name in sorted(name for name in files if name.startswith(place)):
        of = PurePosixPath(name).stem
        try:
            read[of] = parse_signoffs(files[name], name, of)
        except (IntegrityError, SpecError) as error:
            found.append(Finding(name, error.message.removeprefix(name).strip()))
    return read, found


def _out(files: Files) -> str:
    """The folder of artifacts that the project file in the bundle names."""
    project = parse_project(files.get(PROJECT + PROJECT_FILE, b""), PROJECT_FILE).value
    return str(PurePosixPath(project.spec.out)) if project else "out"


def _approvers(files: Files) -> tuple[tuple[str, ...], Mapping[str, tuple[str, ...]]]:
    """Who had to approve, and who is in each group, as the policy files in the bundle say."""
    place = f"{PROJECT}{POLICIES}/"
    names = (name for name in sorted(files) if name.startswith(place) and name.count("/") == place.count("/"))
    policies = [found for name in names if (found := parse_policy(files[name], name).value) is not None]
    people: dict[str, tuple[str, ...]] = {}
    for policy in policies:
        for group, members in policy.approvers.items():
            people[group] = (*people.get(group, ()), *members)
    return tuple(dict.fromkeys(name for policy in policies for name in policy.required_approvers)), people


def _approved(locks: Mapping[str, Lock]) -> Iterator[str]:
    for lock in sorted(locks.values(), key=lambda lock: lock.set):
        if lock.applied is not None and lock.applied.approved_by:
            yield f"{lock.set}: {', '.join(lock.applied.approved_by)}"


def _overridden(told: Told) -> Iterator[str]:
    for entry in told.log.entries:
        happened = entry["phase"] == "begun" or (entry["phase"] == "ended" and not entry["plan"])
        for one in entry["overrides"] if happened else ():
            said = " ".join(filter(None, (one["option"], one["value"])))
            yield f"{said}{': ' if one['reason'] else ''}{one['reason']} ({entry['at'][:10]}, by {entry['actor']})"


def anchors(project: Path | None, files: Sequence[Path]) -> Mapping[str, str]:
    """Public key to its name: those of files, else those of the project that is named or found here, if there is one.

    What a bundle says of keys is never asked.
    """
    if files or project is not None:
        return trusted(load_applied(project).project if not files else None, files)
    try:
        return trusted(load_applied(None).project, ())
    except UsageError:  # nobody is in a project
        return {}


def is_bundle(path: Path) -> bool:
    """Whether a path is a bundle and not the name of a set."""
    return path.is_file() or (path / MANIFEST).is_file()
