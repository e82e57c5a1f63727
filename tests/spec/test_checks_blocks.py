"""Renames, removals, adoptions and days of deletion that do not fit the specs are found where they are written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from avatar_gitops.diagnostics import Severity
from avatar_gitops.spec.checks_blocks import check_blocks, check_retention
from avatar_gitops.spec.models import AvatarRun
from avatar_gitops.spec.parse import Parsed, parse_project, parse_run

ID = "0d9a7c1e-3b6e-4a55-9a0e-5f0c2f6f2b10"
PROJECT = """\
apiVersion: avatar-gitops/v1
kind: Project
metadata: {name: clinic}
spec:
"""
RUN = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata: {name: NAME}
spec:
  tables:
    t: {source: t.csv, avatarization: {k: 5}}
"""


def run(name: str, more: str = "") -> Parsed[AvatarRun]:
    return parse_run(RUN.replace("NAME", name) + more, f"configs/{name}.yaml")


def found(blocks: str, names: Sequence[str] = ("new",)) -> list[tuple[str, int]]:
    parsed = parse_project(PROJECT + blocks, "avatar-gitops.yaml")
    assert parsed.value is not None, parsed.diagnostics
    return [(item.code, item.span.line) for item in check_blocks(parsed, [run(name) for name in names])]


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ("  moved:\n  - {from: old, to: new, date: 2026-01-01}\n", []),
        ("  moved:\n  - {from: a, to: b, date: 2026-01-01}\n  - {from: b, to: new, date: 2026-02-01}\n", []),
        ("  moved:\n  - {from: new, to: other, date: 2026-01-01}\n", [("X070", 6), ("X072", 6)]),
        (
            "  moved:\n  - {from: a, to: new, date: 2026-01-01}\n  - {from: a, to: old, date: 2026-02-01}\n",
            [("X071", 6), ("X072", 7)],
        ),
        (
            "  moved:\n  - {from: a, to: new, date: 2026-01-01}\n  - {from: b, to: new, date: 2026-02-01}\n",
            [("X071", 6)],
        ),
        ("  moved:\n  - {from: old, to: newer, date: 2026-01-01}\n", [("X072", 6)]),
        (
            "  moved:\n  - {from: a, to: b, date: 2026-01-01}\n  - {from: b, to: a, date: 2026-02-01}\n",
            [("X072", 6), ("X072", 7)],
        ),
        ("  moved:\n  - {from: old, to: new, date: 2026-02-30}\n", [("X075", 6)]),
        ("  removed:\n  - {set: old, date: 2026-01-01, keep_results: true}\n", []),
        ("  removed:\n  - {set: new, date: 2026-13-01, keep_results: false}\n", None),
        ("  removed:\n  - {set: new, date: 2026-11-31, keep_results: false}\n", [("X073", 6), ("X075", 6)]),
        (f"  adopted:\n  - {{set: new, id: {ID}}}\n", []),
        (f"  adopted:\n  - {{set: old, id: {ID}}}\n", [("X074", 6)]),
        (f"  adopted:\n  - {{set: new, id: {ID}}}\n  - {{set: new, id: {ID.upper()}}}\n", [("X074", 6)]),
    ],
)
def test_blocks_that_do_not_fit_the_specs(blocks: str, expected: list[tuple[str, int]] | None) -> None:
    if expected is None:
        assert parse_project(PROJECT + blocks, "avatar-gitops.yaml").value is None
        return
    assert found(blocks) == expected


def test_a_set_without_a_readable_name_may_be_the_one_that_is_meant() -> None:
    parsed = parse_project(PROJECT + "  moved: [{from: old, to: other, date: 2026-01-01}]\n", "avatar-gitops.yaml")
    unreadable = parse_run("metadata: {name: 5}\n", "configs/x.yaml")
    assert check_blocks(parsed, [run("new"), unreadable]) == []


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-11-21", [("X076", Severity.WARNING)]),
        ("2026-11-22", []),
        ("2026-12-01", []),
        ("2026-02-29", [("X075", Severity.ERROR)]),
    ],
)
def test_a_day_of_deletion(day: str, expected: list[tuple[str, Severity]]) -> None:
    parsed = run("new", f"  lifecycle: {{delete_after: {day}}}\n")
    told = check_retention(parsed, date(2026, 11, 22))
    assert [(item.code, item.severity) for item in told] == expected
    assert all(item.span.line == 7 for item in told)
    assert check_retention(run("new"), date(2026, 11, 22)) == []
