"""Findings as SARIF 2.1.0 (OASIS standard), for code scanning: rules of the catalogue, places, stable fingerprints."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import quote

from avatar_gitops import __version__
from avatar_gitops.diagnostics import Diagnostic, Severity, Span
from avatar_gitops.spec.catalogue import TITLES

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
ROOT: Final = "%SRCROOT%"
LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def as_sarif(diagnostics: Iterable[Diagnostic], prefix: str = "") -> str:
    """One SARIF log with one run; `prefix` leads from the repository's root to what the files are relative to.

    Columns count Unicode code points. A fingerprint depends on code, file, field and message, not on the line.
    """
    codes = sorted(TITLES)
    seen: Counter[str] = Counter()
    results = [_result(item, codes, prefix, seen) for item in diagnostics]
    run = {
        "tool": {"driver": _driver(codes)},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _driver(codes: list[str]) -> dict[str, Any]:
    return {
        "name": "avatar-gitops",
        "semanticVersion": __version__,
        "version": __version__,
        "rules": [
            {
                "id": code,
                "shortDescription": {"text": _sentence(TITLES[code])},
                "help": {"text": f"Explain it: avatar-gitops explain {code}"},
            }
            for code in codes
        ],
    }


def _result(item: Diagnostic, codes: list[str], prefix: str, seen: Counter[str]) -> dict[str, Any]:
    place = uri(item.span.file, prefix)
    print_ = fingerprint(item, place)
    seen[print_] += 1
    result: dict[str, Any] = {
        "ruleId": item.code,
        "level": LEVELS[item.severity],
        "message": {
            "text": " ".join(_sentence(part) for part in (item.message, item.why, item.fix, item.note) if part)
        },
        "locations": [_location(item.span, prefix)],
        "partialFingerprints": {"primaryLocationLineHash": f"{print_}:{seen[print_]}"},
    }
    if item.code in TITLES:
        result["ruleIndex"] = codes.index(item.code)
    if item.related:
        result["relatedLocations"] = [
            {"id": number, "message": {"text": _sentence(related.label)}, **_location(related.span, prefix)}
            for number, related in enumerate(item.related, start=1)
        ]
    return result


def fingerprint(item: Diagnostic, place: str) -> str:
    """What stays the same while a finding moves down its file."""
    parts = [item.code, place, list(item.path), item.message]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:16]


def _location(span: Span, prefix: str) -> dict[str, Any]:
    place: Mapping[str, str] = {"uri": uri(span.file, prefix), "uriBaseId": ROOT}
    return {"physicalLocation": {"artifactLocation": place, "region": _region(span)}}


def _region(span: Span) -> dict[str, int]:
    line, column = max(span.line, 1), max(span.column, 1)
    end_line = max(span.end_line, line)
    end_column = max(span.end_column, 1) if end_line > line else max(span.end_column, column)
    return {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}


def uri(file: str, prefix: str, *, encoded: bool = True) -> str:
    """A path from the repository's root without `..` as far as the prefix allows; plain signs only when `encoded`."""
    parts: list[str] = []
    for part in PurePosixPath(prefix, file).parts:
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        else:
            parts.append(part)
    path = "/".join(parts).lstrip("/")
    return quote(path, safe="/") if encoded else path


def _sentence(text: str) -> str:
    capital = text if not text or text.startswith(("`", "avatar-gitops ")) else text[0].upper() + text[1:]
    return capital if capital.endswith((".", "?", "!")) else capital + "."
