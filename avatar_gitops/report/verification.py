"""What a verification of a bundle found, as text and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

from avatar_gitops.report.values import Style, count, plain, safe, short_digest, to_ascii

FORMAT: Final = "avatar-gitops/verification"


class Finding(Protocol):
    """A file and what is wrong with it."""

    @property
    def file(self) -> str: ...
    @property
    def message(self) -> str: ...


class Signature(Protocol):
    """Whose word a bundle is."""

    @property
    def trust(self) -> str: ...
    @property
    def names(self) -> Sequence[str]: ...
    @property
    def keys(self) -> Sequence[str]: ...


class Counts(Protocol):
    """How much was checked."""

    @property
    def files(self) -> int: ...
    @property
    def documents(self) -> int: ...
    @property
    def signed_statements(self) -> int: ...


class Verification(Protocol):
    """What was found."""

    @property
    def findings(self) -> Sequence[Finding]: ...
    @property
    def signature(self) -> Signature: ...
    @property
    def counts(self) -> Counts: ...
    @property
    def notes(self) -> Sequence[str]: ...
    @property
    def entries(self) -> int: ...
    @property
    def since(self) -> str: ...
    @property
    def sets(self) -> Sequence[str]: ...
    @property
    def approvals(self) -> Sequence[str]: ...
    @property
    def signoffs(self) -> Sequence[str]: ...
    @property
    def overrides(self) -> Sequence[str]: ...
    @property
    def digest(self) -> str: ...


def render(found: Verification, *, style: Style = plain, ascii_only: bool = False) -> str:
    """What was checked and is well, what is not, and one verdict."""
    lines = [*_wrong(found, style), *(_well(found, style) if not found.findings else ()), *_notes(found, style)]
    lines += ["", _verdict(found, style)]
    text = "\n".join(lines).lstrip("\n") + "\n"
    return to_ascii(text) if ascii_only else text


def to_json(found: Verification) -> str:
    """The same as one JSON document."""
    signature = found.signature
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": "1.0",
        "whole": not found.findings,
        "signature": {"trust": str(signature.trust), "trusted": list(signature.names), "keys": list(signature.keys)},
        "digest": found.digest or None,
        "sets": list(found.sets),
        "checked": {
            "files": found.counts.files,
            "documents": found.counts.documents,
            "signatures": found.counts.signed_statements,
            "audit_lines": found.entries,
        },
        "findings": [{"file": one.file, "message": one.message} for one in found.findings],
        "approvals": list(found.approvals),
        "signoffs": list(found.signoffs),
        "overrides": list(found.overrides),
        "notes": list(found.notes),
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _wrong(found: Verification, style: Style) -> Iterator[str]:
    for one in found.findings:
        yield f"  {style('✘', 'fail')} {safe(one.file)}: {safe(one.message)}"


def _well(found: Verification, style: Style) -> Iterator[str]:
    mark = style("✔", "ok")
    counts = found.counts
    yield f"  {mark} {count(counts.files, 'file')} as listed, none missing, none added"
    yield f"  {mark} {count(counts.documents, 'document')} in the form of {_their(counts.documents)} schema"
    yield f"  {mark} RO-Crate 1.2, and what it describes is there"
    yield f"  {mark} {count(len(found.sets), 'published set')}: the spec that ran, plan, gates, statement and files fit"
    for text in found.approvals:
        yield f"  {mark} approved before the apply: {safe(text)}"
    for text in found.signoffs:
        yield f"  {mark} assessment signed: {safe(text)}"
    if found.entries:
        yield f"  {mark} audit log: {count(found.entries, 'line')}, unbroken since {found.since}"
    yield from _signed(found.signature, mark, style("!", "warn"))


def _their(number: int) -> str:
    return "its" if number == 1 else "their"


def _signed(signature: Signature, mark: str, attention: str) -> Iterator[str]:
    match str(signature.trust):
        case "trusted":
            yield f"  {mark} signed with {safe(', '.join(signature.names))}"
        case "unknown_key":
            yield f"  {attention} signed with {', '.join(signature.keys)}, which nobody here trusts"
        case _:
            yield f"  {attention} not signed: whoever had this bundle could have changed all of it"


def _notes(found: Verification, style: Style) -> Iterator[str]:
    mark = style("!", "warn")
    yield from (f"  {mark} override used: {safe(text)}" for text in found.overrides)
    yield from (f"  {mark} {safe(text)}" for text in found.notes)


def _verdict(found: Verification, style: Style) -> str:
    if found.findings:
        number = len(found.findings)
        return style(f"Not as it was made: {count(number, 'finding')}.", "error")
    digest = f" Its digest is {short_digest(found.digest)}." if found.digest else ""
    match str(found.signature.trust):
        case "trusted":
            return f"Verified offline.{digest}"
        case "unknown_key":
            text = f"Whole, but signed by somebody unknown.{digest} If you know the key: --trust-key FILE"
        case _:
            text = f"Whole, but unsigned.{digest} Nothing vouches for it but the way it came to you."
    return style(text, "warn")
