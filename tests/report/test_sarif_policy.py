"""The policy for code scanning: waivers suppress, rules bring their texts, fingerprints outlive edits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import jsonschema

from avatar_gitops.diagnostics import Diagnostic, Span
from avatar_gitops.policy.model import Finding, Level, PolicyReport, Waiver
from avatar_gitops.policy.rules.sets import BUILT_IN
from avatar_gitops.report.sarif_policy import as_code_quality, as_sarif, unread_sarif
from tests.report.test_sarif import LOCATION, TEXT

Golden = Callable[[str, str], None]
WAIVER = Waiver(
    "P044",
    ("claims-*",),
    "dpo-lead",
    "Pilot",
    date(2026, 9, 15),
    date(2026, 12, 31),
    "DPO-311",
    "policies/waivers.yaml",
    4,
)
REPORT = PolicyReport(
    (
        Finding("P010", Level.FAIL, "low", "k is too low", "table t, k 3, floor 5", "configs/low.yaml", 9),
        Finding("P012", Level.WARN, "near", "last hidden_rate is near its floor", "93, floor 90", "configs/n.yaml"),
        Finding("X-a", Level.INFO, "lab", "hidden_rate does not meet the policy"),
        Finding("P044", Level.FAIL, "claims-1", "recipient outside", "opendata", "configs/c.yaml", 3, WAIVER, "until"),
    )
)
RULES = [BUILT_IN[name] for name in ("P010", "P012", "P044")]
SUPPRESSION = {
    "type": "object",
    "required": ["kind"],
    "additionalProperties": False,
    "properties": {
        "kind": {"enum": ["inSource", "external"]},
        "status": {"enum": ["accepted", "underReview", "rejected"]},
        "justification": {"type": "string"},
        "location": LOCATION,
    },
}
RESULT = {
    "type": "object",
    "required": ["ruleId", "level", "message", "locations", "partialFingerprints", "suppressions"],
    "additionalProperties": False,
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": TEXT,
        "locations": {"type": "array", "items": LOCATION, "minItems": 1, "maxItems": 1},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
        "suppressions": {"type": "array", "items": SUPPRESSION},
    },
}


def run_of(text: str) -> dict[str, Any]:
    log = json.loads(text)
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    for result in run["results"]:
        jsonschema.Draft202012Validator(RESULT).validate(result)
    assert isinstance(run, dict)
    return run


def test_a_waiver_suppresses_its_finding_and_no_other(golden: Golden) -> None:
    text = as_sarif(REPORT, RULES, "data")
    run = run_of(text)
    suppressed = {result["ruleId"]: bool(result["suppressions"]) for result in run["results"]}
    assert suppressed == {"P010": False, "P012": False, "X-a": False, "P044": True}
    (suppression,) = run["results"][3]["suppressions"]
    assert suppression["justification"] == "Pilot (dpo-lead, until 2026-12-31, DPO-311)"
    assert suppression["location"]["physicalLocation"]["artifactLocation"]["uri"] == "data/policies/waivers.yaml"
    shortened = json.loads(text)
    shortened["runs"][0]["tool"]["driver"]["version"] = shortened["runs"][0]["tool"]["driver"]["semanticVersion"] = "V"
    golden("policy/report.sarif.json", json.dumps(shortened, indent=2, ensure_ascii=False) + "\n")


def test_rules_bring_title_reason_and_help() -> None:
    rules = run_of(as_sarif(REPORT, RULES))["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["P010", "P012", "P044"]
    assert all(rule["help"]["text"].endswith(f"avatar-gitops explain {rule['id']}") for rule in rules)
    assert all(rule["help"]["markdown"] and rule["fullDescription"]["text"] for rule in rules)
    results = run_of(as_sarif(REPORT, RULES))["results"]
    assert [result.get("ruleIndex") for result in results] == [0, 1, None, 2]


def test_a_fingerprint_outlives_another_line_and_another_number() -> None:
    first = REPORT.findings[0]
    moved = replace(first, line=30, detail="table t, k 4, floor 5")
    other = replace(first, set="lower")

    def prints(*findings: Finding) -> list[str]:
        results = run_of(as_sarif(PolicyReport(findings), RULES))["results"]
        return [result["partialFingerprints"]["primaryLocationLineHash"] for result in results]

    assert prints(first) == prints(moved)
    assert prints(first) != prints(other)
    assert len(set(prints(first, first))) == 2


def test_files_that_cannot_be_read_are_notifications_of_a_run_that_did_not_succeed() -> None:
    broken = Diagnostic(code="Y001", message="the text is not YAML", span=Span("policies/policy.yaml", 3, 1, 3, 2))
    (invocation,) = run_of(unread_sarif([broken]))["invocations"]
    assert invocation["executionSuccessful"] is False
    (said,) = invocation["toolExecutionNotifications"]
    assert said["message"]["text"] == "Y001: the text is not YAML; the policy was not applied."
    assert run_of(as_sarif(REPORT, RULES))["invocations"][0]["executionSuccessful"] is True


def test_gitlab_is_given_what_nobody_has_waived() -> None:
    entries = json.loads(as_code_quality(REPORT, "data"))
    assert [entry["check_name"] for entry in entries] == ["P010", "P012", "X-a"]
    assert [entry["severity"] for entry in entries] == ["major", "minor", "info"]
    assert entries[0]["location"] == {"path": "data/configs/low.yaml", "lines": {"begin": 9}}
    assert entries[2]["location"]["path"] == "data/avatar-gitops.yaml"
    assert len({entry["fingerprint"] for entry in entries}) == 3
