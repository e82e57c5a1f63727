"""Text of a spec or project file to its model, with every finding about it in one pass."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError

from avatar_gitops.diagnostics import Diagnostic, Severity, Span
from avatar_gitops.spec.defaults import DefaultsFile
from avatar_gitops.spec.layers import own_keys
from avatar_gitops.spec.literals import find_secrets
from avatar_gitops.spec.models import AvatarRun, Model
from avatar_gitops.spec.nodes import Document, Path, read
from avatar_gitops.spec.policies import PolicyFile, PolicyTests, WaiverFile
from avatar_gitops.spec.project import Project
from avatar_gitops.spec.recognition import read_known
from avatar_gitops.spec.schema import Kind
from avatar_gitops.spec.signoffs import SignOffs
from avatar_gitops.spec.structure import check_structure

T = TypeVar("T", bound=Model)
DEFAULTS: Final[Path] = ("spec", "defaults")


@dataclass(frozen=True, slots=True)
class Parsed(Generic[T]):
    """What came out of one file: the model if nothing is wrong with it, every finding, and where each field stands.

    If something is wrong, `partial` is the model without the wrong places, `pruned`, for checks that still make sense.
    """

    file: str
    value: T | None
    diagnostics: tuple[Diagnostic, ...]
    document: Document | None
    partial: T | None = None
    pruned: frozenset[Path] = frozenset()

    @property
    def run(self) -> T | None:
        """The run, or the project; None if there is an error."""
        return self.value

    @property
    def readable(self) -> T | None:
        """The model, or what is left of it without the wrong places."""
        return self.value if self.value is not None else self.partial

    def locate(self, path: Path) -> Span:
        """Span of the value at a path of the spec, or of the nearest thing around it that was written."""
        return self.document.locate(path) if self.document else Span(self.file, 1, 1, 1, 1)

    def locate_key(self, path: Path) -> Span:
        """Span of the key at a path of the spec, or of the nearest thing around it that was written."""
        return self.document.locate_key(path) if self.document else Span(self.file, 1, 1, 1, 1)


def parse_run(text: str | bytes, file: str) -> Parsed[AvatarRun]:
    """A run spec from its text; `file` is the name that findings show."""
    return _parse(text, file, AvatarRun, "run")


def parse_project(text: str | bytes, file: str) -> Parsed[Project]:
    """A project file from its text; `file` is the name that findings show."""
    parsed = _parse(text, file, Project, "project")
    own = own_keys(parsed.document, DEFAULTS) if parsed.document else []
    return _said_better(parsed, own) if own else parsed


def parse_defaults(text: str | bytes, file: str) -> Parsed[DefaultsFile]:
    """A `_defaults.yaml` from its text; `file` is the name that findings show."""
    document, found = read_known(text, file)
    if document is None:
        return Parsed(file, None, ordered(found), None)
    own = own_keys(document)
    parsed = examine(document, found, DefaultsFile, "defaults")
    return _said_better(parsed, own) if own else parsed


def _said_better(parsed: Parsed[T], own: Sequence[Diagnostic]) -> Parsed[T]:
    """With findings in place of those that only call the same keys unknown."""
    places = {finding.path for finding in own}
    rest = [finding for finding in parsed.diagnostics if finding.path not in places]
    return replace(parsed, value=None, diagnostics=ordered([*own, *rest]))


def parse_policy(text: str | bytes, file: str) -> Parsed[PolicyFile]:
    """A policy from its text; `file` is the name that findings show."""
    return _parse(text, file, PolicyFile, "policy")


def parse_waivers(text: str | bytes, file: str) -> Parsed[WaiverFile]:
    """Waivers from their text; `file` is the name that findings show."""
    return _parse(text, file, WaiverFile, "waivers")


def parse_signoffs(text: str | bytes, file: str) -> Parsed[SignOffs]:
    """A file in `signoffs/` from its text."""
    return _parse(text, file, SignOffs, "signoffs")


def says_waivers(text: str | bytes) -> bool:
    """Whether a file in `policies/` says of itself that it holds waivers; else it is taken for a policy."""
    document, _ = read(text, "")
    return document is not None and isinstance(document.data, dict) and document.data.get("kind") == "Waivers"


def parse_policy_tests(text: str | bytes, file: str) -> Parsed[PolicyTests]:
    """A file in `policies/tests/` from its text."""
    return _parse(text, file, PolicyTests, "policy-test")


def _parse(text: str | bytes, file: str, model: type[T], kind: Kind) -> Parsed[T]:
    document, found = read_known(text, file)
    if document is None:
        return Parsed(file, None, ordered(found), None)
    return examine(document, found, model, kind)


def examine(document: Document, found: Iterable[Diagnostic], model: type[T], kind: Kind) -> Parsed[T]:
    """A document that is read, perhaps from several files, as its model; `found` is what its reading brought up."""
    file = document.file
    secrets = find_secrets(document, kind)
    hidden = {finding.path for finding in secrets}
    structure = [
        finding for finding in check_structure(document, kind) if finding.path not in hidden or finding.code == "S002"
    ]
    diagnostics = [*found, *secrets, *structure]
    if has_errors(diagnostics):
        pruned = frozenset({finding.path for finding in structure} | document.broken)
        return Parsed(file, None, ordered(diagnostics), document, _without(document.data, pruned, model), pruned)
    try:
        value = model.model_validate_json(json.dumps(document.data))
    except ValidationError as error:
        return Parsed(file, None, ordered([*diagnostics, *_disagreement(error, document)]), document)
    return Parsed(file, value, ordered(diagnostics), document)


def _without(data: Any, pruned: frozenset[Path], model: type[T]) -> T | None:
    """The model of what is left when the wrong places are taken out, None if too little is left."""
    left = copy.deepcopy(data)
    for path in pruned:
        names = path
        while names and isinstance(names[-1], int):
            names = names[:-1]
        if not names:
            return None
        place: Any = left
        for name in names[:-1]:
            known = isinstance(place, list) or (isinstance(place, dict) and name in place)
            place = place[name] if known else None
        if isinstance(place, dict):
            place.pop(names[-1], None)
    try:
        return model.model_validate_json(json.dumps(left))
    except ValidationError:
        return None


def _disagreement(error: ValidationError, document: Document) -> Iterable[Diagnostic]:
    """Findings that only the model has; a test shows that there are none, users get them if there are."""
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        path = tuple(problem["loc"])
        yield Diagnostic(
            code="S009", message=f"this does not fit: {problem['msg']}", span=document.locate(path), path=path
        )


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any finding makes the file invalid."""
    return any(finding.severity is Severity.ERROR for finding in diagnostics)


def ordered(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Findings by file, then line, then column; each once."""
    unique = dict.fromkeys(diagnostics)
    return tuple(sorted(unique, key=lambda found: (found.span.file, found.span.line, found.span.column, found.code)))
