"""Whether the files of a bundle are those that were put into it, and whose key says so."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Final

from pydantic import BaseModel

from avatar_gitops.audit import crate, documents, layout, records
from avatar_gitops.audit.archive import Finding, guarded
from avatar_gitops.audit.dsse import Envelope, NotAnEnvelope, opened
from avatar_gitops.audit.keys import short
from avatar_gitops.audit.statement import (
    BUNDLE,
    ENVELOPE,
    FILE,
    REPLAY_ENVELOPE,
    REPLAY_FILE,
    sha256,
    statement_bytes,
    subjects,
)

Files = Mapping[str, bytes]

MODELS: Final[dict[str, type[BaseModel]]] = {
    FILE: documents.RunStatement,
    REPLAY_FILE: documents.ReplayStatement,
    layout.MANIFEST: documents.BundleStatement,
    "run.json": records.RunRecord,
    "metrics.json": records.MetricsFile,
    "deletion.json": records.Deletion,
}
"""Model by the name of a file, wherever in the bundle it is."""

PAIRS: Final = {ENVELOPE: FILE, REPLAY_ENVELOPE: REPLAY_FILE, layout.MANIFEST_ENVELOPE: layout.MANIFEST}
"""Envelope to the statement that it signs, in the same folder."""


class Trust(StrEnum):
    """Whose word a bundle is."""

    TRUSTED = "trusted"
    UNKNOWN_KEY = "unknown_key"
    UNSIGNED = "unsigned"


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed the manifest: names of trusted keys, or the keys that nobody here trusts."""

    trust: Trust
    names: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(slots=True)
class Counts:
    """How much was checked."""

    files: int = 0
    documents: int = 0
    signed_statements: int = 0
    notes: list[str] = field(default_factory=list)


def check(files: Files, trusted: Mapping[str, str], counts: Counts) -> Iterator[Finding]:
    """What is not as it was put into the bundle. `trusted` maps public keys to their names."""
    yield from _places(files)
    yield from _digests(files, counts)
    yield from guarded(layout.MANIFEST, _manifest(files))
    yield from _documents(files, counts)
    yield from guarded(layout.CRATE, crate.check(files))
    yield from _envelopes(files, trusted, counts)


def signature(files: Files, trusted: Mapping[str, str]) -> Signature:
    """Who signed the manifest; a signature that is none is a finding of `check`."""
    envelope = _envelope(files, layout.MANIFEST_ENVELOPE)
    if envelope is None or envelope.payload != files.get(layout.MANIFEST):
        return Signature(Trust.UNSIGNED)
    good = envelope.signed_by(trusted)
    if good:
        return Signature(Trust.TRUSTED, tuple(trusted[key] for key in good), good)
    valid = envelope.signed_by(envelope.signatures)
    return Signature(Trust.UNKNOWN_KEY, keys=valid) if valid else Signature(Trust.UNSIGNED)


def _places(files: Files) -> Iterator[Finding]:
    for name in sorted(files):
        if not layout.belongs(name):
            yield Finding(name, "a file like this has no place in a bundle")
    for name in (layout.SUMS, layout.MANIFEST, layout.CRATE, layout.HOW):
        if name not in files:
            yield Finding(name, "it is missing")


def _digests(files: Files, counts: Counts) -> Iterator[Finding]:
    expected = layout.read_sums(files.get(layout.SUMS, b""))
    if expected is None:
        yield Finding(layout.SUMS, "it is not a list of digests as avatar-gitops writes it")
        return
    for name in sorted(expected.keys() - files.keys()):
        yield Finding(name, f"it is missing; {layout.SUMS} lists it")
    for name in sorted(filter(layout.listed, files)):
        if name not in expected:
            yield Finding(name, f"it was added; {layout.SUMS} does not list it")
        elif sha256(files[name]) != f"sha256:{expected[name]}":
            yield Finding(name, f"it was changed; its digest is not the one in {layout.SUMS}")
        else:
            counts.files += 1


def _manifest(files: Files) -> Iterator[Finding]:
    """The manifest names every file with its digest: it is what a signature is about."""
    content = statement_in(files, layout.MANIFEST)
    if content is None or content.get("predicateType") != BUNDLE:
        if layout.MANIFEST in files:
            yield Finding(layout.MANIFEST, "it is not a statement about a bundle")
        return
    expected = subjects(content)
    if len(expected) != len(content["subject"]):
        yield Finding(layout.MANIFEST, "it names a file twice")
    if statement_bytes(content) != files[layout.MANIFEST]:
        yield Finding(layout.MANIFEST, "it is not written as avatar-gitops writes statements")
    here = {name for name in files if name not in layout.ABOUT_ALL}
    for name in sorted(expected.keys() - here):
        yield Finding(name, f"it is missing; {layout.MANIFEST} names it")
    for name in sorted(here - expected.keys()):
        yield Finding(name, f"it was added; {layout.MANIFEST} does not name it")
    for name in sorted(here & expected.keys()):
        if sha256(files[name]) != expected[name]:
            yield Finding(name, f"it was changed; its digest is not the one in {layout.MANIFEST}")


def _documents(files: Files, counts: Counts) -> Iterator[Finding]:
    for name in sorted(files):
        model = MODELS.get(PurePosixPath(name).name)
        if name.startswith(f"{layout.PROJECT}audit/plans/"):
            model = records.AppliedPlan
        if model is None or "rejected" in PurePosixPath(name).parts:
            continue
        if problem := documents.problem(model, files[name]):
            yield Finding(name, f"it does not have the form of its schema ({problem})")
        else:
            counts.documents += 1


def _envelopes(files: Files, trusted: Mapping[str, str], counts: Counts) -> Iterator[Finding]:
    """Envelopes are about the statement beside them, and signed by whom they say; those of runs by a trusted key."""
    seen = 0
    for name in sorted(name for name in files if PurePosixPath(name).name in PAIRS):
        beside = str(PurePosixPath(name).with_name(PAIRS[PurePosixPath(name).name]))
        seen += name != layout.MANIFEST_ENVELOPE
        try:
            envelope = opened(files[name])
        except NotAnEnvelope as why:
            yield Finding(name, str(why))
            continue
        if beside not in files:
            yield Finding(name, f"it signs {PurePosixPath(beside).name}, which is missing")
        elif envelope.payload != files[beside]:
            yield Finding(name, f"what it signs is not {beside}")
            yield Finding(beside, f"it is not what {name} signs")
        for key in envelope.broken():
            yield Finding(name, f"the signature of {short(key)} is not one over this statement")
        if trusted and name != layout.MANIFEST_ENVELOPE and not envelope.signed_by(trusted):
            yield Finding(name, "none of the trusted keys signed it")
        counts.signed_statements += 1
    if seen and layout.MANIFEST_ENVELOPE not in files:
        yield Finding(layout.MANIFEST_ENVELOPE, "it is missing; statements of the runs are signed, the bundle is not")


def _envelope(files: Files, name: str) -> Envelope | None:
    try:
        return opened(files[name])
    except (KeyError, NotAnEnvelope):
        return None


def statement_in(files: Files, name: str) -> dict[str, Any] | None:
    """A statement of the bundle as data; None when it is not there, or has another form."""
    content = files.get(name)
    if content is None:
        return None
    try:
        kind = json.loads(content).get("predicateType")
    except (ValueError, AttributeError, RecursionError):
        return None
    model = documents.STATEMENTS.get(kind) if isinstance(kind, str) else None
    if model is None or documents.problem(model, content):
        return None
    found: dict[str, Any] = json.loads(content)
    return found
