"""A resolved run as text: YAML that is a spec again, and where each value comes from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from avatar_gitops.app.show import show_resolved, values
from avatar_gitops.cli import main
from avatar_gitops.report.resolved import as_json, as_yaml
from avatar_gitops.spec.parse import parse_run

Golden = Callable[[str, str], None]

FILES = {
    "avatar-gitops.yaml": """\
apiVersion: avatar-gitops/v1
kind: Project
metadata: {name: demo}
spec:
  defaults:
    metadata: {owner: registry@example.org}
    spec:
      pia: {data_type: health}
""",
    "configs/_defaults.yaml": """\
apiVersion: avatar-gitops/v1
kind: Defaults
metadata:
  labels: {domain: health, "on": "yes"}
spec:
  tables:
    "*":
      avatarization: {ncp: 5}
  gates:
    hidden_rate: ">= 90"
    local_cloaking: ">= 5"
""",
    "configs/patients.yaml": """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata: {name: "patients-{k}"}
spec:
  from: downloads/run.yaml
  matrix: {k: [15, 20]}
  tables:
    patients:
      source: data/patients.csv
      privacy_metrics: {known_variables: [age]}
  gates: {local_cloaking: null}
""",
    "downloads/run.yaml": """\
kind: AvatarSchema
metadata: {name: schema}
spec:
  tables:
    - name: patients
      data: {file: patients.csv}
      columns:
        - {field: sex, type: category}
---
kind: AvatarParameters
metadata: {name: standard}
spec:
  seed: 11
  avatarization:
    patients: {k: 10, column_weights: {age: 3}}
""",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_value_says_where_it_comes_from(project: Path, golden: Golden) -> None:
    run = show_resolved(project, "patients-20")
    golden("layers/resolved.yaml", as_yaml(run.content, run.origins))
    assert parse_run(as_yaml(run.content), "a.yaml").value == parse_run(json.dumps(run.content), "a.yaml").value
    document = json.loads(as_json(run.name, run.path, run.content, run.origins))
    assert document["set"] == "patients-20"
    assert document["path"] == "configs/patients.yaml"
    assert document["spec"] == run.content
    assert [tuple(one["path"]) for one in document["origins"]] == [path for path, _ in values(run.content)]
    assert "origins" not in json.loads(as_json(run.name, run.path, run.content))


def test_places_are_named_from_the_project_wherever_the_command_is_called(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project / "configs")
    assert main.run(["show", "patients-15", "--resolved", "--origin"]) == 0
    text = capsys.readouterr().out
    assert "# matrix, configs/patients.yaml:6" in text
    assert "# avatar-gitops.yaml:8" in text
    assert "# from: downloads/run.yaml:13" in text


def test_a_spec_that_is_not_valid_is_not_resolved(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "configs" / "patients.yaml").write_text("kind: AvatarRun\n", encoding="utf-8")
    assert main.run(["show", "patients-15", "--resolved"]) == 3
    assert "avatar-gitops validate" in capsys.readouterr().err
