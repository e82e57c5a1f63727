"""`import` of a file that no spec can be made of: where it is wrong, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from avatar_gitops.cli import main

WEB = """\
kind: AvatarSchema
metadata: {name: schema}
spec:
  tables:
    - name: people
      data: {volume: input, file: people.csv}
---
kind: AvatarParameters
metadata: {name: standard}
spec:
  schema: schema
  avatarization:
    people:
      unknown_param:    3
      k: 5
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "avatar-gitops.yaml").write_text(
        "apiVersion: avatar-gitops/v1\nkind: Project\nmetadata: {name: demo}\n"
    )
    (tmp_path / "plat.yaml").write_text(WEB)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_unknown_key_is_marked_at_the_key(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["import", "plat.yaml", "--source", "people=data/people.csv", "--stdout"]) == 3
    error = capsys.readouterr().err
    assert "plat.yaml:14:7" in error
    assert "holds values that no spec can have" in error
    assert "fix: change them in a copy of the file, and import that" in error


@pytest.mark.parametrize("name", ["../x", "a b", "-x", "x" * 201])
def test_a_name_that_is_none_is_a_matter_of_the_option(
    name: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(["import", "plat.yaml", f"--name={name}", "--stdout"]) == 64
    error = capsys.readouterr().err
    assert "no set can have the name that was asked for" in error and "plat.yaml" not in error
