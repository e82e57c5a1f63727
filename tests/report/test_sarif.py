"""SARIF: the form that the standard asks for, places relative to the repository, fingerprints that outlive edits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avatar_gitops.cli import main
from avatar_gitops.diagnostics import Diagnostic, Related, Severity, Span
from avatar_gitops.report.code_quality import as_code_quality
from avatar_gitops.report.sarif import as_sarif
from avatar_gitops.spec.catalogue import TITLES

TEXT = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
REGION = {
    "type": "object",
    "required": ["startLine"],
    "additionalProperties": False,
    "properties": {
        name: {"type": "integer", "minimum": 1} for name in ("startLine", "startColumn", "endLine", "endColumn")
    },
}
LOCATION = {
    "type": "object",
    "required": ["physicalLocation"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "integer", "minimum": -1},
        "message": TEXT,
        "physicalLocation": {
            "type": "object",
            "required": ["artifactLocation"],
            "additionalProperties": False,
            "properties": {
                "region": REGION,
                "artifactLocation": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["uri"],
                    "properties": {
                        # a relative reference (RFC 3986): no scheme, no leading slash, nothing that must be encoded
                        "uri": {
                            "type": "string",
                            "pattern": r"^(?!/)(?![A-Za-z][A-Za-z0-9+.-]*:)([A-Za-z0-9._~/-]|%[0-9A-F]{2})*$",
                        },
                        "uriBaseId": {"type": "string"},
                    },
                },
            },
        },
    },
}
RESULT = {
    "type": "object",
    "required": ["message", "ruleId", "locations"],
    "additionalProperties": False,
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": -1},
        "level": {"enum": ["none", "note", "warning", "error"]},
        "message": TEXT,
        "locations": {"type": "array", "items": LOCATION, "minItems": 1},
        "relatedLocations": {"type": "array", "items": LOCATION, "uniqueItems": True},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
RULE = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {"id": {"type": "string"}, "shortDescription": TEXT, "help": TEXT},
}
LOG: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool"],
                "additionalProperties": False,
                "properties": {
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "originalUriBaseIds": {"type": "object"},
                    "results": {"type": "array", "items": RESULT},
                    "tool": {
                        "type": "object",
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "required": ["name"],
                                "additionalProperties": False,
                                "properties": {
                                    "name": {"type": "string"},
                                    "version": {"type": "string"},
                                    "semanticVersion": {"type": "string"},
                                    "rules": {"type": "array", "items": RULE, "uniqueItems": True},
                                },
                            }
                        },
                    },
                },
            },
        },
    },
}
"""What the SARIF 2.1.0 standard says of the parts that are written here."""

PLACE = Span("configs/a.yaml", 7, 12, 7, 14)
FOUND = [
    Diagnostic("S004", "`k` must be at least 2", PLACE, path=("spec", "k"), why="it copies people", fix="write 2"),
    Diagnostic(
        "Y002", "key `k` appears twice", replace(PLACE, line=9, end_line=9), related=(Related(PLACE, "first here"),)
    ),
    Diagnostic("X018", "a header looks like data", Span("data/ä b#1.csv", 0, 0, 0, 0), severity=Severity.WARNING),
]


def read(diagnostics: list[Diagnostic], prefix: str = "") -> list[dict[str, Any]]:
    log = json.loads(as_sarif(diagnostics, prefix))
    jsonschema.Draft202012Validator(LOG, format_checker=jsonschema.FormatChecker()).validate(log)
    results: list[dict[str, Any]] = log["runs"][0]["results"]
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    for result in results:
        if "ruleIndex" in result:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    return results


def place(result: dict[str, Any]) -> str:
    return str(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])


def test_the_form(golden: Callable[[str, str], None]) -> None:
    log = json.loads(as_sarif(FOUND))
    log["runs"][0]["tool"]["driver"]["rules"] = "one for each code of the catalogue"
    golden("ci/findings.sarif.json", json.dumps(log, indent=2, ensure_ascii=False) + "\n")
    assert len(read(FOUND)) == 3
    assert read([]) == []


def test_every_code_of_the_catalogue_is_a_rule() -> None:
    rules = json.loads(as_sarif([]))["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted(TITLES)


def test_fingerprints_do_not_move_with_lines_but_tell_repetitions_apart() -> None:
    def prints(items: list[Diagnostic]) -> list[str]:
        return [result["partialFingerprints"]["primaryLocationLineHash"] for result in read(items)]

    moved = [replace(item, span=replace(item.span, line=item.span.line + 5, end_line=50)) for item in FOUND]
    assert prints(moved) == prints(FOUND)
    twice = prints([FOUND[0], moved[0]])
    assert twice[0].partition(":")[0] == twice[1].partition(":")[0]
    assert len({*twice, *prints(FOUND)}) == 4
    assert prints([replace(FOUND[0], path=("spec", "other"))]) != prints(FOUND[:1])


@pytest.mark.parametrize(
    ("prefix", "file", "expected"),
    [
        ("", "configs/a.yaml", "configs/a.yaml"),
        ("sub/dir", "configs/a.yaml", "sub/dir/configs/a.yaml"),
        ("sub/dir", "../other/a.yaml", "sub/other/a.yaml"),
        ("", "a b:c#%.yaml", "a%20b%3Ac%23%25.yaml"),
    ],
)
def test_places_are_relative_to_the_repository(prefix: str, file: str, expected: str) -> None:
    assert place(read([replace(FOUND[0], span=replace(PLACE, file=file))], prefix)[0]) == expected


@given(st.text(max_size=20), st.text(max_size=20), *[st.integers(0, 9)] * 4)
def test_any_finding_has_the_form(file: str, message: str, line: int, column: int, end: int, last: int) -> None:
    text = message.encode("utf-8", "replace").decode()
    name = file.encode("utf-8", "replace").decode()
    result = read([Diagnostic("S001", text or "x", Span(name, line, column, end, last))])[0]
    region = result["locations"][0]["physicalLocation"]["region"]
    assert (region["endLine"], region["endColumn"]) >= (region["startLine"], region["startColumn"])


def test_validate_writes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["init", str(tmp_path / "repo/part")]) == 0
    (tmp_path / "repo/.git").mkdir()
    spec = tmp_path / "repo/part/configs/iris-demo.yaml"
    spec.write_text(spec.read_text().replace("k: 20", "k: 1"))
    monkeypatch.chdir(tmp_path / "repo/part")
    capsys.readouterr()
    assert main.run(["validate", "--format", "sarif"]) == 3
    results = json.loads(capsys.readouterr().out)["runs"][0]["results"]
    assert [(item["ruleId"], place(item)) for item in results] == [("S004", "part/configs/iris-demo.yaml")]


def test_merge_requests_of_gitlab_get_the_same_findings(golden: Callable[[str, str], None]) -> None:
    golden("ci/findings.gitlab.json", as_code_quality([*FOUND, FOUND[0]], "part"))
    found = json.loads(as_code_quality([*FOUND, FOUND[0]]))
    assert len({item["fingerprint"] for item in found}) == 4
    assert found[2]["location"] == {"path": "data/ä b#1.csv", "lines": {"begin": 1}}
    assert json.loads(as_code_quality([])) == []
