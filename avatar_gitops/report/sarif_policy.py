"""Findings of the policy as SARIF 2.1.0 and as a Code Quality report: with their waivers and the texts of the rules.

A waived finding is a suppressed result (SARIF, section 3.35), so that code scanning shows it as dismissed and not as
fixed. Code Quality of GitLab knows no such thing; there, waived findings are left out.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from avatar_gitops import __version__
from avatar_gitops.diagnostics import Diagnostic, Severity
from avatar_gitops.policy.model import Finding, Level, PolicyReport, Rule, Waiver
from avatar_gitops.report.sarif import ROOT, SCHEMA, uri
from avatar_gitops.spec.project import PROJECT_FILE

LEVELS: Final = {Level.FAIL: "error", Level.WARN: "warning", Level.INFO: "note"}
SEVERITIES: Final = {Level.FAIL: "major", Level.WARN: "minor", Level.INFO: "info"}
NOTES: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def as_sarif(report: PolicyReport, rules: Sequence[Rule], prefix: str = "") -> str:
    """One SARIF log with one run; `rules` are those of the policy, `prefix` leads from the repository's root here."""
    ids = [rule.id for rule in rules]
    seen: Counter[str] = Counter()
    results = [_result(found, ids, prefix, seen) for found in report.findings]
    return _log([_rule(rule) for rule in rules], results, _invocation((), prefix))


def unread_sarif(diagnostics: Iterable[Diagnostic], prefix: str = "") -> str:
    """The log of a run that could not judge: what is wrong with the files that it had to read, as notifications."""
    return _log([], [], _invocation(tuple(diagnostics), prefix))


def as_code_quality(report: PolicyReport, prefix: str = "") -> str:
    """One JSON list of what nobody has waived."""
    seen: Counter[str] = Counter()
    entries = []
    for found in report.findings:
        if found.waiver is not None:
            continue
        mark = _fingerprint(found, uri(_file(found), prefix, encoded=False))
        seen[mark] += 1
        entries.append(
            {
                "description": _words(found),
                "check_name": found.rule,
                "fingerprint": f"{mark}-{seen[mark]}",
                "severity": SEVERITIES[found.severity],
                "location": {
                    "path": uri(_file(found), prefix, encoded=False),
                    "lines": {"begin": max(found.line, 1)},
                },
            }
        )
    return json.dumps(entries, indent=2, ensure_ascii=False) + "\n"


def _log(rules: list[dict[str, Any]], results: list[dict[str, Any]], invocation: Mapping[str, Any]) -> str:
    driver = {"name": "avatar-gitops policy", "semanticVersion": __version__, "version": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [invocation],
        "results": results,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(rule: Rule) -> dict[str, Any]:
    known = rule.id.startswith("P")
    explain = f"Explain it: avatar-gitops explain {rule.id}" if known else "It stands in policies/."
    text = " ".join(part for part in (rule.why, explain) if part)
    return {
        "id": rule.id,
        "shortDescription": {"text": f"{rule.title}."},
        "fullDescription": {"text": rule.why or f"{rule.title}."},
        "help": {"text": text, "markdown": f"**{rule.title}**\n\n{text}"},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"stage": rule.stage.value, "tags": ["privacy", "policy"]},
    }


def _result(found: Finding, ids: list[str], prefix: str, seen: Counter[str]) -> dict[str, Any]:
    place = uri(_file(found), prefix)
    mark = _fingerprint(found, place)
    seen[mark] += 1
    result: dict[str, Any] = {
        "ruleId": found.rule,
        "level": LEVELS[found.severity],
        "message": {"text": _words(found)},
        "locations": [_location(place, found.line)],
        "partialFingerprints": {"primaryLocationLineHash": f"{mark}:{seen[mark]}"},
        "suppressions": [_suppression(found.waiver, prefix)] if found.waiver else [],
    }
    if found.rule in ids:
        result["ruleIndex"] = ids.index(found.rule)
    return result


def _suppression(waiver: Waiver, prefix: str) -> dict[str, Any]:
    ticket = f", {waiver.ticket}" if waiver.ticket else ""
    made: dict[str, Any] = {
        "kind": "external",
        "status": "accepted",
        "justification": f"{waiver.reason} ({waiver.owner}, until {waiver.expires}{ticket})",
    }
    if waiver.path:
        made["location"] = _location(uri(waiver.path, prefix), waiver.line)
    return made


def _invocation(diagnostics: Sequence[Diagnostic], prefix: str) -> dict[str, Any]:
    return {
        "executionSuccessful": not any(item.severity is Severity.ERROR for item in diagnostics),
        "toolExecutionNotifications": [
            {
                "level": NOTES[item.severity],
                "message": {"text": f"{item.code}: {item.message}; the policy was not applied."},
                "locations": [_location(uri(item.span.file, prefix), item.span.line)],
            }
            for item in diagnostics
        ],
    }


def _location(place: str, line: int) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": place, "uriBaseId": ROOT},
            "region": {"startLine": max(line, 1)},
        }
    }


def _file(found: Finding) -> str:
    return found.path or PROJECT_FILE


def _fingerprint(found: Finding, place: str) -> str:
    """What stays the same while a finding moves down its file and while its numbers change."""
    parts = [found.rule, place, found.set, found.message]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:16]


def _words(found: Finding) -> str:
    about = f"{found.set}: " if found.set else ""
    extra = "; ".join(part for part in (found.detail, found.note) if part)
    return f"{about}{found.message}" + (f" ({extra})" if extra else "") + "."
