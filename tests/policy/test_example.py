"""The example project keeps its own policy, and its tests of that policy pass."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from avatar_gitops.app.policy import check
from avatar_gitops.app.policy_tests import run_tests

CONFIGS = Path(__file__).parents[2] / "configs"


def test_the_example_keeps_its_policy() -> None:
    report = check(CONFIGS, (), date(2026, 11, 22))
    assert report.findings == ()
    assert not report.assumed


def test_the_tests_of_the_example_pass() -> None:
    assert [view.name for view in run_tests(CONFIGS) if not view.passed] == []
