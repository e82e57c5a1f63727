"""Rules of other packages: found by their entry point when a policy file names them, refused when they are no rules."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from avatar_gitops.app.policy_files import load_book, load_rules
from avatar_gitops.diagnostics import SpecError
from avatar_gitops.policy.engine import judge
from avatar_gitops.policy.model import Facts, Stage
from tests.policy.test_engine import TODAY
from tests.support.planning import wish

MODULE = """\
from dataclasses import dataclass
from avatar_gitops.policy.model import Level, Stage, Violation

@dataclass(frozen=True)
class NoParis:
    id: str = "H001"
    title: str = "A set is about Paris"
    why: str = "the hospital does not release Paris"
    severity: Level = Level.FAIL
    stage: Stage = Stage.BEFORE

    def check(self, facts):
        if "paris" in facts.desired.name:
            yield Violation("a set about Paris", "", ("metadata", "name"))

one = NoParis()
several = [NoParis(), NoParis("H002")]
not_a_rule = "H003"
badly_named = NoParis("no id")
wordy = NoParis(severity="fatal")
"""
NAMES = ("one", "several", "not_a_rule", "badly_named", "wordy")


@pytest.fixture(autouse=True)
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package with rules."""
    folder = tmp_path / "site"
    info = folder / "hospital_rules-1.dist-info"
    info.mkdir(parents=True)
    (folder / "hospital_rules.py").write_text(MODULE)
    (folder / "hospital_broken.py").write_text("raise RuntimeError('zqsecretx')\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hospital-rules\nVersion: 1\n")
    points = [f"{name} = hospital_rules:{name}" for name in NAMES] + ["broken = hospital_broken:one"]
    (info / "entry_points.txt").write_text("[avatar_gitops.rules]\n" + "\n".join(points) + "\n")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "hospital_rules", raising=False)


def policy(root: Path, name: str) -> Path:
    (root / "policies").mkdir(exist_ok=True)
    text = f"apiVersion: avatar-gitops/v1\nkind: Policy\nenabled: []\nrules: [{name}]\n"
    (root / "policies" / "policy.yaml").write_text(text)
    return root


def test_a_rule_of_a_package_is_a_rule_like_any_other(tmp_path: Path) -> None:
    book = load_book(policy(tmp_path, "one"))
    report = judge(book, Stage.BEFORE, [Facts(wish("paris")), Facts(wish("lyon"))], TODAY)
    assert [(finding.rule, finding.set, finding.line) for finding in report.failed] == [("H001", "paris", 5)]


def test_an_entry_point_may_hold_several_rules(tmp_path: Path) -> None:
    assert [rule.id for rule in load_book(policy(tmp_path, "several")).rules] == ["H001", "H002"]


def test_a_package_that_nobody_names_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    load_book(tmp_path)
    assert "hospital_rules" not in sys.modules


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("nobody", "no installed package declares it"),
        ("broken", "its package cannot be imported (RuntimeError)"),
        ("not_a_rule", "it is not a rule"),
        ("badly_named", "it is not a rule"),
        ("wordy", "its severity is not a Level"),
    ],
)
def test_what_is_no_rule_is_refused_in_words(name: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        load_rules(name)
    assert says in str(refused.value)
    with pytest.raises(SpecError) as invalid:
        load_book(policy(tmp_path, name))
    (finding,) = invalid.value.diagnostics
    assert finding.code == "X053"
    assert finding.span.line == 4
    assert "zqsecretx" not in repr(finding)
