"""The example project keeps its own policy, and its tests of that policy pass."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from avatar_gitops.app.policy import check
from avatar_gitops.app.policy_tests import run_tests


@pytest.fixture
def configs(tmp_path: Path) -> Path:
    """The example project as it is in git, without what somebody's demo left in it."""
    written = shutil.ignore_patterns("*.lock.yaml", "out", ".avatar")
    return Path(shutil.copytree(Path(__file__).parents[2] / "configs", tmp_path / "configs", ignore=written))


def test_the_example_keeps_its_policy(configs: Path) -> None:
    report = check(configs, (), (), date(2026, 11, 22))
    assert report.findings == ()
    assert not report.assumed


def test_the_tests_of_the_example_pass(configs: Path) -> None:
    assert [view.name for view in run_tests(configs) if not view.passed] == []
