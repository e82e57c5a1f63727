"""Repairs: what has one answer is repaired, what a person must decide is not, and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from avatar_gitops.app.fix import fix
from avatar_gitops.spec.parse import parse_run
from avatar_gitops.spec.wording import only_near

PROJECT = "apiVersion: avatar-gitops/v1\nkind: Project\nmetadata: {name: demo}\nspec: {serv: local}\n"
BROKEN = """\
# a comment
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata: {name: patients, owner: 42}
spec:
  tables:
    patients:
      source: data/patients.csv
      individualLevel: "yes"   # é, then more
      avatarisation: {k: "5", use_categorical_reducton: yes}
  results: {compute_figures: No}
  lifecycle: {keep_versions: "2"}
"""
WHOLE = """\
# a comment
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata: {name: patients, owner: "42"}
spec:
  tables:
    patients:
      source: data/patients.csv
      individual_level: true   # é, then more
      avatarization: {k: 5, use_categorical_reduction: true}
  results: {compute_figures: false}
  lifecycle: {keep_versions: 2}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "configs").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "data/patients.csv").write_text("id,age\n" + "1,2\n" * 20)
    (tmp_path / "avatar-gitops.yaml").write_text(PROJECT.replace("serv:", "server:"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def repaired(project: Path, text: str) -> str:
    """The text after as many repairs as there are; a repaired key can bring others to light."""
    path = project / "configs" / "patients.yaml"
    path.write_bytes(text.encode())
    while fix(None, ()):
        continue
    return path.read_bytes().decode()


def test_all_that_has_one_repair_is_repaired(project: Path) -> None:
    assert repaired(project, BROKEN) == WHOLE
    assert parse_run(WHOLE, "a").diagnostics == ()
    assert fix(None, ()) == ()


def test_line_breaks_and_byte_order_mark_stay(project: Path) -> None:
    text = "\ufeff" + BROKEN.replace("\n", "\r\n")
    assert repaired(project, text) == "\ufeff" + WHOLE.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("k: 5}", "kk: 5, K: 5}"),
        ("compute_figures: false", "compute_figures: maybe"),
        ("keep_versions: 2", "keep_versions: many"),
        ("keep_versions: 2", "keep_versions: 2026-01-01"),
        ("lifecycle:", "zzz:"),
        ("  results:", "  gates: {hidden_rate: 90}\n  results:"),
    ],
)
def test_what_a_person_must_decide_is_left_alone(project: Path, wrong: str, right: str) -> None:
    text = WHOLE.replace(wrong, right)
    assert repaired(project, text) == text


def test_two_keys_that_would_become_one_are_left_alone(project: Path) -> None:
    text = WHOLE.replace("  lifecycle:", "  lifecycel: {}\n  lifecyle:")
    assert repaired(project, text) == text


def test_the_project_file_is_repaired_too_and_every_repair_is_told(project: Path) -> None:
    (project / "avatar-gitops.yaml").write_text(PROJECT)
    (project / "configs" / "patients.yaml").write_text(WHOLE)
    told = [(one.file, one.line, one.message, one.written) for one in fix(None, ())]
    assert told == [("avatar-gitops.yaml", 4, "unknown key `serv`", "server")]


@pytest.mark.parametrize(
    ("word", "known", "safe"),
    [
        ("metric_one", ["metric_ona", "other"], True),
        ("metricOne", ["metric_one", "avatars"], True),
        ("metric_one", ["metric_ona", "metric_onb"], False),
        ("avatar", ["variables"], False),
        ("k", [], False),
    ],
)
def test_only_one_close_name_is_safe(word: str, known: list[str], safe: bool) -> None:
    assert only_near(word, known) is safe
