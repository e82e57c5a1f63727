"""Defaults, a matrix and a downloaded start through the command line: resolved, planned, applied, nothing left."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.flow import FIVE, Cli, Platform

pytestmark = pytest.mark.slow

Unique = Callable[[str], str]

DEFAULTS = """\
apiVersion: avatar-gitops/v1
kind: Defaults
metadata: {owner: registry@example.org}
spec:
  seed: 7
  tables:
    "*":
      avatarization: {ncp: 2}
  gates: {hidden_rate: ">= 10"}
"""
SPEC = """\
apiVersion: avatar-gitops/v1
kind: AvatarRun
metadata: {{name: {name}}}
spec:
  matrix: {{k: {values}}}
  tables:
    people: {{source: data/people.csv}}
  jobs: [standard, privacy_metrics]
"""


def write(cli: Cli, name: str, values: str = "[5, 10]", defaults: str = DEFAULTS) -> Path:
    folder = cli.root / "configs" / "health"
    folder.mkdir(parents=True, exist_ok=True)
    (cli.root / "configs" / "_defaults.yaml").write_text(defaults, encoding="utf-8")
    path = folder / "people.yaml"
    path.write_text(SPEC.format(name=name, values=values), encoding="utf-8")
    return path


def locks(cli: Cli) -> list[str]:
    return sorted(path.name for path in (cli.root / "configs").rglob("*.lock.yaml"))


def test_a_matrix_with_defaults_is_applied_once_and_then_there_is_nothing_to_do(
    cli: Cli, platform: Platform, unique: Unique
) -> None:
    name = unique("matrix")
    write(cli, name)
    checked = cli("validate")
    assert checked.code == 0, checked.text
    assert "3 files checked: 3 valid. The specs make 2 sets." in checked.out

    small, large = f"{name}-k5", f"{name}-k10"
    planned = json.loads(cli("plan", "--format", "json").out)
    assert {change["set"]: change["location"]["file"] for change in planned["changes"]} == {
        small: "configs/health/people.yaml",
        large: "configs/health/people.yaml",
    }
    applied = cli("apply", "--yes")
    assert applied.code == 0, applied.text
    assert len(platform.jobs(small)) == len(platform.jobs(large)) == 2 < len(FIVE)
    assert locks(cli) == sorted(f"people.{one}.lock.yaml" for one in (small, large))
    assert cli("plan", "--detailed-exitcode").code == 0
    assert cli("drift").code == 0

    write(cli, name, defaults=DEFAULTS.replace("ncp: 2", "ncp: 3"))
    changed = cli("plan")
    assert changed.code == 0, changed.text
    assert changed.out.count("configs/_defaults.yaml:8") == 2
    assert "ncp" in changed.out
    document = json.loads(cli("plan", "--format", "json").out)
    assert {change["location"]["line"] for change in document["changes"]} == {8}
    assert {change["fields"][0]["file"] for change in document["changes"]} == {"configs/_defaults.yaml"}

    moved = DEFAULTS.replace('  gates: {hidden_rate: ">= 10"}\n', "")
    path = write(cli, name, defaults=moved)
    path.write_text(path.read_text() + '  gates: {hidden_rate: ">= 10"}\n', encoding="utf-8")
    assert cli("plan", "--detailed-exitcode").code == 0, "where a value stands makes no difference"
    assert cli("diff", small, large).code == 0


def test_a_spec_that_makes_one_set_after_it_made_two_keeps_the_run_and_one_lock(cli: Cli, unique: Unique) -> None:
    name = unique("shrinks")
    path = write(cli, name, values="[5]")
    assert cli("apply", "--yes").code == 0
    assert locks(cli) == [f"people.{name}-k5.lock.yaml"]
    text = path.read_text(encoding="utf-8").replace("  matrix: {k: [5]}\n", "").replace(name, f"{name}-k5")
    path.write_text(text.replace("{source: data/people.csv}", "{source: data/people.csv, avatarization: {k: 5}}"))
    assert cli("plan", "--detailed-exitcode").code == 0, "the run is the same"
    path.write_text(path.read_text(encoding="utf-8").replace("metadata: {", "metadata: {description: one, "))
    applied = cli("apply", "--yes")
    assert applied.code == 0, applied.text
    assert locks(cli) == ["people.lock.yaml"]


def test_a_resolved_run_says_where_each_value_comes_from_without_a_server(cli: Cli, unique: Unique) -> None:
    name = unique("origin")
    write(cli, name)
    cli.environment.pop("AVATAR_API_KEY")
    shown = cli("show", f"{name}-k10", "--resolved", "--origin")
    assert shown.code == 0, shown.text
    lines = {line.split("#")[0].strip(): line.partition("# ")[2] for line in shown.out.splitlines()}
    assert lines["k: 10"] == "matrix, configs/health/people.yaml:5"
    assert lines["ncp: 2"] == "configs/_defaults.yaml:8"
    assert lines["uri: data/people.csv"] == "configs/health/people.yaml:7"
    assert lines["language: en"] == "default"
    document = json.loads(cli("show", f"{name}-k10", "--resolved", "--origin", "--format", "json").out)
    origins = {tuple(one["path"]): one["origin"] for one in document["origins"]}
    assert origins[("spec", "seed")] == "configs/_defaults.yaml:5"
    again = cli("show", f"{name}-k10", "--resolved")
    (cli.root / "configs" / "health" / "people.yaml").write_text(again.out, encoding="utf-8")
    (cli.root / "configs" / "_defaults.yaml").unlink()
    assert cli("show", f"{name}-k10", "--resolved").out == again.out, "a resolved run is a spec that means the same"
    unknown = cli("show", f"{name}-k11", "--resolved")
    assert unknown.code == 64
    assert f"did you mean `{name}-k10`?" in unknown.err
    assert cli("show", f"{name}-k10", "--origin").code == 64


WEB = """\
kind: AvatarMetadata
metadata: {name: metadata}
spec: {display_name: from the web}
---
kind: AvatarSchema
metadata: {name: schema}
spec:
  tables:
    - name: people
      data: {file: people.csv}
      columns:
        - {field: city, type: category}
---
kind: AvatarParameters
metadata: {name: standard}
spec:
  seed: 11
  avatarization:
    people: {k: 10, ncp: 3}
  results: {path: standard, format: csv}
"""


def test_a_run_starts_from_what_the_web_application_gave(cli: Cli, unique: Unique) -> None:
    name = unique("started")
    (cli.root / "web.yaml").write_text(WEB, encoding="utf-8")
    path = cli.root / "configs" / "started.yaml"
    path.parent.mkdir()
    path.write_text(
        f"apiVersion: avatar-gitops/v1\nkind: AvatarRun\nmetadata: {{name: {name}}}\n"
        "spec:\n  from: web.yaml\n  tables:\n    people: {source: data/people.csv, avatarization: {k: 12}}\n",
        encoding="utf-8",
    )
    shown = cli("show", name, "--resolved", "--origin")
    assert shown.code == 0, shown.text
    lines = {line.split("#")[0].strip(): line.partition("# ")[2] for line in shown.out.splitlines()}
    assert lines["k: 12"] == "configs/started.yaml:7"
    assert lines["ncp: 3"] == "from: web.yaml:19"
    assert lines["seed: 11"] == "from: web.yaml:17"
    assert lines["type: category"] == "from: web.yaml:12"
    planned = cli("plan")
    assert planned.code == 0, planned.text
    assert f"+  {name}" in planned.out
    (cli.root / "web.yaml").unlink()
    refused = cli("validate")
    assert refused.code == 3
    assert "error[X064]: the file of `from` cannot be used: there is no such file" in refused.out
