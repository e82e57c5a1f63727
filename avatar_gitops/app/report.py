"""`report`: documents of published runs again, signatures under them, and what changed between two. Needs no server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from avatar_gitops.app.loading import AppliedProject, load_applied
from avatar_gitops.app.reports import FACTS, PICTURES, project_templates, read_facts
from avatar_gitops.assessment import AssessmentFacts, Format, SignatureFacts, render, report_view
from avatar_gitops.assessment.document import pictures
from avatar_gitops.assessment.facts import Language
from avatar_gitops.assessment.statements import Changed, Statement, changes, read_statements
from avatar_gitops.assessment.view import Kind
from avatar_gitops.audit.statement import sha256
from avatar_gitops.errors import AvatarGitOpsError, IntegrityError, UsageError
from avatar_gitops.plan.lock import Lock
from avatar_gitops.plan.signoff import STATEMENTS, Decision, Signatures, SignOff
from avatar_gitops.workspace.discover import shown
from avatar_gitops.workspace.files import write_atomic
from avatar_gitops.workspace.git import file_at, resolve, user
from avatar_gitops.workspace.signoffs import add_signoff, read_signoffs

EXTENSIONS: dict[Format, str] = {"pdf": "pdf", "docx": "docx", "markdown": "md"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which document; `language` None is that of the spec, `templates` None are those of the project."""

    kind: Kind = "pia"
    format: Format = "pdf"
    language: Language | None = None
    templates: Path | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """A document in bytes, its file name, and the pictures that a Markdown document shows."""

    name: str
    content: bytes
    pictures: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Given:
    """A signature as somebody gives it; without a person it is who commits here."""

    role: str
    decision: Decision = Decision.APPROVED
    person: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A signature that was written down: its file, relative to the project, and the roles that have to sign."""

    path: Path
    required: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PiaDiff:
    """Two assessments by what they were called; `signatures` are those under the later one."""

    labels: tuple[str, str]
    changes: tuple[Changed, ...]
    signatures: Signatures


def render_report(project: Path | None, name: str, wanted: Wanted, output: Path | None = None) -> Rendered:
    """A document of a published run from what it left in `out/NAME/`, the lock and the signatures.

    Raises UsageError when the set or its facts are not here, IntegrityError when the facts are not those of the lock.
    """
    applied = load_applied(project)
    lock = _lock(applied, name)
    facts = _facts(applied, lock)
    templates = project_templates(applied.root, applied.project, wanted.templates)
    if wanted.language is not None:
        facts = replace(facts, language=wanted.language)
    view = report_view(wanted.kind, _signed(facts, signatures_of(applied, lock)))
    file = f"{name}.{wanted.kind}.{EXTENSIONS[wanted.format]}"
    folder = (output or Path(file)).stem if wanted.format == "markdown" else ""
    try:
        content = render(view, wanted.format, templates, folder)
    except ImportError as error:
        raise AvatarGitOpsError(
            f"a {wanted.format} document needs the library {error.name or 'of its format'}",
            hint="pip install 'avatar-gitops[local]', or ask for --format markdown",
        ) from None
    return Rendered(file, content, pictures(view.document) if folder else {})


def save(rendered: Rendered, output: Path | None) -> Path:
    """Write a document, and the pictures of a Markdown one into a folder beside it; return its path."""
    path = output or Path(rendered.name)
    for name, content in rendered.pictures.items():
        write_atomic(path.parent / path.stem / name, content)
    write_atomic(path, rendered.content)
    return path


def sign(project: Path | None, name: str, given: Given, day: date) -> Recorded:
    """Record a decision about the assessment that is published.

    Raises UsageError when nothing is published, when the statements are not here, or when nobody says who signs.
    """
    applied = load_applied(project)
    lock = _lock(applied, name)
    _statements(applied, lock)
    who = given.person or next((text for text in user(applied.root) if "@" in text), "")
    if not who:
        raise UsageError("nobody says who signs", hint="add --person NAME, or set user.email in git")
    item = SignOff(who, given.role, day.isoformat(), given.decision, lock.outputs[STATEMENTS], lock.run, given.note)
    path = Path(shown(applied.root, add_signoff(applied.root, name, item)))
    return Recorded(path, signatures_of(applied, lock).required)


def signatures_of(applied: AppliedProject, lock: Lock) -> Signatures:
    """The decisions about a set beside what is published now."""
    found = read_signoffs(applied.root, lock.set)
    return Signatures(found, lock.outputs.get(STATEMENTS, ""), tuple(applied.project.spec.reports.signers))


def difference(project: Path | None, before: str, after: str | None) -> PiaDiff:
    """Which statements differ between two assessments, each `NAME`, `NAME@REF` or a `pia.json`; alone, since HEAD.

    Raises UsageError when one of them is not to be found.
    """
    applied = load_applied(project)
    first, second = (before, after) if after is not None else (f"{before}@HEAD", before)
    sides = (_side(applied, first), _side(applied, second))
    lock = applied.locks.get(second.partition("@")[0])
    signatures = signatures_of(applied, lock) if lock is not None else Signatures()
    return PiaDiff((first, second), changes(*sides), signatures)


def _side(applied: AppliedProject, text: str) -> tuple[Statement, ...]:
    path = Path(text)
    if path.suffix == ".json" or path.is_dir():
        return _read(path / STATEMENTS if path.is_dir() else path)
    name, at, ref = text.partition("@")
    if not at:
        return _statements(applied, _lock(applied, name))
    commit = resolve(applied.root, ref) if ref else ""
    if not commit:
        raise UsageError(f"git does not know the commit `{ref}`", hint="NAME@REF takes a branch, a tag or a commit")
    file = f"{applied.project.spec.out}/{name}/{STATEMENTS}"
    content = file_at(applied.root, commit, file)
    if content is None:
        raise UsageError(
            f"{file} is not in git at {ref}",
            hint="commit out/, or give the pia.json of an earlier artifact; `avatar-gitops diff` compares lock files",
        )
    return _parsed(content, f"{file} at {ref}")


def _read(path: Path) -> tuple[Statement, ...]:
    try:
        return _parsed(path.read_bytes(), path.as_posix())
    except OSError as error:
        raise UsageError(f"{path.as_posix()} cannot be read ({error.strerror or 'unknown reason'})") from None


def _parsed(content: bytes, file: str) -> tuple[Statement, ...]:
    try:
        return read_statements(content)
    except ValueError as error:
        raise IntegrityError(f"{file} is no list of statements: {error}") from None


def _lock(applied: AppliedProject, name: str) -> Lock:
    if name in applied.locks:
        return applied.locks[name]
    near = get_close_matches(name, applied.locks, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"published: {', '.join(sorted(applied.locks)) or 'nothing'}"
    raise UsageError(f"nothing is published under the name `{name}`", hint=hint)


def _artifact(applied: AppliedProject, lock: Lock, file: str) -> bytes:
    """An artifact as it was published. Raises UsageError when it is not here, IntegrityError when it was altered."""
    path = applied.out / lock.set / file
    name = shown(applied.root, path)
    try:
        content = path.read_bytes()
    except OSError:
        raise UsageError(
            f"{name} is not here", hint="get the artifacts of the run, or make them again: avatar-gitops apply"
        ) from None
    if lock.outputs.get(file) != sha256(content):
        raise IntegrityError(f"{name} is not what the lock file says was published", hint="restore it from git")
    return content


def _statements(applied: AppliedProject, lock: Lock) -> tuple[Statement, ...]:
    content = _artifact(applied, lock, STATEMENTS)
    return _parsed(content, f"{lock.set}/{STATEMENTS}")


def _facts(applied: AppliedProject, lock: Lock) -> AssessmentFacts:
    content = _artifact(applied, lock, FACTS)
    try:
        return read_facts(content, lambda name: _artifact(applied, lock, f"{PICTURES}/{name}"))
    except (ValueError, KeyError, TypeError):
        raise IntegrityError(f"{lock.set}/{FACTS} was written by a version that this one does not know") from None


def _signed(facts: AssessmentFacts, signatures: Signatures) -> AssessmentFacts:
    """The facts with the decisions of now."""
    return replace(
        facts, signers=signatures.signers, signatures=tuple(_told(signatures)), statements=signatures.now or None
    )


def _told(signatures: Signatures) -> Iterator[SignatureFacts]:
    for item in signatures.latest:
        yield SignatureFacts(item.person, item.role, item.date, item.decision.value, signatures.holds(item), item.note)
