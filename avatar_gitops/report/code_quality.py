"""Findings as a Code Quality report of GitLab (a subset of Code Climate's form), which merge requests show by line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from avatar_gitops.diagnostics import Diagnostic, Severity
from avatar_gitops.report.sarif import fingerprint, uri

SEVERITIES: Final = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}


def as_code_quality(diagnostics: Iterable[Diagnostic], prefix: str = "") -> str:
    """One JSON list; `prefix` leads from the repository's root to what the files are relative to."""
    seen: Counter[str] = Counter()
    return json.dumps([_entry(item, prefix, seen) for item in diagnostics], indent=2, ensure_ascii=False) + "\n"


def _entry(item: Diagnostic, prefix: str, seen: Counter[str]) -> dict[str, Any]:
    place = uri(item.span.file, prefix, encoded=False)
    mark = fingerprint(item, place)
    seen[mark] += 1
    return {
        "description": f"{item.message}; {item.fix}" if item.fix else item.message,
        "check_name": item.code,
        "fingerprint": f"{mark}-{seen[mark]}",
        "severity": SEVERITIES[item.severity],
        "location": {"path": place, "lines": {"begin": max(item.span.line, 1)}},
    }
